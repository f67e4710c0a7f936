package snapshot

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Range chooses records; the zero Range: all that the topic holds.
type Range struct {
	Since    time.Time       // with this time or a later one; zero: ever
	Until    time.Time       // with an earlier time; zero: ever
	Offsets  Spans           // by partition, and only of these; empty: all
	Payments map[string]bool // with one of these keys; nil: any
	Provider string          // of a status event, see Has; "": any
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

// Span is a range of offsets, From included, To not. To is 0 where it goes to the end of the partition.
type Span struct{ From, To int64 }

// Spans are the parts of a topic, by partition.
type Spans map[int]Span

// ParseOffsets reads "PARTITION:FROM-TO", comma separated, such as "0:0-120,1:17-"; "3" is all of a partition.
func ParseOffsets(text string) (Spans, error) {
	spans := Spans{}
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
		var span Span
		var wrongFrom, wrongTo error
		span.From, wrongFrom = strconv.ParseInt("0"+from, 10, 64)
		span.To, wrongTo = strconv.ParseInt("0"+to, 10, 64)
		if wrongFrom != nil || wrongTo != nil || to != "" && span.To <= span.From {
			return nil, wrong
		}
		if _, twice := spans[int(partition)]; twice {
			return nil, fmt.Errorf("partition %d is named twice", partition)
		}
		spans[int(partition)] = span
	}
	return spans, nil
}

// String is what ParseOffsets reads.
func (s Spans) String() string {
	var parts []string
	for _, p := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, fmt.Sprintf("%d:%d-%d", p, s[p].From, s[p].To))
	}
	return strings.Join(parts, ",")
}

// Records is how many records spans with both ends hold.
func (s Spans) Records() int64 {
	total := int64(0)
	for _, span := range s {
		total += span.To - span.From
	}
	return total
}

// between are the offsets from the first up to the last of each partition; partitions without any are left out.
func between(first, last map[int]int64) Spans {
	spans := Spans{}
	for p, end := range last {
		if first[p] < end {
			spans[p] = Span{first[p], end}
		}
	}
	return spans
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
