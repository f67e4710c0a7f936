package kafka_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// shares notes what members are assigned.
type shares struct {
	mu      sync.Mutex
	current map[string][]int
}

func (s *shares) of(member string, options kafka.SubscriberOptions) kafka.SubscriberOptions {
	options.OnAssign = func(_ context.Context, a kafka.Assignment) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.current[member] = []int{}
		for _, p := range a.Partitions {
			s.current[member] = append(s.current[member], p.Partition)
		}
		return nil
	}
	options.OnRevoke = func(kafka.Assignment) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.current, member)
	}
	return options
}

func (s *shares) size(member string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if share, ok := s.current[member]; ok {
		return len(share)
	}
	return -1
}

func newShares() *shares { return &shares{current: map[string][]int{}} }

func TestMembersHandOverWithoutLoss(t *testing.T) {
	t.Parallel()
	const keys, each = 40, 30
	c := newCluster(t)
	topic := c.topic("hand-over", 4)
	publisher := c.publisher()
	s := newShares()
	j := newJournal()
	handler := func(msg *message.Message) {
		j.enter(msg)
		<-time.After(2 * time.Millisecond)
		j.leave(msg)
		msg.Ack()
	}
	var published sync.WaitGroup
	published.Go(func() {
		for i := range each {
			var round []*message.Message
			for k := range keys {
				round = append(round, keyed(strconv.Itoa(k), i))
			}
			if err := publisher.Publish(topic, round...); err != nil {
				t.Error(err)
			}
			// No key has two messages at once: what was done behind one that waits for another of its key is repeated after a hand-over.
			for end := time.Now().Add(patience); j.count() < (i+1)*keys && time.Now().Before(end); {
				<-time.After(50 * time.Millisecond)
			}
		}
	})

	a := c.subscriber(s.of("a", kafka.SubscriberOptions{}))
	waitA := handle(c.subscribe(a, topic), handler)
	eventually(t, "a has all", func() bool { return s.size("a") == 4 })
	b := c.subscriber(s.of("b", kafka.SubscriberOptions{}))
	waitB := handle(c.subscribe(b, topic), handler)
	eventually(t, "they share", func() bool { return s.size("a") == 2 && s.size("b") == 2 })
	require.NoError(t, a.Close())
	waitA()
	eventually(t, "b has all", func() bool { return s.size("b") == 4 })
	published.Wait()
	eventually(t, "all handled and committed", func() bool {
		offsets, err := c.client.CommittedOffsets(t.Context(), c.group(), topic)
		require.NoError(t, err)
		sum := int64(0)
		for _, offset := range offsets {
			sum += offset
		}
		return sum == keys*each
	})
	require.NoError(t, b.Close())
	waitB()

	assert.False(t, j.overlap, "two messages of a key ran at once")
	for key, seen := range j.seen {
		for i := range each { // every hand-over was drained, so that nothing is even repeated
			require.Less(t, i, len(seen), "key %s", key)
			require.Equal(t, strconv.Itoa(i), seen[i], "key %s", key)
		}
		assert.Len(t, seen, each, "key %s", key)
	}
	assert.Len(t, j.seen, keys)
}

func TestADrainMayTakeLongerThanTheSession(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	options := kafka.SubscriberOptions{SessionTimeout: c.session, Drain: patience}
	topic := c.topic("long-drain", 2)
	publisher := c.publisher()
	require.NoError(t, publisher.Publish(topic, keyed("k", 1)))
	s := newShares()
	a := c.subscriber(s.of("a", options))
	messages := c.subscribe(a, topic)
	msg := receive(t, messages)

	b := c.subscriber(s.of("b", options))
	others := c.subscribe(b, topic)
	select {
	case <-kafka.Draining(msg.Context()):
	case <-time.After(patience):
		require.FailNow(t, "the join did not begin a drain")
	}
	assert.False(t, a.Ready())
	select {
	case <-time.After(c.session + time.Second):
	case other := <-others:
		require.Failf(t, "handed out before the drain was over", "%s", other.Payload)
	}
	require.NoError(t, msg.Context().Err())
	require.NoError(t, kafka.LeaseOf(msg.Context()).Err())
	result := message.NewMessageWithContext(msg.Context(), "", []byte("result"))
	require.NoError(t, publisher.Publish(topic, result))
	msg.Ack()

	eventually(t, "they share", func() bool { return s.size("a") == 1 && s.size("b") == 1 })
	for {
		var next *message.Message
		select {
		case next = <-messages:
		case next = <-others:
		case <-time.After(patience):
			require.FailNow(t, "the result did not come")
		}
		next.Ack()
		require.NotEqual(t, "1", string(next.Payload), "it was acked in the drain")
		if string(next.Payload) == "result" {
			break
		}
	}
}

func TestAMessageThatOutlivesTheDrainIsCancelledAndRepeated(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("short-drain", 1)
	publisher := c.publisher()
	require.NoError(t, publisher.Publish(topic, keyed("k", 1)))
	a := c.subscriber(kafka.SubscriberOptions{Drain: 200 * time.Millisecond})
	msg := receive(t, c.subscribe(a, topic))
	closed := make(chan error)
	go func() { closed <- a.Close() }()
	select {
	case <-msg.Context().Done():
	case <-time.After(patience):
		require.FailNow(t, "not cancelled")
	}
	require.NoError(t, <-closed)
	err := publisher.Publish(topic, message.NewMessageWithContext(msg.Context(), "", []byte("too late")))
	require.ErrorIs(t, err, kafka.ErrLeaseLost)
	last, err := c.client.ListOffsets(t.Context(), topic, kafka.Latest)
	require.NoError(t, err)
	assert.Equal(t, map[int]int64{0: 1}, last, "nothing was written")

	again := receive(t, c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic))
	assert.Equal(t, "1", string(again.Payload))
	again.Ack()
}

// lines is a writer for a log.
type lines chan<- string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestARefusedAssignmentIsLeftAndTriedAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	logged := make(chan string, 100)
	c.config.Logger = slog.New(slog.NewTextHandler(lines(logged), nil))
	topic := c.topic("refused", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	var asked atomic.Int64
	var revoked atomic.Int64
	s := c.subscriber(kafka.SubscriberOptions{
		OnAssign: func(ctx context.Context, a kafka.Assignment) error {
			if ctx.Err() != nil || a.Topic != topic {
				t.Errorf("asked about %s, %v", a.Topic, ctx.Err())
			}
			if asked.Add(1) == 1 {
				return errors.New("not restored")
			}
			return nil
		},
		OnRevoke: func(kafka.Assignment) { revoked.Add(1) },
	})
	began := time.Now()
	msg := receive(t, c.subscribe(s, topic))
	assert.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond, "it pauses before it joins again")
	assert.Equal(t, int64(2), asked.Load())
	eventually(t, "the reason is logged", func() bool {
		select {
		case line := <-logged:
			return strings.Contains(line, "not restored")
		default:
			return false
		}
	})
	assert.Zero(t, revoked.Load(), "what was refused is not revoked")
	assert.True(t, s.Ready())
	msg.Ack()
	require.NoError(t, s.Close())
	assert.Equal(t, int64(1), revoked.Load())
}

func TestOnAssignEndsWithItsGeneration(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("slow-restore", 1)
	began := make(chan struct{})
	s := c.subscriber(kafka.SubscriberOptions{OnAssign: func(ctx context.Context, _ kafka.Assignment) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	}})
	c.subscribe(s, topic)
	<-began
	assert.False(t, s.Ready())
	require.NoError(t, s.Close())
}

func TestAnEmptyShareIsReady(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("one-partition", 1)
	s := newShares()
	a, b := c.subscriber(s.of("a", kafka.SubscriberOptions{})), c.subscriber(s.of("b", kafka.SubscriberOptions{}))
	assert.False(t, a.Ready(), "before it subscribed")
	c.subscribe(a, topic)
	c.subscribe(b, topic)
	eventually(t, "one has the partition, both are ready", func() bool {
		return s.size("a")+s.size("b") == 1 && a.Ready() && b.Ready()
	})
}
