package consume

import (
	"slices"

	"github.com/google/uuid"

	"github.com/paystatus/paystatus/schemas"
)

// Verdict says what an event is, held against what is known.
type Verdict string

// The verdicts. News tells those to act on.
const (
	Apply        Verdict = "apply"        // a step forward, an allowed return, or news of a dispute
	Amounts      Verdict = "amounts"      // the same status with other sums
	Confirmation Verdict = "confirmation" // the same facts, now final
	Correction   Verdict = "correction"   // what was said last was wrong: may lead backwards
	Note         Verdict = "note"         // the watch ended, or is parked, without a final status; the status stays
	Duplicate    Verdict = "duplicate"    // a known id, or nothing that is not known
	Regression   Verdict = "regression"   // an old answer that came late: dropped
)

// Delta is what an event changes.
type Delta struct {
	Verdict       Verdict
	Before, After View
}

// News reports whether there is something to act on.
func (d Delta) News() bool { return d.Verdict != Duplicate && d.Verdict != Regression }

// Next holds an event against what is known: what is known afterwards, and what that changes. It is pure, and k stays as it was.
func (k Known) Next(e Event) (Known, Delta) {
	d := Delta{Before: k.View, After: k.View}
	var next State
	switch {
	case k.Seen(e.ID):
		d.Verdict = Duplicate
		return k, d
	case k.correctedBy(e):
		undone := k.State
		undone.Standing = k.Undo
		next, d.Verdict = undone.take(e), Correction
	case slices.ContainsFunc(k.Dropped, e.recorded):
		d.Verdict = Regression
		return k, d
	case e.Type == schemas.TypeStatusUnresolved:
		next, d.Verdict = k.State, Note
		next.Unresolved = e.Change.Reason.Code
	default:
		next, d.Verdict = k.judge(e)
	}
	if d.Verdict == Regression {
		k.Dropped = append(slices.Clip(k.Dropped), Record{ID: e.ID, ObservedAt: e.Change.ObservedAt})
		return k, d
	}
	k.IDs = append(slices.Clip(k.IDs), e.ID)
	switch d.Verdict {
	case Note, Duplicate:
	case Correction:
		k.Last = e.ID
	default:
		k.Undo, k.Last = k.Standing, e.ID
	}
	k.State = next
	d.After = k.View
	return k, d
}

// correctedBy reports whether e is a correction of what is known: of the event that made it, or of
// one taken since that left the state as it was.
func (k Known) correctedBy(e Event) bool {
	return e.corrects != uuid.Nil && len(k.IDs) > 0 && (e.corrects == k.Last || e.corrects == k.IDs[len(k.IDs)-1])
}

func (e Event) recorded(r Record) bool {
	return r.ID == e.ID && r.ObservedAt.Equal(e.Change.ObservedAt)
}

// judge is for events that are neither known nor a correction of the last.
func (s State) judge(e Event) (State, Verdict) {
	c := e.Change
	known := s.dispute(c.Dispute)
	switch {
	case c.Dispute != nil && (known == nil || known.movesTo(disputeOf(c))):
		return s.take(e), Apply
	case c.Dispute != nil && known.Outcome != c.Dispute.Outcome:
		return s, Regression
	case c.Status == s.Status:
		return s.same(e)
	case c.Dispute != nil && c.Dispute.Outcome != schemas.DisputeWon, s.late(e):
		return s, Regression
	default:
		return s.take(e), Apply
	}
}

// same judges an event that says the present status.
func (s State) same(e Event) (State, Verdict) {
	if s.attempt(e.Change) == attemptEarlier || shrinks(s.Sums, stated(e.Change.Amounts)) {
		return s, Regression
	}
	next := s.take(e)
	next.Final = s.Final || e.Change.Final
	switch {
	case next.Sums != s.Sums:
		return next, Amounts
	case next.Final != s.Final:
		return next, Confirmation
	default:
		next.Unresolved = s.Unresolved
		return next, Duplicate
	}
}
