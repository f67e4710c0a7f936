package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// simulated are simulators of the providers and the part of a configuration that fits them.
func simulated(t *testing.T) (server *sandbox.Server, config string) {
	t.Helper()
	return simulatedBehind(t, func(server http.Handler) http.Handler { return server })
}

// simulatedBehind puts something of the test's before the simulators.
func simulatedBehind(t *testing.T, around func(http.Handler) http.Handler) (server *sandbox.Server, config string) {
	t.Helper()
	simulators := demo.Simulators()
	server = sandbox.NewServer(simulators...)
	listener := httptest.NewServer(around(server))
	t.Cleanup(listener.Close)
	return server, demo.SandboxConfig(simulators, listener.URL)
}

// paymentOf is the data of an initiated event about 10.00 EUR, which the simulators assume.
func paymentOf(t *testing.T, id, provider string, reference map[string]string) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"payment_id": id, "provider": provider, "amount": map[string]any{"value": 1000, "currency": "EUR"},
		"initiated_at": "2026-01-31T12:00:00Z", "reference": reference, "method": "card",
	})
	require.NoError(t, err)
	schematest.ValidateInitiated(t, data)
	return data
}

const payA, payB = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", "pay_bbbbbbbbbbbbbbbbbbbbbbbbbb"

func TestQueryAsksEachProviderOnce(t *testing.T) {
	t.Parallel()
	server, providers := simulated(t)
	config := file(t, "paystatus.yaml", providers)
	tests := []struct {
		provider, scripted string
		reference          map[string]string
		says               string
		want               schemas.Status
	}{
		{"checkout", payA, map[string]string{"payment_id": payA}, "Captured", "captured"},
		{"antom", "request-1", map[string]string{"payment_request_id": "request-1"}, "SUCCESS", "authorized"},
		{"worldpay", "transaction-1", map[string]string{"transaction_reference": "transaction-1"}, "Sent for Settlement", "capture_pending"},
		{"liquido", "key-1", map[string]string{"idempotency_key": "key-1"}, "SETTLED", "captured"},
	}
	for _, tt := range tests {
		t.Run(tt.provider, func(t *testing.T) {
			t.Parallel()
			payment := paymentOf(t, "order-1", tt.provider, tt.reference)
			ask := func(output string) result {
				return inProcess(t.Context(), string(payment), "query", "--payment", "-", "--config", config, "--output", output)
			}
			assert.Equal(t, "not_found", readDocument(t, ask("json")).Outcome)
			require.NoError(t, server.Store(tt.provider).Put(tt.scripted, sandbox.Script{Steps: []sandbox.Step{{Status: tt.says}}}))
			d := readDocument(t, ask("json"))
			assert.Equal(t, "observed", d.Outcome)
			assert.Equal(t, tt.want, d.change.Status)
			assert.Equal(t, "order-1", d.change.PaymentID)
			schematest.ValidateChange(t, d.Data)
			assert.Regexp(t, `(?m)^status +`+string(tt.want), ask("text").stdout)
			assert.Equal(t, 2, server.Store(tt.provider).Answers(tt.scripted), "one check is one question")
		})
	}
}

func TestQueryPrintsWhatAnAnswerComesTo(t *testing.T) {
	t.Parallel()
	server, providers := simulated(t)
	config := file(t, "paystatus.yaml", providers)
	tests := []struct {
		name          string
		step          sandbox.Step
		outcome, code string
		retryAfter    string
	}{
		{"throttled", sandbox.Step{Fault: sandbox.Fault429, RetryAfter: "7"}, "unavailable", "rate_limited", "7s"},
		{"an error page", sandbox.Step{Fault: sandbox.FaultHTML}, "unreadable", "not_json", ""},
		{"another payment", sandbox.Step{Status: "Captured", Fault: sandbox.FaultWrongPayment}, "mismatch", "other_payment", ""},
		{"refused", sandbox.Step{Fault: sandbox.Fault403}, "refused", "forbidden", ""},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id := payA[:29] + string(rune('c'+i))
			require.NoError(t, server.Store("checkout").Put(id, sandbox.Script{Steps: []sandbox.Step{tt.step}}))
			payment := paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": id})
			d := readDocument(t, inProcess(t.Context(), string(payment), "query", "--payment", "-", "-c", config, "-o", "json"))
			assert.Equal(t, tt.outcome, d.Outcome)
			assert.Equal(t, tt.code, d.Reason.Code)
			assert.Equal(t, tt.retryAfter, d.RetryAfter)
		})
	}
}

func TestQueryNeedsTheProviderAndTheAccount(t *testing.T) {
	t.Parallel()
	_, providers := simulated(t)
	payment := string(paymentOf(t, "order-1", "checkout", map[string]string{"payment_id": payA}))
	tests := []struct{ name, payment, config, says string }{
		{"no configuration", payment, "", "provider checkout is not configured: add it below providers"},
		{
			"another account", strings.Replace(payment, `{`, `{"account": "shop-2", `, 1), providers,
			`checkout has no account "shop-2" in the configuration; there are abc, default, oauth`,
		},
		{"no payment", `{"payment_id": "order-1"}`, providers, "standard input: "},
		{"an id of another form", strings.Replace(payment, payA, "pay_1", 1), providers, "standard input: reference.payment_id: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := inProcess(t.Context(), tt.payment, "query", "--payment", "-", "--config", file(t, "paystatus.yaml", tt.config))
			assert.Equal(t, cli.ExitFailed, r.code)
			assert.Empty(t, r.stdout)
			assert.Contains(t, r.stderr, tt.says)
		})
	}
}
