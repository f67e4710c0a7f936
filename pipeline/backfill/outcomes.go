package backfill

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Conclusive reports whether an outcome tells what became of a payment. Others only tell that it could not be asked about: who
// goes on with a backfill asks again.
func Conclusive(kind providers.Kind) bool {
	return !slices.Contains([]providers.Kind{providers.Unavailable, providers.Refused, providers.Unreadable}, kind)
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
	for topic, committed := range ours {
		s, err := snapshot.From(ctx, client, topic, committed)
		if err != nil {
			return nil, fail(topic, err)
		}
		err = s.Each(ctx, func(r kafka.Record) error {
			if !bytes.Contains(r.Value, []byte(replayID)) {
				return nil
			}
			c, err := watch.DecodeCheck(r.Value) // what is no check, the check handler makes a dead letter
			if err == nil && c.Kind == watch.KindBackfill && c.ReplayID == replayID && r.Time.After(found[c.PaymentKey]) {
				found[c.PaymentKey] = r.Time
			}
			return nil
		})
		if err != nil {
			return nil, fail(topic, err)
		}
	}
	return found, nil
}
