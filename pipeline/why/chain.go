package why

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The record of a check says what is asked, not what came of it. That is told by what was written afterwards: an event, the outcome of
// a backfill, a dead letter, or the counters of the check that it was handed over to. Which belong together is found by walking
// through the checks with the same rules by which the service takes them.

// The verdicts about a check.
const (
	verdictAsked       = "asked"
	verdictOvertaken   = "overtaken"   // its step was done before: nobody was asked
	verdictRedelivered = "redelivered" // the same initiated event again: nobody was asked
	verdictConflict    = "conflict"    // it contradicts an earlier initiated event: a dead letter
	verdictQueued      = "queued"      // nobody was asked yet
)

// What tells an outcome.
const (
	toldByEvent  = "event"
	toldByNext   = "next_check"
	toldByReplay = "replay"
	toldByLetter = "dead_letter"
)

// asked is a check with what became of it.
type asked struct {
	check

	Check
	next  *check // that it was handed over to
	waits bool   // it is not done and nothing came of it yet
}

// chain walks through the checks of a payment. Lane is how far it has come.
type chain struct {
	part *part
	lane watch.Lane
	all  []asked
}

func (p *part) walk() *chain {
	w := &chain{part: p}
	for _, e := range p.events {
		if e.Trail != nil && (len(p.checks) == 0 || e.at.Before(p.checks[0].at)) {
			w.lane.Restore(*e.Trail)
			if e.Trail.Place.Step > 0 {
				w.lane.High.Step++ // its check was done since
				w.lane.Ended = e.Data.Final
			}
		}
	}
	for i := range p.checks {
		w.all = append(w.all, w.take(i))
	}
	return w
}

func (w *chain) take(i int) asked {
	c := w.part.checks[i]
	before := w.lane
	taken := w.lane.Take(c.Check, c.at)
	a := asked{check: c, Check: Check{
		Kind: string(c.Kind), Cause: string(c.Cause), ReplayID: c.ReplayID, Attempt: c.Attempt + 1,
		Epoch: taken.Check.Epoch, Step: taken.Check.Step, Verdict: verdictAsked,
	}}
	switch taken.Verdict {
	case watch.Done:
		a.Verdict, a.Detail = verdictOvertaken, "not asked: its step was done before"
		if c.Kind == watch.KindInitiated {
			a.Verdict, a.Detail = verdictRedelivered, "not asked: the same record again"
		}
		return a
	case watch.Conflict:
		a.Verdict, a.Detail = verdictConflict, "not asked: "+taken.Why.Error()
		return a
	case watch.Ask:
	}
	events := w.part.said(c, taken.Check.Place)
	a.next = w.part.handedOver(i, taken.Check.Place)
	w.outcome(&a, events)
	if !c.done && a.next == nil && len(events) == 0 {
		a.Verdict, a.Outcome, a.Told, a.Detail, a.waits = verdictQueued, "", "", "not asked yet, or being asked", true
		w.lane = before
		return a
	}
	for _, e := range events {
		w.lane.Said, w.lane.Logged = e.Trail.Said, true
	}
	if !aside(c.Kind) && w.lane.High.NotAfter(taken.Check.Place) {
		w.lane.High = taken.Check.Place
		w.lane.Ended = a.next == nil
	}
	return a
}

// aside reports whether a check of a kind belongs to no chain: an operator asked for it.
func aside(k watch.Kind) bool { return k == watch.KindBackfill || k == watch.KindRenormalize }

// said are the events that a check at a place has come to. An event knows the step before its own.
func (p *part) said(c check, at watch.Place) []event {
	return slices.DeleteFunc(slices.Clone(p.events), func(e event) bool {
		switch {
		case e.Trail == nil:
			return true
		case aside(c.Kind):
			return c.ReplayID == "" || e.Data.ReplayID != c.ReplayID
		default:
			return e.Data.ReplayID != "" || e.Trail.Place != watch.Place{Epoch: at.Epoch, Step: at.Step - 1} || e.at.Before(c.at.Add(-time.Minute))
		}
	})
}

// handedOver is the check after the i-th, in a tier or back on the work topic.
func (p *part) handedOver(i int, at watch.Place) *check {
	c := p.checks[i]
	follows := func(n check) bool {
		if aside(c.Kind) {
			return n.Kind == c.Kind && n.ReplayID == c.ReplayID && n.Unavailable == c.Unavailable+1
		}
		return n.Kind == watch.KindChain && n.Place == watch.Place{Epoch: at.Epoch, Step: at.Step + 1}
	}
	for j := range p.checks[i+1:] {
		if n := &p.checks[i+1+j]; follows(*n) {
			return n
		}
	}
	for j := range p.sleepers {
		if n := &p.sleepers[j].check; follows(*n) {
			return n
		}
	}
	return nil
}

// outcome concludes what a check has come to.
func (w *chain) outcome(a *asked, events []event) {
	tell := func(by string, outcome providers.Kind, detail string) {
		a.Told, a.Outcome, a.Detail = by, outcome, detail
	}
	for _, r := range w.part.replays {
		if a.ReplayID != "" && r.ReplayID == a.ReplayID && a.next == nil {
			tell(toldByReplay, r.Outcome, string(r.Outcome)+codeOf(r.Code)+statusOf(r.Status))
			return
		}
	}
	if len(events) > 0 {
		last := events[len(events)-1]
		if last.Type == schemas.TypeStatusUnresolved {
			tell(toldByEvent, unresolvedBy(last.Data.Reason), "unresolved"+reasonOf(last.Data.Reason))
			return
		}
		tell(toldByEvent, providers.Observed, "observed: "+string(last.Data.Status)+finalWord(last.Data.Final))
		return
	}
	if code, ok := w.part.gaveUp(a); ok {
		detail := "a dead letter: " + string(code)
		if code == watch.CodeMismatch {
			tell(toldByLetter, providers.Mismatch, detail)
		} else {
			tell(toldByLetter, "", detail)
		}
		return
	}
	if a.next != nil {
		kind, detail := counted(a.check.Check, a.next.Check)
		tell(toldByNext, kind, detail)
		return
	}
	if said := w.lane.Said; said.Final {
		a.Detail = fmt.Sprintf("nothing new: still %s (final); nothing was asked after it", said.Status)
		return
	}
	a.Detail = "nothing tells what it came to"
}

// unresolvedBy is the outcome after which a watch ended without a final status, where its reason is one.
func unresolvedBy(r *schemas.Reason) providers.Kind {
	outcomes := []providers.Kind{providers.Unavailable, providers.Unreadable, providers.Refused, providers.Mismatch, providers.NotFound}
	if r != nil && slices.Contains(outcomes, providers.Kind(r.Code)) {
		return providers.Kind(r.Code)
	}
	return ""
}

// gaveUp is the code of the dead letter that a check became.
func (p *part) gaveUp(a *asked) (watch.Code, bool) {
	for _, l := range p.letters {
		from := deadletters.Origin{Topic: a.topic, Partition: strconv.Itoa(a.Partition), Offset: strconv.FormatInt(a.Offset, 10)}
		if l.From == from && l.Reason != watch.CodeConflictingInitiation {
			return l.Reason, true
		}
	}
	return "", false
}

// counted tells by the counters of the next check what the one before came to.
func counted(c, next watch.Check) (providers.Kind, string) {
	if c.Kind != watch.KindChain && !aside(c.Kind) { // it began its schedule anew
		c.Unavailable, c.Unreadable, c.Mismatches, c.Rechecks, c.Parked = 0, 0, 0, 0, false
	}
	switch {
	case next.Mismatches > c.Mismatches:
		return providers.Mismatch, fmt.Sprintf("mismatch, %d in a row", next.Mismatches)
	case next.Attempt > c.Attempt:
		switch {
		case next.Rechecks > c.Rechecks:
			return providers.Observed, "observed something older or not confirmed: asked again soon"
		case next.Said != nil && next.Said.Has():
			return "", fmt.Sprintf("answered, nothing new: still %s, or not found this time", next.Said.Status)
		case next.Context == nil:
			return "", "answered; nothing is said before an initiated event is known"
		default:
			return providers.NotFound, "not found"
		}
	case next.Unavailable > c.Unavailable:
		return providers.Unavailable, fmt.Sprintf("unavailable, %d in a row", next.Unavailable)
	case next.Unreadable > c.Unreadable:
		return providers.Unreadable, fmt.Sprintf("unreadable, %d in a row", next.Unreadable)
	case c.Parked, next.Parked:
		return "", "no answer; parked after the deadline"
	default:
		return providers.Refused, "refused"
	}
}

func codeOf(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}

func statusOf(s schemas.Status) string {
	if s == "" {
		return ""
	}
	return ": " + string(s)
}

func reasonOf(r *schemas.Reason) string {
	if r == nil {
		return ""
	}
	return ": " + r.Code
}

func finalWord(final bool) string {
	if final {
		return " (final)"
	}
	return ""
}
