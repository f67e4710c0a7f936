package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestThousandsRunWhileOneLaneIsSlow(t *testing.T) {
	t.Parallel()
	const others = 3000
	c := newCluster(t)
	topic := c.topic("slow-lane", 3)
	batch := []*message.Message{keyed("slow", 1), keyed("slow", 2)}
	for i := range others {
		batch = append(batch, keyed(strconv.Itoa(i), i))
	}
	require.NoError(t, c.publisher().Publish(topic, batch...))

	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)
	var held []*message.Message // nothing is acked before all but the second slow one are out
	for range others + 1 {
		held = append(held, receive(t, messages))
	}
	var slow *message.Message
	for _, msg := range held {
		if string(kafka.Key(msg)) == "slow" {
			slow = msg
		} else {
			msg.Ack()
		}
	}
	require.NotNil(t, slow)
	assert.Equal(t, "1", string(slow.Payload))
	select {
	case msg := <-messages:
		require.Failf(t, "handed out beside the first of its key", "%s %s", kafka.Key(msg), msg.Payload)
	case <-time.After(300 * time.Millisecond):
	}
	slow.Ack()
	second := receive(t, messages)
	assert.Equal(t, "2", string(second.Payload))
	second.Ack()
}

func TestAHotKeyFillsItsOwnLaneUntilTheSpanIsReached(t *testing.T) {
	t.Parallel()
	const inFlight, span = 10, 16 * 10
	c := newCluster(t)
	topic := c.topic("hot-key", 1)
	publisher := c.publisher()
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{InFlight: inFlight}), topic)
	var batch []*message.Message
	for i := range 5 * inFlight {
		batch = append(batch, keyed("hot", i))
	}
	require.NoError(t, publisher.Publish(topic, batch...))
	hot := receive(t, messages)
	require.Equal(t, "hot", string(kafka.Key(hot)))
	const others = span - 5*inFlight
	for i := range others + 1 { // nobody waits for the first of the hot key, until a crash would repeat too many
		require.NoError(t, publisher.Publish(topic, keyed(strconv.Itoa(i), i))) // one by one, so that fetches are small
		if i < others {
			msg := receive(t, messages)
			require.Equal(t, strconv.Itoa(i), string(kafka.Key(msg)))
			msg.Ack()
		}
	}
	select {
	case msg := <-messages:
		require.Failf(t, "handed out beyond the span", "%s", kafka.Key(msg))
	case <-time.After(time.Second):
	}
	assert.Equal(t, int64(0), c.committed(c.group(), topic))

	hot.Ack()
	for range 5*inFlight - 1 + 1 { // the others of the hot key, and the one that was not read
		receive(t, messages).Ack()
	}
	eventually(t, "all committed", func() bool { return c.committed(c.group(), topic) == span+1 })
}

func TestInFlightBoundsWhatIsHandedOut(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("in-flight", 3)
	var batch []*message.Message
	for i := range 50 {
		batch = append(batch, keyed(strconv.Itoa(i), i))
	}
	require.NoError(t, c.publisher().Publish(topic, batch...))
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{InFlight: 7}), topic)

	var held []*message.Message
	for range 7 {
		held = append(held, receive(t, messages))
	}
	select {
	case msg := <-messages:
		require.Failf(t, "an eighth was handed out", "%s", msg.Payload)
	case <-time.After(300 * time.Millisecond):
	}
	seen := map[string]bool{}
	for len(held) > 0 { // each ack lets one more out, until all were
		seen[string(held[0].Payload)] = true
		held[0].Ack()
		held = held[1:]
		if len(seen)+len(held) < 50 {
			held = append(held, receive(t, messages))
		}
	}
	assert.Len(t, seen, 50)
}

func TestMessagesOfOneKeyRunInOrderAndAlone(t *testing.T) {
	t.Parallel()
	const keys, each = 20, 50
	c := newCluster(t)
	topic := c.topic("key-order", 4)
	publisher := c.publisher()
	for i := range each {
		var round []*message.Message
		for k := range keys {
			round = append(round, keyed(strconv.Itoa(k), i))
		}
		require.NoError(t, publisher.Publish(topic, round...))
	}
	s := c.subscriber(kafka.SubscriberOptions{InFlight: 16})
	j := newJournal()
	var failed sync.Map // each message fails at most once, one in five
	var acked atomic.Int64
	wait := handle(c.subscribe(s, topic), func(msg *message.Message) {
		j.enter(msg)
		<-time.After(time.Duration(rand.IntN(int(time.Millisecond))))
		j.leave(msg)
		if _, again := failed.LoadOrStore(msg.UUID, true); !again && rand.IntN(5) == 0 {
			msg.Nack()
			return
		}
		msg.Ack()
		acked.Add(1)
	})
	eventually(t, "all handled", func() bool { return acked.Load() == keys*each })
	require.NoError(t, s.Close())
	wait()
	assert.False(t, j.overlap, "two messages of a key ran at once")
	for key, seen := range j.seen {
		last, distinct := -1, 0
		for _, payload := range seen {
			n, err := strconv.Atoi(payload)
			require.NoError(t, err)
			require.GreaterOrEqual(t, n, last, "key %s: %v", key, seen)
			if n > last {
				distinct++
			}
			last = n
		}
		assert.Equal(t, each, distinct, "key %s", key)
	}
	assert.Len(t, j.seen, keys)
}

func TestLanesSayWhatRunsAtOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lanes   kafka.Lanes
		publish []*message.Message
		atOnce  int
	}{
		"by key: messages without a key run freely":       {kafka.LaneByKey, []*message.Message{message.NewMessage("", nil), message.NewMessage("", nil)}, 2},
		"by key: an empty key is a key":                   {kafka.LaneByKey, []*message.Message{keyed("", 1), keyed("", 2)}, 1},
		"by partition: different keys wait for another":   {kafka.LaneByPartition, []*message.Message{keyed("a", 1), keyed("b", 2)}, 1},
		"free: messages of one key run beside each other": {kafka.LaneFree, []*message.Message{keyed("a", 1), keyed("a", 2)}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			topic := c.topic("lanes", 1)
			require.NoError(t, c.publisher().Publish(topic, test.publish...))
			messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{Lanes: test.lanes}), topic)
			first := receive(t, messages)
			if test.atOnce == 2 {
				receive(t, messages).Ack()
				first.Ack()
				return
			}
			select {
			case <-messages:
				require.Fail(t, "two at once")
			case <-time.After(500 * time.Millisecond):
			}
			first.Ack()
			receive(t, messages).Ack()
		})
	}
}

func TestANackedMessageComesAgainAsAFreshCopyBeforeTheNextOfItsLane(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("nack", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1), keyed("k", 2), keyed("other", 3)))
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)

	got := map[string]*message.Message{}
	for range 2 {
		msg := receive(t, messages)
		got[string(msg.Payload)] = msg
	}
	require.Contains(t, got, "1")
	require.Contains(t, got, "3")
	got["3"].Ack()
	first := got["1"]
	first.Metadata.Set("changed", "by the handler")
	first.Payload[0] = 'x'
	began := time.Now()
	first.Nack()

	again := receive(t, messages)
	assert.Equal(t, "1", string(again.Payload))
	assert.NotSame(t, first, again)
	assert.Empty(t, again.Metadata)
	assert.Equal(t, first.UUID, again.UUID)
	assert.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	require.Error(t, first.Context().Err())
	require.NoError(t, again.Context().Err())
	assert.Less(t, c.committed(c.group(), topic), int64(1))
	again.Ack()
	second := receive(t, messages)
	assert.Equal(t, "2", string(second.Payload))
	second.Ack()
}

type contextKey struct{}

func TestMessageContextsOutliveTheSubscription(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("contexts", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "value"))
	defer cancel()
	messages, err := c.subscriber(kafka.SubscriberOptions{Drain: patience}).Subscribe(ctx, topic)
	require.NoError(t, err)
	msg := receive(t, messages)
	draining := kafka.Draining(msg.Context())
	select {
	case <-draining:
		require.FailNow(t, "draining before the end")
	default:
	}

	cancel()
	select {
	case <-draining:
	case <-time.After(patience):
		require.FailNow(t, "not draining after the end")
	}
	assert.Equal(t, "value", msg.Context().Value(contextKey{}))
	require.NoError(t, msg.Context().Err())
	require.NoError(t, kafka.LeaseOf(msg.Context()).Err())
	msg.Ack()
	_, open := <-messages
	assert.False(t, open)
	require.Error(t, msg.Context().Err())
	require.ErrorIs(t, kafka.LeaseOf(msg.Context()).Err(), kafka.ErrLeaseLost)
	assert.Equal(t, int64(1), c.committed(c.group(), topic), "acked in the drain")
}

func TestCloseDoesNotNeedAReader(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("unread", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	s := c.subscriber(kafka.SubscriberOptions{Drain: 2 * patience})
	messages := c.subscribe(s, topic)
	eventually(t, "ready", s.Ready)

	began := time.Now()
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	assert.Less(t, time.Since(began), patience, "nothing runs that it would have to wait for")
	assert.False(t, s.Ready())
	_, open := <-messages
	assert.False(t, open)
	_, err := s.Subscribe(t.Context(), topic)
	require.ErrorIs(t, err, kafka.ErrClosed)
}

func TestCloseMayBeCalledByManyAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("closed", 2)
	require.NoError(t, c.subscriber(kafka.SubscriberOptions{}).Close(), "without a subscription")
	s := c.subscriber(kafka.SubscriberOptions{Drain: 200 * time.Millisecond})
	first, second := c.subscribe(s, topic), c.subscribe(s, topic)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	select { // it is never acked
	case <-first:
	case <-second:
	}
	var closing sync.WaitGroup
	for range 4 {
		closing.Go(func() { assert.NoError(t, s.Close()) })
	}
	closing.Wait()
	for _, messages := range []<-chan *message.Message{first, second} {
		_, open := <-messages
		assert.False(t, open)
	}
}

func TestSubscribeWaitsForItsTopic(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.subscriber(kafka.SubscriberOptions{})
	messages := c.subscribe(s, "late"+c.suffix)
	never(t, "ready without a topic", 300*time.Millisecond, s.Ready)
	topic := c.topic("late", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	receive(t, messages).Ack()
	assert.True(t, s.Ready())
}

// handle runs a handler for each message, as Watermill's router does, until the channel closes.
func handle(messages <-chan *message.Message, handler func(*message.Message)) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for msg := range messages {
			wg.Go(func() { handler(msg) })
		}
	})
	return wg.Wait
}

func thousandWaits(tb testing.TB, c *cluster, round int) time.Duration {
	tb.Helper()
	const count = 1000
	topic := c.topic(fmt.Sprintf("waits-%d", round), 8)
	s := c.subscriber(kafka.SubscriberOptions{Group: topic})
	messages := c.subscribe(s, topic)
	eventually(tb, "ready", s.Ready)
	var batch []*message.Message
	for i := range count {
		batch = append(batch, keyed(strconv.Itoa(i), i))
	}
	publisher := c.publisher()
	var left atomic.Int64
	left.Store(count)
	done := make(chan struct{})
	wait := handle(messages, func(msg *message.Message) {
		<-time.After(500 * time.Millisecond)
		msg.Ack()
		if left.Add(-1) == 0 {
			close(done)
		}
	})
	began := time.Now()
	require.NoError(tb, publisher.Publish(topic, batch...))
	<-done
	took := time.Since(began)
	require.NoError(tb, s.Close())
	wait()
	return took
}

func TestAThousandMessagesTakeAboutAsLongAsOne(t *testing.T) {
	t.Parallel()
	took := thousandWaits(t, newCluster(t), 0)
	assert.Less(t, took, patience, "one takes 0.5s, one after the other in each of eight partitions 62s")
}

// BenchmarkAThousandWaits handles 1,000 messages that wait 500 ms each.
func BenchmarkAThousandWaits(b *testing.B) {
	c := newCluster(b)
	var total time.Duration
	for i := range b.N {
		total += thousandWaits(b, c, i+1)
	}
	b.ReportMetric(float64(total.Milliseconds())/float64(b.N), "ms/1000-messages")
}
