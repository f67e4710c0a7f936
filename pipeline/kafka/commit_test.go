package kafka_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestTheCommitNeverPassesTheFirstUnfinishedMessage(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("contiguous", 1)
	var batch []*message.Message
	for i := range 10 {
		batch = append(batch, keyed(strconv.Itoa(i), i))
	}
	require.NoError(t, c.publisher().Publish(topic, batch...))
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)
	held := map[int64]*message.Message{}
	for range 10 {
		msg := receive(t, messages)
		record, _ := kafka.RecordOf(msg.Context())
		held[record.Offset] = msg
	}

	for _, step := range []struct {
		ack    []int64
		commit int64
	}{
		{[]int64{1, 2, 3, 8, 9}, 0},
		{[]int64{0}, 4},
		{[]int64{6, 5}, 4},
		{[]int64{4}, 7},
		{[]int64{7}, 10},
	} {
		for _, offset := range step.ack {
			held[offset].Ack()
		}
		eventually(t, "commit", func() bool {
			committed := c.committed(c.group(), topic)
			require.LessOrEqual(t, committed, step.commit)
			return committed == step.commit
		})
	}
}

func TestAGroupGoesOnWhereItCommitted(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("restart", 1)
	publisher := c.publisher()
	require.NoError(t, publisher.Publish(topic, keyed("a", 0), keyed("b", 1), keyed("c", 2)))

	first := c.subscriber(kafka.SubscriberOptions{Drain: 100 * time.Millisecond})
	messages := c.subscribe(first, topic)
	for range 3 {
		if msg := receive(t, messages); string(msg.Payload) != "1" { // 1 is running when the member stops
			msg.Ack()
		}
	}
	require.NoError(t, first.Close())
	assert.Equal(t, int64(1), c.committed(c.group(), topic))

	require.NoError(t, publisher.Publish(topic, keyed("d", 3)))
	messages = c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)
	got := map[string]bool{}
	for range 3 {
		msg := receive(t, messages)
		got[string(msg.Payload)] = true
		msg.Ack()
	}
	assert.Equal(t, map[string]bool{"1": true, "2": true, "3": true}, got)
}

func TestAcksAfterTheHandOverChangeNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("late-acks", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("a", 0), keyed("b", 1)))
	first := c.subscriber(kafka.SubscriberOptions{Drain: 50 * time.Millisecond})
	messages := c.subscribe(first, topic)
	late := []*message.Message{receive(t, messages), receive(t, messages)}
	require.NoError(t, first.Close())
	assert.Equal(t, int64(0), c.committed(c.group(), topic), "the start")
	for _, msg := range late {
		require.ErrorIs(t, msg.Context().Err(), context.Canceled, "the drain is over")
	}

	second := c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)
	again := []*message.Message{receive(t, second), receive(t, second)}
	late[0].Ack()
	late[1].Nack()
	never(t, "a late ack was committed", 1500*time.Millisecond, func() bool { return c.committed(c.group(), topic) != 0 })
	again[0].Ack()
	again[1].Ack()
	eventually(t, "commit of the owner", func() bool { return c.committed(c.group(), topic) == 2 })
}

func TestStartSaysWhereAGroupWithoutACommitBegins(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publisher := c.publisher()
	topic := c.topic("start", 1)
	require.NoError(t, publisher.Publish(topic, keyed("k", 0)))
	<-time.After(2 * time.Millisecond)
	between := time.Now()
	require.NoError(t, publisher.Publish(topic, keyed("k", 1)))

	for name, test := range map[string]struct {
		start kafka.Start
		first int64
	}{
		"earliest":         {kafka.Earliest, 0},
		"latest":           {kafka.Latest, 2},
		"at a time":        {kafka.At(between), 1},
		"at a future time": {kafka.At(between.Add(time.Hour)), 2},
		"at an early time": {kafka.At(between.Add(-time.Hour)), 0},
		"at the zero time": {kafka.At(time.Time{}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group := name + c.suffix
			assigned, proceed := make(chan kafka.Assignment, 1), make(chan struct{})
			s := c.subscriber(kafka.SubscriberOptions{
				Group: group, Start: test.start,
				OnAssign: func(_ context.Context, a kafka.Assignment) error {
					assigned <- a
					<-proceed
					return nil
				},
			})
			c.subscribe(s, topic)
			a := <-assigned
			assert.Equal(t, test.first, c.committed(group, topic), "committed before anything is handled")
			close(proceed)
			assert.Equal(t, []kafka.AssignedPartition{{Partition: 0, Committed: test.first}}, a.Partitions)
		})
	}
}

func TestALatestStartSkipsNothingThatCameLater(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	publisher := c.publisher()
	topic := c.topic("latest", 1)
	require.NoError(t, publisher.Publish(topic, keyed("k", "before")))
	first := c.subscriber(kafka.SubscriberOptions{Start: kafka.Latest})
	c.subscribe(first, topic)
	eventually(t, "ready", first.Ready)
	require.NoError(t, first.Close())

	require.NoError(t, publisher.Publish(topic, keyed("k", "while away")))
	grow(t, fake, topic, 2)
	// The publisher learns of the new partition when its metadata is stale.
	eventually(t, "written to the new partition", func() bool {
		require.NoError(t, publisher.Publish(topic, keyed("a", ""), keyed("d", ""), keyed("e", "")))
		return fake.PartitionInfo(topic, 1).HighWatermark > 0
	})
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{Start: kafka.Latest}), topic)
	offsets := map[int][]int64{}
	for len(offsets[0]) == 0 || len(offsets[1]) == 0 {
		msg := receive(t, messages)
		record, _ := kafka.RecordOf(msg.Context())
		offsets[record.Partition] = append(offsets[record.Partition], record.Offset)
		msg.Ack()
	}
	assert.Equal(t, int64(1), offsets[0][0], "partition 0 goes on where the group first began")
	assert.Equal(t, int64(0), offsets[1][0], "the new partition is read from its first record")
}
