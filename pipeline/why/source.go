package why

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// source is one topic as it was at one moment.
type source struct {
	topic string
	group string     // that consumes it; "": none of the pipeline's
	tier  delay.Tier // of a delay topic

	missing   bool
	idle      bool          // its group has committed nothing, although there are records
	first     map[int]int64 // the oldest that is kept
	since     map[int]int64 // the first within the bounds of time
	until     map[int]int64 // the first after them
	end       map[int]int64
	committed map[int]int64 // the first that its group has not done
}

// sources are all topics that may know a payment.
type sources struct {
	initiated, notified, redriven, checks, events, letters, replays *source

	tiers []*source
}

func newSources(t pipeline.Topics, group string) *sources {
	s := &sources{
		initiated: &source{topic: t.Initiated}, notified: &source{topic: t.Notified}, redriven: &source{topic: t.Redriven()},
		checks: &source{topic: t.Checks()}, events: &source{topic: t.StatusChanged}, letters: &source{topic: t.DeadLetters()},
		replays: &source{topic: t.Replays()},
	}
	for _, tier := range tiersOf(t) {
		s.tiers = append(s.tiers, &source{topic: t.Tier(tier.Name), tier: tier})
	}
	for handler, topic := range t.Consumed() {
		for _, source := range s.all() {
			if source.topic == topic {
				source.group = pipeline.GroupOf(group, handler)
			}
		}
	}
	return s
}

func tiersOf(t pipeline.Topics) delay.Tiers {
	if t.Tiers == nil {
		return delay.Standard
	}
	return t.Tiers
}

func (s *sources) all() []*source {
	return append([]*source{s.initiated, s.notified, s.redriven, s.checks, s.events, s.letters, s.replays}, s.tiers...)
}

// freeze notes how far each topic goes. All committed offsets are read before the first end: whatever is on its way from a topic to the next
// meanwhile is then behind the committed offset of at least one, because it is written there before it is committed here.
func (s *sources) freeze(ctx context.Context, client *kafka.Client, t pipeline.Topics, since, until time.Time) error {
	missing, err := pipeline.MissingTopics(ctx, client, t)
	if err != nil {
		return err
	}
	each := func(what func(context.Context, *source) error) error {
		group, ctx := errgroup.WithContext(ctx)
		for _, source := range s.all() {
			if source.missing = slices.Contains(missing, source.topic); !source.missing {
				group.Go(func() error { return what(ctx, source) })
			}
		}
		return group.Wait()
	}
	err = each(func(ctx context.Context, source *source) (err error) {
		if source.group != "" {
			source.committed, err = client.CommittedOffsets(ctx, source.group, source.topic)
		}
		return err
	})
	if err != nil {
		return err
	}
	return each(func(ctx context.Context, source *source) error { return source.bounds(ctx, client, since, until) })
}

func (s *source) bounds(ctx context.Context, client *kafka.Client, since, until time.Time) (err error) {
	for _, bound := range []struct {
		into *map[int]int64
		at   kafka.Start
		want bool
	}{
		{&s.first, kafka.Earliest, true},
		{&s.end, kafka.Latest, true},
		{&s.since, kafka.At(since), !since.IsZero()},
		{&s.until, kafka.At(until), !until.IsZero()},
	} {
		if bound.want {
			if *bound.into, err = client.ListOffsets(ctx, s.topic, bound.at); err != nil {
				return err
			}
		}
	}
	if s.since == nil {
		s.since = s.first
	}
	if s.until == nil {
		s.until = s.end
	}
	if s.group == "" {
		return nil
	}
	for p, end := range s.end {
		s.idle = s.idle || len(s.committed) == 0 && end > s.first[p]
	}
	committed := maps.Clone(s.first) // a group without one has done nothing
	for p, offset := range s.committed {
		committed[p] = min(max(offset, s.first[p]), s.end[p])
	}
	s.committed = committed
	return nil
}

// home is the partition that a key belongs to.
func (s *source) home(key string) int {
	all := slices.Sorted(maps.Keys(s.end))
	return kafkago.Murmur2Balancer{}.Balance(kafkago.Message{Key: []byte(key)}, all...)
}

// partitions are those that may hold the key.
func (s *source) partitions(key string, all bool) []int {
	switch {
	case len(s.end) == 0:
		return nil
	case all:
		return slices.Sorted(maps.Keys(s.end))
	default:
		return []int{s.home(key)}
	}
}

// stretch is a part of a topic that is to be searched.
type stretch struct {
	source     *source
	partitions []int
	from, to   map[int]int64
	what       string // says which part, for people
	choose     func(key, value []byte) bool
	take       func(kafka.Record) error // one at a time
}

// atOnce bounds the partitions that are searched at the same time.
const atOnce = 16

// search goes through stretches, many partitions at a time, and notes what it went through.
func (r *reading) search(ctx context.Context, all ...stretch) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, s := range all {
		if s.source.missing {
			continue
		}
		noted := r.scanned.note(s)
		for _, p := range s.partitions {
			if s.from[p] >= s.to[p] {
				continue
			}
			group.Go(func() error {
				searched, err := r.Client.Search(ctx, s.source.topic, p, s.from[p], s.to[p], s.choose, func(record kafka.Record) error {
					mu.Lock()
					defer mu.Unlock()
					return s.take(record)
				})
				if errors.Is(err, kafka.ErrOffsetOutOfRange) {
					err = fmt.Errorf("%w: records were deleted while they were read; ask again", err)
				}
				mu.Lock()
				defer mu.Unlock()
				noted.Records, noted.Bytes = noted.Records+searched.Records, noted.Bytes+searched.Bytes
				if err != nil {
					return fmt.Errorf("read %s: %w", s.source.topic, err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}
