package renormalize_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/renormalize"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

// answering is a provider whose answers are given; its mapping is the provider's own.
type answering struct {
	providers.Provider

	pages []providers.Page
}

func (a *answering) Ask(context.Context, providers.Payment) (providers.Answer, error) {
	return providers.Answer{From: schemas.SourceQuery, Pages: a.pages}, nil
}

func (*answering) Verify(providers.Answer, string, bool) error { return nil }

// remapped is a provider whose mapping was changed.
type remapped struct {
	providers.Provider

	change func(*providers.Outcome)
}

func (r remapped) Read(a providers.Answer, p providers.Payment) providers.Outcome {
	o := r.Provider.Read(a, p)
	r.change(&o)
	return o
}

// instead maps one status to another.
func instead(from, to schemas.Status) func(*providers.Outcome) {
	return func(o *providers.Outcome) {
		if o.Observation != nil && o.Observation.Status == from {
			o.Observation.Status, o.Observation.Final = to, to.Final()
		}
	}
}

func provider(t testing.TB, name string) providers.Provider {
	t.Helper()
	p, err := pipeline.Reader(name)
	require.NoError(t, err)
	return p
}

func page(body []byte) providers.Page {
	return providers.Page{
		HTTPStatus: http.StatusOK, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: body, ReceivedAt: time.Now(),
	}
}

var schedule = watch.Schedule{
	Open: watch.Rhythm{Every: time.Minute, Deadline: time.Hour}, Authorized: watch.Rhythm{Every: time.Minute, Deadline: time.Hour},
	Refund: watch.Rhythm{Every: time.Minute, Deadline: time.Hour}, ReferenceWindow: time.Hour, Recheck: time.Minute,
}

func schedules(string, string) watch.Schedule { return schedule }

// payment is what the merchant said.
func payment(id, at string, amount schemas.Amount, reference schemas.Reference) schemas.Initiated {
	return schemas.Initiated{
		PaymentID: id, Provider: at, Account: schemas.DefaultAccount, Amount: amount, Capture: schemas.CaptureAutomatic,
		InitiatedAt: time.Now().Add(-time.Minute), Reference: reference,
	}
}

// said is what the check handler says about a payment when the provider answers so, one after the other.
func said(t testing.TB, p schemas.Initiated, at providers.Provider, answers ...[]providers.Page) []handlers.Message {
	t.Helper()
	asked := &answering{Provider: at}
	h := &handlers.Check{
		Providers: map[string]providers.Provider{at.Name(): asked}, Memory: handlers.NewMemory(), Random: func() float64 { return 0 },
		Timeout: time.Minute, Log: slog.New(slog.DiscardHandler), Events: handlers.Events{Source: "/paystatus"}, Schedule: schedules,
	}
	h.Memory.Assign(0, time.Time{})
	key := schemas.PaymentKey{Provider: p.Provider, Account: p.Account, PaymentID: p.PaymentID}
	origin := &watch.Origin{Topic: "payments.initiated", Time: p.InitiatedAt}
	value, err := watch.Check{
		PaymentKey: key, Kind: watch.KindInitiated, Origin: origin, Context: watch.NewContext(p, p.Reference, origin), Cause: schemas.CauseInitiated,
	}.Encode()
	require.NoError(t, err)
	var all []handlers.Message
	for _, pages := range answers {
		asked.pages = pages
		result, err := h.Handle(t.Context(), handlers.Message{Value: value, Key: []byte(p.PaymentID)})
		require.NoError(t, err)
		result.Done()
		for _, out := range result.Out {
			switch out.To {
			case handlers.ToStatusChanged:
				all = append(all, handlers.Message{
					Topic: "payments.status_changed", Offset: int64(len(all)), Time: time.Now(), Key: out.Key, Value: out.Value, Headers: out.Headers,
				})
			case handlers.ToDelay:
				value = out.Value
			default:
			}
		}
	}
	return all
}

func reader(t testing.TB, p providers.Provider) *renormalize.Reader {
	t.Helper()
	return &renormalize.Reader{Providers: map[string]providers.Provider{p.Name(): p}, Schedule: schedules, Now: time.Now()}
}

// liquido is an answer about a payment of 300 COP.
func liquido(id, status string) []providers.Page {
	body := map[string]any{
		"idempotencyKey": id, "transferStatus": status, "transferStatusCode": 200, "amount": 300, "currency": "COP", "referenceId": id,
		"paymentMethod": "PSE", "description": "an order of several things, to be paid by the customer's bank, as these go",
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return []providers.Page{page(text)}
}

func pesos(id string) schemas.Initiated {
	return payment(id, "liquido", schemas.Amount{Value: 300, Currency: "COP"}, schemas.Reference{"idempotency_key": id})
}

// slice is a source in memory.
type slice []handlers.Message

func (s slice) Walk(_ context.Context, fn func(handlers.Message, bool) error) error {
	for _, m := range s {
		if err := fn(m, true); err != nil {
			return err
		}
	}
	return nil
}

func order(n int) string { return fmt.Sprintf("order-%d", n) }

// corpus are events of one provider, as many of its answers as are read again as they were.
func corpus(t testing.TB, name string) []handlers.Message {
	t.Helper()
	at := provider(t, name)
	var all []handlers.Message
	for _, f := range providertest.Fixtures(t, at, filepath.Join("..", "..", "providers", name, "testdata")) {
		for _, m := range fixture(t, at, f) {
			if e, err := renormalize.ReadEvent(m); err == nil && reader(t, at).Read(e).Finding == renormalize.Same {
				all = append(all, m)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

func (u unasked) Walk(_ context.Context, fn func(handlers.Message, bool) error) error {
	for i, m := range u.slice {
		if err := fn(m, i == 0); err != nil {
			return err
		}
	}
	return nil
}
