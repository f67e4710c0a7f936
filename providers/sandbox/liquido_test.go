package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers/sandbox"
)

// liquidoWorld is the simulated Liquido, asked without a network.
type liquidoWorld struct {
	api     *sandbox.LiquidoAPI
	store   *sandbox.Store
	handler http.Handler
}

func openLiquido(t *testing.T) *liquidoWorld {
	t.Helper()
	w := &liquidoWorld{api: &sandbox.LiquidoAPI{TokenLife: time.Minute}, store: sandbox.NewStore()}
	w.handler = w.api.Handler(w.store)
	require.NoError(t, w.store.Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 500, Currency: "BRL"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	return w
}

func (w *liquidoWorld) serve(r *http.Request) (status int, body map[string]any) {
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	_ = json.Unmarshal(recorder.Body.Bytes(), &body)
	return recorder.Code, body
}

func (w *liquidoWorld) token(t *testing.T, change ...string) (int, map[string]any) {
	t.Helper()
	form := url.Values{"client_id": {"sandbox-liquido-client"}, "client_secret": {"sandbox-liquido-client-secret"}, "grant_type": {"client_credentials"}}
	if len(change) == 2 {
		form.Set(change[0], change[1])
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.serve(r)
}

func (w *liquidoWorld) charge(t *testing.T, key, authorization, apiKey string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/payments/charges/"+url.PathEscape(key), http.NoBody)
	r.Header.Set("Authorization", authorization)
	r.Header.Set("X-Api-Key", apiKey)
	return w.serve(r)
}

func TestLiquidoIssuesTokensForItsClientAlone(t *testing.T) {
	t.Parallel()
	w := openLiquido(t)
	status, body := w.token(t)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "Bearer", body["token_type"])
	assert.InDelta(t, 60, body["expires_in"], 0)
	for _, tc := range [][3]string{
		{"client_secret", "wrong", "invalid_client"}, {"client_id", "wrong", "invalid_client"}, {"grant_type", "password", "unsupported_grant_type"},
	} {
		status, body := w.token(t, tc[0], tc[1])
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Equal(t, map[string]any{"error": tc[2]}, body)
	}
	assert.Equal(t, 4, w.api.TokenRequests())
}

func TestLiquidoChecksTokenAndAPIKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := openLiquido(t)
		_, issued := w.token(t)
		token := issued["access_token"].(string)
		for _, tc := range []struct {
			authorization, apiKey string
			status                int
			message               any
		}{
			{"Bearer " + token, "sandbox-liquido-api-key", http.StatusOK, nil},
			{"bearer " + token, "sandbox-liquido-api-key", http.StatusOK, nil},
			{"Bearer x", "sandbox-liquido-api-key", http.StatusUnauthorized, "Unauthorized"},
			{"", "sandbox-liquido-api-key", http.StatusUnauthorized, "Unauthorized"},
			{"Bearer " + token, "", http.StatusForbidden, "Forbidden"},
			{"Bearer " + token, "x", http.StatusForbidden, "Forbidden"},
		} {
			status, body := w.charge(t, "order-1", tc.authorization, tc.apiKey)
			assert.Equal(t, tc.status, status)
			assert.Equal(t, tc.message, body["message"])
		}
		time.Sleep(time.Minute)
		status, _ := w.charge(t, "order-1", "Bearer "+token, "sandbox-liquido-api-key")
		assert.Equal(t, http.StatusUnauthorized, status, "the token has ended")

		_, issued = w.token(t)
		w.api.RevokeTokens()
		status, _ = w.charge(t, "order-1", "Bearer "+issued["access_token"].(string), "sandbox-liquido-api-key")
		assert.Equal(t, http.StatusUnauthorized, status, "the token was revoked")
	})
}

func TestLiquidoAnswersAChargeOrThatItKnowsNone(t *testing.T) {
	t.Parallel()
	w := openLiquido(t)
	_, issued := w.token(t)
	authorization := "Bearer " + issued["access_token"].(string)
	status, body := w.charge(t, "order-1", authorization, "sandbox-liquido-api-key")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "order-1", body["idempotencyKey"])
	assert.Equal(t, "SETTLED", body["transferStatus"])
	assert.Equal(t, "BR", body["country"])

	status, body = w.charge(t, "order-2", authorization, "sandbox-liquido-api-key")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "Not Found", body["error"])

	status, body = w.serve(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/other", http.NoBody))
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, "Missing Authentication Token", body["message"])
}

func TestLiquidoChargesFollowTheScript(t *testing.T) {
	t.Parallel()
	read := func(p sandbox.Payment) map[string]any {
		var body map[string]any
		require.NoError(t, json.Unmarshal(sandbox.LiquidoCharge(p), &body))
		return body
	}
	p := sandbox.Payment{
		Reference: "order-1", Status: "IN_PROGRESS", Script: sandbox.Script{Amount: sandbox.Amount{Value: 500, Currency: "BRL"}, Method: "BOLETO"},
	}
	assert.Contains(t, read(p)["transferDetails"], "boleto")
	assert.Nil(t, read(p)["finalStatusTime"])

	for fault, field := range map[string]string{
		sandbox.FaultWrongPayment: "idempotencyKey", sandbox.FaultWrongAmount: "amount", sandbox.FaultUnknownStatus: "transferStatus",
	} {
		wrong := p
		wrong.Step.Fault = fault
		assert.NotEqual(t, read(p)[field], read(wrong)[field], fault)
	}

	p.Step.Fields = map[string]any{"transferStatusCode": "200", "extra": 1}
	assert.Equal(t, "200", read(p)["transferStatusCode"])
	assert.Contains(t, read(p), "extra")

	p.Script.Method, p.Step.Fields = "CREDIT_CARD", map[string]any{"expirationMonth": "06"}
	assert.True(t, bytes.Contains(sandbox.LiquidoCharge(p), []byte(`"expirationMonth":06,`)), "as the documentation shows it")
}
