package watch

import (
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// Lane is what a process knows of one payment: what was last said, the context, and how far its chain has come. The zero
// Lane knows nothing.
type Lane struct {
	Said    Said
	Context *Context
	High    Place // the highest step that was completed
	Ended   bool  // the chain of High's epoch has ended
	Living  bool  // this process has handed it over, and the next check sleeps; false also when that is not known

	// Logged tells that Said comes from the emitted log or was emitted by this process, and not from a message alone.
	Logged bool
}

// Verdict is what to do with a check message.
type Verdict uint8

// The verdicts.
const (
	Ask      Verdict = iota // ask the provider
	Done                    // it was done before: nothing to do
	Conflict                // its initiated event contradicts an earlier one: a dead letter
)

// Taken is a check message that met its lane.
type Taken struct {
	Verdict Verdict
	Check   Check // with its place in the chain and the merged context
	Why     error // of a conflict: the field that differs

	// Displaced is the context that an earlier initiated event has displaced, for the dead letters; nil mostly.
	Displaced *Context
}

// Take decides what to do with a check message and merges its context into the lane, which it changes.
//
// A chain check whose place is not above the highest completed one was done before, so a crash between hand-over and commit
// does not fork the chain; unless it brings context that the lane lacks, or reminds it of what was said: then it is asked as
// the next step. An initiated
// event's check is done before when its origin was; others, and notifications, join the living chain as its next step, or
// open the next epoch of an ended one.
func (l *Lane) Take(c Check, now time.Time) Taken {
	reminds := l.remembers(c)
	t := Taken{Check: c}
	switch c.Kind {
	case KindChain:
		l.takeChain(&t, reminds)
	case KindInitiated, KindRepeat:
		l.takeInitiated(&t, now)
	case KindNotification:
		t.Check.Place = l.opening(nil)
		t.Check.begin(now)
	case KindBackfill:
		if l.Context == nil {
			t.Check.Context = c.Context.clone()
			return t
		}
	case KindRenormalize:
		l.takeRenormalize(&t, now)
		return t
	}
	t.Check.Context = l.Context.clone()
	return t
}

// remembers takes over what a message says was said where the lane has that from an earlier step's message, or, as can be when
// a sleeper is older than the lookback, knows less or nothing. It reports the latter, when there is something left to watch.
func (l *Lane) remembers(c Check) bool {
	if c.Kind.aside() || c.Said == nil || !c.Said.Has() {
		return false
	}
	known := l.Said
	l.Said = c.Said.clone()
	l.Said.learn(known)
	later := c.Kind == KindChain && !c.NotAfter(l.High)
	switch {
	case !known.Has():
		return !c.Said.Final
	case later && !l.Logged:
		return false
	}
	behind, ahead := known.lateAfter(*c.Said), c.Said.lateAfter(known)
	contested := l.Said.contested()
	if !behind || ahead && (contested == "" || contested == known.Status) {
		l.Said = known.clone()
		l.Said.learn(*c.Said)
		return false
	}
	return true
}

// joining is the place of a check that joins the chain: the next step of a living one, the next epoch of an ended one.
func (l *Lane) joining() Place {
	switch {
	case l.Ended:
		return Place{Epoch: l.High.Epoch + 1, Step: 1}
	case l.High.Epoch == 0:
		return Place{Epoch: 1, Step: 1}
	default:
		return l.High.next()
	}
}

// opening is the place of a check that brings a context, or none: while no initiated event is known it is asked under epoch 0.
func (l *Lane) opening(brings *Context) Place {
	if l.Context == nil && brings == nil {
		return l.High.next()
	}
	return l.joining()
}

func (l *Lane) takeChain(t *Taken, reminds bool) {
	c := &t.Check
	brings := reminds || l.Context.lacks(c.Context)
	if why := l.settle(t); why != nil {
		t.Verdict, t.Why = Conflict, why
		return
	}
	brings = brings || t.Displaced != nil
	l.Context = l.Context.merge(c.Context)
	if c.NotAfter(l.High) {
		if !brings {
			t.Verdict = Done
			return
		}
		c.Place = l.joining()
	}
}

func (l *Lane) takeInitiated(t *Taken, now time.Time) {
	c := &t.Check
	if l.Context != nil && c.Origin != nil && l.Context.has(*c.Origin) {
		t.Verdict = Done
		return
	}
	if why := l.settle(t); why != nil {
		t.Verdict, t.Why = Conflict, why
		return
	}
	c.Place = l.joining()
	if c.Context != nil && c.Context.First.IsZero() {
		c.Context = c.Context.clone()
		c.Context.First = now
	}
	l.Context = l.Context.merge(c.Context)
	c.begin(now)
}

// settle holds a check's context against the lane's. Where they conflict the earlier one stays; the error says what differs
// when that is the lane's.
func (l *Lane) settle(t *Taken) error {
	theirs := t.Check.Context
	if l.Context == nil || theirs == nil {
		return nil
	}
	why := l.Context.conflict(theirs)
	if why != nil && theirs.earlierThan(l.Context) {
		t.Displaced, l.Context, why = l.Context, nil, nil
	}
	return why
}

// takeRenormalize gives a check the place that it would have if it had the chain go on. The event that it corrects proves how
// far that has come, also where the lane has forgotten it. The context stays what it was for that event, whose answer is read for it.
func (l *Lane) takeRenormalize(t *Taken, now time.Time) {
	c, at := &t.Check, *l
	if own := c.next(); c.Step > 0 && !own.NotAfter(at.High) {
		at.High, at.Ended = own, false
	}
	c.Place = at.opening(c.Context)
	c.begin(now)
}

// begin starts the schedule of a check that joins a chain or opens one.
func (c *Check) begin(now time.Time) {
	c.Phase, c.PhaseSince, c.Since = PhaseOpen, now, now
	c.Delays, c.Unavailable, c.Unreadable, c.Rechecks, c.Mismatches, c.Parked = 0, 0, 0, 0, 0, false
}

// Trail is what an event carries in its header paystatus_said, from which a lane is restored: what was said, the context,
// and the place of the last step that was completed before it, for the event itself precedes its hand-over.
type Trail struct {
	Version int `json:"v"`
	schemas.PaymentKey
	Unresolved bool     `json:"unresolved,omitempty"` // an unresolved event: nothing was said
	Said       Said     `json:"said"`
	Context    *Context `json:"context,omitempty"`
	Place      Place    `json:"place"`

	// From is what kind of answer a correction was read from; other events say that in their data.
	From schemas.Source `json:"from,omitempty"`
}

// Restore takes over what an event of the emitted log says. Events must come in the order of the log. A late write of a
// stalled process, one step back in the life of the payment, changes nothing.
func (l *Lane) Restore(e Trail) {
	if !e.Unresolved {
		if l.Said.Has() && e.Said.lateAfter(l.Said) {
			return
		}
		before := l.Said
		l.Said, l.Logged = e.Said.clone(), true
		l.Said.learn(before)
	}
	if l.contradicts(e.Context) {
		l.forgetChain()
	}
	if e.Place.Step > 0 && l.High.NotAfter(e.Place) {
		l.High, l.Ended = e.Place, false
	}
	if e.Context != nil {
		l.Context = l.Context.merge(e.Context.withoutOrigins())
	}
}

func (l *Lane) contradicts(other *Context) bool {
	return l.Context != nil && other != nil && l.Context.conflict(other) != nil
}

// forgetChain makes way for a conflicting context. How far the other's chain came proves nothing of this one's: their steps were
// counted by processes that did not know of each other.
func (l *Lane) forgetChain() { l.Context, l.High = nil, Place{} }

// RestoreCheck takes over what a record of the work topic below the committed offset proves: its context, its origin, and
// that its step was completed.
func (l *Lane) RestoreCheck(c Check) {
	if c.Kind != KindChain && c.Kind != KindInitiated && c.Kind != KindRepeat || c.Context == nil {
		return
	}
	if l.contradicts(c.Context) {
		if !c.Context.earlierThan(l.Context) {
			return
		}
		l.forgetChain()
	}
	l.Context = l.Context.merge(c.Context)
	switch {
	case c.Kind == KindChain && !c.NotAfter(l.High):
		l.High = c.Place
	case c.Kind != KindChain && l.High.NotAfter(Place{1, 0}):
		l.High = Place{1, 1}
	}
}
