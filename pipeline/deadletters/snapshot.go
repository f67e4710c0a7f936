package deadletters

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// Snapshot is the topic of dead letters as it was at one moment: letters that are written later are not seen. It knows which
// letters were given back.
type Snapshot struct {
	*snapshot.Snapshot

	given map[Position]Given
}

// slack is how much later than it was given up, by its handler's clock, the broker may say that it took a letter.
const slack = 10 * time.Minute

// Take takes a snapshot of the topic, without letters that were given up long before since; the zero time: of all. It reads
// the topic once, to see which letters were given back.
func Take(ctx context.Context, client *kafka.Client, topic string, since time.Time) (*Snapshot, error) {
	if !since.IsZero() {
		since = since.Add(-slack)
	}
	all, err := snapshot.Range{Since: since}.Freeze(ctx, client, topic)
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	s := &Snapshot{all, map[Position]Given{}}
	var mu sync.Mutex
	err = all.Walk(ctx, func(r kafka.Record, _ bool) error {
		if p, given, ok := marker(r); ok {
			mu.Lock()
			defer mu.Unlock()
			s.given[p] = given
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	return s, nil
}

// Find reads one letter.
func Find(ctx context.Context, client *kafka.Client, topic string, p Position) (Letter, error) {
	fail := func(format string, args ...any) (Letter, error) {
		return Letter{}, fmt.Errorf("there is no letter %s: "+format, append([]any{p}, args...)...)
	}
	kept, err := snapshot.Range{}.Freeze(ctx, client, topic)
	if err != nil {
		return Letter{}, fmt.Errorf("dead letters: %w", err)
	}
	span, filled := kept.Spans[p.Partition]
	switch _, there := kept.Ends[p.Partition]; {
	case !there:
		return fail("%s has %d partitions, from 0", topic, len(kept.Ends))
	case !filled:
		return fail("partition %d of %s is empty", p.Partition, topic)
	case p.Offset < span.From || p.Offset >= span.To:
		return fail("partition %d of %s now holds the offsets %d to %d", p.Partition, topic, span.From, span.To-1)
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

// Partitions is how many partitions the topic has.
func (s *Snapshot) Partitions() int { return len(s.Ends) }

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
	err := s.InTime(ctx, func(r kafka.Record) error {
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
