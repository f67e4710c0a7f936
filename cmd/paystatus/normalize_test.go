package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// document is what normalize and query print.
type document struct {
	Outcome    string          `json:"outcome"`
	Data       json.RawMessage `json:"data"`
	Reason     *schemas.Reason `json:"reason"`
	RetryAfter string          `json:"retry_after"`
	change     schemas.Change
}

func readDocument(t *testing.T, r result) document {
	t.Helper()
	require.Zero(t, r.code, r.stderr)
	assert.Empty(t, r.stderr)
	var d document
	require.NoError(t, json.Unmarshal([]byte(oneLine(t, r.stdout)), &d))
	if d.Data != nil {
		require.NoError(t, json.Unmarshal(d.Data, &d.change))
	}
	return d
}

// normalized reads an answer from standard input.
func normalized(t *testing.T, body string, args ...string) document {
	t.Helper()
	return readDocument(t, inProcess(t.Context(), body, append(append([]string{"normalize", "--output", "json"}, args...), "-")...))
}

// sample matches the fixtures that are documents which users of the providers were given.
var sample = regexp.MustCompile(`^(guide_|sample_|document-|documented_)`)

func TestNormalizeReadsEveryFixture(t *testing.T) {
	t.Parallel()
	for _, name := range pipeline.ProviderNames() {
		provider, err := pipeline.Reader(name)
		require.NoError(t, err)
		dir := filepath.Join("..", "..", "providers", name, "testdata")
		samples := 0
		for _, f := range providertest.Fixtures(t, provider, dir) {
			if sample.MatchString(f.Name) {
				samples++
			}
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				testFixture(t, name, filepath.Join(dir, f.Name), f)
			})
		}
		assert.NotZero(t, samples, "%s has samples", name)
	}
}

// testFixture holds the document that the command prints against the one that the provider's own tests want.
func testFixture(t *testing.T, provider, folder string, f providertest.Fixture) {
	t.Helper()
	c := f.Circumstances
	args := []string{"normalize", "--provider", provider, "--output", "json", answerIn(t, folder)}
	if c.From != "" {
		args = append(args, "--from", string(c.From))
	}
	if c.HTTPStatus != 0 {
		args = append(args, "--http-status", strconv.Itoa(c.HTTPStatus))
	}
	if c.Previous != "" {
		args = append(args, "--previous", string(c.Previous))
	}
	for name, value := range c.Header {
		args = append(args, "--header", name+": "+value)
	}
	payment := filepath.Join(folder, "payment.json")
	_, err := os.Stat(payment)
	known := err == nil
	if known {
		args = append(args, "--payment", payment)
	}
	r := inProcess(t.Context(), "", args...)
	d := readDocument(t, r)
	if c.Request == "" || sample.MatchString(f.Name) { // the command is not told by which request an answer came, nor when
		assert.JSONEq(t, withoutTimes(t, string(f.Want)), withoutTimes(t, r.stdout))
	}
	if d.Data == nil {
		return
	}
	raw := d.change.Raw
	require.NotNil(t, raw)
	if !raw.Masked {
		assert.Equal(t, string(f.Body), bodyOf(t, raw), "raw.body is the file byte for byte")
	}
	if known {
		schematest.ValidateChange(t, d.Data)
	} else {
		assert.Contains(t, string(d.Data), `"payment_id":null`)
	}
}

func answerIn(t *testing.T, folder string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "answer.*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func bodyOf(t *testing.T, raw *schemas.Raw) string {
	t.Helper()
	if raw.Encoding != providers.EncodingBase64 {
		return raw.Body
	}
	text, err := base64.StdEncoding.DecodeString(raw.Body)
	require.NoError(t, err)
	return string(text)
}

// withoutTimes takes out of a document when the answer was received.
func withoutTimes(t *testing.T, text string) string {
	t.Helper()
	var d map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	if data, ok := d["data"].(map[string]any); ok {
		delete(data, "observed_at")
		if raw, ok := data["raw"].(map[string]any); ok {
			delete(raw, "received_at")
		}
	}
	out, err := json.Marshal(d)
	require.NoError(t, err)
	return string(out)
}

const captured = `{"id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "Captured", "approved": true, "amount": 4990, "currency": "EUR"}`

func TestNormalizeSaysWhyAnAnswerIsNoStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		args       []string
		want       document
	}{
		{name: "a page in HTML", body: "<html>", want: document{Outcome: "unreadable", Reason: &schemas.Reason{Code: "not_json"}}},
		{name: "nothing", body: "", want: document{Outcome: "unreadable", Reason: &schemas.Reason{Code: "empty"}}},
		{name: "half an answer", body: captured[:40], want: document{Outcome: "unreadable", Reason: &schemas.Reason{Code: "truncated"}}},
		{
			name: "a server error with Retry-After", body: "busy", args: []string{"--http-status", "503", "--header", "Retry-After: 90"},
			want: document{Outcome: "unavailable", Reason: &schemas.Reason{Code: "http_503"}, RetryAfter: "1m30s"},
		},
		{name: "not found", args: []string{"--http-status", "404"}, want: document{Outcome: "not_found", Reason: &schemas.Reason{Code: "not_found"}}},
		{name: "refused", args: []string{"--http-status", "401"}, want: document{Outcome: "refused", Reason: &schemas.Reason{Code: "unauthorized"}}},
		{
			name: "a notification of an unknown type", body: `{"id": "evt_1", "type": "issuing_card_created", "data": {}}`,
			args: []string{"--from", "notification"}, want: document{Outcome: "no_status", Reason: &schemas.Reason{Code: "unknown_type"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := normalized(t, tt.body, append([]string{"--provider", "checkout"}, tt.args...)...)
			assert.Equal(t, tt.want.Outcome, got.Outcome)
			require.NotNil(t, got.Reason)
			assert.Equal(t, tt.want.Reason.Code, got.Reason.Code)
			assert.NotEmpty(t, got.Reason.Message)
			assert.Equal(t, tt.want.RetryAfter, got.RetryAfter)
			assert.Nil(t, got.Data)
		})
	}
}

func TestNormalizeHoldsAnAnswerAgainstThePayment(t *testing.T) {
	t.Parallel()
	payment := func(value int) string {
		return file(t, "payment.json", fmt.Sprintf(`{"payment_id": "order-1", "provider": "checkout", "amount": {"value": %d, "currency": "EUR"},
			"initiated_at": "2026-01-31T12:00:00Z", "reference": {"payment_id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}`, value))
	}
	d := normalized(t, captured, "--provider", "checkout", "--payment", payment(4990))
	assert.Equal(t, "observed", d.Outcome)
	assert.Equal(t, "order-1", d.change.PaymentID)
	d = normalized(t, captured, "--provider", "checkout", "--payment", payment(499000))
	assert.Equal(t, "mismatch", d.Outcome)
	assert.Equal(t, "other_amount", d.Reason.Code)

	r := inProcess(t.Context(), captured, "normalize", "--provider", "antom", "--payment", payment(4990), "-")
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stderr, "payment.json: the payment is one of checkout, and --provider is antom")
	r = inProcess(t.Context(), captured, "normalize", "--provider", "checkout", "--payment", file(t, "broken.json", `{"payment_id": 7}`), "-")
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Regexp(t, `broken\.json: payment_id: `, r.stderr)
}

func TestNormalizeShowsAMoveBackwards(t *testing.T) {
	t.Parallel()
	d := normalized(t, captured, "--provider", "checkout", "--previous", "refunded")
	assert.Equal(t, schemas.Status("captured"), d.change.Status)
	require.NotNil(t, d.change.PreviousStatus)
	assert.Equal(t, schemas.Status("refunded"), *d.change.PreviousStatus)
	assert.Contains(t, d.change.Anomalies, schemas.StaleRead)
	d = normalized(t, captured, "--provider", "checkout", "--previous", "authorized")
	assert.NotContains(t, d.change.Anomalies, schemas.StaleRead)
	d = normalized(t, captured, "--provider", "checkout")
	assert.Contains(t, string(d.Data), `"previous_status":null`)
}

func TestNormalizeChecksASignatureOnlyWithItsHeaderAndTheKeys(t *testing.T) {
	t.Parallel()
	config := file(t, "paystatus.yaml", demo.SandboxConfig(demo.Simulators(), "http://127.0.0.1:1"))
	paid := sandbox.Payment{Reference: "order-1", Status: "SETTLED", Script: sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}}}
	const longAgo = 300 * 24 * time.Hour // the age is for those who receive notifications
	body, signature := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", paid, time.Now().Add(-longAgo))
	forged := strings.Replace(string(body), "SETTLED", "FAILED", 1)
	header := "Liquido-Signature: " + signature
	tests := []struct {
		name, body string
		args       []string
		outcome    string
	}{
		{"as it was signed", string(body), []string{"--config", config, "--header", header}, "observed"},
		{"changed afterwards", forged, []string{"--config", config, "--header", header}, "unreadable"},
		{"changed, without the keys", forged, []string{"--header", header}, "observed"},
		{"changed, without the header", forged, []string{"--config", config}, "observed"},
		{"as it was signed, for a named account", string(body), []string{"--config", config, "--header", header, "--account", "default"}, "observed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := normalized(t, tt.body, append([]string{"--provider", "liquido", "--from", "notification"}, tt.args...)...)
			assert.Equal(t, tt.outcome, d.Outcome)
			if tt.outcome == "unreadable" {
				assert.Equal(t, "bad_signature", d.Reason.Code)
			}
		})
	}
	r := inProcess(t.Context(), string(body), "normalize", "--provider", "liquido", "--config", config, "--account", "other", "-")
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stderr, `liquido has no account "other" in the configuration; there are default`)
}

func TestNormalizePrintsForPeople(t *testing.T) {
	t.Parallel()
	r := inProcess(t.Context(), captured, "normalize", "--provider", "checkout", "--previous", "authorized", "-")
	assert.Regexp(t, `(?m)^outcome +observed$`, r.stdout)
	assert.Regexp(t, `(?m)^status +captured \(final\), after authorized$`, r.stdout)
	assert.Regexp(t, `(?m)^requested +49\.90 EUR$`, r.stdout)
	assert.Regexp(t, `(?m)^provider says +approved=true, status=Captured$`, r.stdout)
	r = inProcess(t.Context(), "", "normalize", "--provider", "checkout", "--http-status", "429", "--header", "retry-after: 2", "-")
	assert.Equal(t, "outcome      unavailable\nreason       rate_limited: the provider answered HTTP 429\nretry after  2s\n", r.stdout)
}
