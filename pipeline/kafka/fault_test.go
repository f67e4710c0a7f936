package kafka_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestNothingIsLostWhenLeadersMove(t *testing.T) {
	t.Parallel()
	const count = 300
	fake, c := newFake(t, 3)
	topic := c.topic("moving", 6)
	publisher := c.publisher()
	j := newJournal()
	s := c.subscriber(kafka.SubscriberOptions{})
	wait := handle(c.subscribe(s, topic), func(msg *message.Message) {
		j.enter(msg)
		j.leave(msg)
		msg.Ack()
	})
	for i := range count {
		require.NoError(t, publisher.Publish(topic, keyed(strconv.Itoa(i), i)))
		if i%100 == 50 {
			fake.ShufflePartitionLeaders()
		}
	}
	eventually(t, "all handled", func() bool { return j.count() >= count })
	require.NoError(t, s.Close())
	wait()
	assert.Len(t, j.seen, count)
}

func TestAFreshClusterHasNoCoordinatorAtFirst(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("fresh", 1)
	fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: 2})
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	receive(t, c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)).Ack()
	assert.GreaterOrEqual(t, fault.Hits(), 2)
}

func TestPublishTriesAgainUntilTheWriteIsAcknowledged(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]*kerr.Error{
		"no leader": kerr.LeaderNotAvailable, "moved": kerr.NotLeaderForPartition, "unknown topic": kerr.UnknownTopicOrPartition,
		"too few replicas": kerr.NotEnoughReplicas,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, c := newFake(t, 1)
			topic := c.topic("retry", 1)
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 2})
			require.NoError(t, c.publisher().Publish(topic, keyed("a", 1), keyed("a", 2), keyed("b", 3)))
			assert.Equal(t, int64(3), fake.PartitionInfo(topic, 0).HighWatermark)
		})
	}
}

func TestPublishGivesUp(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("give-up", 1)
	c.topic("forbidden", 1)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "forbidden", Err: kerr.TopicAuthorizationFailed, Count: -1})
	publisher, err := kafka.NewPublisher(c.config, kafka.PublisherOptions{Deadline: 300 * time.Millisecond})
	require.NoError(t, err)

	began := time.Now()
	require.Error(t, publisher.Publish("does-not-exist", keyed("k", 1)), "at the deadline")
	assert.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	require.Error(t, publisher.Publish("forbidden", keyed("k", 1)), "at once")
	require.Error(t, publisher.Publish(topic, message.NewMessage("", make([]byte, 2<<20))), "larger than the broker takes")
	require.NoError(t, publisher.Publish(topic, keyed("k", 1)))
	require.NoError(t, publisher.Close())
	require.NoError(t, publisher.Close())
	require.ErrorIs(t, publisher.Publish(topic, keyed("k", 1)), kafka.ErrClosed)
}

func TestAPartitionThatLostItsNextRecordStopsLoudly(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("truncated", 2)
	publisher := c.publisher()
	for i := range 40 {
		require.NoError(t, publisher.Publish(topic, keyed(strconv.Itoa(i), i)))
	}
	end := fake.PartitionInfo(topic, 0).HighWatermark
	require.Greater(t, end, int64(6))
	require.NoError(t, c.client.CommitOffsets(t.Context(), c.group(), topic, map[int]int64{0: 3, 1: 0}))
	require.NoError(t, fake.DeleteRecords(topic, 0, 5))

	s := c.subscriber(kafka.SubscriberOptions{})
	var fromZero, fromOne atomic.Int64
	wait := handle(c.subscribe(s, topic), func(msg *message.Message) {
		if r, _ := kafka.RecordOf(msg.Context()); r.Partition == 0 {
			fromZero.Add(1)
		} else {
			fromOne.Add(1)
		}
		msg.Ack()
	})
	eventually(t, "the other partition goes on", func() bool { return fromOne.Load() == 40-end })
	eventually(t, "the reason is told", func() bool { return s.Err() != nil })
	require.ErrorIs(t, s.Err(), kafka.ErrOffsetOutOfRange)
	require.ErrorContains(t, s.Err(), "truncated/0")
	require.NoError(t, s.Close())
	wait()
	assert.Zero(t, fromZero.Load(), "no silent jump")
	assert.Equal(t, int64(3), c.committed(c.group(), topic))
}

func TestALostShareStopsPublishing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err *kerr.Error
	}{
		"when the coordinator says so":           {kerr.UnknownMemberID},
		"when it was not heard of for a session": {kerr.NotCoordinator},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, c := newFake(t, 1)
			topic := c.topic("lost", 1)
			publisher := c.publisher()
			require.NoError(t, publisher.Publish(topic, keyed("k", 1)))
			s := c.subscriber(kafka.SubscriberOptions{SessionTimeout: c.session, Drain: time.Second})
			msg := receive(t, c.subscribe(s, topic))
			result := message.NewMessageWithContext(msg.Context(), "", []byte("result"))
			require.NoError(t, publisher.Publish(topic, result))

			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: test.err, TopLevel: true, Count: -1})
			eventually(t, "the lease ends", func() bool { return kafka.LeaseOf(msg.Context()).Err() != nil })
			written := fake.PartitionInfo(topic, 0).HighWatermark
			other := message.NewMessageWithContext(kafka.WithLease(t.Context(), kafka.LeaseOf(msg.Context())), "", nil)
			require.ErrorIs(t, publisher.Publish(topic, keyed("fine", 1), result.CopyWithContext()), kafka.ErrLeaseLost)
			require.ErrorIs(t, publisher.Publish(topic, other), kafka.ErrLeaseLost)
			assert.Equal(t, written, fake.PartitionInfo(topic, 0).HighWatermark, "nothing was written")
			msg.Ack()
		})
	}
}

func TestNothingIsLostWhenTheBrokerRestarts(t *testing.T) {
	t.Parallel()
	const count = 60
	directory := t.TempDir()
	broker, err := embedded.Start(embedded.Options{DataDir: directory, MinSessionTimeout: 100 * time.Millisecond})
	require.NoError(t, err)
	c := clusterAt(t, broker.Addr())
	topic := c.topic("restarted", 2)
	publisher, err := kafka.NewPublisher(c.config, kafka.PublisherOptions{})
	require.NoError(t, err)
	j := newJournal()
	s := c.subscriber(kafka.SubscriberOptions{})
	wait := handle(c.subscribe(s, topic), func(msg *message.Message) {
		j.enter(msg)
		j.leave(msg)
		msg.Ack()
	})
	for i := range count {
		if i == count/2 {
			eventually(t, "the first half handled", func() bool { return j.count() >= count/2 })
			broker.Close()
			broker, err = embedded.Start(embedded.Options{Listen: broker.Addr(), DataDir: directory, MinSessionTimeout: 100 * time.Millisecond})
			require.NoError(t, err)
		}
		require.NoError(t, publisher.Publish(topic, keyed(strconv.Itoa(i), i)))
	}
	eventually(t, "all handled", func() bool { return j.count() >= count })
	require.NoError(t, s.Close())
	wait()
	require.NoError(t, publisher.Close())
	broker.Close()
	assert.Len(t, j.seen, count)
}

func TestCloseEndsWithoutABroker(t *testing.T) {
	t.Parallel()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: 100 * time.Millisecond})
	require.NoError(t, err)
	c := clusterAt(t, broker.Addr())
	topic := c.topic("gone", 1)
	publisher := c.publisher()
	require.NoError(t, publisher.Publish(topic, keyed("k", 1)))
	s := c.subscriber(kafka.SubscriberOptions{Drain: 200 * time.Millisecond})
	receive(t, c.subscribe(s, topic))
	broker.Close()

	began := time.Now()
	require.NoError(t, s.Close())
	assert.Less(t, time.Since(began), patience)
}
