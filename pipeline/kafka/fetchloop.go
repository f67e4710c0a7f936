package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// busyWait replaces fetchWait while a partition is left out because it is full, so that it soon takes part again.
const busyWait = 20 * time.Millisecond

// route finds the leaders of the partitions, runs a fetch loop for each, and finds them again when a loop lost one.
func (g *generation) route(working context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		leaders, err := g.sub.client.leaders(working, g.sub.topic)
		if err != nil && working.Err() == nil {
			g.log.WarnContext(working, "kafka: cannot find the leaders, trying again", "error", err)
		}
		for _, address := range g.lead(leaders) {
			wg.Go(func() { g.fetchLoop(working, address) })
		}
		// Whoever is still without a leader comes back here; the pause also lets the metadata grow stale.
		if pause(working, 2*retryPause) != nil {
			return
		}
		select {
		case <-g.reroute:
		case <-working.Done():
			return
		}
	}
}

// lead gives partitions without a leader to those found, and returns the leaders that are new.
func (g *generation) lead(leaders map[int]string) (fresh []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.partitions {
		if p.leader == "" {
			p.leader = leaders[p.id]
		}
		if p.leader == "" {
			wake(g.reroute)
			continue
		}
		if _, known := g.loops[p.leader]; !known {
			g.loops[p.leader] = make(chan struct{}, 1)
			fresh = append(fresh, p.leader)
		}
		g.wakeLoop(p.leader)
	}
	return fresh
}

func (g *generation) wakeLoop(leader string) {
	if loop, ok := g.loops[leader]; ok {
		wake(loop)
	}
}

// fetchLoop fetches from one leader, all of its partitions that have room in one request.
func (g *generation) fetchLoop(working context.Context, leader string) {
	conn := &leaderConn{network: g.sub.network, address: leader, most: min(fetchAheadBytes, g.sub.options.ReadAhead)}
	defer conn.close()
	g.mu.Lock()
	look := g.loops[leader]
	g.mu.Unlock()
	trouble := "" // the last that was logged
	for round := 0; working.Err() == nil; round++ {
		positions, wait := g.fetchable(leader, round)
		if len(positions) == 0 {
			select {
			case <-look:
			case <-working.Done():
			}
			continue
		}
		err := g.fetch(working, conn, positions, wait)
		if err == nil || working.Err() != nil {
			trouble = ""
			continue
		}
		tell(g.sub.options.Hooks, func(h HookFetchError) { h.OnFetchError(g.sub.topic, err) })
		if trouble != err.Error() {
			trouble = err.Error()
			g.log.WarnContext(working, "kafka: fetch failed, trying again", "error", err)
		}
		_ = pause(working, retryPause)
	}
}

// fetchable gives the positions of a leader's partitions that have room, beginning with another one each round: a broker fills its answer in
// the order of the request.
func (g *generation) fetchable(leader string, round int) ([]position, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := fetchWait
	var out []position
	for _, p := range g.partitions {
		if p.leader != leader || p.stopped {
			continue
		}
		if p.full = !g.room(p); p.full {
			wait = busyWait
			continue
		}
		out = append(out, position{partition: p.id, offset: p.tracker.next})
	}
	if len(out) == 0 {
		return nil, 0
	}
	slices.SortFunc(out, func(a, b position) int { return a.partition - b.partition })
	turn := round % len(out)
	return slices.Concat(out[turn:], out[:turn]), wait
}

// room tells whether more may be read of a partition: not too many records could be handed out at once. What waits for another of its key
// does not count, so that a hot key or a slow message does not keep others from being read; bytes and span bound it. Once full, a partition
// has to become half empty first.
func (g *generation) room(p *partition) bool {
	limit, bytes := g.sub.options.InFlight, g.sub.options.ReadAhead
	if p.full {
		limit, bytes = limit/2, bytes/2
	}
	ready := g.runnable
	if g.sub.options.Lanes == LaneByPartition { // those that wait are all that there is
		ready = max(ready, p.pending-p.running)
	}
	return (p.pending == 0 || ready < max(1, limit) && p.bytes < bytes) && p.tracker.span() < aheadSpan*g.sub.options.InFlight
}

// roomAgain wakes the fetch loop of a partition that was full and has room now.
func (g *generation) roomAgain(p *partition) {
	if p.full && g.room(p) {
		p.full = false
		g.wakeLoop(p.leader)
	}
}

// fetch asks once and takes in what came.
func (g *generation) fetch(working context.Context, conn *leaderConn, positions []position, wait time.Duration) error {
	answers, err := conn.fetch(working, g.sub.topic, positions, wait)
	if err != nil {
		for _, at := range positions {
			g.misrouted(g.partitions[at.partition])
		}
		return err
	}
	var all error
	for _, answer := range answers {
		i := slices.IndexFunc(positions, func(at position) bool { return at.partition == int(answer.Partition) })
		if i < 0 {
			return fmt.Errorf("kafka: fetch %s: the answer holds partition %d, which was not asked for", g.sub.topic, answer.Partition)
		}
		p := g.partitions[positions[i].partition]
		if err := g.accept(working, p, positions[i].offset, answer, &conn.records); err != nil {
			all = errors.Join(all, fmt.Errorf("kafka: fetch %s/%d at %d: %w", g.sub.topic, p.id, positions[i].offset, err))
		}
	}
	return all
}

// accept takes in the answer for one partition, decoded into space that is used again.
func (g *generation) accept(working context.Context, p *partition, from int64, answer fetchPartition, space *[]Record) error {
	switch code := kafkago.Error(answer.ErrorCode); {
	case code == kafkago.OffsetOutOfRange:
		return g.outOfRange(working, p, from)
	case code != 0:
		g.misrouted(p)
		return code
	}
	records := (*space)[:0]
	defer func() {
		clear(records)
		*space = records
	}()
	next, err := decodeBatches(answer.RecordSet, from, answer.AbortedTransactions, nil, func(r Record) error {
		r.Topic, r.Partition = g.sub.topic, p.id
		records = append(records, r)
		return nil
	})
	if answer.LogStartOffset > from && len(records) > 0 && records[0].Offset > from {
		return g.outOfRange(working, p, from)
	}
	g.read(p, records, next, answer.LastStableOffset)
	return err
}

// misrouted leaves a partition out until its leader was looked up again.
func (g *generation) misrouted(p *partition) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.leader = ""
	wake(g.reroute)
}

// outOfRange stops a partition whose next offset the log does not hold, unless the cluster says otherwise when asked.
func (g *generation) outOfRange(working context.Context, p *partition, offset int64) error {
	one := []int{p.id}
	first, err := g.sub.client.resolve(working, g.sub.topic, one, Earliest)
	if err != nil {
		return err
	}
	last, err := g.sub.client.resolve(working, g.sub.topic, one, Latest)
	if err != nil {
		return err
	}
	if first[p.id] <= offset && offset <= last[p.id] {
		g.misrouted(p)
		return ErrOffsetOutOfRange
	}
	g.stop(working, p, fmt.Errorf("%w: next is %d, the log has %d to %d", ErrOffsetOutOfRange, offset, first[p.id], last[p.id]-1))
	return nil
}
