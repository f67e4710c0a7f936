package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Tail reads a topic up to its present end, and each time on from there.
type Tail struct {
	Client *kafka.Client
	Topic  string
	Next   map[int]int64 // where to read on, by partition; nil: from the beginning
}

// Read gives the records to fn, one at a time, those of a partition in their order. After an error Next is where it was.
func (t *Tail) Read(ctx context.Context, fn func(kafka.Record) error) error {
	s, err := From(ctx, t.Client, t.Topic, t.Next)
	if err != nil {
		return err
	}
	if err := s.Each(ctx, fn); err != nil {
		return err
	}
	t.Next = s.Ends
	return nil
}

// Outcomes follows the outcome records of one replay.
type Outcomes struct {
	Tail

	ReplayID string
}

// Read gives every outcome that came since to fn, with the time at which it was written, as Tail.Read does.
func (o *Outcomes) Read(ctx context.Context, fn func(r handlers.ReplayOutcome, written time.Time) error) error {
	return o.Tail.Read(ctx, func(record kafka.Record) error {
		var r handlers.ReplayOutcome
		if bytes.Contains(record.Value, []byte(o.ReplayID)) && json.Unmarshal(record.Value, &r) == nil && r.ReplayID == o.ReplayID {
			return fn(r, record.Time)
		}
		return nil
	})
}
