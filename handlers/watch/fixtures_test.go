package watch_test

import (
	"net/http"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// start is when the first initiated event of every test is read.
var start = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

var key = schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "order-1"}

// defaults is the schedule that the configuration has when nothing is said, without jitter and backoff at its shortest where
// Question.Random is 0.
func defaults() watch.Schedule {
	return watch.Schedule{
		Open: watch.Rhythm{
			Delays: []time.Duration{
				2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
				2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
			},
			Every: time.Hour, Deadline: 72 * time.Hour,
		},
		Authorized:      watch.Rhythm{Delays: []time.Duration{time.Minute, 10 * time.Minute, time.Hour}, Every: 6 * time.Hour, Deadline: 720 * time.Hour},
		Refund:          watch.Rhythm{Delays: []time.Duration{time.Minute, 10 * time.Minute, time.Hour}, Every: 6 * time.Hour, Deadline: 720 * time.Hour},
		NotFoundGrace:   15 * time.Minute,
		ReferenceWindow: time.Hour,
		Recheck:         30 * time.Second,
		Jitter:          0.1,
		Unavailable:     watch.Backoff{Initial: 2 * time.Second, Max: 10 * time.Minute},
		Unreadable:      watch.Backoff{Initial: 2 * time.Second, Max: 10 * time.Minute, Limit: 20},
		RefusedEvery:    10 * time.Minute,
	}
}

// event is what one initiated event says, and where it stands.
type event struct {
	amount    int64
	currency  string
	reference schemas.Reference
	partition int
	offset    int64
	at        time.Duration // the record's time, after start
}

func (e event) origin() *watch.Origin {
	return &watch.Origin{Topic: "payments.initiated", Partition: e.partition, Offset: e.offset, Time: start.Add(e.at)}
}

func (e event) initiated() schemas.Initiated {
	amount := schemas.Amount{Value: 100, Currency: "EUR"}
	if e.amount != 0 {
		amount.Value = e.amount
	}
	if e.currency != "" {
		amount.Currency = e.currency
	}
	return schemas.Initiated{
		PaymentID: key.PaymentID, Provider: key.Provider, Account: key.Account, Amount: amount,
		InitiatedAt: start, Capture: schemas.CaptureAutomatic,
	}
}

// context is the context of this event alone.
func (e event) context() *watch.Context {
	ref := e.reference
	if ref == nil {
		ref = schemas.Reference{"reference": "order-1"}
	}
	return watch.NewContext(e.initiated(), ref, e.origin())
}

// check is the check that intake asks for.
func (e event) check() watch.Check {
	return watch.Check{PaymentKey: key, Kind: watch.KindInitiated, Context: e.context(), Origin: e.origin(), Cause: schemas.CauseInitiated}
}

func notified() watch.Check {
	return watch.Check{
		PaymentKey: key, Kind: watch.KindNotification, Cause: schemas.CauseNotification,
		Evidence: &watch.Evidence{From: schemas.SourceNotification, Body: []byte("{}"), ReceivedAt: start},
	}
}

// chained is a chain check as it sleeps in a tier.
func chained(epoch, step int, c *watch.Context) watch.Check {
	return watch.Check{
		PaymentKey: key, Kind: watch.KindChain, Place: watch.Place{Epoch: epoch, Step: step}, Context: c,
		Phase: watch.PhaseOpen, PhaseSince: start, Since: start, Cause: schemas.CauseSchedule,
	}
}

func backfill(c *watch.Context, said *watch.Said) watch.Check {
	return watch.Check{
		PaymentKey: key, Kind: watch.KindBackfill, Context: c, Said: said, Cause: schemas.CauseBackfill,
		ReplayID: "replay-1", AskedAt: start,
	}
}

// detail is something that an answer says beyond its status.
type detail func(*providers.Outcome)

func attempt(id string) detail {
	return func(o *providers.Outcome) { o.Observation.ProviderPaymentID = id }
}

func occurred(after time.Duration) detail {
	return func(o *providers.Outcome) { o.Observation.OccurredAt = start.Add(after) }
}

func payableAgain(o *providers.Outcome) {
	o.PayableAgain = o.Observation == nil
	if o.Observation != nil {
		o.Observation.PayableAgain = true
	}
}

func finalHere(o *providers.Outcome) { o.Observation.Final = true }

func partial(o *providers.Outcome) { o.Observation.Partial = true }

func money(value int64) *schemas.Money {
	return &schemas.Money{Value: value, Currency: "EUR", Exponent: 2}
}

func madeFor100(o *providers.Outcome) { o.Observation.Amounts.Requested = money(100) }

func authorized(value int64) detail {
	return func(o *providers.Outcome) { o.Observation.Amounts.Authorized = money(value) }
}

func captured(value int64) detail {
	return func(o *providers.Outcome) { o.Observation.Amounts.Captured = money(value) }
}

func refunded(value int64) detail {
	return func(o *providers.Outcome) { o.Observation.Amounts.Refunded = money(value) }
}

func dispute(id string, outcome schemas.DisputeOutcome) detail {
	return func(o *providers.Outcome) { o.Observation.Dispute = &schemas.Dispute{ID: id, Outcome: outcome} }
}

// unnamed is a dispute of a provider that gives disputes no id: the name is that of the notification.
func unnamed(o *providers.Outcome) { o.Observation.DisputeUnnamed = true }

// answers is the answer to a query that says a status.
func answers(status schemas.Status, more ...detail) watch.Reading {
	return reading(schemas.SourceQuery, status, more)
}

// pushes is a notification that says a status.
func pushes(status schemas.Status, more ...detail) *watch.Reading {
	r := reading(schemas.SourceNotification, status, more)
	return &r
}

// replied is the provider's reply to the call that made the payment.
func replied(status schemas.Status) *watch.Reading {
	r := reading(schemas.SourceInitiation, status, nil)
	return &r
}

func opens(id string, more ...detail) *watch.Reading {
	return pushes(schemas.Disputed, append(more, dispute(id, schemas.DisputeOpen))...)
}

func wins(id string, more ...detail) *watch.Reading {
	return pushes(schemas.Captured, append(more, dispute(id, schemas.DisputeWon))...)
}

func loses(id string, more ...detail) *watch.Reading {
	return pushes(schemas.ChargedBack, append(more, dispute(id, schemas.DisputeLost))...)
}

func reading(from schemas.Source, status schemas.Status, more []detail) watch.Reading {
	o := providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: status, Final: status.Final()}}
	for _, say := range more {
		say(&o)
	}
	return watch.Reading{From: from, Answer: page(from, string(status)), Outcome: o}
}

func page(from schemas.Source, body string) providers.Answer {
	return providers.Answer{From: from, Pages: []providers.Page{{HTTPStatus: http.StatusOK, Body: []byte(body)}}}
}

// fails is the answer to a query that is no status of the payment.
func fails(kind providers.Kind, code string) watch.Reading {
	r := watch.Reading{From: schemas.SourceQuery, Outcome: providers.Failure(kind, code, "a sentence")}
	if kind == providers.Unreadable || kind == providers.Mismatch {
		r.Answer = page(schemas.SourceQuery, "<html>")
	}
	return r
}

func notFound() watch.Reading { return fails(providers.NotFound, providers.CodeNotFound) }

func unavailable(retryAfter ...time.Duration) watch.Reading {
	r := fails(providers.Unavailable, "http_503")
	for _, d := range retryAfter {
		r.Outcome.RetryAfter = d
	}
	return r
}

func unreadable() watch.Reading { return fails(providers.Unreadable, providers.CodeNotJSON) }

func refused() watch.Reading { return fails(providers.Refused, providers.CodeUnauthorized) }

func mismatch() watch.Reading { return fails(providers.Mismatch, providers.CodeOtherAmount) }
