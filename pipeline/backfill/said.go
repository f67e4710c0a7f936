package backfill

import (
	"context"
	"fmt"
	"maps"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// ReadSaid puts in what was last said about the payments, from the emitted log up to its present end. Since says where it begins
// the first time; the zero time: with all that the log holds. A later call goes on from there.
//
// With as many partitions as the work topic has, a payment's events lie where its key puts them, and partitions without any of
// the payments are left out. Progress is told how much of the total has been read; it may be nil.
func (p *Payments) ReadSaid(
	ctx context.Context, client *kafka.Client, topics pipeline.Topics, since time.Time, progress func(records, total int64),
) error {
	fail := func(err error) error {
		return fmt.Errorf("backfill: what was said: %w", err)
	}
	work, err := client.ListOffsets(ctx, topics.Checks(), kafka.Latest)
	if err != nil {
		return fail(err)
	}
	var said *snapshot.Snapshot
	if p.saidUntil == nil {
		said, err = snapshot.Range{Since: since}.Freeze(ctx, client, topics.StatusChanged)
	} else {
		said, err = snapshot.From(ctx, client, topics.StatusChanged, p.saidUntil)
	}
	if err != nil {
		return fail(err)
	}
	if len(said.Ends) == len(work) {
		homes := p.homes(len(work))
		maps.DeleteFunc(said.Spans, func(partition int, _ snapshot.Span) bool { return !homes[partition] })
	}
	if total := said.Records(); progress != nil {
		said.Progress = func(records int64) { progress(records, total) }
	}
	err = said.Walk(ctx, func(r kafka.Record, _ bool) error {
		p.count(func(c *Counts) { c.Events++ })
		if trail := handlers.TrailOf(snapshot.MessageOf(r)); trail != nil && p.asks(trail.PaymentKey) {
			p.restore(*trail)
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	p.saidUntil = said.Ends
	return nil
}

// homes are the partitions that the payments' keys belong to.
func (p *Payments) homes(partitions int) map[int]bool {
	all := make([]int, partitions)
	for i := range all {
		all[i] = i
	}
	homes := map[int]bool{}
	home := func(id string) {
		homes[kafkago.Murmur2Balancer{}.Balance(kafkago.Message{Key: []byte(id)}, all...)] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.selection.IDs {
		home(id)
	}
	for key := range p.lanes {
		home(key.PaymentID)
		if len(homes) == partitions {
			break
		}
	}
	return homes
}
