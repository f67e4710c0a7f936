package kafka

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
)

const (
	joinPause      = time.Second      // between attempts to join, doubled each time that OnAssign refuses
	rejoinPauseMax = 30 * time.Second // then
	watchInterval  = 5 * time.Second  // of the number of partitions
	outsidePause   = 30 * time.Second // between warnings that the group cannot be joined, while that lasts
)

// subscription is one Subscribe: a member of the group from ctx's begin to its end, over as many generations as it takes.
type subscription struct {
	network  *network
	options  SubscriberOptions
	topic    string
	client   *Client
	balancer *stickyBalancer
	log      *slog.Logger
	out      chan *message.Message
	ready    atomic.Bool
	outside  time.Time // when it was last warned that the group cannot be joined; zero: it could be

	mu      sync.Mutex
	stopped map[int]error // by partition, of the current generation
}

func newSubscription(n *network, options SubscriberOptions, topic string) *subscription {
	return &subscription{
		network: n, options: options, topic: topic, client: newClient(n, topic), balancer: &stickyBalancer{},
		log: n.log.With("topic", topic, "group", options.Group), out: make(chan *message.Message), stopped: map[int]error{},
	}
}

// run is a member of the group, and one again after a failure, until ctx ends.
func (s *subscription) run(ctx context.Context) {
	defer close(s.out)
	defer s.client.transport.CloseIdleConnections()
	wait := joinPause
	for ctx.Err() == nil {
		began := time.Now()
		err := s.member(ctx)
		if err == nil || time.Since(began) > rejoinPauseMax {
			wait = joinPause
		}
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "kafka: left the group, joining again", "error", err, "after", wait)
		}
		_ = pause(ctx, wait)
		wait = min(2*wait, rejoinPauseMax)
	}
}

// member joins the group and works through its generations until ctx ends, or OnAssign refuses: then it returns that error.
func (s *subscription) member(ctx context.Context) error {
	// Without the topic every member would get an empty share, and an old broker might create it.
	if _, err := s.client.partitions(ctx, s.topic); err != nil {
		s.cannotJoin(ctx, err)
		return nil
	}
	group, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID: s.options.Group, Brokers: s.network.Brokers, Dialer: s.network.dialer(), Topics: []string{s.topic},
		GroupBalancers:    []kafkago.GroupBalancer{s.balancer, kafkago.RangeGroupBalancer{}},
		HeartbeatInterval: s.heartbeatInterval(), SessionTimeout: s.options.SessionTimeout,
		// The coordinator must not give up on a member that is draining.
		RebalanceTimeout: s.options.Drain + s.options.SessionTimeout + 2*commitDeadline,
		JoinGroupBackoff: joinPause, WatchPartitionChanges: true, PartitionWatchInterval: watchInterval,
	})
	if err != nil {
		return err
	}
	// Close ends the generation, waits for its drain, and leaves the group.
	left := make(chan struct{})
	leave := sync.OnceFunc(func() {
		go func() {
			defer close(left)
			_ = group.Close() // always nil
		}()
	})
	defer func() {
		leave()
		<-left
	}()
	defer context.AfterFunc(ctx, leave)()

	for {
		generation, err := group.Next(context.WithoutCancel(ctx))
		switch {
		case errors.Is(err, kafkago.ErrGroupClosed):
			return nil
		case err != nil:
			// Among others GroupCoordinatorNotAvailable on a fresh cluster. kafka-go pauses and joins again by itself.
			s.cannotJoin(ctx, err)
			continue
		}
		s.outside = time.Time{}
		g := newGeneration(s, generation)
		done := make(chan error, 1)
		generation.Start(func(ended context.Context) {
			err := g.run(context.WithoutCancel(ctx), ended.Done())
			if err != nil {
				// Returning now would join again at once: leave first.
				leave()
				<-ended.Done()
			}
			done <- err
		})
		if err := <-done; err != nil {
			return err
		}
	}
}

// cannotJoin warns of a failure that is tried again every second, for as long as an outage lasts: now and then. That others join, too, is
// no failure.
func (s *subscription) cannotJoin(ctx context.Context, err error) {
	level := slog.LevelDebug
	if ctx.Err() == nil && !errors.Is(err, kafkago.RebalanceInProgress) && time.Since(s.outside) >= outsidePause {
		level, s.outside = slog.LevelWarn, time.Now()
	}
	s.log.Log(ctx, level, "kafka: cannot join the group, trying again", "error", err)
}

func (s *subscription) heartbeatInterval() time.Duration {
	return min(time.Second, s.options.SessionTimeout/3)
}

func (s *subscription) setStopped(partition int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped[partition] = err
}

func (s *subscription) clearStopped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.stopped)
}

func (s *subscription) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all error
	for _, err := range s.stopped {
		all = errors.Join(all, err)
	}
	return all
}
