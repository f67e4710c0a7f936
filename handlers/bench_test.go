package handlers_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// settled answers every question about a charge with one that is settled, and gives tokens.
type settled struct{ pieces [][]byte } // between which the reference stands

func (s settled) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte(`{"access_token":"bench","expires_in":3600,"token_type":"Bearer"}`)
	if r.Method == http.MethodGet {
		body = bytes.Join(s.pieces, []byte(r.URL.Path[len("/v1/payments/charges/"):]))
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

// BenchmarkPayment is what the handlers do for a payment that is settled when it is first asked about, without Kafka and HTTP.
func BenchmarkPayment(b *testing.B) {
	const mark = "REFERENCE"
	charge := sandbox.LiquidoCharge(sandbox.Payment{
		Reference: mark, Status: "SETTLED", Created: time.Now(), Since: time.Now(),
		Script: sandbox.Script{Amount: sandbox.Amount{Value: 4200, Currency: "COP"}},
	})
	settings, ok := liquido.Definition.Settings().(*liquido.Settings)
	require.True(b, ok)
	settings.BaseURL, settings.TokenURL = "http://127.0.0.1", "http://127.0.0.1/token"
	settings.Rate, settings.Accounts = 0, map[string]liquido.Account{"default": {ClientID: "x", ClientSecret: "x", APIKey: "x"}}
	provider, err := liquido.Definition.New(settings, providers.Options{RoundTripper: settled{bytes.Split(charge, []byte(mark))}})
	require.NoError(b, err)
	all := map[string]providers.Provider{"liquido": provider}
	intake := &handlers.Intake{Providers: all}
	check := &handlers.Check{
		Providers: all, Memory: handlers.NewMemory(), Events: handlers.Events{Source: "/paystatus"}, Random: rand.Float64, Timeout: time.Minute,
		Refusals: &providers.Refusals{}, Log: slog.New(slog.DiscardHandler),
		Schedule: func(string, string) watch.Schedule { return watch.Schedule{} },
	}
	check.Memory.Assign(0, time.Now())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		value := fmt.Appendf(nil, `{"payment_id":"p-%08d","provider":"liquido","method":"CARD","initiated_at":"2026-01-31T12:00:00Z",`+
			`"amount":{"value":4200,"currency":"COP"},"reference":{"idempotency_key":"p-%08d.0"}}`, i, i)
		asked, err := intake.Handle(b.Context(), handlers.Message{Topic: "t", Offset: int64(i), Time: time.Now(), Key: []byte("p"), Value: value})
		require.NoError(b, err)
		require.Equal(b, handlers.ToChecks, asked.Out[0].To)
		told, err := check.Handle(b.Context(), handlers.Message{Topic: "c", Offset: int64(i), Value: asked.Out[0].Value})
		require.NoError(b, err)
		require.Equal(b, handlers.ToStatusChanged, told.Out[0].To)
		told.Done()
	}
}
