package backfill

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/statuslog"
)

// Range says which initiated events are read; the zero Range: all that the topic holds.
type Range struct {
	Since      time.Time              // records of then or later; zero: ever
	Until      time.Time              // records before; zero: ever
	Partitions []int                  // empty: all
	Offsets    map[int]statuslog.Span // by partition, and only of these; empty: all
}

// Frozen is a Range as it was at one moment: initiated events that come later are not part of it.
type Frozen struct {
	Range

	topic string
	spans map[int]statuslog.Span
	gone  int64
}

// outOfOrder is how much later than their time records may stand, in a topic whose producers set the time.
const outOfOrder = 10 * time.Minute

// Freeze finds out where the range begins and ends now.
func (r Range) Freeze(ctx context.Context, client *kafka.Client, topic string) (*Frozen, error) {
	begin, end := kafka.Earliest, kafka.Latest
	if !r.Since.IsZero() {
		begin = kafka.At(r.Since)
	}
	if !r.Until.IsZero() {
		end = kafka.At(r.Until.Add(outOfOrder))
	}
	var bounds [3]map[int]int64
	for i, at := range []kafka.Start{begin, end, kafka.Earliest} {
		var err error
		if bounds[i], err = client.ListOffsets(ctx, topic, at); err != nil {
			return nil, fmt.Errorf("backfill: offsets of %s: %w", topic, err)
		}
	}
	for _, p := range slices.Concat(r.Partitions, slices.Sorted(maps.Keys(r.Offsets))) {
		if _, there := bounds[0][p]; !there {
			return nil, fmt.Errorf("backfill: %s has no partition %d: it has %d, from 0", topic, p, len(bounds[0]))
		}
	}
	f := &Frozen{Range: r, topic: topic, spans: map[int]statuslog.Span{}}
	for p := range bounds[0] {
		span := statuslog.Span{From: bounds[0][p], To: bounds[1][p]}
		wanted, named := r.Offsets[p]
		if len(r.Partitions) > 0 && !slices.Contains(r.Partitions, p) || len(r.Offsets) > 0 && !named {
			continue
		}
		if named {
			f.gone += max(bounds[2][p]-wanted.From, 0)
			span.From = max(span.From, wanted.From)
			if wanted.To > 0 {
				span.To = min(span.To, wanted.To)
			}
		}
		if span.From < span.To {
			f.spans[p] = span
		}
	}
	return f, nil
}

// Flags are the flags of the command that mean this range, whenever they are given: who goes on with a backfill names them.
func (f *Frozen) Flags() string {
	flags := "--offsets " + f.String()
	if !f.Since.IsZero() {
		flags += " --since " + f.Since.UTC().Format(time.RFC3339Nano)
	}
	if !f.Until.IsZero() {
		flags += " --until " + f.Until.UTC().Format(time.RFC3339Nano)
	}
	return flags
}

// String are the offsets of the range as statuslog.ParseOffsets reads them.
func (f *Frozen) String() string {
	var parts []string
	for _, p := range slices.Sorted(maps.Keys(f.spans)) {
		parts = append(parts, fmt.Sprintf("%d:%d-%d", p, f.spans[p].From, f.spans[p].To))
	}
	return strings.Join(parts, ",")
}

// Records is how many records the range spans.
func (f *Frozen) Records() int64 {
	total := int64(0)
	for _, s := range f.spans {
		total += s.To - s.From
	}
	return total
}

// ReadInitiated puts in the initiated events of a range. What the pipeline refuses, too, is counted. Progress is told how many
// records have been read; it may be nil.
func (p *Payments) ReadInitiated(ctx context.Context, client *kafka.Client, f *Frozen, progress func(records int64)) error {
	p.count(func(c *Counts) { c.Gone += f.gone })
	group, ctx := errgroup.WithContext(ctx)
	for partition, span := range f.spans {
		group.Go(func() error {
			return client.Scan(ctx, f.topic, partition, span.From, span.To, func(r kafka.Record) error {
				if (f.Since.IsZero() || !r.Time.Before(f.Since)) && (f.Until.IsZero() || r.Time.Before(f.Until)) {
					p.take(statuslog.MessageOf(r))
				}
				p.count(func(c *Counts) {
					if c.Records++; progress != nil && c.Records%64 == 0 {
						progress(c.Records)
					}
				})
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("backfill: read %s: %w", f.topic, err)
	}
	return nil
}

func (p *Payments) take(m handlers.Message) {
	check, refusal := p.intake.Read(m)
	switch {
	case refusal != nil:
		p.count(func(c *Counts) { c.Refused[refusal.Code]++ })
	case check == nil:
		p.count(func(c *Counts) { c.Ignored++ })
	case p.add(check) != nil:
		p.count(func(c *Counts) { c.Conflicts++ })
	}
}
