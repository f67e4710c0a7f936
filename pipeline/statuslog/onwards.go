package statuslog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Onwards gives the records of a topic from next up to its present end to fn, one at a time, those of a partition in their order,
// and says where to read on. Next is nil for the beginning; after an error it is where it was.
func Onwards(ctx context.Context, client *kafka.Client, topic string, next map[int]int64, fn func(kafka.Record) error) (map[int]int64, error) {
	last, err := client.ListOffsets(ctx, topic, kafka.Latest)
	if err != nil {
		return next, fmt.Errorf("end of %s: %w", topic, err)
	}
	if next == nil {
		if next, err = client.ListOffsets(ctx, topic, kafka.Earliest); err != nil {
			return nil, fmt.Errorf("beginning of %s: %w", topic, err)
		}
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for partition, end := range last {
		if next[partition] >= end {
			continue
		}
		group.Go(func() error {
			return client.Scan(ctx, topic, partition, next[partition], end, func(r kafka.Record) error {
				mu.Lock()
				defer mu.Unlock()
				return fn(r)
			})
		})
	}
	if err := group.Wait(); err != nil {
		return next, fmt.Errorf("read %s: %w", topic, err)
	}
	return last, nil
}

// Outcomes follows the outcome records of one replay.
type Outcomes struct {
	Client   *kafka.Client
	Topic    string
	ReplayID string
	Next     map[int]int64 // where to read on, by partition; nil: from the beginning
}

// Read gives every outcome up to the present end of the topic to fn, with the time at which it was written, as Onwards does.
func (o *Outcomes) Read(ctx context.Context, fn func(r handlers.ReplayOutcome, written time.Time) error) (err error) {
	o.Next, err = Onwards(ctx, o.Client, o.Topic, o.Next, func(record kafka.Record) error {
		var r handlers.ReplayOutcome
		if bytes.Contains(record.Value, []byte(o.ReplayID)) && json.Unmarshal(record.Value, &r) == nil && r.ReplayID == o.ReplayID {
			return fn(r, record.Time)
		}
		return nil
	})
	return err
}
