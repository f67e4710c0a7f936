// Package snapshot reads a topic as it is at one moment, or a part of it: without a consumer group, and all partitions at a time.
// What is written later is not part of it; who wants to know of that reads on from where it ended.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Snapshot is a Range as it was at one moment.
type Snapshot struct {
	Range

	Topic string
	Spans Spans         // what is read of each partition, with both ends; partitions with nothing to read are left out
	Ends  map[int]int64 // of all partitions, at that moment
	Gone  int64         // records that Range.Offsets names and that the topic holds no longer

	// Progress is told how many records were read, by one goroutine at a time. It may be nil.
	Progress func(records int64)

	client *kafka.Client
}

// late is how much later than their time records may stand, in a topic whose producers set the time.
const late = 10 * time.Minute

// Freeze finds out where the range begins and ends now.
func (r Range) Freeze(ctx context.Context, client *kafka.Client, topic string) (*Snapshot, error) {
	s := &Snapshot{Range: r, Topic: topic, client: client}
	first, err := s.offsets(ctx, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	if s.Ends, err = s.offsets(ctx, kafka.Latest); err != nil {
		return nil, err
	}
	for _, p := range slices.Sorted(maps.Keys(r.Offsets)) {
		if _, there := s.Ends[p]; !there {
			return nil, fmt.Errorf("%s has no partition %d: it has %d, from 0", topic, p, len(s.Ends))
		}
	}
	begin, end := first, s.Ends
	if !r.Since.IsZero() {
		if begin, err = s.offsets(ctx, kafka.At(r.Since)); err != nil {
			return nil, err
		}
	}
	if !r.Until.IsZero() {
		if end, err = s.offsets(ctx, kafka.At(r.Until.Add(late))); err != nil {
			return nil, err
		}
	}
	s.Spans = between(begin, end)
	if len(r.Offsets) == 0 {
		return s, nil
	}
	for p, span := range s.Spans {
		wanted, named := r.Offsets[p]
		span.From = max(span.From, wanted.From)
		if wanted.To > 0 {
			span.To = min(span.To, wanted.To)
		}
		if s.Spans[p] = span; !named || span.From >= span.To {
			delete(s.Spans, p)
		}
	}
	for p, wanted := range r.Offsets {
		s.Gone += max(first[p]-wanted.From, 0)
	}
	return s, nil
}

// From is what a topic holds now behind the offsets next; a partition that has none there begins with what it still holds.
func From(ctx context.Context, client *kafka.Client, topic string, next map[int]int64) (*Snapshot, error) {
	s := &Snapshot{Topic: topic, client: client}
	var err error
	if s.Ends, err = s.offsets(ctx, kafka.Latest); err != nil {
		return nil, err
	}
	if s.Spans = between(next, s.Ends); len(s.Spans) == 0 {
		return s, nil
	}
	first, err := s.offsets(ctx, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	for p := range s.Spans {
		first[p] = max(first[p], next[p])
	}
	s.Spans = between(first, s.Ends)
	return s, nil
}

func (s *Snapshot) offsets(ctx context.Context, at kafka.Start) (map[int]int64, error) {
	all, err := s.client.ListOffsets(ctx, s.Topic, at)
	if errors.Is(err, kafkago.UnknownTopicOrPartition) {
		return nil, fmt.Errorf("there is no topic %s; `paystatus topics create` creates those of the configuration: %w", s.Topic, err)
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", s.Topic, err)
	}
	return all, nil
}

// Records is how many records are read.
func (s *Snapshot) Records() int64 { return s.Spans.Records() }

// Onwards is where each partition goes on behind what is read.
func (s *Snapshot) Onwards() map[int]int64 {
	next := maps.Clone(s.Ends)
	for p, span := range s.Spans {
		next[p] = span.To
	}
	return next
}

// Walk gives the records to fn: all partitions at a time, those of one partition in their order. Chosen is false for one that is read
// on account of its place only.
func (s *Snapshot) Walk(ctx context.Context, fn func(r kafka.Record, chosen bool) error) error {
	count := s.counter()
	group, ctx := errgroup.WithContext(ctx)
	for partition, span := range s.Spans {
		group.Go(func() error {
			return s.client.Scan(ctx, s.Topic, partition, span.From, span.To, func(r kafka.Record) error {
				count()
				return fn(r, s.Chooses(r))
			})
		})
	}
	return s.ended(group.Wait())
}

// Each gives the records that are chosen to fn, one at a time, those of one partition in their order.
func (s *Snapshot) Each(ctx context.Context, fn func(kafka.Record) error) error {
	var mu sync.Mutex
	return s.Walk(ctx, func(r kafka.Record, chosen bool) error {
		if !chosen {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		return fn(r)
	})
}

// every is after how many records Progress is told.
const every = 64

func (s *Snapshot) counter() func() {
	if s.Progress == nil {
		return func() {}
	}
	var mu sync.Mutex
	var records atomic.Int64
	return func() {
		if n := records.Add(1); n%every == 0 {
			mu.Lock()
			defer mu.Unlock()
			s.Progress(n)
		}
	}
}

func (s *Snapshot) ended(err error) error {
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Topic, err)
	}
	return nil
}

// MessageOf is a record as handlers see it.
func MessageOf(r kafka.Record) handlers.Message {
	m := handlers.Message{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time, Key: r.Key, Value: r.Value}
	m.Headers = make([]handlers.Header, len(r.Headers))
	for i, h := range r.Headers {
		m.Headers[i] = handlers.Header(h)
	}
	return m
}
