package watch_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// world is one payment and everything around the decisions about it: topics, a process that checks it, a provider, a merchant,
// operators, and what can go wrong between any two writes. What happens is read from blocks of bytes, so that the same blocks
// are the same run, and leaving blocks out makes a shorter one. When the blocks end, the faults do: the world goes on quietly
// until every tier is empty, and then the promises must have been kept.
type world struct {
	scenario
	broken broken
	now    time.Time

	misread map[schemas.Status]schemas.Status // what the mapping takes for another status

	provider  *provider
	initiated [2][]watch.Check // by partition; intake makes these of the records
	intake    [2]int           // committed positions
	notified  []int            // the provider's states that were pushed
	heard     int              // committed position
	checks    []record
	acked     int // below it everything is done
	committed int
	tiers     []sleeper
	log       []emitted
	letters   []letter
	replays   int // outcome records

	process process
	stalled []handling // of processes that lost the payment and may still write their next record
	truth   watch.Lane // what a process would know that had read all of the log

	count    counters
	quiet    bool
	findings []finding
	trace    []string
	traced   bool
}

// record is a record of the work topic.
type record struct {
	value []byte
	at    time.Time
}

// sleeper is a record that waits in a tier.
type sleeper struct {
	value []byte
	due   time.Time
}

// letter is a dead letter: the check message that could not go on.
type letter struct {
	code   watch.Code
	value  []byte
	amount int64 // that its context names, 0 without one
}

type counters struct {
	queries, faults, late, forgetful, repeats, conflicts, identifiers, pushes, backfills, redrives int
}

// finding is a promise that was not kept.
type finding struct{ promise, detail string }

func (w *world) findf(promise, format string, args ...any) {
	w.findings = append(w.findings, finding{promise, fmt.Sprintf(format, args...)})
}

func (w *world) sayf(format string, args ...any) {
	if w.traced {
		w.trace = append(w.trace, fmt.Sprintf("%9s  %s", w.now.Sub(start).Truncate(time.Millisecond), fmt.Sprintf(format, args...)))
	}
}

// lookback is how far back the log is read on assignment.
const lookback = 15 * time.Minute

// worldSchedule has few checks, so that many worlds can be run.
func worldSchedule() watch.Schedule {
	s := defaults()
	s.Open = watch.Rhythm{Delays: []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, time.Hour}, Every: 6 * time.Hour, Deadline: 24 * time.Hour}
	s.Authorized = watch.Rhythm{Delays: []time.Duration{time.Minute, time.Hour}, Every: 6 * time.Hour, Deadline: 48 * time.Hour}
	s.Refund = s.Authorized
	s.Unreadable.Limit = 3
	return s
}

// newWorld is a world before anything happened: the merchant has made the payment and said so.
func newWorld(a, b block, broken broken, traced bool) *world {
	w := &world{scenario: newScenario(a, b), broken: broken, now: start, traced: traced}
	w.provider = newProvider(w, b[3])
	if !w.nobody {
		w.initiate(0, 100, false)
	}
	w.assign()
	return w
}

// run lives through the blocks and the quiet after them.
func run(blocks []block, broken broken, traced bool) *world {
	var a, b block
	if len(blocks) > 0 {
		a = blocks[0]
	}
	if len(blocks) > 1 {
		b = blocks[1]
	}
	w := newWorld(a, b, broken, traced)
	w.sayf("%+v", w.scenario)
	for _, next := range blocks[min(2, len(blocks)):] {
		w.act(next)
	}
	w.calm()
	if len(w.findings) == 0 {
		w.judge()
	}
	if len(w.findings) == 0 && w.broken == sound {
		w.judgeDownstream()
	}
	return w
}

// calm lets the world come to rest: no faults, no news, fresh answers.
func (w *world) calm() {
	w.sayf("---- quiet")
	w.quiet = true
	counted := w.now.Add(13 * time.Hour)
	for steps := 0; ; steps++ {
		if steps > 5000 {
			w.findf("queries", "no rest after %d quiet steps", steps)
			return
		}
		if w.step(block{}) || w.readInitiated(0, false) || w.readInitiated(1, false) || w.readNotified(false) {
			w.committed = w.acked
			continue
		}
		if w.wake(false) {
			continue
		}
		if len(w.tiers) == 0 {
			return
		}
		if w.now.After(counted) {
			w.chains()
			counted = counted.Add(13 * time.Hour)
		}
		w.sleep()
	}
}

// sleep lets time go on until the next check is due.
func (w *world) sleep() {
	if len(w.tiers) == 0 {
		return
	}
	first := slices.MinFunc(w.tiers, func(a, b sleeper) int { return a.due.Compare(b.due) })
	if first.due.After(w.now) {
		w.now = first.due
	}
}

// work makes the process do so many steps; only the first may meet a provider in trouble.
func (w *world) work(steps int, b block) {
	for i := range steps {
		if i > 0 {
			b = block{}
		}
		w.step(b)
	}
}

// initiate makes the merchant write an initiated event.
func (w *world) initiate(partition int, amount int64, identifier bool) {
	e := event{amount: amount, partition: partition, offset: int64(len(w.initiated[partition])), at: w.now.Sub(start)}
	if identifier {
		e = withID(e)
	}
	c := e.check()
	if w.replies {
		c.Evidence = &watch.Evidence{From: schemas.SourceInitiation, Body: stateBody(w.provider.latest()), ReceivedAt: w.now}
	}
	w.initiated[partition] = append(w.initiated[partition], c)
}

// repeat makes the merchant write another initiated event: it may bring an identifier, or contradict the first.
func (w *world) repeat(p, q byte) {
	if w.count.repeats == 3 || w.nobody {
		return
	}
	w.count.repeats++
	amount := int64(100)
	switch {
	case p%8 == 7:
		amount = 200
		w.count.conflicts++
	case q%2 == 1:
		w.count.identifiers++
	}
	w.initiate(int(p/16)%2, amount, amount == 100 && q%2 == 1)
}

// readInitiated is the intake of one record; it may die before it commits.
func (w *world) readInitiated(partition int, dies bool) bool {
	at := w.intake[partition]
	if at >= len(w.initiated[partition]) {
		return false
	}
	c := w.initiated[partition][at]
	w.sayf("intake %d/%d amount=%d %v", partition, at, c.Context.Amount.Value, c.Context.Reference)
	w.ask(c)
	w.pass(dies, func() { w.intake[partition]++ })
	return true
}

// readNotified makes a check of one notification; it may die before it commits.
func (w *world) readNotified(dies bool) bool {
	if w.heard >= len(w.notified) {
		return false
	}
	c := notified()
	c.Evidence.Body = stateBody(w.notified[w.heard])
	w.sayf("notification of state %d", w.notified[w.heard])
	w.ask(c)
	w.pass(dies, func() { w.heard++ })
	return true
}

// pass commits, or dies before.
func (w *world) pass(dies bool, commit func()) {
	if dies && w.fault("  … and dies before it commits") {
		return
	}
	commit()
}

// push makes the provider send a notification: the newest state mostly, or an earlier one, late or again.
func (w *world) push(p byte) {
	state := len(w.provider.history) - 1 - []int{0, 0, 0, 0, 1, 2}[p%6]
	if w.count.pushes < 6 && state >= 0 {
		w.count.pushes++
		w.notified = append(w.notified, state)
	}
}

// ask puts a check on the work topic.
func (w *world) ask(c watch.Check) {
	w.checks = append(w.checks, record{encoded(c), w.now})
}

// wake forwards the sleeper that is due first; it may die before it commits.
func (w *world) wake(dies bool) bool {
	first := -1
	for i, s := range w.tiers {
		if !s.due.After(w.now) && (first < 0 || s.due.Before(w.tiers[first].due)) {
			first = i
		}
	}
	if first < 0 {
		return false
	}
	w.sayf("wake")
	w.checks = append(w.checks, record{w.tiers[first].value, w.now})
	w.pass(dies, func() { w.tiers = append(w.tiers[:first:first], w.tiers[first+1:]...) })
	return true
}

// backfill makes an operator ask, with what the emitted log says.
func (w *world) backfill() {
	if w.count.backfills == 2 || len(w.log) == 0 {
		return
	}
	w.count.backfills++
	last := w.log[len(w.log)-1].trail
	said := last.Said
	c := backfill(last.Context, &said)
	c.ReplayID, c.AskedAt = fmt.Sprintf("replay-%d", w.count.backfills), w.now
	w.sayf("backfill, %s was said", c.Said.Status)
	w.ask(c)
}

// redrive makes an operator give a dead letter back.
func (w *world) redrive(p byte) {
	if w.count.redrives == 2 || len(w.letters) == 0 {
		return
	}
	w.count.redrives++
	l := w.letters[int(p)%len(w.letters)]
	old, err := watch.DecodeCheck(l.value)
	if err != nil {
		panic(err)
	}
	c := watch.Check{PaymentKey: key, Kind: watch.KindRepeat, Context: old.Context, Said: old.Said, Cause: schemas.CauseRedrive}
	if old.Context == nil {
		c.Kind, c.Evidence = watch.KindNotification, old.Evidence
	}
	w.sayf("redrive %s", l.code)
	w.ask(c)
}
