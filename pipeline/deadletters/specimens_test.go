package deadletters_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// scripted is a provider that always gives the same outcome, whatever it is asked or told.
type scripted struct {
	providers.Provider

	outcome providers.Outcome
	forged  bool
}

func (scripted) Name() string       { return "liquido" }
func (scripted) Normalizer() string { return "liquido/1" }
func (scripted) Accounts() []string { return []string{schemas.DefaultAccount} }

func (scripted) Identify(e schemas.Initiated) (schemas.Reference, error) {
	if e.Reference["idempotency_key"] == "" {
		return nil, &schemas.FieldError{Field: "reference.idempotency_key", Problem: "is missing"}
	}
	return e.Reference, nil
}

func (scripted) Ask(context.Context, providers.Payment) (providers.Answer, error) {
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{HTTPStatus: 200, Body: []byte(`{"card": "4111111111111111"}`)}}}, nil
}

func (s scripted) Verify(providers.Answer, string, bool) error {
	if s.forged {
		return errors.New("the signature is wrong")
	}
	return nil
}

func (s scripted) Read(providers.Answer, providers.Payment) providers.Outcome { return s.outcome }

func saying(status schemas.Status, reference string) scripted {
	return scripted{outcome: providers.Outcome{
		Kind: providers.Observed, Observation: &providers.Observation{Status: status, Final: status.Final()}, MerchantReference: reference,
	}}
}

func failing(kind providers.Kind, code string) scripted {
	return scripted{outcome: providers.Failure(kind, code, "a sentence")}
}

// handle gives a message to a handler.
func handle(t testing.TB, h handlers.Handler, m handlers.Message) handlers.Result {
	t.Helper()
	result, err := h(t.Context(), m)
	require.NoError(t, err)
	return result
}

func only(p providers.Provider) map[string]providers.Provider {
	return map[string]providers.Provider{"liquido": p}
}

// initiated is a record on the topic of initiated events.
func initiated(key, value string) handlers.Message {
	return handlers.Message{
		Topic: "payments.initiated", Partition: 2, Offset: 41, Time: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Key: []byte(key), Value: []byte(value),
		Headers: []handlers.Header{{Key: "x-trace", Value: []byte("1")}, {Key: "x-trace", Value: []byte("2")}},
	}
}

// intake is what intake makes of a record.
func intake(t testing.TB, m handlers.Message) handlers.Result {
	t.Helper()
	return handle(t, (&handlers.Intake{Providers: only(saying(schemas.Captured, "")), Types: []string{schemas.TypeInitiated}}).Handle, m)
}

// unserved is what intake makes of a record while no provider is configured.
func unserved(t testing.TB, m handlers.Message) handlers.Result {
	t.Helper()
	return handle(t, (&handlers.Intake{}).Handle, m)
}

// notified is what the notification handler makes of a notification.
func notified(t testing.TB, p providers.Provider, key, value string) handlers.Result {
	t.Helper()
	h := &handlers.Notification{Providers: only(p), Log: slog.New(slog.DiscardHandler)}
	return handle(t, h.Handle, handlers.Message{
		Topic: "payments.notified", Partition: 1, Offset: 7, Time: time.Now(), Key: []byte(key), Value: []byte(value),
		Headers: []handlers.Header{
			{Key: handlers.HeaderProvider, Value: []byte("liquido")},
			{Key: "http_authorization", Value: []byte("the-webhook-secret")},
		},
	})
}

// checked is what the check handler makes of checks of one payment, one after the other; the last one's result counts.
func checked(t testing.TB, p providers.Provider, checks ...watch.Check) handlers.Result {
	t.Helper()
	memory := handlers.NewMemory()
	memory.Assign(0, time.Time{})
	h := &handlers.Check{
		Providers: only(p), Memory: memory, Events: handlers.Events{Source: "/test"}, Random: func() float64 { return 0 }, Timeout: time.Second,
		Schedule: func(string, string) watch.Schedule {
			rhythm := watch.Rhythm{Every: time.Second, Deadline: time.Minute}
			backoff := watch.Backoff{Initial: time.Second, Max: time.Second, Limit: 1}
			return watch.Schedule{Open: rhythm, Authorized: rhythm, Refund: rhythm, Unavailable: backoff, Unreadable: backoff}
		},
		Log: slog.New(slog.DiscardHandler),
	}
	var result handlers.Result
	for _, c := range checks {
		value, err := c.Encode()
		require.NoError(t, err)
		result = handle(t, h.Handle, handlers.Message{Topic: "paystatus.checks", Key: []byte(c.PaymentID), Value: value})
		if result.Done != nil {
			result.Done()
		}
	}
	return result
}

// asks is the check that an initiated event of a payment asks for.
func asks(payment string, amount int64) watch.Check {
	origin := &watch.Origin{Topic: "payments.initiated", Offset: amount, Time: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	e := schemas.Initiated{
		PaymentID: payment, Provider: "liquido", Account: schemas.DefaultAccount, Amount: schemas.Amount{Value: amount, Currency: "COP"},
		InitiatedAt: origin.Time, Capture: schemas.CaptureAutomatic,
	}
	return watch.Check{
		PaymentKey: e.Key(), Kind: watch.KindInitiated, Origin: origin, Cause: schemas.CauseInitiated,
		Context: watch.NewContext(e, schemas.Reference{"idempotency_key": payment}, origin),
	}
}

// to is the test that a specimen is made for.
type to struct{ testing.TB }

// specimens make an input of each kind for a payment and give it to its handler, with the reason of the letter that it must
// become; "" for what goes on.
var specimens = []struct {
	reason watch.Code
	make   func(t to, payment string) handlers.Result
}{
	{"", func(t to, p string) handlers.Result { return intake(t, initiated(p, event(p, "300"))) }},
	{"", func(t to, p string) handlers.Result { return notified(t, saying(schemas.Captured, p), p, "{}") }},
	{"", func(t to, p string) handlers.Result {
		return checked(t, saying(schemas.Captured, ""), asks(p, 300))
	}},
	{handlers.CodeEmpty, func(t to, p string) handlers.Result { return intake(t, initiated(p, "")) }},
	{handlers.CodeInvalidEnvelope, func(t to, p string) handlers.Result { return intake(t, initiated(p, `{"specversion":"1.0"}`)) }},
	{handlers.CodeNotJSON, func(t to, p string) handlers.Result {
		return intake(t, initiated(p, "\x00\xff garbage \x1b[2J"))
	}},
	{handlers.CodeInvalidEvent, func(t to, p string) handlers.Result { return intake(t, initiated(p, event(p, `"300"`))) }},
	{handlers.CodeInvalidReference, func(t to, p string) handlers.Result {
		return intake(t, initiated(p, `{"payment_id":"`+p+`","provider":"liquido","amount":{"value":300,"currency":"COP"},"initiated_at":"2026-01-31T12:00:00Z"}`))
	}},
	{handlers.CodeUnknownProvider, func(t to, p string) handlers.Result { return unserved(t, initiated(p, event(p, "300"))) }},
	{handlers.CodeUnknownAccount, func(t to, p string) handlers.Result {
		return intake(t, initiated(p, `{"account":"brazil",`+event(p, "300")[1:]))
	}},
	{watch.CodeConflictingInitiation, func(t to, p string) handlers.Result {
		return checked(t, saying(schemas.Pending, ""), asks(p, 300), asks(p, 30000))
	}},
	{watch.CodeMismatch, func(t to, p string) handlers.Result {
		return checked(t, failing(providers.Mismatch, providers.CodeOtherAmount), asks(p, 300))
	}},
	{watch.CodeUnreadable, func(t to, p string) handlers.Result {
		return checked(t, failing(providers.Unreadable, providers.CodeNotJSON), asks(p, 300))
	}},
	{watch.CodeNoContext, func(t to, p string) handlers.Result {
		c := asks(p, 300)
		c.Kind, c.Context, c.Origin = watch.KindNotification, nil, nil
		c.Evidence = &watch.Evidence{From: schemas.SourceNotification, Body: []byte(`{"transferStatus": "SETTLED"}`), ReceivedAt: time.Now()}
		return checked(t, saying(schemas.Captured, p), c)
	}},
	{handlers.CodeBadSignature, func(t to, p string) handlers.Result { return notified(t, scripted{forged: true}, p, "{}") }},
	{handlers.CodeNoReference, func(t to, p string) handlers.Result {
		return notified(t, saying(schemas.Captured, ""), p, "{}")
	}},
	{handlers.CodeUnreadableBody, func(t to, p string) handlers.Result {
		return notified(t, failing(providers.Unreadable, providers.CodeNotJSON), p, "<html>")
	}},
	{handlers.CodeInvalidCheck, func(t to, p string) handlers.Result {
		return handle(t, (&handlers.Check{}).Handle, handlers.Message{Topic: "paystatus.checks", Key: []byte(p), Value: []byte("nonsense")})
	}},
	{handlers.CodeInternalError, func(t to, p string) handlers.Result {
		return handlers.Abandon(handlers.NameIntake, initiated(p, event(p, "300")))
	}},
}
