package renormalize

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
	"github.com/paystatus/paystatus/pipeline/statuslog"
	"github.com/paystatus/paystatus/schemas"
)

// tail reads on in the emitted log, from where it was read before.
type tail struct {
	client *kafka.Client
	topic  string
	next   map[int]int64 // nil: from the beginning
}

// read tells what was said meanwhile about the payments that are wanted, and until when by this host's clock.
func (t *tail) read(ctx context.Context, told func(key schemas.PaymentKey, eventID string), wanted func(payment string) bool) (time.Time, error) {
	now := time.Now()
	next, err := onwards(ctx, t.client, t.topic, t.next, func(r kafka.Record) {
		if !wanted(string(r.Key)) {
			return
		}
		if e, err := handlers.ReadStatusEvent(statuslog.MessageOf(r)); err == nil && e.Type != schemas.TypeStatusUnresolved {
			told(schemas.PaymentKey{Provider: e.Data.Provider, Account: e.Data.Account, PaymentID: e.Data.PaymentID}, e.ID)
		}
	})
	t.next = next
	return now, err
}

// follower reads the outcome records of one replay, from the beginning of the topic on.
type follower struct {
	client   *kafka.Client
	topic    string
	replayID string
	next     map[int]int64
}

func (f *follower) read(ctx context.Context, told func(handlers.ReplayOutcome)) (err error) {
	f.next, err = onwards(ctx, f.client, f.topic, f.next, func(r kafka.Record) {
		var o handlers.ReplayOutcome
		if bytes.Contains(r.Value, []byte(f.replayID)) && json.Unmarshal(r.Value, &o) == nil && o.ReplayID == f.replayID {
			told(o)
		}
	})
	return err
}

// onwards gives the records from next up to the present end to fn, one at a time, and says where to read on. Next is nil for the
// beginning.
func onwards(ctx context.Context, client *kafka.Client, topic string, next map[int]int64, fn func(kafka.Record)) (map[int]int64, error) {
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
				fn(r)
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return next, fmt.Errorf("read %s: %w", topic, err)
	}
	return last, nil
}
