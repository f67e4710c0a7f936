package notify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/notify"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// installation is a configuration with keys of its own, and the private key whose public half it takes for Antom's.
func installation(t testing.TB) (c *config.Config, gatewayKey string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	text := fmt.Sprintf(`
providers:
  checkout: {accounts: {shop: {secret_key: sk_aaaaaaaaaaaaaaaaaaaaaaaaaaa, notifications: {signature_key: k, authorization: agreed}}}}
  antom: {accounts: {shop: {client_id: 5TEST00000000001, private_key: %[1]s, antom_public_key: %[2]s}}}
  worldpay: {accounts: {shop: {username: u, password: p, notifications: {keys: {"3": "00ff", "4": "ff00"}}}}}
  liquido: {accounts: {shop: {client_id: c, client_secret: s, api_key: a}}}
`, base64.StdEncoding.EncodeToString(private), base64.StdEncoding.EncodeToString(public))
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	return c, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// received is a request as the provider's reader gets it.
func received(t *testing.T, r notify.Request) providers.Answer {
	t.Helper()
	u, err := url.Parse(r.URL)
	require.NoError(t, err)
	header := r.Header.Clone()
	header.Set("Paystatus-Path", u.RequestURI())
	return providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{{Header: header, Body: r.Body, ReceivedAt: time.Now()}}}
}

var references = map[string]schemas.Reference{
	"checkout": {"reference": "ref-1", "payment_id": "pay_mbabizu24mvu3mela5njyhpit4"},
	"antom":    {"payment_request_id": "ref-1", "payment_id": "2026"},
	"worldpay": {"transaction_reference": "ref-1", "payment_id": "payAbc"},
	"liquido":  {"idempotency_key": "ref-1"},
}

func TestEverySampleIsSignedWithTheInstallationsKeysAndAboutThePayment(t *testing.T) {
	t.Parallel()
	c, key := installation(t)
	connected, err := pipeline.Connect(c, nil)
	require.NoError(t, err)
	for _, name := range pipeline.ProviderNames() {
		event := &schemas.Initiated{
			PaymentID: "order-1", Provider: name, Account: "shop", Amount: schemas.Amount{Value: 5000, Currency: "EUR"},
			InitiatedAt: time.Now(), Reference: references[name],
		}
		payment := providers.PaymentOf(*event, event.Reference)
		require.NotEmpty(t, notify.Types(name))
		for _, kind := range notify.Types(name) {
			sample := notify.Sample{
				Provider: name, Account: "shop", Type: kind, Payment: event, Config: c, GatewayKey: key, To: "https://shop.example/hooks/x?y=1",
			}
			r, err := sample.Make(time.Now())
			require.NoError(t, err, "%s %s", name, kind)
			assert.Equal(t, sample.To, r.URL)
			answer := received(t, r)
			require.NoError(t, connected[name].Verify(answer, "shop", true), "%s %s", name, kind)
			o := connected[name].Read(answer, payment)
			allowed := o.Kind == providers.Observed || o.Code == providers.CodeIgnoredType || strings.HasPrefix(kind, "card_verif")
			assert.True(t, allowed, "%s %s: %s %s", name, kind, o.Code, o.Message)
		}
	}
}

func TestTheAccountsKeysAreNeeded(t *testing.T) {
	t.Parallel()
	c, key := installation(t)
	attempt := func(change func(*notify.Sample)) (notify.Request, error) {
		s := notify.Sample{Provider: "antom", Type: "PAYMENT_RESULT", Account: "shop", Config: c, GatewayKey: key, To: "http://127.0.0.1:1"}
		change(&s)
		return s.Make(time.Now())
	}
	for why, change := range map[string]func(*notify.Sample){
		"a key that nobody else has":    func(s *notify.Sample) { s.GatewayKey = "" },
		"must be an RSA private key":    func(s *notify.Sample) { s.GatewayKey = "AAAA" },
		`no account "brazil" of antom`:  func(s *notify.Sample) { s.Account = "brazil" },
		`no account "default" of antom`: func(s *notify.Sample) { s.Account = "" },
		"sends no notification of type": func(s *notify.Sample) { s.Type = "PAINTED" },
		`there is no provider "paypal"`: func(s *notify.Sample) { s.Provider = "paypal" },
		"the URL must be like http://":  func(s *notify.Sample) { s.To = "127.0.0.1:1" },
		"fault is bad_signature":        func(s *notify.Sample) { s.Fault = sandbox.Fault503 },
	} {
		_, err := attempt(change)
		require.ErrorContains(t, err, why)
	}
	r, err := attempt(func(*notify.Sample) {})
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:1/notifications/antom/shop", r.URL, "a listener's path where there is none")
}

func TestWithoutAConfigurationTheSandboxsKeysSign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte("providers:\n  "+strings.ReplaceAll(sandbox.Worldpay().Config("http://127.0.0.1:1"), "\n", "\n  ")), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	connected, err := pipeline.Connect(c, nil)
	require.NoError(t, err)
	for fault, authentic := range map[string]bool{"": true, sandbox.FaultBadSignature: false, sandbox.FaultNoSignature: false} {
		r, err := notify.Sample{Provider: "worldpay", Type: "settled", Fault: fault, To: "http://127.0.0.1:1"}.Make(time.Now())
		require.NoError(t, err)
		answer := received(t, r)
		assert.Equal(t, authentic, connected["worldpay"].Verify(answer, "default", true) == nil, fault)
		assert.Equal(t, "order-sample-1", connected["worldpay"].Read(answer, providers.Payment{}).MerchantReference)
	}
}

func TestARequestIsPrintedAsItGoesOverTheWire(t *testing.T) {
	t.Parallel()
	r, err := notify.Sample{Provider: "liquido", Type: "CHARGE_SUCCEEDED", To: "http://127.0.0.1:1"}.Make(time.Unix(1700000000, 0))
	require.NoError(t, err)
	text := r.Print()
	assert.Regexp(t, `^POST http://127\.0\.0\.1:1/notifications/liquido/default\nContent-Type: application/json\n`+
		`Liquido-Signature: algorithm=HmacSHA256,timestamp=1700000000,signature=[0-9a-f]{64}\n\n\{"eventType":"CHARGE_SUCCEEDED",`, text)
}

func TestTheListenersOwnURLIsSignedAsItIsCalled(t *testing.T) {
	t.Parallel()
	c, key := installation(t)
	connected, err := pipeline.Connect(c, nil)
	require.NoError(t, err)
	for _, to := range []string{"http://127.0.0.1:1", "http://127.0.0.1:1/"} {
		r, err := notify.Sample{Provider: "antom", Type: "PAYMENT_RESULT", Account: "shop", Config: c, GatewayKey: key, To: to}.Make(time.Now())
		require.NoError(t, err)
		assert.Equal(t, "http://127.0.0.1:1/notifications/antom/shop", r.URL)
		require.NoError(t, connected["antom"].Verify(received(t, r), "shop", true), to)
	}
}
