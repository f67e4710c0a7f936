package handlers

import (
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Abandon gives up a message that a handler fails on again and again. A letter that was given back remains one of the handler
// that gave it up first, so that it can be given back again.
func Abandon(handler string, m Message) Result {
	giveUp := func(handler string) Result {
		return Result{Out: []Out{deadLetter(m, handler, CodeInternalError, "the handler failed five times on this message", time.Now(), nil)}}
	}
	if by := m.header(HeaderHandler); handler == NameRedriven && by != "" {
		return goneOn(m, giveUp(by))
	}
	return giveUp(handler)
}

// Abandon gives up a check that the handler fails on again and again: a dead letter, and where the payment is known the end
// of its watch, unresolved; of a backfill the record that the payment could not be asked about, or it would wait for one for good.
func (h *Check) Abandon(m Message) (result Result) {
	letter := Abandon(NameCheck, m)
	defer func() {
		if recover() != nil {
			result = letter // even that fails: the letter alone
		}
	}()
	check, err := watch.DecodeCheck(m.Value)
	if err != nil || !check.Ours() {
		return letter
	}
	lane, tenure := h.Memory.Lane(m.Partition, check.PaymentKey)
	taken := lane.Take(check, time.Now())
	if taken.Verdict != watch.Ask || taken.Check.Context == nil {
		return letter
	}
	c := taken.Check
	q := &watch.Question{Check: c, Lane: lane, LogFrom: tenure.LogFrom, Now: time.Now()}
	if c.Kind == watch.KindBackfill || c.Kind == watch.KindRenormalize {
		outcome := providers.Failure(providers.Unavailable, string(CodeInternalError), "the check could not be handled")
		q.Query = watch.Reading{From: schemas.SourceQuery, Outcome: outcome}
	}
	result, err = h.write(m, tenure, q, watch.Abandon(q), providers.Payment{ID: c.PaymentID, Account: c.Account, Reference: c.Context.Known()}, nil)
	if err != nil {
		return letter
	}
	result.Out = append(result.Out, letter.Out...)
	return result
}
