package deadletters

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Snapshot is the topic of dead letters as it was at one moment: letters that are written later are not seen. It knows which
// letters were given back.
type Snapshot struct {
	Topic string

	client      *kafka.Client
	first, last map[int]int64
	given       map[Position]Given
}

// slack is how much later than it was given up, by its handler's clock, the broker may say that it took a letter.
const slack = 10 * time.Minute

// Take takes a snapshot of the topic, without letters that were given up long before since; the zero time: of all. It reads
// the topic once, to see which letters were given back.
func Take(ctx context.Context, client *kafka.Client, topic string, since time.Time) (*Snapshot, error) {
	s := &Snapshot{Topic: topic, client: client, given: map[Position]Given{}}
	begin := kafka.Earliest
	if !since.IsZero() {
		begin = kafka.At(since.Add(-slack))
	}
	var err error
	if s.last, err = offsets(ctx, client, topic, kafka.Latest); err != nil {
		return nil, err
	}
	if s.first, err = offsets(ctx, client, topic, begin); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for partition, end := range s.last {
		group.Go(func() error {
			return client.Scan(ctx, topic, partition, s.first[partition], end, func(r kafka.Record) error {
				if p, given, ok := marker(r); ok {
					mu.Lock()
					defer mu.Unlock()
					s.given[p] = given
				}
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("dead letters: read %s: %w", topic, err)
	}
	return s, nil
}

// offsets are those of all partitions of the topic.
func offsets(ctx context.Context, client *kafka.Client, topic string, at kafka.Start) (map[int]int64, error) {
	all, err := client.ListOffsets(ctx, topic, at)
	if errors.Is(err, kafkago.UnknownTopicOrPartition) {
		return nil, fmt.Errorf("the topic %s does not exist; `paystatus topics create` creates it", topic)
	}
	if err != nil {
		return nil, fmt.Errorf("dead letters: offsets of %s: %w", topic, err)
	}
	return all, nil
}

// Find reads one letter.
func Find(ctx context.Context, client *kafka.Client, topic string, p Position) (Letter, error) {
	first, err := offsets(ctx, client, topic, kafka.Earliest)
	if err != nil {
		return Letter{}, err
	}
	last, err := offsets(ctx, client, topic, kafka.Latest)
	if err != nil {
		return Letter{}, err
	}
	end, ok := last[p.Partition]
	switch {
	case !ok:
		return Letter{}, fmt.Errorf("there is no letter %s: %s has %d partitions, from 0", p, topic, len(last))
	case first[p.Partition] == end:
		return Letter{}, fmt.Errorf("there is no letter %s: partition %d of %s is empty", p, p.Partition, topic)
	case p.Offset < first[p.Partition] || p.Offset >= end:
		return Letter{}, fmt.Errorf("there is no letter %s: partition %d of %s now holds the offsets %d to %d",
			p, p.Partition, topic, first[p.Partition], end-1)
	}
	var letter Letter
	found := false
	err = client.Scan(ctx, topic, p.Partition, p.Offset, p.Offset+1, func(r kafka.Record) error {
		if of, _, marks := marker(r); marks {
			return fmt.Errorf("%s is no letter: it marks that %s was given back", p, of)
		}
		letter, found = letterOf(r)
		return nil
	})
	switch {
	case err != nil:
		return Letter{}, err
	case !found:
		return Letter{}, fmt.Errorf("%s is no letter: the record has no reason", p)
	}
	s, err := Take(ctx, client, topic, letter.Time) // its marker stands behind it
	if err != nil {
		return Letter{}, err
	}
	if given, ok := s.given[p]; ok {
		letter.Given = &given
	}
	return letter, nil
}

// Records is how many records the snapshot spans.
func (s *Snapshot) Records() int64 {
	total := int64(0)
	for p, end := range s.last {
		total += max(end-s.first[p], 0)
	}
	return total
}

// Partitions is how many partitions the topic has.
func (s *Snapshot) Partitions() int { return len(s.last) }

// Counts say what a walk through a snapshot came across.
type Counts struct {
	Records  int64 // read so far
	Letters  int64
	Chosen   int64 // by the filter, with those hidden
	Hidden   int64 // chosen, but given back before
	ByReason map[watch.Code]int64
}

// ErrEnough ends a walk early, without an error.
var ErrEnough = errors.New("enough")

// Walk shows every letter that the filter chooses, the oldest first, and counts. A reason counts when its letter is shown.
func (s *Snapshot) Walk(ctx context.Context, f Filter, show func(Letter, Counts) error) (Counts, error) {
	c := Counts{ByReason: map[watch.Code]int64{}}
	err := s.merged(ctx, func(r kafka.Record) error {
		c.Records++
		l, ok := letterOf(r)
		if !ok {
			return nil
		}
		c.Letters++
		if !f.chooses(&l) {
			return nil
		}
		c.Chosen++
		if given, ok := s.given[l.Position]; ok {
			if l.Given = &given; !f.Given {
				c.Hidden++
				return nil
			}
		}
		c.ByReason[l.Reason]++
		return show(l, c)
	})
	if errors.Is(err, ErrEnough) {
		err = nil
	}
	return c, err
}

// merged gives all records in the order of time; those of one partition stay in their order.
func (s *Snapshot) merged(ctx context.Context, fn func(kafka.Record) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var streams []<-chan kafka.Record
	for partition, end := range s.last {
		if s.first[partition] >= end {
			continue
		}
		stream := make(chan kafka.Record) // without a buffer: a letter may have megabytes
		streams = append(streams, stream)
		group.Go(func() error {
			err := s.client.Scan(ctx, s.Topic, partition, s.first[partition], end, func(r kafka.Record) error {
				select {
				case stream <- r:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			if err != nil {
				return fmt.Errorf("dead letters: read %s: %w", s.Topic, err)
			}
			close(stream)
			return nil
		})
	}
	group.Go(func() error { return merge(ctx, streams, fn) })
	return group.Wait()
}

// merge takes the oldest of the streams' heads until all are closed.
func merge(ctx context.Context, streams []<-chan kafka.Record, fn func(kafka.Record) error) error {
	heads := make([]*kafka.Record, len(streams))
	next := func(i int) error {
		select {
		case r, open := <-streams[i]:
			heads[i] = nil
			if open {
				heads[i] = &r
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i := range streams {
		if err := next(i); err != nil {
			return err
		}
	}
	for {
		oldest := -1
		for i, r := range heads {
			if r != nil && (oldest < 0 || r.Time.Before(heads[oldest].Time)) {
				oldest = i
			}
		}
		if oldest < 0 {
			return nil
		}
		if err := fn(*heads[oldest]); err != nil {
			return err
		}
		if err := next(oldest); err != nil {
			return err
		}
	}
}
