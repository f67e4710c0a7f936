package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Hook is told what happens inside a Subscriber or a Publisher, for metrics and traces. It implements one or more of the interfaces below
// whose names begin with Hook; it is called for those only. Hooks are called by several goroutines, which wait for them: they must not block.
type Hook any

// HookSample is told about once a second how a subscription is doing, and once more with zeros when its share is handed over.
type HookSample interface {
	OnSample(s Sample)
}

// HookAssigned is told that a generation begins to hand out messages.
type HookAssigned interface {
	OnAssigned(a Assignment)
}

// HookRevoked is told that a generation has handed over its share, for each HookAssigned was told of.
type HookRevoked interface {
	OnRevoked(r Revocation)
}

// HookHeartbeat is told what came of each heartbeat that the lease counts, and how long the answer took.
type HookHeartbeat interface {
	OnHeartbeat(topic string, took time.Duration, err error)
}

// HookFetchError is told that a fetch failed for some partitions of a leader; it is tried again.
type HookFetchError interface {
	OnFetchError(topic string, err error)
}

// HookCommitError is told that a commit failed; it is tried again while the generation lives.
type HookCommitError interface {
	OnCommitError(topic string, err error)
}

// HookPublishError is told that an attempt to write messages failed. With again it is made again, else Publish returned the error.
type HookPublishError interface {
	OnPublishError(topic string, messages int, again bool, err error)
}

// Sample is how a subscription is doing. Counts are those of this member.
type Sample struct {
	Topic      string
	Partitions int
	Stopped    int           // partitions, see Subscriber.Err
	Lag        int64         // offsets from the first unfinished one to the end, over all partitions
	InFlight   int           // messages handed out
	Waiting    int           // records read and not handed out
	LaneDepth  int           // records in the deepest lane, with the one that runs
	Span       int           // records read from the first unfinished one on, of the partition with the most
	CommitAge  time.Duration // since a commit last succeeded, or there was nothing to commit
	// HeartbeatAge is the time since the sending of the last acknowledged heartbeat; at the session timeout the lease is lost.
	HeartbeatAge time.Duration
}

// Revocation is how a generation ended.
type Revocation struct {
	Assignment
	// Drained is how long running messages were waited for.
	Drained time.Duration
	// Cancelled is how many messages still ran then. They come again.
	Cancelled int
}

const sampleInterval = time.Second

// checkHooks refuses what would never be called: mostly a method with other parameters than meant.
func checkHooks(hooks []Hook) error {
	for _, h := range hooks {
		switch h.(type) {
		case HookSample, HookAssigned, HookRevoked, HookHeartbeat, HookFetchError, HookCommitError, HookPublishError:
		default:
			return fmt.Errorf("kafka: %T implements no hook", h)
		}
	}
	return nil
}

// tell calls the hooks that are an H.
func tell[H any](hooks []Hook, call func(H)) {
	for _, h := range hooks {
		if wanted, ok := h.(H); ok {
			call(wanted)
		}
	}
}

// startSampling tells the hooks how the generation is doing until stop, which waits for the last of them.
func (g *generation) startSampling(ctx context.Context) (stop func()) {
	if !slices.ContainsFunc(g.sub.options.Hooks, func(h Hook) bool { _, ok := h.(HookSample); return ok }) {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		g.sampleLoop(ctx, end)
	}()
	return func() {
		close(end)
		<-ended
	}
}

func (g *generation) sampleLoop(ctx context.Context, stop <-chan struct{}) {
	hooks := g.sub.options.Hooks
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		s := g.sample(ctx)
		tell(hooks, func(h HookSample) { h.OnSample(s) })
		select {
		case <-ticker.C:
		case <-stop:
			tell(hooks, func(h HookSample) { h.OnSample(Sample{Topic: g.sub.topic}) })
			return
		}
	}
}

func (g *generation) sample(ctx context.Context) Sample {
	g.refreshEnds(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Sample{
		Topic: g.sub.topic, Partitions: len(g.partitions), InFlight: g.running, Waiting: -g.running,
		CommitAge: time.Since(g.committed), HeartbeatAge: g.lease.age(),
	}
	for _, p := range g.partitions {
		first := p.tracker.watermark()
		s.Lag += max(0, p.end-first, p.tracker.next-first)
		s.Span = max(s.Span, p.tracker.span())
		s.Waiting += p.pending
		if p.stopped {
			s.Stopped++
		}
	}
	for _, l := range g.lanes {
		s.LaneDepth = max(s.LaneDepth, len(l.waiting)+1)
	}
	if g.running > 0 {
		s.LaneDepth = max(s.LaneDepth, 1) // lanes that nothing shares are not in lanes
	}
	return s
}

// refreshEnds asks where the partitions end that are not being fetched from, whose lag grows unseen otherwise.
func (g *generation) refreshEnds(ctx context.Context) {
	var idle []int
	g.mu.Lock()
	for _, p := range g.partitions {
		if p.full || p.stopped {
			idle = append(idle, p.id)
		}
	}
	g.mu.Unlock()
	if len(idle) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sampleInterval)
	defer cancel()
	ends, err := g.sub.client.resolve(ctx, g.sub.topic, idle, Latest)
	if err != nil {
		return // the next sample asks again
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, end := range ends {
		g.partitions[id].end = end
	}
}
