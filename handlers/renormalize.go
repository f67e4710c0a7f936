package handlers

import (
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// renormalize reads an old answer as it is read now and corrects what was said from it, without asking the provider.
func (h *Check) renormalize(m Message, t Tenure, lane watch.Lane, c watch.Check) (Result, error) {
	payment := providers.Payment{ID: c.PaymentID, Account: c.Account}
	if c.Correction != nil {
		payment = PaymentThen(c.PaymentKey, c.Context, c.Correction.Reference)
	}
	q := &watch.Question{Check: c, Lane: lane, LogFrom: t.LogFrom, Now: time.Now(), Exact: h.Delays, Random: h.Random()}
	q.Schedule = h.Schedule(c.Provider, payment.Method)
	if provider := h.Providers[c.Provider]; provider != nil && c.Evidence != nil {
		q.Evidence = readEvidence(provider, *c.Evidence, payment)
		if c.Context == nil {
			q.Check.About = payment.Reference
		}
	}
	return h.write(m, t, q, watch.Decide(q), payment, nil)
}

// PaymentThen is the payment that an old answer is read for: what was known of it then.
func PaymentThen(key schemas.PaymentKey, context *watch.Context, reference schemas.Reference) providers.Payment {
	p := providers.Payment{ID: key.PaymentID, Account: key.Account, Reference: reference}
	if context != nil {
		p.Amount, p.InitiatedAt, p.Capture, p.Method = &context.Amount, context.InitiatedAt, context.Capture, context.Method
	}
	return p
}

// ReadAgain reads an answer that was kept, as the provider's mapping reads it now.
func ReadAgain(provider providers.Provider, e watch.Evidence, p providers.Payment) *watch.Reading {
	return readEvidence(provider, e, p)
}

// rereadOutcome is what a correction came to, in the words of a check. One that must be tried again is unavailable or refused.
func rereadOutcome(q *watch.Question, d *watch.Decision) providers.Outcome {
	o := providers.Outcome{Kind: providers.Refused}
	if q.Evidence != nil {
		o = q.Evidence.Outcome
	}
	if d.Rereading == watch.RereadOutdated {
		o = providers.Outcome{Kind: providers.Unavailable}
	}
	o.Code = string(d.Rereading)
	return o
}
