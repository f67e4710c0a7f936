package notify_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/notify"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

// nobody answers no query.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

// FuzzNotification gives any bytes with any signature to the handler of notifications, as those of each provider. It never panics
// and never fails; a check is only asked for what was signed as it is, to the byte, and for a payment that the notification
// names; whatever cannot go on is a dead letter with the exact bytes.
func FuzzNotification(f *testing.F) {
	c, key := installation(f)
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, settings := range c.Providers {
		settings.Common().Rate = 0
	}
	connected, err := pipeline.Connect(c, nobody{})
	require.NoError(f, err)
	names := pipeline.ProviderNames()
	signatures := map[string]string{"checkout": "cko-signature", "antom": "signature", "worldpay": "event-signature", "liquido": "liquido-signature"}
	for i, name := range names {
		event := &schemas.Initiated{
			PaymentID: "order-1", Provider: name, Account: "shop", Amount: schemas.Amount{Value: 5000, Currency: "EUR"},
			InitiatedAt: at, Reference: references[name],
		}
		for _, kind := range notify.Types(name) {
			r, err := notify.Sample{
				Provider: name, Account: "shop", Type: kind, Payment: event, Config: c, GatewayKey: key, To: "https://shop.example/hooks",
			}.Make(at)
			require.NoError(f, err)
			f.Add(uint8(i), r.Body, r.Header.Get(signatures[name]), r.Header.Get("Authorization"), r.Header.Get("Request-Time"))
		}
	}
	handler := func(trust bool) *handlers.Notification {
		return &handlers.Notification{Providers: connected, TrustProducer: trust, Timeout: time.Second, Log: slog.New(slog.DiscardHandler)}
	}
	strict, trusting := handler(false), handler(true)
	f.Fuzz(func(t *testing.T, provider uint8, body []byte, signature, authorization, requestTime string) {
		name := names[int(provider)%len(names)]
		m := handlers.Message{Topic: "payments.notified", Time: at, Value: body, Headers: []handlers.Header{
			{Key: handlers.HeaderProvider, Value: []byte(name)},
			{Key: handlers.HeaderAccount, Value: []byte("shop")},
			{Key: handlers.HeaderPath, Value: []byte("/hooks")},
			{Key: "http_request-time", Value: []byte(requestTime)},
			{Key: "http_" + signatures[name], Value: []byte(signature)},
			{Key: "http_authorization", Value: []byte(authorization)},
		}}
		if check := decided(t, strict, m); check != nil {
			forged := m
			forged.Value = append(bytes.Clone(body), ' ')
			require.Nil(t, decided(t, strict, forged), "a check for what nobody has signed")
		}
		check := decided(t, trusting, m)
		if check == nil {
			return
		}
		require.True(t, providertest.Names(body, providers.Payment{ID: check.PaymentID}) || bytes.Contains(body, []byte(check.PaymentID)),
			"a check for a payment that the notification does not name")
	})
}

// decided is the check that a handler asks for, if it does.
func decided(t *testing.T, h *handlers.Notification, m handlers.Message) *watch.Check {
	t.Helper()
	result, err := h.Handle(t.Context(), m)
	require.NoError(t, err)
	require.LessOrEqual(t, len(result.Out), 1)
	for _, out := range result.Out {
		if out.To == handlers.ToDeadLetters || out.To == handlers.ToDelay {
			require.True(t, bytes.Equal(m.Value, out.Value), "the exact bytes")
			continue
		}
		require.Equal(t, handlers.ToChecks, out.To)
		check, err := watch.DecodeCheck(out.Value)
		require.NoError(t, err)
		require.Equal(t, check.PaymentID, string(out.Key))
		require.NotEmpty(t, check.PaymentID)
		require.NotNil(t, check.Evidence)
		if masked, changed := providers.MaskCardNumbers(m.Value, []string{check.PaymentID}); !changed {
			require.True(t, bytes.Equal(masked, check.Evidence.Body), "the evidence is the notification")
		}
		return &check
	}
	return nil
}
