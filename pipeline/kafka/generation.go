package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// Limits of what is read ahead of the handlers, per partition.
const (
	aheadBytes = 8 << 20 // of values and keys, unless SubscriberOptions say otherwise
	aheadSpan  = 16      // times InFlight: records from the first unfinished one on, done or not
)

// generation is this member's share of the topic for one generation of the group: from the assignment until it is handed over.
//
// Its goroutines: heartbeats, one committer, one router with one fetch loop per leader, one dispatcher, and one waiter for each
// message handed out. mu guards everything that they share; nothing blocks while holding it.
type generation struct {
	sub    *subscription
	id     int32
	member string
	log    *slog.Logger
	lease  *Lease

	draining chan struct{}   // closed when no more messages are handed out
	over     chan struct{}   // closed when acks change nothing any more
	lost     chan struct{}   // closed when the coordinator says that the share was given to others
	messages context.Context //nolint:containedctx // parent of the messages' contexts, not of a call; it does not end
	waiters  sync.WaitGroup  // one for each message handed out

	mu         sync.Mutex
	partitions map[int]*partition
	lanes      map[string]*lane
	turns      queue[*partition]        // with heads of lanes that wait to be handed out
	runnable   int                      // how many heads
	running    int                      // handed out and neither acked nor nacked
	quiet      bool                     // draining has begun
	revoked    bool                     // over is closed
	dispatch   chan struct{}            // has an element when the dispatcher should look again
	idle       chan struct{}            // has an element when running fell to 0
	reroute    chan struct{}            // has an element when a partition has no leader
	loops      map[string]chan struct{} // by leader: has an element when the loop should look again

	committed time.Time // when a commit last succeeded, or there was nothing to commit; guarded by mu

	count int // partitions the group began with, for the commits' metadata
}

// partition is one assigned partition. All but id is guarded by the generation's mu.
type partition struct {
	id        int
	tracker   tracker
	runnable  queue[*task] // heads of lanes that wait to be handed out
	committed int64
	end       int64 // of the log, as of the last answer
	pending   int   // read and not done
	running   int   // of them: handed out
	bytes     int   // of them
	full      bool
	leader    string // address; empty: to be found out
	stopped   bool
}

func newGeneration(s *subscription, kgo *kafkago.Generation) *generation {
	return &generation{
		sub: s, id: kgo.ID, member: kgo.MemberID, log: s.log.With("generation", kgo.ID), partitions: assigned(kgo, s.topic),
		draining: make(chan struct{}), over: make(chan struct{}), lost: make(chan struct{}),
		lanes: map[string]*lane{}, loops: map[string]chan struct{}{},
		dispatch: make(chan struct{}, 1), idle: make(chan struct{}, 1), reroute: make(chan struct{}, 1),
	}
}

func assigned(kgo *kafkago.Generation, topic string) map[int]*partition {
	out := map[int]*partition{}
	for _, p := range kgo.Assignments[topic] {
		out[p.ID] = &partition{id: p.ID}
	}
	return out
}

// run lives through the generation: work until ended, drain, hand over. It returns when the share may be handed over, with an
// error if it should not be joined again at once. ctx does not end.
func (g *generation) run(ctx context.Context, ended <-chan struct{}) error {
	g.messages = ctx
	var wg sync.WaitGroup
	stopHeartbeats := make(chan struct{})
	defer wg.Wait()
	defer close(stopHeartbeats)

	// working ends when the drain begins.
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	wg.Go(func() {
		select {
		case <-ended:
			stopWorking()
		case <-working.Done():
		}
	})
	g.lease = newLease(g.sub.options.SessionTimeout, time.Now())
	if !g.firstHeartbeat(working) {
		return nil
	}
	wg.Go(func() { g.heartbeats(ctx, stopHeartbeats, stopWorking) })

	assignment, err := g.begin(working)
	if err != nil {
		if working.Err() != nil { // the generation ended before it began
			err = nil
		}
		g.revoke()
		return err
	}
	g.sub.balancer.hold(held{Generation: g.id, Partitions: map[string][]int{g.sub.topic: g.ids()}})
	g.log.DebugContext(working, "kafka: assigned", "partitions", g.ids())
	defer g.sub.clearStopped()

	wg.Go(func() { g.route(working) })
	wg.Go(g.dispatchLoop)
	stopCommits := make(chan struct{})
	commits := make(chan struct{})
	go func() {
		defer close(commits)
		g.commitLoop(ctx, stopCommits)
	}()
	g.sub.ready.Store(true)
	hooks := g.sub.options.Hooks
	tell(hooks, func(h HookAssigned) { h.OnAssigned(assignment) })
	stopSampling := g.startSampling(ctx)

	<-working.Done()
	g.sub.ready.Store(false)
	began := time.Now()
	revocation := Revocation{Assignment: assignment, Cancelled: g.drain(ctx), Drained: time.Since(began)}
	close(stopCommits)
	<-commits
	g.revoke()
	g.waiters.Wait()
	g.lastCommit(ctx)
	stopSampling()
	tell(hooks, func(h HookRevoked) { h.OnRevoked(revocation) })
	if g.sub.options.OnRevoke != nil {
		g.sub.options.OnRevoke(assignment)
	}
	g.log.DebugContext(ctx, "kafka: handed over", "partitions", g.ids())
	return nil
}

// begin resolves where to read from and asks OnAssign. It tries again until working ends; an error is OnAssign's.
func (g *generation) begin(working context.Context) (Assignment, error) {
	for wait := retryPause; ; wait = min(2*wait, 2*time.Second) {
		err := g.resolve(working)
		if err == nil {
			break
		}
		if working.Err() == nil {
			g.log.WarnContext(working, "kafka: cannot find out where to begin, trying again", "error", err)
		}
		if err := pause(working, wait); err != nil {
			return Assignment{}, err
		}
	}
	assignment := Assignment{Topic: g.sub.topic, Generation: g.id}
	for _, id := range g.ids() {
		assignment.Partitions = append(assignment.Partitions, AssignedPartition{Partition: id, Committed: g.partitions[id].committed})
	}
	if g.sub.options.OnAssign == nil {
		return assignment, nil
	}
	if err := g.sub.options.OnAssign(working, assignment); err != nil {
		return assignment, fmt.Errorf("kafka: assignment of %s, generation %d: %w", g.sub.topic, g.id, err)
	}
	return assignment, nil
}

// ids are the assigned partitions, ascending.
func (g *generation) ids() []int {
	out := make([]int, 0, len(g.partitions))
	for id := range g.partitions {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// drain hands out no more and lets running messages finish for a while; it gives how many did not. It ends early when the share is
// lost: others run them already.
func (g *generation) drain(ctx context.Context) (unfinished int) {
	g.mu.Lock()
	g.quiet = true
	close(g.draining)
	g.turns, g.runnable = queue[*partition]{}, 0
	g.mu.Unlock()

	timer := time.NewTimer(g.sub.options.Drain)
	defer timer.Stop()
	for {
		g.mu.Lock()
		running := g.running
		g.mu.Unlock()
		if running == 0 {
			return 0
		}
		select {
		case <-g.idle:
		case <-timer.C:
			g.log.WarnContext(ctx, "kafka: messages still run after the drain, cancelling them", "messages", running)
			return running
		case <-g.lost:
			g.log.WarnContext(ctx, "kafka: share lost, cancelling running messages", "messages", running)
			return running
		}
	}
}

// revoke makes acks, nacks and publishing under the lease ineffective; the waiters cancel what runs.
func (g *generation) revoke() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.revoked = true
	g.lease.end()
	close(g.over)
}

// stop stops a partition for good: going on would silently skip records.
func (g *generation) stop(ctx context.Context, p *partition, err error) {
	g.mu.Lock()
	p.stopped = true
	g.mu.Unlock()
	err = fmt.Errorf("kafka: partition %s/%d stopped: %w", g.sub.topic, p.id, err)
	g.sub.setStopped(p.id, err)
	g.log.ErrorContext(ctx, "kafka: partition stopped, set the group's offset and restart", "partition", p.id, "error", err)
}

// wake makes the receiver of a signal channel look again.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// fenced tells that the coordinator no longer knows this member in this generation.
func fenced(err error) bool {
	return errors.Is(err, kafkago.UnknownMemberId) || errors.Is(err, kafkago.IllegalGeneration) ||
		errors.Is(err, kafkago.FencedInstanceID)
}
