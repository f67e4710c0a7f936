package watch

import (
	"slices"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// aside reports whether a check of this kind is none of the chain's: it says nothing about what was said when it was written.
func (k Kind) aside() bool { return k == KindBackfill || k == KindRenormalize }

// Correction is the event whose answer is read again.
type Correction struct {
	Corrects  string            `json:"corrects"`            // the event's id
	Previous  schemas.Status    `json:"previous,omitempty"`  // its previous status
	Stated    schemas.Sums      `json:"stated,omitzero"`     // the sums that were read from the answer then
	Reference schemas.Reference `json:"reference,omitempty"` // what the provider was asked by then
}

// Rereading is what comes of reading an old answer again.
type Rereading string

// What can come of it.
const (
	RereadDiffers    Rereading = "differs"     // a correction is due
	RereadCorrected  Rereading = "corrected"   // it is made, now or before
	RereadSame       Rereading = "same"        // nothing to correct
	RereadUnreadable Rereading = "no_status"   // the present mapping sees no status of the payment in the answer
	RereadDispute    Rereading = "dispute"     // a dispute decides the status; what it began or ended is for people to correct
	RereadNoContext  Rereading = "no_context"  // a status that is not said while no initiated event is known
	RereadStaysFinal Rereading = "stays_final" // not final by the present mapping, but what was said to be final stays so
	RereadSuperseded Rereading = "superseded"  // something else was said since
	RereadOutdated   Rereading = "outdated"    // whether something else was said since is not known any more
	RereadNotServed  Rereading = "not_served"  // the provider is not configured
)

// Reread says what a payment would be said to be if the answer behind the last statement had been read as it is now. Said is what
// was last said; nil for a context means that no initiated event is known. It is pure.
func Reread(c Correction, said Said, r *Reading, context *Context, s Schedule, now time.Time) (Said, Rereading) {
	obs := r.observation()
	if obs == nil || obs.Partial {
		return said, RereadUnreadable
	}
	status, derived := obs.Status, false
	took := slices.Contains([]schemas.Status{schemas.Captured, schemas.PartiallyCaptured}, status)
	if took && said.Status == schemas.RefundFailed && c.Previous == schemas.RefundPending {
		status, derived = schemas.RefundFailed, true // concluded from answers that said so
	}
	switch {
	case obs.Dispute != nil && said.Dispute != nil && obs.Dispute.Outcome == said.Dispute.Outcome &&
		(obs.DisputeUnnamed || obs.Dispute.ID == said.Dispute.ID),
		said.Dispute != nil && obs.Dispute == nil && status == said.Status:
		return said, RereadSame
	case obs.Dispute != nil || said.Dispute != nil || said.contested() != "":
		return said, RereadDispute
	case context == nil && needsContext(status) && status != said.Status:
		return said, RereadNoContext
	}
	next := said.correct(c, status, stated(obs.Amounts))
	switch {
	case derived:
		next.Final = status.Final()
	case status == said.Status && (obs.PayableAgain || status.Negative() && context == nil):
		next.Final = said.Final // time decides that, not the answer
	case status.Negative() && context == nil:
		next.Final = false
	case obs.PayableAgain && context != nil:
		next.Final = obs.Final && !now.Before(context.askedFirst().Add(s.ReferenceWindow))
	default:
		next.Final = obs.Final
	}
	sameSums := status == said.Status && next.stated() == said.stated()
	switch {
	case sameSums && next.Final == said.Final:
		return said, RereadSame
	case sameSums && said.Final:
		return said, RereadStaysFinal
	}
	next = next.clone()
	if !sameSums {
		next.enter()
	}
	next.spokenOf(obs.ProviderPaymentID, obs.OccurredAt)
	return next, RereadDiffers
}

// correct is s with another status and other sums in the place of those that were read from an answer: a sum that is not in it
// any more is not stated. What was last known before it is the status before the mistake. It is not entered yet.
func (s Said) correct(c Correction, status schemas.Status, sums schemas.Sums) Said {
	pick := func(said, wrong, now int64) int64 {
		switch {
		case now != 0:
			return now
		case wrong != 0 && wrong == said:
			return 0
		default:
			return said
		}
	}
	n := s
	n.Status = status
	n.Sums = schemas.Sums{
		Authorized: pick(s.Sums.Authorized, c.Stated.Authorized, sums.Authorized),
		Captured:   pick(s.Sums.Captured, c.Stated.Captured, sums.Captured),
		Refunded:   pick(s.Sums.Refunded, c.Stated.Refunded, sums.Refunded),
	}
	n.Known = status
	if status == schemas.Unknown {
		if n.Known = c.Previous; c.Previous == schemas.Unknown {
			n.Known = ""
		}
	}
	n.Corrections, n.Corrects = s.Corrections+1, c.Corrects
	return n
}

// StatedSums are the sums that an event states, as far as they are among its facts.
func StatedSums(a schemas.Amounts) schemas.Sums { return stated(a) }

// renormalize corrects what was last said, if that is still what the operator saw and the answer behind it now reads otherwise.
// It asks nobody.
func (d *deciding) renormalize() {
	d.record = d.Check.ReplayID != ""
	c, wrong := d.Check.Correction, d.Check.Said
	if c == nil || wrong == nil || d.Evidence == nil {
		d.reread = RereadNotServed
		return
	}
	if !d.Lane.Logged {
		if d.LogFrom.After(d.Check.AskedAt) {
			d.reread = RereadOutdated
			return
		}
		d.said = wrong.clone()
	}
	switch {
	case d.said.Corrects == c.Corrects: // by a process that died, perhaps before it had the chain go on
		d.reread = RereadCorrected
		d.watchOn(wrong.Final)
		return
	case schemas.EventID(d.Check.PaymentKey, d.said.Facts()).String() != c.Corrects:
		d.reread = RereadSuperseded
		return
	}
	next, what := Reread(*c, d.said, d.Evidence, d.Check.Context, d.Schedule, d.Now)
	if what != RereadDiffers {
		d.reread = what
		return
	}
	d.reread, d.readFor = RereadCorrected, d.Check.Context
	d.statements = append(d.statements, Statement{
		Type: schemas.TypeStatusCorrected, Previous: d.said.Status, Facts: next.Facts(), Said: next, Reading: d.Evidence, Corrects: c.Corrects,
		Derived: next.Status != d.Evidence.observation().Status,
	})
	d.said = next
	d.watchOn(wrong.Final)
}

// watchOn has the chain go on from what was corrected, overtaking a sleeper, which carries the mistake. An ended chain begins again
// where the payment has not ended; a living one is ended by nothing but an answer.
func (d *deciding) watchOn(wasFinal bool) {
	if d.said.Final && wasFinal && !d.Lane.Living {
		return
	}
	d.opened = true
	if d.Lane.Context == nil {
		d.Lane.Context = d.Check.Context.clone()
	}
	d.Check.Context = d.Lane.Context
	if d.Lane.Context != nil && d.Lane.Context.First.IsZero() {
		d.Lane.Context.First = d.Now
	}
	d.enterPhase()
	if d.said.Final {
		d.askLater(d.Schedule.Recheck)
		return
	}
	d.askLater(d.planned())
}
