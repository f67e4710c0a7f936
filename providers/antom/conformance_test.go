package antom

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// The keys of the tests: ours, and one in the place of Antom's. Making one takes a while.
var (
	ourKey   = sync.OnceValue(generate)
	theirKey = sync.OnceValue(generate)
)

func generate() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func privateText(key *rsa.PrivateKey) providers.Secret {
	return providers.Secret(base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key)))
}

func publicText(t testing.TB, key *rsa.PrivateKey) providers.Secret {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	return providers.Secret(base64.StdEncoding.EncodeToString(der))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/card_authorized/answer.json")
	require.NoError(t, err)
	providertest.Run(t, providertest.Subject{
		Definition: Definition,
		Simulator:  sandbox.Antom(),
		Spoil: func(s providers.ProviderSettings) {
			settings := s.(*Settings)
			a := settings.Accounts["default"]
			a.PrivateKey = privateText(ourKey())
			settings.Accounts["default"] = a
		},
		Event: schemas.Initiated{
			PaymentID: "order-0001", Provider: Name, Account: schemas.DefaultAccount, Amount: schemas.Amount{Value: 8000, Currency: "EUR"},
			InitiatedAt: time.Date(2024, 3, 18, 12, 0, 0, 0, time.UTC), Capture: schemas.CaptureAutomatic, Method: "card",
			Reference: schemas.Reference{"payment_request_id": "PAY_20240318_0001"},
		},
		Scripted:   "PAY_20240318_0001",
		Script:     sandbox.Script{Amount: sandbox.Amount{Value: 8000, Currency: "EUR"}, Steps: []sandbox.Step{{Status: "SUCCESS"}}},
		Good:       good,
		Request:    "inquiryPayment",
		GoodStatus: schemas.Authorized,
		StatusName: "paymentStatus",
		Identity: []providertest.Swap{
			{Old: "PAY_20240318_0001", New: "PAY_20240318_0002", Code: providers.CodeOtherPayment},
			{Old: `"EUR"`, New: `"USD"`, Code: providers.CodeOtherCurrency},
			{Old: `"8000"`, New: `"8001"`, Code: providers.CodeOtherAmount},
		},
		Gone:   providers.Refused,
		Signed: true,
	})
}
