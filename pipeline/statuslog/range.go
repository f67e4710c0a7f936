// Package statuslog reads a part of the emitted log, as it is at one moment: what was said about payments.
package statuslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Range chooses records; the zero Range: all that the topic holds.
type Range struct {
	Since    time.Time       // appended then or later; zero: ever
	Until    time.Time       // appended before; zero: ever
	Offsets  map[int]Span    // by partition, and only of these; empty: all
	Payments map[string]bool // with one of these keys; nil: any
	Provider string          // of this provider; "": any
}

// Span is a range of offsets, From included, To not. To is 0 where it goes to the end of the partition.
type Span struct{ From, To int64 }

// ParseOffsets reads "PARTITION:FROM-TO", comma separated, such as "0:0-120,1:17-"; "3" is all of a partition.
func ParseOffsets(text string) (map[int]Span, error) {
	spans := map[int]Span{}
	if text == "" {
		return spans, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		wrong := fmt.Errorf("%q is not a range of offsets: PARTITION:FROM-TO, such as 3:0-1200, 3:17- or 3", part)
		name, rest, ranged := strings.Cut(strings.TrimSpace(part), ":")
		partition, err := strconv.ParseUint(name, 10, 31)
		from, to, dash := strings.Cut(rest, "-")
		if err != nil || ranged != dash {
			return nil, wrong
		}
		span := Span{}
		for text, n := range map[string]*int64{from: &span.From, to: &span.To} {
			if *n, err = strconv.ParseInt("0"+text, 10, 64); err != nil {
				return nil, wrong
			}
		}
		if _, twice := spans[int(partition)]; twice {
			return nil, fmt.Errorf("partition %d is named twice", partition)
		}
		spans[int(partition)] = span
	}
	return spans, nil
}

// ReadIDs reads a list of payment_ids, one a line.
func ReadIDs(from io.Reader) (map[string]bool, error) {
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, fmt.Errorf("read the list of payments: %w", err)
	}
	ids := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if id := strings.TrimSpace(line); id != "" {
			ids[id] = true
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("the list of payments is empty")
	}
	return ids, nil
}

// Frozen is a Range as it was at one moment: records that are appended later are not part of it.
type Frozen struct {
	Range

	Topic string
	At    time.Time    // before the end was read, by this host's clock
	Spans map[int]Span // what is read of each partition, with both ends; partitions with nothing to read are left out
	Ends  map[int]int64

	client *kafka.Client
}

// Freeze finds out where the range begins and ends now.
func (r Range) Freeze(ctx context.Context, client *kafka.Client, topic string) (*Frozen, error) {
	f := &Frozen{Range: r, Topic: topic, At: time.Now(), Spans: map[int]Span{}, client: client}
	begin, end := kafka.Earliest, kafka.Latest
	if !r.Since.IsZero() {
		begin = kafka.At(r.Since)
	}
	if !r.Until.IsZero() {
		end = kafka.At(r.Until)
	}
	first, err := client.ListOffsets(ctx, topic, begin)
	if err != nil {
		return nil, fmt.Errorf("beginning of %s: %w", topic, err)
	}
	last, err := client.ListOffsets(ctx, topic, end)
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", topic, err)
	}
	for _, p := range slices.Sorted(maps.Keys(r.Offsets)) {
		if _, there := last[p]; !there {
			return nil, fmt.Errorf("%s has no partition %d: it has %d, from 0", topic, p, len(last))
		}
	}
	if f.Ends, err = client.ListOffsets(ctx, topic, kafka.Latest); err != nil {
		return nil, fmt.Errorf("end of %s: %w", topic, err)
	}
	for p, from := range first {
		span := Span{from, last[p]}
		wanted, named := r.Offsets[p]
		if len(r.Offsets) > 0 && !named {
			continue
		}
		span.From = max(span.From, wanted.From)
		if wanted.To > 0 {
			span.To = min(span.To, wanted.To)
		}
		if span.From < span.To {
			f.Spans[p] = span
		}
	}
	return f, nil
}

// Records is how many records the range spans.
func (f *Frozen) Records() int64 {
	total := int64(0)
	for _, s := range f.Spans {
		total += s.To - s.From
	}
	return total
}

// Onwards is where each partition goes on behind the range.
func (f *Frozen) Onwards() map[int]int64 {
	next := maps.Clone(f.Ends)
	for p, span := range f.Spans {
		next[p] = span.To
	}
	return next
}

// Walk gives the records of the range to fn: all partitions at a time, those of one partition in their order. What fn is given is
// chosen by time and key; the provider is in the data, see Has.
func (f *Frozen) Walk(ctx context.Context, fn func(r kafka.Record, chosen bool) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for partition, span := range f.Spans {
		group.Go(func() error {
			return f.client.Scan(ctx, f.Topic, partition, span.From, span.To, func(r kafka.Record) error { return fn(r, f.Chooses(r)) })
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("read %s: %w", f.Topic, err)
	}
	return nil
}

// Chooses reports whether a record is in the range by its place, time and key.
func (r Range) Chooses(record kafka.Record) bool {
	span, named := r.Offsets[record.Partition]
	switch {
	case len(r.Offsets) > 0 && (!named || record.Offset < span.From || span.To > 0 && record.Offset >= span.To):
		return false
	case !r.Since.IsZero() && record.Time.Before(r.Since), !r.Until.IsZero() && !record.Time.Before(r.Until):
		return false
	default:
		return r.Payments == nil || r.Payments[string(record.Key)]
	}
}

// Has reports whether events of a provider are asked for.
func (r Range) Has(provider string) bool { return r.Provider == "" || r.Provider == provider }

// MessageOf is a record as handlers see it.
func MessageOf(r kafka.Record) handlers.Message {
	m := handlers.Message{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time, Key: r.Key, Value: r.Value}
	m.Headers = make([]handlers.Header, len(r.Headers))
	for i, h := range r.Headers {
		m.Headers[i] = handlers.Header(h)
	}
	return m
}
