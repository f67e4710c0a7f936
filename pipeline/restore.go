package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
)

// restorer fills the memory of a partition before its first check: from the emitted log, which is the truth about what was
// said, and from the tail of the work topic below the committed offset, which proves what was done.
type restorer struct {
	client   *kafka.Client
	topics   Topics
	memory   *handlers.Memory
	share    *providers.Share
	lookback time.Duration
	log      *slog.Logger
}

const (
	restoreMargin = time.Minute // clocks of brokers and hosts differ
	restoreTail   = 1000        // records of the work topic, per partition
)

// assign is called with a new share of the work topic, before its first message.
func (r *restorer) assign(ctx context.Context, a kafka.Assignment) error {
	if len(a.Partitions) == 0 {
		return nil
	}
	began := time.Now()
	work, err := r.client.ListOffsets(ctx, r.topics.Checks(), kafka.Latest)
	if err != nil {
		return fmt.Errorf("restore: offsets of %s: %w", r.topics.Checks(), err)
	}
	r.share.Set(len(a.Partitions), len(work))
	from, err := r.from(ctx, a, work)
	if err != nil {
		return err
	}
	owned := map[int]bool{}
	for _, p := range a.Partitions {
		owned[p.Partition] = true
		r.memory.Assign(p.Partition, from[p.Partition])
	}
	events, err := r.events(ctx, from, owned, len(work))
	if err != nil {
		return err
	}
	if err := r.tails(ctx, a); err != nil {
		return err
	}
	r.log.Info("restored what was said", "partitions", len(owned), "events", events, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

func (r *restorer) revoke(a kafka.Assignment) {
	for _, p := range a.Partitions {
		r.memory.Revoke(p.Partition)
	}
}

// from says since when the emitted log must be known for each partition: since the oldest check that is not committed, and at
// least since the lookback.
func (r *restorer) from(ctx context.Context, a kafka.Assignment, last map[int]int64) (map[int]time.Time, error) {
	from := map[int]time.Time{}
	for _, p := range a.Partitions {
		oldest := time.Now().Add(-r.lookback)
		if p.Committed < last[p.Partition] {
			err := r.client.Scan(ctx, r.topics.Checks(), p.Partition, p.Committed, p.Committed+1, func(record kafka.Record) error {
				if record.Time.Before(oldest) {
					oldest = record.Time
				}
				return nil
			})
			if err != nil {
				return nil, fmt.Errorf("restore: oldest check of partition %d: %w", p.Partition, err)
			}
		}
		from[p.Partition] = oldest.Add(-restoreMargin)
	}
	return from, nil
}

// events reads the emitted log. With equal partition counts a payment's events lie in the partition of its checks; otherwise
// all partitions are read, and the events of other members' payments left aside.
func (r *restorer) events(ctx context.Context, from map[int]time.Time, owned map[int]bool, workPartitions int) (events int64, err error) {
	earliest := time.Now()
	for _, t := range from {
		if t.Before(earliest) {
			earliest = t
		}
	}
	said, err := snapshot.Range{Since: earliest}.Freeze(ctx, r.client, r.topics.StatusChanged)
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	if len(said.Ends) == workPartitions {
		maps.DeleteFunc(said.Spans, func(partition int, _ snapshot.Span) bool { return !owned[partition] })
	}
	all := make([]int, workPartitions)
	for i := range all {
		all[i] = i
	}
	err = said.Walk(ctx, func(record kafka.Record, _ bool) error {
		home := kafkago.Murmur2Balancer{}.Balance(kafkago.Message{Key: record.Key}, all...)
		if owned[home] && !record.Time.Before(from[home]) {
			r.memory.RestoreEvent(home, snapshot.MessageOf(record))
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	return said.Records(), nil
}

// tails reads the last records below the committed offsets of the work topic.
func (r *restorer) tails(ctx context.Context, a kafka.Assignment) error {
	tails := snapshot.Spans{}
	for _, p := range a.Partitions {
		if p.Committed > 0 {
			tails[p.Partition] = snapshot.Span{From: max(p.Committed-restoreTail, 0), To: p.Committed}
		}
	}
	if len(tails) == 0 {
		return nil
	}
	done, err := snapshot.Range{Offsets: tails}.Freeze(ctx, r.client, r.topics.Checks())
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	err = done.Walk(ctx, func(record kafka.Record, _ bool) error {
		r.memory.RestoreCheck(record.Partition, snapshot.MessageOf(record))
		return nil
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}
