package kafka_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// witness is a hook of every kind.
type witness struct {
	mu         sync.Mutex
	sample     kafka.Sample
	sampled    int
	assigned   []kafka.Assignment
	revoked    []kafka.Revocation
	heartbeats []error
	fetches    []error
	commits    []error
	publishes  []bool // again?
}

func (w *witness) OnSample(s kafka.Sample) { w.locked(func() { w.sample = s; w.sampled++ }) }

func (w *witness) OnAssigned(a kafka.Assignment) {
	w.locked(func() { w.assigned = append(w.assigned, a) })
}

func (w *witness) OnRevoked(r kafka.Revocation) {
	w.locked(func() { w.revoked = append(w.revoked, r) })
}

func (w *witness) OnHeartbeat(_ string, _ time.Duration, err error) {
	w.locked(func() { w.heartbeats = append(w.heartbeats, err) })
}

func (w *witness) OnFetchError(_ string, err error) {
	w.locked(func() { w.fetches = append(w.fetches, err) })
}

func (w *witness) OnCommitError(_ string, err error) {
	w.locked(func() { w.commits = append(w.commits, err) })
}

func (w *witness) OnPublishError(_ string, messages int, again bool, err error) {
	w.locked(func() {
		if messages > 0 && err != nil {
			w.publishes = append(w.publishes, again)
		}
	})
}

func (w *witness) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

// saw asks under the lock.
func (w *witness) saw(condition func() bool) func() bool {
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return condition()
	}
}

func TestHooksAreToldHowASubscriptionIsDoing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("observed", 1)
	publisher := c.publisher()
	batch := []*message.Message{keyed("hot", 0), keyed("hot", 1), keyed("hot", 2)}
	for i := range 7 {
		batch = append(batch, keyed(strconv.Itoa(i), i))
	}
	require.NoError(t, publisher.Publish(topic, batch...))
	w := &witness{}
	s := c.subscriber(kafka.SubscriberOptions{InFlight: 5, Drain: 300 * time.Millisecond, Hooks: []kafka.Hook{w}})
	messages := c.subscribe(s, topic)
	var held []*message.Message
	for range 5 {
		held = append(held, receive(t, messages))
	}
	var committed, beat time.Duration
	eventually(t, "what runs and waits", w.saw(func() bool {
		got := w.sample
		committed, beat = got.CommitAge, got.HeartbeatAge
		got.CommitAge, got.HeartbeatAge = 0, 0
		return got == kafka.Sample{Topic: topic, Partitions: 1, Lag: 10, InFlight: 5, Waiting: 5, LaneDepth: 3, Span: 10}
	}))
	assert.Positive(t, beat)
	assert.Less(t, committed, patience)

	require.NoError(t, publisher.Publish(topic, keyed("late", 0), keyed("late", 1)))
	eventually(t, "the lag of a partition that is full and not fetched", w.saw(func() bool { return w.sample.Lag == 12 }))
	held[0].Ack()
	receive(t, messages)
	require.NoError(t, s.Close())
	assert.Equal(t, kafka.Sample{Topic: topic}, w.sample, "zeros in the end")
	require.Len(t, w.assigned, 1)
	assert.Equal(t, []kafka.AssignedPartition{{Partition: 0, Committed: 0}}, w.assigned[0].Partitions)
	require.Len(t, w.revoked, 1)
	assert.Equal(t, w.assigned[0], w.revoked[0].Assignment)
	assert.Equal(t, 5, w.revoked[0].Cancelled)
	assert.GreaterOrEqual(t, w.revoked[0].Drained, 300*time.Millisecond)
	assert.Contains(t, w.heartbeats, nil)
}

func TestHooksAreToldWhatFailed(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("troubled", 1)
	w := &witness{}
	publisher := func(deadline time.Duration) *kafka.Publisher {
		p, err := kafka.NewPublisher(c.config, kafka.PublisherOptions{Deadline: deadline, Hooks: []kafka.Hook{w}})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Close()) })
		return p
	}
	for key, cause := range map[kmsg.Key]*kerr.Error{
		kmsg.Produce: kerr.NotLeaderForPartition, kmsg.Fetch: kerr.NotLeaderForPartition, kmsg.OffsetCommit: kerr.CoordinatorLoadInProgress,
	} {
		fake.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: cause, When: func(r kmsg.Request) bool {
			commit, ok := r.(*kmsg.OffsetCommitRequest)
			return !ok || commit.Topics[0].Partitions[0].Offset > 0 // not the one that resolves where to begin
		}})
	}
	s := c.subscriber(kafka.SubscriberOptions{Hooks: []kafka.Hook{w}})
	messages := c.subscribe(s, topic)
	eventually(t, "a failed fetch", w.saw(func() bool { return len(w.fetches) > 0 }))
	require.NoError(t, publisher(patience).Publish(topic, keyed("k", 1)))
	receive(t, messages).Ack()
	eventually(t, "a failed commit", w.saw(func() bool { return len(w.commits) > 0 }))
	refused := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.NotCoordinator, TopLevel: true, Count: -1})
	eventually(t, "a failed heartbeat", w.saw(func() bool {
		return slices.ContainsFunc(w.heartbeats, func(err error) bool { return err != nil })
	}))
	refused.Remove()
	require.Error(t, publisher(200*time.Millisecond).Publish("does-not-exist", keyed("k", 1)))
	require.NoError(t, s.Close())
	assert.True(t, w.publishes[0], "the first attempt is made again")
	assert.False(t, w.publishes[len(w.publishes)-1], "the last is not")
}

func TestAHookThatWouldNeverBeCalledIsRefused(t *testing.T) {
	t.Parallel()
	config := kafka.Config{Brokers: []string{"127.0.0.1:9"}}
	_, err := kafka.NewSubscriber(config, kafka.SubscriberOptions{Group: "g", Hooks: []kafka.Hook{&witness{}, "no hook"}})
	require.ErrorContains(t, err, "string implements no hook")
	_, err = kafka.NewPublisher(config, kafka.PublisherOptions{Hooks: []kafka.Hook{7}})
	require.ErrorContains(t, err, "int implements no hook")
}
