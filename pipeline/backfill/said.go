package backfill

import (
	"context"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/statuslog"
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
		return fmt.Errorf("backfill: what was said, from %s: %w", topics.StatusChanged, err)
	}
	start := kafka.Earliest
	if !since.IsZero() {
		start = kafka.At(since)
	}
	last, err := client.ListOffsets(ctx, topics.StatusChanged, kafka.Latest)
	if err != nil {
		return fail(err)
	}
	from := p.saidUntil
	if from == nil {
		if from, err = client.ListOffsets(ctx, topics.StatusChanged, start); err != nil {
			return fail(err)
		}
	}
	work, err := client.ListOffsets(ctx, topics.Checks(), kafka.Latest)
	if err != nil {
		return fail(err)
	}
	homes := p.homes(len(last))
	total := int64(0)
	group, ctx := errgroup.WithContext(ctx)
	for partition, end := range last {
		if len(last) == len(work) && !homes[partition] || from[partition] >= end {
			continue
		}
		total += end - from[partition]
	}
	read := int64(0)
	for partition, end := range last {
		if len(last) == len(work) && !homes[partition] || from[partition] >= end {
			continue
		}
		group.Go(func() error {
			return client.Scan(ctx, topics.StatusChanged, partition, from[partition], end, func(r kafka.Record) error {
				if trail := handlers.TrailOf(statuslog.MessageOf(r)); trail != nil && p.asks(trail.PaymentKey) {
					p.restore(*trail)
				}
				p.count(func(c *Counts) {
					c.Events++
					if read++; progress != nil && read%64 == 0 {
						progress(read, total)
					}
				})
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		return fail(err)
	}
	p.saidUntil = last
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
	for id := range p.wanted {
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
