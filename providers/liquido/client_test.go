package liquido_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// newAsker makes the provider from the configuration that fits a simulator at baseURL.
func newAsker(t *testing.T, simulator sandbox.Simulator, baseURL string) providers.Provider {
	t.Helper()
	var sections map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(simulator.Config(baseURL)), &sections))
	section := sections["liquido"]
	settings := liquido.Definition.Settings()
	require.NoError(t, section.Decode(settings))
	require.Empty(t, settings.Validate())
	provider, err := liquido.Definition.New(settings, providers.Options{})
	require.NoError(t, err)
	return provider
}

// world is a simulator on loopback and the provider that asks it.
type world struct {
	api      *sandbox.LiquidoAPI
	store    *sandbox.Store
	provider providers.Provider
	asked    chan *http.Request // every request
}

func open(t *testing.T, api *sandbox.LiquidoAPI) *world {
	t.Helper()
	w := &world{api: api, asked: make(chan *http.Request, 100)}
	server := sandbox.NewServer(api)
	w.store = server.Store("liquido")
	listener := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked <- r.Clone(t.Context())
		server.ServeHTTP(rw, r)
	}))
	t.Cleanup(listener.Close)
	w.provider = newAsker(t, api, listener.URL+"/liquido")
	return w
}

func (w *world) script(t *testing.T, key string, steps ...sandbox.Step) {
	t.Helper()
	require.NoError(t, w.store.Put(key, sandbox.Script{Amount: sandbox.Amount{Value: 30000, Currency: "COP"}, Steps: steps}))
}

func (w *world) check(t *testing.T, key string) providers.Outcome {
	t.Helper()
	event := initiated()
	event.Reference = schemas.Reference{"idempotency_key": key}
	_, o, err := providers.Check(t.Context(), w.provider, paymentOf(t, event))
	require.NoError(t, err)
	return o
}

func TestAChargeIsAskedByItsKeyWithTokenAndAPIKey(t *testing.T) {
	t.Parallel()
	const key = "año/2026 a%b?c#d"
	w := open(t, &sandbox.LiquidoAPI{})
	w.script(t, key, sandbox.Step{Status: "SETTLED"})
	assert.Equal(t, schemas.Captured, observed(t, w.check(t, key)).Status)

	token := <-w.asked
	assert.Equal(t, "POST /liquido/oauth2/token", token.Method+" "+token.URL.Path)
	assert.Equal(t, "application/x-www-form-urlencoded", token.Header.Get("Content-Type"))
	assert.Empty(t, token.Header.Get("Authorization"), "the credentials stand in the body")
	charge := <-w.asked
	assert.Equal(t, "GET", charge.Method)
	assert.Equal(t, "/liquido/v1/payments/charges/a%C3%B1o%2F2026%20a%25b%3Fc%23d", charge.URL.EscapedPath())
	assert.Empty(t, charge.URL.RawQuery)
	assert.Regexp(t, "^Bearer .+", charge.Header.Get("Authorization"))
	assert.Equal(t, "sandbox-liquido-api-key", charge.Header.Get("X-Api-Key"))
	assert.Equal(t, "application/json", charge.Header.Get("Content-Type"))
}

func TestATokenIsKeptAndRenewedWhenItIsNotAccepted(t *testing.T) {
	t.Parallel()
	w := open(t, &sandbox.LiquidoAPI{})
	w.script(t, "order-7001", sandbox.Step{Status: "IN_PROGRESS", Times: 2}, sandbox.Step{Status: "SETTLED"})
	assert.Equal(t, schemas.Pending, observed(t, w.check(t, "order-7001")).Status)
	assert.Equal(t, schemas.Pending, observed(t, w.check(t, "order-7001")).Status)
	assert.Equal(t, 1, w.api.TokenRequests())

	w.api.RevokeTokens()
	assert.Equal(t, schemas.Captured, observed(t, w.check(t, "order-7001")).Status, "asked once more with a fresh token")
	assert.Equal(t, 2, w.api.TokenRequests())
}

func TestASecondRefusalOfTheTokenIsTheOutcome(t *testing.T) {
	t.Parallel()
	w := open(t, &sandbox.LiquidoAPI{})
	w.script(t, "order-7001", sandbox.Step{Status: "SETTLED", Fault: sandbox.Fault401, Times: 10})
	o := w.check(t, "order-7001")
	assert.Equal(t, providers.Refused, o.Kind)
	assert.Equal(t, providers.CodeUnauthorized, o.Code)
	assert.Len(t, w.asked, 4, "two tokens, two questions")
}

func TestAnAccountThatIsNotConfiguredIsRefusedWithoutARequest(t *testing.T) {
	t.Parallel()
	w := open(t, &sandbox.LiquidoAPI{})
	payment := paymentOf(t, initiated())
	payment.Account = "mexico"
	answer, o, err := providers.Check(t.Context(), w.provider, payment)
	require.NoError(t, err)
	assert.Equal(t, providers.Refused, o.Kind)
	assert.Empty(t, answer.Pages)
	assert.Empty(t, w.asked)
}

func TestAPaymentGoesThroughItsLife(t *testing.T) {
	t.Parallel()
	w := open(t, &sandbox.LiquidoAPI{})
	require.NoError(t, w.store.Put("order-7001", sandbox.Script{
		Amount: sandbox.Amount{Value: 30000, Currency: "COP"}, Method: "PSE",
		Steps: []sandbox.Step{
			{Status: sandbox.StatusNotFound},
			{Status: "INITIAL_STATUS"},
			{Status: "IN_PROGRESS", Fields: map[string]any{"transferDetails": map[string]any{}}},
			{Status: "IN_PROGRESS"},
			{Status: "SETTLED"},
			{Status: "REFUNDING"},
			{Status: "REFUNDED"},
		},
	}))
	assert.Equal(t, providers.NotFound, w.check(t, "order-7001").Kind)
	for _, want := range []schemas.Status{
		schemas.Pending, schemas.Pending, schemas.RequiresAction, schemas.Captured, schemas.RefundPending, schemas.Refunded,
	} {
		assert.Equal(t, want, observed(t, w.check(t, "order-7001")).Status)
	}
}

func TestTheSimulatorCanAnswerAsItsDocumentationDoes(t *testing.T) {
	t.Parallel()
	w := open(t, &sandbox.LiquidoAPI{})
	w.script(t, "order-7001", sandbox.Step{Status: "SETTLED", Fields: map[string]any{"expirationMonth": "06"}})
	obs := observed(t, w.check(t, "order-7001"))
	assert.Equal(t, []schemas.Anomaly{schemas.RepairedJSON}, obs.Anomalies)
	assert.Equal(t, "2031-06", obs.Card.Expiry)
	assert.WithinDuration(t, time.Now(), obs.OccurredAt, time.Minute)
}
