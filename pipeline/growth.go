package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// growth watches the partition counts of the internal topics. A topic that grows while the service runs maps keys to other
// partitions, so that two processes could work on one payment: the process is not ready any more until somebody has seen to it
// (deployments/README.md says how).
type growth struct {
	client *kafka.Client
	topics Topics
	log    *slog.Logger
	every  time.Duration

	grown atomic.Bool
}

// growthEvery is how often the counts are looked at.
const growthEvery = 30 * time.Second

// run looks until ctx ends.
func (g *growth) run(ctx context.Context) {
	ticker := time.NewTicker(g.every)
	defer ticker.Stop()
	var first map[string]int
	for {
		counts, err := g.counts(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			g.log.Warn("the partition counts cannot be looked at", "error", err)
		case err == nil && first == nil:
			first = counts
		case err == nil:
			g.compare(first, counts)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (g *growth) compare(first, now map[string]int) {
	for topic, n := range now {
		if n != first[topic] && !g.grown.Swap(true) {
			g.log.Error("an internal topic has another number of partitions than when this process started: keys have moved; "+
				"stop all instances, give all internal topics the same number, start again", "topic", topic, "was", first[topic], "is", n)
		}
	}
}

func (g *growth) counts(ctx context.Context) (map[string]int, error) {
	var names []string
	for _, r := range g.topics.requirements() {
		if r.internal {
			names = append(names, r.name)
		}
	}
	described, err := g.client.DescribeTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	counts := make(map[string]int, len(described))
	for name, d := range described {
		counts[name] = d.Partitions
	}
	return counts, nil
}
