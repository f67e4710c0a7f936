package backfill

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/statuslog"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Conclusive reports whether an outcome tells what became of a payment. Others only tell that it could not be asked about: who
// goes on with a backfill asks again.
func Conclusive(kind providers.Kind) bool {
	return !slices.Contains([]providers.Kind{providers.Unavailable, providers.Refused, providers.Unreadable}, kind)
}

// follow begins with what the topic holds already, or with what is written from now on.
func follow(ctx context.Context, client *kafka.Client, topic, replayID string, from kafka.Start) (*statuslog.Outcomes, error) {
	next, err := client.ListOffsets(ctx, topic, from)
	if err != nil {
		return nil, fmt.Errorf("backfill: offsets of %s: %w", topic, err)
	}
	return &statuslog.Outcomes{Client: client, Topic: topic, ReplayID: replayID, Next: next}, nil
}

// underway finds the checks of a backfill that the pipeline has not brought to an outcome yet, with the time at which each was
// last written: in the work topic, and in the tiers, where those wait that could not be asked. A check may be moved meanwhile:
// every record that was not committed when the first offsets were read, and was there when the last ones were, is looked at.
func underway(ctx context.Context, client *kafka.Client, topics pipeline.Topics, group, replayID string) (map[schemas.PaymentKey]time.Time, error) {
	fail := func(topic string, err error) error {
		return fmt.Errorf("backfill: what is on its way in %s: %w", topic, err)
	}
	ours := map[string]map[int]int64{} // topic → where its group goes on
	for handler, topic := range topics.Consumed() {
		if slices.Contains([]string{topics.Initiated, topics.Notified, topics.Redriven()}, topic) {
			continue
		}
		committed, err := client.CommittedOffsets(ctx, pipeline.GroupOf(group, handler), topic)
		if err != nil {
			return nil, fail(topic, err)
		}
		ours[topic] = committed
	}
	found := map[schemas.PaymentKey]time.Time{}
	var mu sync.Mutex
	scans, ctx := errgroup.WithContext(ctx)
	for topic, committed := range ours {
		first, err := client.ListOffsets(ctx, topic, kafka.Earliest)
		if err != nil {
			return nil, fail(topic, err)
		}
		last, err := client.ListOffsets(ctx, topic, kafka.Latest)
		if err != nil {
			return nil, fail(topic, err)
		}
		for partition, end := range last {
			from := max(committed[partition], first[partition])
			if from >= end {
				continue
			}
			scans.Go(func() error {
				err := client.Scan(ctx, topic, partition, from, end, func(r kafka.Record) error {
					if !bytes.Contains(r.Value, []byte(replayID)) {
						return nil
					}
					c, err := watch.DecodeCheck(r.Value)
					if err != nil || c.Kind != watch.KindBackfill || c.ReplayID != replayID {
						return nil // what is no check, the check handler makes a dead letter
					}
					mu.Lock()
					defer mu.Unlock()
					if r.Time.After(found[c.PaymentKey]) {
						found[c.PaymentKey] = r.Time
					}
					return nil
				})
				if err != nil {
					return fail(topic, err)
				}
				return nil
			})
		}
	}
	return found, scans.Wait()
}
