package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
)

func TestNotifyListsTheTypesOfNotifications(t *testing.T) {
	t.Parallel()
	r := inProcess(t.Context(), "", "notify", "--list")
	require.Zero(t, r.code, r.stderr)
	for _, line := range []string{
		"checkout\tpayment_captured\n", "antom\tDISPUTE_JUDGED ACCEPT_BY_MERCHANT\n", "worldpay\tsentForSettlement\n", "liquido\tCHARGE_FAILED EXPIRED\n",
	} {
		assert.Contains(t, r.stdout, line)
	}
	r = inProcess(t.Context(), "", "notify", "--list", "--provider", "liquido", "--output", "json")
	require.Zero(t, r.code, r.stderr)
	var listed struct {
		Provider string   `json:"provider"`
		Types    []string `json:"types"`
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &listed), "one line: %s", r.stdout)
	assert.Equal(t, "liquido", listed.Provider)
	assert.Contains(t, listed.Types, "CHARGE_SUCCEEDED")
}

func TestNotifySendsWhatAProviderWouldAndSaysWhatWasAnswered(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Header.Get("Liquido-Signature") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		got <- r
		bodies <- string(body)
		_, _ = io.WriteString(w, "taken")
	}))
	t.Cleanup(endpoint.Close)
	payment := filepath.Join(t.TempDir(), "payment.json")
	require.NoError(t, os.WriteFile(payment, []byte(`{"payment_id":"order-9","provider":"liquido","amount":{"value":700,"currency":"COP"},
		"initiated_at":"2026-01-31T12:00:00Z","reference":{"idempotency_key":"key-9"}}`), 0o600))

	args := []string{"notify", "--provider", "liquido", "--type", "CHARGE_SUCCEEDED", "--to", endpoint.URL, "--payment", payment}
	r := inProcess(t.Context(), "", append(args, "--output", "json")...)
	require.Zero(t, r.code, r.stderr)
	assert.Contains(t, r.stdout, `"http_status":200`)
	assert.Contains(t, r.stdout, `"body":"taken"`)
	assert.Equal(t, "/notifications/liquido/default", (<-got).URL.Path)
	body := <-bodies
	assert.Contains(t, body, `"idempotencyKey":"key-9"`)
	assert.Contains(t, body, `"amount":700`)

	r = inProcess(t.Context(), "", append(args, "--fault", "no_signature")...)
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stdout, "401 Unauthorized after ")
	assert.Contains(t, r.stderr, "the notification was not acknowledged: 401 Unauthorized")

	r = inProcess(t.Context(), "", append(args, "--print")...)
	require.Zero(t, r.code, r.stderr)
	assert.True(t, strings.HasPrefix(r.stdout, "POST "+endpoint.URL+"/notifications/liquido/default\n"), r.stdout)
	assert.Empty(t, got, "nothing was sent")
}

func TestNotifyKnowsWhatItNeeds(t *testing.T) {
	t.Parallel()
	payment := filepath.Join(t.TempDir(), "payment.json")
	require.NoError(t, os.WriteFile(payment, []byte(`{"payment_id":"order-9","provider":"liquido","amount":{"value":700,"currency":"COP"},
		"initiated_at":"2026-01-31T12:00:00Z","reference":{"idempotency_key":"key-9"}}`), 0o600))
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"":                                  {cli.ExitMisuse, "--provider is missing"},
		"--provider paypal":                 {cli.ExitMisuse, `--provider is checkout, antom, worldpay or liquido, not "paypal"`},
		"--provider liquido --type PAINTED": {cli.ExitMisuse, "--type must be one of what --list names"},
		"--provider liquido --type CHARGE_FAILED":                                               {cli.ExitMisuse, "--to is missing"},
		"--provider liquido --type CHARGE_FAILED --to http://127.0.0.1:1 --fault 503":           {cli.ExitMisuse, "--fault is bad_signature or no_signature"},
		"--provider checkout --type payment_paid --to http://127.0.0.1:1 --payment " + payment:  {cli.ExitMisuse, "is one at liquido, not checkout"},
		"--provider antom --type PAYMENT_RESULT --to http://127.0.0.1:1":                        {cli.ExitFailed, "a key that nobody else has"},
		"--provider antom --type PAYMENT_RESULT --to http://127.0.0.1:1 --key /nowhere/key.pem": {cli.ExitFailed, "--key: open /nowhere/key.pem"},
		"--provider liquido --type CHARGE_FAILED --to http://127.0.0.1:1":                       {cli.ExitFailed, "connection refused"},
	} {
		r := inProcess(t.Context(), "", append([]string{"notify"}, strings.Fields(args)...)...)
		assert.Equal(t, want.code, r.code, args)
		assert.Contains(t, r.stderr, want.says, args)
	}
}
