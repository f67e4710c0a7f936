package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers/sandbox"
)

const (
	antomPath        = "/ams/api/v1/payments/inquiryPayment"
	antomSandboxPath = "/ams/sandbox/api/v1/payments/inquiryPayment"
)

// antomSimulator is one for all tests: its keys take a while.
var antomSimulator = sync.OnceValue(sandbox.Antom)

// antomWorld is the simulator with one payment, and a merchant who has its configuration.
type antomWorld struct {
	handler  http.Handler
	client   string
	merchant *rsa.PrivateKey
	gateway  *rsa.PublicKey
}

func openAntom(t *testing.T, steps ...sandbox.Step) *antomWorld {
	t.Helper()
	store := sandbox.NewStore()
	script := sandbox.Script{Amount: sandbox.Amount{Value: 8000, Currency: "EUR"}, Aliases: []string{"2024"}, Steps: steps}
	require.NoError(t, store.Put("PAY_1", script))
	var config map[string]struct {
		BaseURL  string `yaml:"base_url"`
		Accounts map[string]struct {
			ClientID   string `yaml:"client_id"`
			PrivateKey string `yaml:"private_key"`
			PublicKey  string `yaml:"antom_public_key"`
		} `yaml:"accounts"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(antomSimulator().Config("http://127.0.0.1:8090/antom")), &config))
	assert.Equal(t, "http://127.0.0.1:8090/antom", config["antom"].BaseURL)
	account := config["antom"].Accounts["default"]
	private, err := base64.StdEncoding.DecodeString(account.PrivateKey)
	require.NoError(t, err)
	public, err := base64.StdEncoding.DecodeString(account.PublicKey)
	require.NoError(t, err)
	merchant, err := x509.ParsePKCS8PrivateKey(private)
	require.NoError(t, err)
	gateway, err := x509.ParsePKIXPublicKey(public)
	require.NoError(t, err)
	return &antomWorld{antomSimulator().Handler(store), account.ClientID, merchant.(*rsa.PrivateKey), gateway.(*rsa.PublicKey)}
}

func antomText(path, client, at, body string) []byte {
	sum := sha256.Sum256([]byte("POST " + path + "\n" + client + "." + at + "." + body))
	return sum[:]
}

// request is a signed inquiry.
func (w *antomWorld) request(t *testing.T, path, body string) *http.Request {
	t.Helper()
	at := strconv.FormatInt(time.Now().UnixMilli(), 10)
	signature, err := rsa.SignPKCS1v15(nil, w.merchant, crypto.SHA256, antomText(path, w.client, at, body))
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Client-Id", w.client)
	r.Header.Set("Request-Time", at)
	r.Header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
	return r
}

type antomAnswer struct {
	header http.Header
	text   string
	fields map[string]any
}

func (w *antomWorld) ask(t *testing.T, r *http.Request) antomAnswer {
	t.Helper()
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	require.Equal(t, http.StatusOK, recorder.Code)
	a := antomAnswer{header: recorder.Header(), text: recorder.Body.String()}
	require.NoError(t, json.Unmarshal([]byte(a.text), &a.fields))
	return a
}

func (w *antomWorld) inquire(t *testing.T) antomAnswer {
	t.Helper()
	return w.ask(t, w.request(t, antomSandboxPath, `{"paymentRequestId":"PAY_1"}`))
}

// verify holds an answer against its signature.
func (w *antomWorld) verify(t *testing.T, path string, a antomAnswer) error {
	t.Helper()
	escaped, found := strings.CutPrefix(a.header.Get("Signature"), "algorithm=RSA256,keyVersion=1,signature=")
	require.True(t, found, a.header)
	text, err := url.QueryUnescape(escaped)
	require.NoError(t, err)
	signature, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	_, err = time.Parse(time.RFC3339, a.header.Get("Response-Time"))
	require.NoError(t, err)
	return rsa.VerifyPKCS1v15(w.gateway, crypto.SHA256, antomText(path, w.client, a.header.Get("Response-Time"), a.text), signature)
}

func (a antomAnswer) result() string {
	result := a.fields["result"].(map[string]any)
	return result["resultStatus"].(string) + " " + result["resultCode"].(string)
}

func TestAntomSignsEveryAnswer(t *testing.T) {
	t.Parallel()
	w := openAntom(t, sandbox.Step{Status: "SUCCESS"})
	for _, path := range []string{antomPath, antomSandboxPath} {
		a := w.ask(t, w.request(t, path, `{"paymentRequestId":"PAY_1"}`))
		assert.Equal(t, "S SUCCESS", a.result())
		require.NoError(t, w.verify(t, path, a))
	}
	a := w.ask(t, w.request(t, antomPath, `{"paymentRequestId":"PAY_2"}`))
	assert.Equal(t, "F ORDER_NOT_EXIST", a.result())
	require.NoError(t, w.verify(t, antomPath, a), "also what it refuses")
}

func TestAntomLooksAtRequestsInTheGatewaysOrder(t *testing.T) {
	t.Parallel()
	w := openAntom(t, sandbox.Step{Status: "SUCCESS"})
	const body = `{"paymentRequestId":"PAY_1"}`
	for name, tc := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"another path":             {func(r *http.Request) { r.URL.Path = "/ams/api/v1/payments/pay" }, "F NO_INTERFACE_DEF"},
		"another method":           {func(r *http.Request) { r.Method = http.MethodGet }, "F METHOD_NOT_SUPPORTED"},
		"another content type":     {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "F MEDIA_TYPE_NOT_ACCEPTABLE"},
		"no signature":             {func(r *http.Request) { r.Header.Del("Signature") }, "F PARAM_ILLEGAL"},
		"a signature without form": {func(r *http.Request) { r.Header.Set("Signature", "x") }, "F PARAM_ILLEGAL"},
		"no client":                {func(r *http.Request) { r.Header.Del("Client-Id") }, "F PARAM_ILLEGAL"},
		"nanoseconds":              {func(r *http.Request) { r.Header.Set("Request-Time", r.Header.Get("Request-Time")+"000000") }, "F PARAM_ILLEGAL"},
		"another client":           {func(r *http.Request) { r.Header.Set("Client-Id", "SANDBOX_X") }, "F INVALID_CLIENT"},
		"another key version": {func(r *http.Request) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "keyVersion=1", "keyVersion=2", 1))
		}, "F KEY_NOT_FOUND"},
		"another time":    {func(r *http.Request) { r.Header.Set("Request-Time", "1685599933871") }, "F INVALID_SIGNATURE"},
		"the other path":  {func(r *http.Request) { r.URL.Path = antomSandboxPath }, "F INVALID_SIGNATURE"},
		"a changed body":  {func(r *http.Request) { r.Body = io.NopCloser(bytes.NewBufferString(body + " ")) }, "F INVALID_SIGNATURE"},
		"nothing changed": {func(*http.Request) {}, "S SUCCESS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := w.request(t, antomPath, body)
			tc.change(r)
			assert.Equal(t, tc.want, w.ask(t, r).result())
		})
	}
	for _, unusable := range []string{`{}`, `[]`, `x`} {
		assert.Equal(t, "F PARAM_ILLEGAL", w.ask(t, w.request(t, antomPath, unusable)).result(), unusable)
	}
}

func TestAntomFindsPaymentsByEitherID(t *testing.T) {
	t.Parallel()
	w := openAntom(t, sandbox.Step{Status: "SUCCESS"})
	for body, want := range map[string]string{
		`{"paymentId":"2024"}`:                             "S SUCCESS",
		`{"paymentId":"2025"}`:                             "F ORDER_NOT_EXIST",
		`{"paymentId":"2025","paymentRequestId":"PAY_1"}`:  "F ORDER_NOT_EXIST", // paymentId wins
		`{"paymentId":"2024","paymentRequestId":"PAY_99"}`: "S SUCCESS",
	} {
		a := w.ask(t, w.request(t, antomPath, body))
		assert.Equal(t, want, a.result(), body)
		if want == "S SUCCESS" {
			assert.Equal(t, "PAY_1", a.fields["paymentRequestId"])
			assert.Equal(t, "2024", a.fields["paymentId"])
		}
	}
}

func TestAntomFollowsTheScript(t *testing.T) {
	t.Parallel()
	w := openAntom(
		t, sandbox.Step{Status: "not_found"}, sandbox.Step{Status: "PROCESSING"}, sandbox.Step{Status: "SUCCESS"},
		sandbox.Step{Status: "SUCCESS CAPTURE REFUND"}, sandbox.Step{Status: "FAIL DO_NOT_HONOR"}, sandbox.Step{Status: "CANCELLED VOID"},
		sandbox.Step{Status: "FAIL", Fields: map[string]any{"paymentResultCode": "RISK_REJECT"}},
	)
	assert.Equal(t, "F ORDER_NOT_EXIST", w.inquire(t).result())

	processing := w.inquire(t).fields
	assert.Equal(t, "PROCESSING", processing["paymentStatus"])
	assert.Equal(t, "PAYMENT_IN_PROCESS", processing["paymentResultCode"])
	assert.NotEmpty(t, processing["redirectActionForm"].(map[string]any)["redirectUrl"])

	success := w.inquire(t).fields
	assert.Equal(t, map[string]any{"currency": "EUR", "value": "8000"}, success["paymentAmount"])
	assert.Equal(t, "CARD", success["paymentMethodType"])
	assert.Empty(t, success["transactions"])
	assert.NotEmpty(t, success["authExpiryTime"])

	rows := w.inquire(t).fields["transactions"].([]any)
	require.Len(t, rows, 2)
	for i, kind := range []string{"CAPTURE", "REFUND"} {
		row := rows[i].(map[string]any)
		assert.Equal(t, kind, row["transactionType"])
		assert.Equal(t, "SUCCESS", row["transactionStatus"])
		assert.Equal(t, map[string]any{"currency": "EUR", "value": "8000"}, row["transactionAmount"])
	}

	assert.Equal(t, "DO_NOT_HONOR", w.inquire(t).fields["paymentResultCode"])
	assert.Len(t, w.inquire(t).fields["transactions"], 1)
	assert.Equal(t, "RISK_REJECT", w.inquire(t).fields["paymentResultCode"], "fields of a step replace those of the answer")
}

func TestAntomMisbehavesAsTheScriptSays(t *testing.T) {
	t.Parallel()
	step := func(fault string) sandbox.Step { return sandbox.Step{Status: "SUCCESS", Fault: fault} }
	w := openAntom(t, step(sandbox.FaultBadSignature), step(sandbox.FaultNoSignature), step(sandbox.FaultWrongPayment), step(sandbox.FaultWrongAmount),
		step(sandbox.FaultUnknownStatus))

	require.Error(t, w.verify(t, antomSandboxPath, w.inquire(t)))
	assert.Empty(t, w.inquire(t).header.Get("Signature"))
	foreign := w.inquire(t)
	assert.NotEqual(t, "PAY_1", foreign.fields["paymentRequestId"])
	assert.NotEqual(t, "2024", foreign.fields["paymentId"])
	require.NoError(t, w.verify(t, antomSandboxPath, foreign), "a wrong answer is signed, too")
	assert.Equal(t, map[string]any{"currency": "EUR", "value": "8001"}, w.inquire(t).fields["paymentAmount"])
	assert.Equal(t, "XYLOGRAPHED", w.inquire(t).fields["paymentStatus"])
}
