package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Lanes say which messages may run at the same time.
type Lanes int

const (
	// LaneByKey runs one message of a key at a time, in order; a message without a key has a lane of its own.
	LaneByKey Lanes = iota
	// LaneByPartition runs one message of a partition at a time, in order.
	LaneByPartition
	// LaneFree runs every message as soon as there is room.
	LaneFree
)

// Start is where a group begins to read a partition for which it has no committed offset: Earliest, Latest or At.
type Start int64

const (
	// Earliest begins with the oldest record that is still there.
	Earliest Start = 0
	// Latest begins with the first record written after the group first saw the partition.
	Latest Start = -1
)

// At begins with the first record whose time is t or later, or at the end if there is none.
func At(t time.Time) Start { return Start(max(1, t.UnixMilli())) }

// SubscriberOptions say how a Subscriber subscribes.
type SubscriberOptions struct {
	// Group is the consumer group. Required.
	Group string
	// Lanes say which messages may run at the same time; default LaneByKey.
	Lanes Lanes
	// InFlight is how many messages are handed out at once, over all partitions of a subscription; default 4096. About as many
	// again are read ahead. A partition is read no further while 16 times as many were read from its first unfinished message on.
	InFlight int
	// ReadAhead is how many bytes of keys and values are read ahead per partition; the last fetch may add as many again, at most 1 MiB.
	// Default 8 MiB.
	ReadAhead int
	// SessionTimeout is how long the coordinator waits for a heartbeat before it gives the partitions to others; default 10s.
	SessionTimeout time.Duration
	// Drain is how long running messages may finish when partitions are taken away or the subscription ends; default 10s.
	// Then their contexts are cancelled.
	Drain time.Duration
	// NackPause is how long a nacked message waits at most before it comes again; the first pause is 100ms, each further one
	// twice as long. Default 5s.
	NackPause time.Duration
	// Start is where the group begins on partitions without a committed offset; default Earliest.
	Start Start
	// Owner says whose progress the group's offsets are, for a service that keeps what it did in a store of its own; it is noted with
	// every commit. See Client.Owners.
	Owner string
	// OnAssign is called before the first message of a generation is handed out. ctx ends when the generation does. After an
	// error the member leaves the group and joins again later.
	OnAssign func(ctx context.Context, a Assignment) error
	// OnRevoke is called when the running messages ended or were cancelled and the last offsets were committed, for every
	// assignment that OnAssign accepted.
	OnRevoke func(a Assignment)
	// Hooks are told what happens inside, see Hook.
	Hooks []Hook
}

// Assignment is this member's share of a topic for one generation of the group. It may be empty.
type Assignment struct {
	Topic      string
	Generation int32
	Partitions []AssignedPartition
}

// AssignedPartition is one partition of an Assignment.
type AssignedPartition struct {
	Partition int
	// Committed is the next offset to handle: the group's committed one, or where Start led to when there was none.
	Committed int64
}

// Subscriber is a Watermill Subscriber: each Subscribe is a member of the consumer group.
type Subscriber struct {
	network *network
	options SubscriberOptions

	mu      sync.Mutex
	closed  bool
	current map[*subscription]context.CancelFunc
	wg      sync.WaitGroup
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber makes a Subscriber; it connects with Subscribe.
func NewSubscriber(config Config, options SubscriberOptions) (*Subscriber, error) {
	n, err := config.network()
	if err != nil {
		return nil, err
	}
	if options.Group == "" {
		return nil, errors.New("kafka: subscriber without a group")
	}
	if options.InFlight < 0 || options.ReadAhead < 0 || options.SessionTimeout < 0 || options.Drain < 0 || options.NackPause < 0 {
		return nil, errors.New("kafka: negative subscriber option")
	}
	if err := checkHooks(options.Hooks); err != nil {
		return nil, err
	}
	options.InFlight = cmp.Or(options.InFlight, 4096)
	options.ReadAhead = cmp.Or(options.ReadAhead, aheadBytes)
	options.SessionTimeout = cmp.Or(options.SessionTimeout, 10*time.Second)
	options.Drain = cmp.Or(options.Drain, 10*time.Second)
	options.NackPause = cmp.Or(options.NackPause, 5*time.Second)
	return &Subscriber{network: n, options: options, current: map[*subscription]context.CancelFunc{}}, nil
}

// Subscribe joins the group and gives its share of the topic's messages, until ctx ends or the Subscriber is closed; then it
// drains, and closes the channel. The messages' contexts have ctx's values, but do not end with it: they end when the message is
// acked or nacked, or when a drain took too long.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("kafka: subscribe to %s: %w", topic, ErrClosed)
	}
	if topic == "" {
		return nil, errors.New("kafka: subscribe without a topic")
	}
	sub := newSubscription(s.network, s.options, topic)
	ctx, cancel := context.WithCancel(ctx)
	s.current[sub] = cancel
	s.wg.Go(func() {
		defer cancel()
		sub.run(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.current, sub)
	})
	return sub.out, nil
}

// Ready tells whether there are subscriptions and all of them have their share of partitions (none is one, too) and are not draining.
func (s *Subscriber) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.current {
		if !sub.ready.Load() {
			return false
		}
	}
	return len(s.current) > 0 && !s.closed
}

// Err is nil, or says which partitions stopped and why: the log no longer holds their next record, or does not reach it any
// more, so that going on would silently skip records. An operator has to set the group's offset (Client.CommitOffsets) and restart.
func (s *Subscriber) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all error
	for sub := range s.current {
		all = errors.Join(all, sub.err())
	}
	return all
}

// Close drains and ends all subscriptions, whether or not anybody reads their channels. It may be called more than once. It takes
// as long as the running messages, at most Drain, the last commit and leaving the group; if the group is just rebalancing, as
// long as the other members need to join.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, cancel := range s.current {
		cancel()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}
