package watch

import (
	"slices"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// plan says when to ask again, or that the watch ends.
func (d *deciding) plan() {
	if d.Check.Kind == KindBackfill {
		d.planBackfill()
		return
	}
	d.enterPhase()
	switch d.Query.Outcome.Kind {
	case providers.Observed:
		d.afterObserved()
	case providers.NotFound:
		d.afterNotFound()
	case providers.Mismatch:
		d.afterMismatch()
	case providers.Unavailable, providers.Unreadable, providers.Refused, providers.NoStatus:
		d.afterNoAnswer()
	}
}

// enterPhase begins the next phase of the schedule when what is known now belongs there.
func (d *deciding) enterPhase() {
	phase := d.Check.Phase
	switch d.said.compared() { //nolint:exhaustive // final statuses stay in their phase
	case schemas.Authorized, schemas.CapturePending, schemas.PartiallyCaptured:
		phase = PhaseAuthorized
	case schemas.RefundPending, schemas.Disputed:
		phase = PhaseRefund
	case schemas.Pending, schemas.RequiresAction:
		phase = PhaseOpen
	}
	if phase != d.Check.Phase || d.Check.PhaseSince.IsZero() {
		d.Check.Phase, d.Check.PhaseSince, d.Check.Delays = phase, d.Now, 0
	}
}

func (d *deciding) rhythm() Rhythm      { return d.Schedule.Rhythm(d.Check.Phase) }
func (d *deciding) deadline() time.Time { return d.Check.PhaseSince.Add(d.rhythm().Deadline) }
func (d *deciding) over() bool          { return !d.Now.Before(d.deadline()) }
func (d *deciding) saidFinal() bool     { return d.said.Has() && d.said.Final }

func (d *deciding) afterObserved() {
	waitsForContext := !d.known() && needsContext(d.Query.observation().Status) && (!d.said.Has() || d.said.Final)
	switch {
	case d.stale || d.unconfirmed:
		d.afterDoubtful()
	case d.saidFinal() && !waitsForContext:
		d.ended = true
	case waitsForContext:
		d.awaitContext()
	case d.over():
		d.end(schemas.UnresolvedDeadline, "the provider had not decided by the deadline")
	default:
		d.askLater(d.planned())
	}
}

// afterDoubtful asks again soon after a stale read or an unconfirmed notification, a few times, then at the schedule's pace.
func (d *deciding) afterDoubtful() {
	switch {
	case d.over() && d.saidFinal():
		d.ended = true
	case d.over():
		d.end(schemas.UnresolvedDeadline, "the provider had not decided by the deadline")
	case d.Check.Rechecks < rechecks:
		d.askLater(d.Schedule.Recheck).Rechecks++
	default:
		d.askLater(d.planned())
	}
}

// awaitContext asks again until an initiated event says what the payment was made for.
func (d *deciding) awaitContext() {
	if d.Now.Before(d.graceEnds()) {
		d.askLater(d.Schedule.Recheck)
		return
	}
	d.end(schemas.UnresolvedDeadline, "")
}

// graceEnds is until when a payment may be unknown to the provider. Under a reference that can be paid again under the customer
// may still come.
func (d *deciding) graceEnds() time.Time {
	grace := d.Schedule.NotFoundGrace
	if d.Query.Outcome.PayableAgain {
		grace = max(grace, d.Schedule.ReferenceWindow)
	}
	return d.Check.Since.Add(grace)
}

func (d *deciding) afterNotFound() {
	o := d.Query.Outcome
	if d.said.Has() {
		d.alarms = append(d.alarms, AlarmVanished)
	}
	switch {
	case d.saidFinal() && d.over():
		d.ended = true
	case d.saidFinal():
		d.askLater(d.planned())
	case !d.said.Has() && !d.Now.Before(d.graceEnds()):
		d.end(o.Code, o.Message)
	case d.over():
		d.end(schemas.UnresolvedDeadline, "the provider did not know the payment at the deadline")
	default:
		d.askLater(d.planned())
	}
}

func (d *deciding) afterMismatch() {
	o := d.Query.Outcome
	d.letters = append(d.letters, DeadLetter{Reason: CodeMismatch, Detail: o.Code + ": " + o.Message, Answer: true})
	since := d.Check.MismatchSince
	if since.IsZero() {
		since = d.Now
	}
	if d.Check.Mismatches+1 >= mismatches && d.Now.Sub(since) >= mismatchSpan {
		d.end(string(providers.Mismatch), o.Message)
		return
	}
	next := d.askLater(max(d.planned(), mismatchSpan/(mismatches-1)))
	next.Mismatches, next.MismatchSince = d.Check.Mismatches+1, since
}

// afterNoAnswer asks again when the provider could not be asked or understood: it uses up no planned delay.
func (d *deciding) afterNoAnswer() {
	o := d.Query.Outcome
	parked := max(parkedEvery, o.RetryAfter)
	switch {
	case d.Check.Parked:
		d.unanswered(parked)
		return
	case d.over() && (d.saidFinal() || !d.known()):
		d.end(string(o.Kind), o.Message)
		return
	case d.over():
		d.alarms = append(d.alarms, AlarmParked)
		d.unresolved(&schemas.Reason{Code: string(o.Kind), Message: o.Message, Category: schemas.CategoryTechnical}, false)
		d.unanswered(parked).Parked = true
		return
	}
	switch o.Kind {
	case providers.Unreadable:
		n := d.Check.Unreadable + 1
		delay := d.Schedule.Unreadable.delay(n, d.Random)
		if n == d.Schedule.Unreadable.Limit {
			d.letters = append(d.letters, DeadLetter{Reason: CodeUnreadable, Detail: o.Code + ": " + o.Message, Answer: true})
		}
		if n >= d.Schedule.Unreadable.Limit {
			delay = d.Schedule.Open.Every
		}
		d.unanswered(delay).Unreadable = n
	case providers.Refused:
		d.alarms = append(d.alarms, AlarmRefused)
		d.unanswered(d.Schedule.RefusedEvery)
	default:
		n := d.Check.Unavailable + 1
		delay := o.RetryAfter
		if delay == 0 {
			delay = d.Schedule.Unavailable.delay(n, d.Random)
		}
		d.unanswered(delay).Unavailable = n
	}
}

// end ends the watch with an unresolved event. Nothing is added to a final status, and of a payment without context we
// cannot speak: that is a dead letter.
func (d *deciding) end(code, message string) {
	d.ended = true
	switch {
	case d.saidFinal():
		d.alarms = append(d.alarms, AlarmEndedOverFinal)
	case !d.known():
		d.letters = append(d.letters, DeadLetter{Reason: CodeNoContext, Detail: "no initiated event came for this payment, so its amount cannot be checked"})
	default:
		d.unresolved(&schemas.Reason{Code: code, Message: message}, true)
	}
}

// unresolved states that the watch came to no end. It does not change what was last said.
func (d *deciding) unresolved(reason *schemas.Reason, final bool) {
	facts := d.said.Facts()
	if !d.said.Has() {
		facts.Status = schemas.Unknown
	}
	facts.Final, facts.Reason = final, reason.Code
	s := Statement{Type: schemas.TypeStatusUnresolved, Previous: d.said.Status, Facts: facts, Said: d.said, Reason: reason}
	if len(d.Query.Answer.Pages) > 0 {
		s.Reading = &d.Query
	}
	d.statements = append(d.statements, s)
}

// planned is the schedule's next delay, which ends at whatever must not be missed: the deadline, the end of the grace, the
// moment from which a negative is final.
func (d *deciding) planned() time.Duration {
	delay := d.Schedule.jittered(d.rhythm().Planned(d.Check.Delays), d.Exact, d.Random)
	for _, mark := range d.marks() {
		if left := mark.Sub(d.Now); left > 0 && left < delay {
			delay = left
		}
	}
	return delay
}

func (d *deciding) marks() []time.Time {
	marks := []time.Time{d.deadline()}
	if !d.said.Has() {
		marks = append(marks, d.graceEnds())
	}
	if d.said.Status.Negative() && !d.said.Final && d.known() {
		marks = append(marks, d.windowEnds())
	}
	return marks
}

// askLater hands the chain over to its next check, after an answer.
func (d *deciding) askLater(after time.Duration) *Check {
	next := d.handOver(after)
	next.Attempt, next.Delays = d.Check.Attempt+1, d.Check.Delays+1
	next.Unavailable, next.Unreadable, next.Rechecks, next.Mismatches, next.MismatchSince, next.Parked = 0, 0, 0, 0, time.Time{}, false
	if d.stale || d.unconfirmed {
		next.Delays, next.Rechecks = d.Check.Delays, d.Check.Rechecks
		if d.Check.Rechecks >= rechecks {
			next.Delays++
		}
	}
	return next
}

// unanswered hands the chain over without an answer: what the provider pushed travels on until it can be held against one.
func (d *deciding) unanswered(after time.Duration) *Check {
	next := d.handOver(after)
	next.Evidence = d.Check.Evidence
	return next
}

func (d *deciding) handOver(after time.Duration) *Check {
	next := d.Check
	next.Kind, next.Cause = KindChain, schemas.CauseSchedule
	next.Place = d.Check.next()
	next.Context = d.Lane.Context.clone()
	next.Origin, next.Evidence, next.Correction = nil, nil, nil
	next.ReplayID, next.AskedAt = "", time.Time{}
	next.Said = nil
	if d.said.Has() {
		said := d.said.clone()
		next.Said = &said
	}
	next.RefundDoubtSince = d.doubtSince
	d.next = &Next{Check: next, After: after}
	return &d.next.Check
}

// planBackfill tries again what could not be asked, for a while, and begins a chain anew when something was found that is
// not the end. It joins the chain where nobody knows that one is living: an overtaken sleeper costs nothing, a payment that
// nobody watches does.
func (d *deciding) planBackfill() {
	kind := d.Query.Outcome.Kind
	before := d.old
	if s := d.Check.Said; s != nil && s.Has() { // the operator knows no later change, even if this check said one and died then
		before = *s
		before.Amount = d.said.Amount
	}
	open := len(d.statements) > 0 && (!d.said.Final || d.unconfirmed) && !d.said.sameTuple(before)
	switch {
	case slices.Contains([]providers.Kind{providers.Unavailable, providers.Unreadable, providers.Refused}, kind) &&
		d.Now.Before(d.Check.AskedAt.Add(backfillRetries)):
		again := d.Check
		again.Unavailable++
		delay := max(d.Query.Outcome.RetryAfter, d.Schedule.Unavailable.delay(again.Unavailable, d.Random))
		d.next = &Next{Check: again, After: delay}
		return
	case open && !d.Lane.Living:
		d.opened = true
		d.Check.Place = d.Lane.opening(d.Check.Context)
		d.Lane.Context = d.Check.Context.clone()
		if d.Lane.Context != nil && d.Lane.Context.First.IsZero() {
			d.Lane.Context.First = d.Now
		}
		d.Check.begin(d.Now)
		d.enterPhase()
		d.askLater(d.planned())
	}
	if kind == providers.Mismatch {
		d.letters = append(d.letters, DeadLetter{Reason: CodeMismatch, Detail: d.Query.Outcome.Code + ": " + d.Query.Outcome.Message, Answer: true})
	}
	d.record = d.Check.ReplayID != ""
}

// result puts the decision together, with the lane as it is once everything is written.
func (d *deciding) result() *Decision {
	lane := d.Lane
	chained := !d.Check.Kind.aside() || d.opened
	if !d.Check.Kind.aside() || len(d.statements) > 0 {
		lane.Said = d.said
		lane.Logged = lane.Logged || len(d.statements) > 0 && d.said.Has()
	}
	if chained && lane.High.NotAfter(d.Check.Place) {
		lane.High, lane.Ended, lane.Living = d.Check.Place, d.ended, d.next != nil
	}
	context := d.Lane.Context
	if context == nil {
		context = d.Check.Context // the operator's own
	}
	for i := range d.statements {
		s := &d.statements[i]
		s.Trail = Trail{
			Version: Version, PaymentKey: d.Check.PaymentKey, Unresolved: s.Type == schemas.TypeStatusUnresolved, Said: s.Said,
			Context: context.withoutOrigins(),
		}
		if s.Corrects != "" {
			s.Trail.From, s.Trail.Context = s.Reading.From, d.readFor.withoutOrigins()
		}
		if chained {
			s.Trail.Place = Place{d.Check.Epoch, d.Check.Step - 1}
		}
	}
	return &Decision{
		Statements: d.statements, DeadLetters: d.letters, Next: d.next, Record: d.record, Rereading: d.reread, Lane: lane,
		Stale: d.stale, Alarms: d.alarms,
	}
}

// Abandon ends the watch of a payment whose check cannot be handled.
func Abandon(q *Question) *Decision {
	d := &deciding{Question: *q, said: q.Lane.Said.clone()}
	if !q.Check.Kind.aside() {
		d.end(schemas.UnresolvedInternalError, "the check could not be handled")
	}
	d.record = q.Check.Kind.aside() && q.Check.ReplayID != ""
	return d.result()
}
