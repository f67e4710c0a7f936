package watch_test

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// process is the one that owns the payment, as the check handler and its memory are.
type process struct {
	lane    watch.Lane
	logFrom time.Time
	tail    []watch.Check // what it was given to read of the work topic on assignment
	met     time.Time     // when it last met the payment
	busy    bool
	work    handling
}

// handling is the check at hand, between two of its steps.
type handling struct {
	value   []byte
	taken   watch.Taken
	lane    watch.Lane // as it is once everything is written
	decided bool
	writes  []write
	written int
	seen    *sight
}

// write is one record that a decision wants written.
type write struct {
	event  *emitted
	letter *letter
	next   *sleeper
	replay bool
}

// emitted is an event in the log.
type emitted struct {
	id        string
	statement watch.Statement
	trail     watch.Trail // as it was read back
	observed  time.Time   // when its answer was received
	at        time.Time
	state     int  // the provider's state that the reading showed
	context   bool // the check had one
	amount    int64
	late      bool // a stalled process wrote it
	forgetful bool // the process did not know all that was said, because that was said before its lookback
}

// broken says what is wrong with a process, deliberately: the world must find out.
type broken struct {
	commitsEarly     bool // commits a message when it begins with it
	skipsLog         bool // does not read the log on assignment
	skipsTail        bool // does not read the tail of the work topic on assignment
	readsUncommitted bool // takes uncommitted records of the work topic for done
	asksOvertaken    bool // asks overtaken steps again
	dropsRepeats     bool // takes every repeat for a redelivery
	ownStep          bool // takes an event's own step for completed
	noEntries        bool // carries no entry counts
	noAttempts       bool // carries no attempts
	noDisputes       bool // carries no disputes
	handlesAgain     bool // handles a message again when a write fails, and does not know what it has written
	ignoresBrought   bool // drops an overtaken check with the identifier that it brings
	laterWins        bool // lets a later, conflicting initiated event displace the first
}

// assign gives the payment to a new process, which reads the log and a tail of the work topic.
func (w *world) assign() {
	p := process{logFrom: w.now.Add(-lookback)}
	if w.committed < len(w.checks) && w.checks[w.committed].at.Before(p.logFrom) {
		p.logFrom = w.checks[w.committed].at
	}
	p.logFrom = p.logFrom.Add(-time.Minute)
	for _, e := range w.log {
		if !e.at.Before(p.logFrom) && !w.broken.skipsLog {
			w.restore(&p.lane, e)
		}
	}
	last := w.committed
	if w.broken.readsUncommitted {
		last = len(w.checks)
	}
	for _, r := range w.checks[max(0, w.committed-w.tail):last] {
		c := w.read(r.value)
		p.tail = append(p.tail, c)
		if !w.broken.skipsTail {
			p.lane.RestoreCheck(c)
		}
	}
	p.met = w.now
	w.process, w.acked = p, w.committed
}

func (w *world) restore(l *watch.Lane, e emitted) {
	trail := e.trail
	if w.broken.ownStep {
		trail.Place.Step++
	}
	l.Restore(trail)
}

// read is a check as it comes from a topic.
func (w *world) read(value []byte) watch.Check {
	c, err := watch.DecodeCheck(value)
	if err != nil {
		panic(err)
	}
	if c.Said != nil {
		w.strip(c.Said)
	}
	return c
}

// strip leaves out of a message what a broken process does not carry.
func (w *world) strip(s *watch.Said) {
	if w.broken.noEntries {
		s.Entries = nil
	}
	if w.broken.noAttempts {
		s.Attempts = nil
	}
	if w.broken.noDisputes {
		s.Disputes = nil
	}
}

// step does one step of the check at hand, or begins the next one. It returns false when there is nothing to do.
func (w *world) step(b block) bool {
	p := &w.process
	switch {
	case !p.busy:
		return w.begin()
	case !p.work.decided:
		w.decide(b)
	case p.work.written < len(p.work.writes):
		w.write(p.work.writes[p.work.written])
		p.work.written++
	default:
		w.sayf("  ack")
		p.lane, p.met, p.busy = p.work.lane, w.now, false
		w.provider.shown(p.work.seen)
		w.acked++
	}
	return true
}

// begin lets the next check message meet its lane.
func (w *world) begin() bool {
	if w.acked >= len(w.checks) {
		return false
	}
	p := &w.process
	value := w.checks[w.acked].value
	c := w.read(value)
	lane := p.lane
	w.tamper(&lane, &c)
	taken := lane.Take(c, w.now)
	w.tamperVerdict(&lane, &c, &taken)
	p.busy, p.work = true, handling{value: value, taken: taken, lane: lane}
	if w.broken.commitsEarly {
		w.committed = w.acked + 1
	}
	place := taken.Check.Place
	switch taken.Verdict {
	case watch.Done:
		w.sayf("take %s (%d,%d): done before, high=%v", c.Kind, c.Epoch, c.Step, p.lane.High)
		p.work.decided = true
	case watch.Conflict:
		w.sayf("take %s (%d,%d): conflict", c.Kind, c.Epoch, c.Step)
		p.work.decided = true
		p.work.writes = []write{{letter: &letter{watch.CodeConflictingInitiation, value, c.Context.Amount.Value}}}
	case watch.Ask:
		w.judgeMemory(taken.Check)
		w.sayf("take %s as (%d,%d) high=%v ended=%v context=%v said=%s", c.Kind, place.Epoch, place.Step, p.lane.High, p.lane.Ended,
			taken.Check.Context != nil, lane.Said.Status)
	}
	return true
}

// tamper breaks a lane or a message before they meet.
func (w *world) tamper(l *watch.Lane, c *watch.Check) {
	if w.broken.laterWins && l.Context != nil && c.Context != nil && c.Context.Amount != l.Context.Amount {
		l.Context = nil
	}
	if w.broken.ignoresBrought && c.Kind == watch.KindChain && c.NotAfter(l.High) && l.Context != nil && c.Context != nil &&
		c.Context.Amount == l.Context.Amount {
		c.Context = l.Context
	}
	if w.broken.dropsRepeats && c.Kind == watch.KindInitiated && l.Context != nil && c.Context.Amount == l.Context.Amount {
		l.Context.Origins = append(l.Context.Origins, *c.Origin)
	}
}

// tamperVerdict breaks what came of the meeting.
func (w *world) tamperVerdict(l *watch.Lane, c *watch.Check, t *watch.Taken) {
	if w.broken.asksOvertaken && t.Verdict == watch.Done && c.Kind == watch.KindChain {
		t.Verdict, t.Check.Context = watch.Ask, l.Context
	}
}

// decide asks the provider and decides what follows.
func (w *world) decide(b block) {
	p := &w.process
	c := p.work.taken.Check
	query, evidence := watch.Reading{}, w.provider.evidence(c)
	if c.Kind != watch.KindRenormalize {
		query = w.provider.query(c, b[2], b[3])
	}
	if w.traced {
		w.sayf("  %s", told(query, evidence))
	}
	d := watch.Decide(&watch.Question{
		Check: c, Lane: p.work.lane, Query: query, Evidence: evidence, Schedule: worldSchedule(), Now: w.now,
		LogFrom: p.logFrom, Random: float64(b[4]) / 255,
	})
	forgetful := w.forgot(p.work.lane.Said)
	if forgetful {
		w.count.forgetful++
	}
	work := &p.work
	amount := int64(0)
	if c.Context != nil {
		amount = c.Context.Amount.Value
	}
	work.decided, work.lane, work.seen = true, d.Lane, sightOf(c, query, evidence, d)
	for _, s := range d.Statements {
		work.writes = append(work.writes, write{event: &emitted{
			id: schemas.EventID(key, s.Facts).String(), statement: s, trail: w.carried(s.Trail),
			state: stateOf(s.Reading), context: c.Context != nil, amount: amount, forgetful: forgetful, observed: w.now,
		}})
	}
	for _, l := range d.DeadLetters {
		work.writes = append(work.writes, write{letter: &letter{l.Reason, work.value, amount}})
	}
	if later := work.taken.Displaced; later != nil {
		value := encoded(watch.Check{PaymentKey: key, Kind: watch.KindRepeat, Context: later, Cause: schemas.CauseInitiated})
		work.writes = append(work.writes, write{letter: &letter{watch.CodeConflictingInitiation, value, later.Amount.Value}})
	}
	if d.Next != nil {
		work.writes = append(work.writes, write{next: &sleeper{encoded(d.Next.Check), w.now.Add(d.Next.After)}})
	}
	if d.Record {
		work.writes = append(work.writes, write{replay: true})
	}
}

// forgot reports whether a process does not know all that was said, which was said before its lookback.
func (w *world) forgot(known watch.Said) bool {
	said := w.truth.Said
	if !slices.ContainsFunc(w.log, func(e emitted) bool { return e.at.Before(w.process.logFrom) }) {
		return false
	}
	for entry, n := range said.Entries {
		if known.Entries[entry] < n {
			return true
		}
	}
	for i := range said.Disputes {
		if !slices.Contains(known.Disputes, said.Disputes[i]) {
			return true
		}
	}
	return said.Status != known.Status || said.Sums != known.Sums || said.Final != known.Final || said.Entry != known.Entry
}

func encoded(c watch.Check) []byte {
	text, err := c.Encode()
	if err != nil {
		panic(err)
	}
	return text
}

// carried is a trail as an event carries it.
func (w *world) carried(t watch.Trail) watch.Trail {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	var read watch.Trail
	if err := json.Unmarshal(text, &read); err != nil {
		panic(err)
	}
	w.strip(&read.Said)
	return read
}

// write writes one record of a decision.
func (w *world) write(r write) {
	switch {
	case r.event != nil:
		e := *r.event
		e.at = w.now
		w.log = append(w.log, e)
		w.truth.Restore(e.trail)
		w.sayf("  event %q of state %d, id %.8s", spoken(e.statement), e.state, e.id)
	case r.letter != nil:
		w.letters = append(w.letters, *r.letter)
		w.sayf("  dead letter %s", r.letter.code)
	case r.next != nil:
		w.tiers = append(w.tiers, *r.next)
		if w.traced {
			c := w.read(r.next.value)
			w.sayf("  next %s (%d,%d) in %s", c.Kind, c.Epoch, c.Step, r.next.due.Sub(w.now))
		}
	case r.replay:
		w.replays++
		w.sayf("  outcome record")
	}
}

// crash kills the process between two writes.
func (w *world) crash() {
	if w.fault("crash") {
		w.assign()
	}
}

// rebalance gives the payment to another process, while the old one stalls before its next write.
func (w *world) rebalance() {
	if !w.fault("rebalance") {
		return
	}
	if work := w.process.work; w.process.busy && work.decided && work.written < len(work.writes) {
		w.stalled = append(w.stalled, work)
	}
	w.assign()
}

// lateWrite lets a stalled process write the record that it was about to write. It learns then that it lost the payment.
func (w *world) lateWrite() {
	if len(w.stalled) == 0 {
		return
	}
	work := w.stalled[0]
	w.stalled = w.stalled[1:]
	w.sayf("a stalled process writes late:")
	w.count.late++
	r := work.writes[work.written]
	if r.event != nil {
		r.event.late = true
	}
	w.write(r)
}

// retry makes a write again that seemed to fail: the record is there twice. A broken process handles the message again from its
// beginning.
func (w *world) retry() {
	work := &w.process.work
	switch {
	case !w.process.busy || !work.decided || !w.fault("a write seems to fail"):
	case w.broken.handlesAgain:
		w.process.busy = false
	case work.written > 0:
		w.write(work.writes[work.written-1])
	}
}

// evict makes the process forget a payment that it has not met for longer than the lookback and of which no message waits,
// because it knows too many others. It knows then until when it does not know what was said.
func (w *world) evict() {
	if w.process.busy || w.acked < len(w.checks) || w.now.Sub(w.process.met) < lookback || !w.fault("forgotten") {
		return
	}
	w.process.lane, w.process.tail = watch.Lane{}, nil
	if n := len(w.log); n > 0 && w.log[n-1].at.After(w.process.logFrom) {
		w.process.logFrom = w.log[n-1].at.Add(1)
	}
}
