package consume_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

var (
	key   = schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "order-1"}
	dawn  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	owed  = int64(100)
	money = func(value int64) *schemas.Money { return &schemas.Money{Value: value, Currency: "EUR", Exponent: 2} }
)

// writer is a process that says what becomes of one payment, by the rules of the pipeline and without its code.
type writer struct {
	status, known schemas.Status
	final         bool
	sums          schemas.Sums
	entries       map[string]int
	disputes      map[string]schemas.DisputeOutcome
	attempt       int
	corrected     bool
	before        schemas.Status   // under the disputes
	by            *schemas.Dispute // what brought the status
	last          uuid.UUID
}

func (w writer) clone() writer {
	w.entries, w.disputes = maps.Clone(w.entries), maps.Clone(w.disputes)
	return w
}

// say writes an event of the given type and time. A dispute stands in the place of the entry count.
func (w *writer) say(kind string, status schemas.Status, final bool, dispute *schemas.Dispute, at time.Time) consume.Event {
	c := schemas.Change{
		PaymentID: key.PaymentID, Provider: key.Provider, Account: key.Account, Status: status, Final: final, Funds: status.Funds(),
		ObservedAt: at, Dispute: dispute, Amounts: schemas.Amounts{Requested: money(owed)},
	}
	if w.status != "" {
		previous := w.status
		c.PreviousStatus = &previous
	}
	if w.attempt > 0 {
		c.ProviderPaymentID = fmt.Sprintf("pay_%d", w.attempt)
	}
	for _, sum := range []struct {
		to    **schemas.Money
		value int64
	}{{&c.Amounts.Authorized, w.sums.Authorized}, {&c.Amounts.Captured, w.sums.Captured}, {&c.Amounts.Refunded, w.sums.Refunded}} {
		if sum.value > 0 {
			*sum.to = money(sum.value)
		}
	}
	if dispute == nil {
		entry := fmt.Sprint(status, w.sums)
		if status != w.status || kind != schemas.TypeStatusChanged {
			w.entries[entry]++
		}
		c.Entry = w.entries[entry]
	}
	w.status, w.final, w.by = status, final, dispute
	if status != schemas.Unknown {
		w.known = status
	}
	e := consume.Event{Type: kind, Time: at, Change: c}
	e.ID = schemas.EventID(key, schemas.Facts{Status: status, Entry: c.Entry, Dispute: dispute, Final: final, Sums: w.sums})
	w.last = e.ID
	return e
}

// next draws something that may be said now.
func (w *writer) next(t *rapid.T, at time.Time) (consume.Event, bool) {
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		return w.dispute(t, at)
	case 1:
		return w.correct(t, at)
	case 2:
		return w.grow(t, at)
	case 3:
		return w.confirm(at)
	case 4:
		return w.giveUp(at)
	case 5:
		return w.again(t, at)
	default:
		return w.move(t, at)
	}
}

func contestedStatus(s schemas.Status) bool { return s == schemas.Disputed || s == schemas.ChargedBack }

// move says another status that the table allows, now and then one that it does not expect.
func (w *writer) move(t *rapid.T, at time.Time) (consume.Event, bool) {
	to := rapid.SampledFrom(schemas.Statuses).Draw(t, "status").Status
	move := schemas.Between(w.known, w.final || w.attempt > 0 && w.known.Negative(), to)
	refund := slices.Contains([]schemas.Status{schemas.RefundPending, schemas.PartiallyRefunded, schemas.Refunded}, to)
	through := w.status == schemas.Unknown && to == w.known
	switch {
	case contestedStatus(to), w.status == schemas.ChargedBack, w.status == schemas.Disputed && !refund:
		return consume.Event{}, false // a dispute brings these, and ends them
	case to == w.status, move != schemas.MoveAllowed && move != schemas.MoveUnexpected && !through:
		return consume.Event{}, false
	}
	final := to.Final() && (!to.Negative() || rapid.Bool().Draw(t, "final"))
	e := w.say(schemas.TypeStatusChanged, to, final, nil, at)
	if move == schemas.MoveUnexpected {
		e.Change.Anomalies = []schemas.Anomaly{schemas.UnexpectedTransition}
	}
	return e, true
}

// again begins another attempt after a negative that is not final.
func (w *writer) again(t *rapid.T, at time.Time) (consume.Event, bool) {
	if !w.status.Negative() || w.final || w.attempt == 0 {
		return consume.Event{}, false
	}
	w.attempt++
	to := rapid.SampledFrom([]schemas.Status{schemas.RequiresAction, schemas.Authorized, schemas.Captured, schemas.Unknown}).Draw(t, "again")
	e := w.say(schemas.TypeStatusChanged, to, false, nil, at)
	if to == schemas.Unknown {
		w.known = ""
	}
	return e, true
}

func (w *writer) grow(t *rapid.T, at time.Time) (consume.Event, bool) {
	if !w.status.Success() || contestedStatus(w.status) {
		return consume.Event{}, false
	}
	more := rapid.Int64Range(1, 9).Draw(t, "more")
	switch rapid.IntRange(0, 2).Draw(t, "sum") {
	case 0:
		w.sums.Authorized += more
	case 1:
		w.sums.Captured += more
	default:
		w.sums.Refunded += more
	}
	return w.say(schemas.TypeAmountsChanged, w.status, w.final, nil, at), true
}

func (w *writer) confirm(at time.Time) (consume.Event, bool) {
	if w.status == "" || w.final || w.status == schemas.Unknown || contestedStatus(w.status) {
		return consume.Event{}, false
	}
	return w.say(schemas.TypeStatusChanged, w.status, true, w.by, at), true
}

// giveUp says that the watch ended. It changes nothing.
func (w *writer) giveUp(at time.Time) (consume.Event, bool) {
	after := w.clone()
	status := w.status
	if status == "" {
		status = schemas.Unknown
	}
	e := after.say(schemas.TypeStatusUnresolved, status, true, nil, at)
	e.Change.Reason = &schemas.Reason{Code: schemas.UnresolvedDeadline}
	e.ID = schemas.EventID(key, schemas.Facts{Status: status, Entry: w.entries[fmt.Sprint(status, w.sums)], Sums: w.sums, Reason: schemas.UnresolvedDeadline})
	return e, true
}

func (w *writer) dispute(t *rapid.T, at time.Time) (consume.Event, bool) {
	id := rapid.SampledFrom([]string{"dsp_a", "dsp_b"}).Draw(t, "dispute")
	outcome := rapid.SampledFrom(schemas.DisputeOutcomes).Draw(t, "outcome")
	was, heard := w.disputes[id]
	if w.known == "" || !w.known.Success() || w.known == schemas.Authorized || w.known == schemas.Verified ||
		heard && was != schemas.DisputeOpen && (was != schemas.DisputeLost || outcome != schemas.DisputeWon) || was == outcome {
		return consume.Event{}, false
	}
	if !contestedStatus(w.status) {
		w.before = w.known
	}
	w.disputes[id] = outcome
	status := w.before
	for _, o := range w.disputes {
		if o == schemas.DisputeOpen && status != schemas.ChargedBack {
			status = schemas.Disputed
		}
		if o == schemas.DisputeLost {
			status = schemas.ChargedBack
		}
	}
	e := w.say(schemas.TypeStatusChanged, status, status.Final(), &schemas.Dispute{ID: id, Outcome: outcome}, at)
	return e, true
}

// correct says that the last event was wrong: another status, also an earlier one, and other sums, also smaller ones.
func (w *writer) correct(t *rapid.T, at time.Time) (consume.Event, bool) {
	if w.last == uuid.Nil || contestedStatus(w.status) {
		return consume.Event{}, false
	}
	wrong := w.last
	w.corrected = true
	w.sums.Captured = rapid.Int64Range(1, 9).Draw(t, "in truth")
	to := rapid.SampledFrom([]schemas.Status{schemas.Pending, schemas.Authorized, schemas.PartiallyCaptured, schemas.Captured}).Draw(t, "truth")
	e := w.say(schemas.TypeStatusCorrected, to, false, nil, at)
	return consume.Correcting(e, wrong), true
}
