package worldpay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

// The vector: printf '%s' '{"eventId":"1"}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00ff10.
const (
	signedBody  = `{"eventId":"1"}`
	signedByHex = "439462d79cf3a8a5c658070bbe3a4f4e9423fdd06dda955cd14de2744433dd32"
	// … and with the characters "00ff10" as the key.
	signedByText = "d6315958f3d23645781c11c5ade4824b3cf61cbd14fa50a2e21a04778fe550d1"
)

func signed(body string, headers ...string) providers.Answer {
	a := event(body)
	a.Pages[0].Header = http.Header{}
	for _, h := range headers {
		a.Pages[0].Header.Add("Event-Signature", h)
	}
	return a
}

func TestVerifyPicksTheSignatureByKeyID(t *testing.T) {
	t.Parallel()
	settings := worldpay.Definition.Settings().(*worldpay.Settings)
	settings.Accounts = map[string]worldpay.Account{
		"default": {Notifications: worldpay.Notifications{Keys: map[string]providers.Secret{"1": "00ff10", "2": "aabb"}}},
		"text":    {Notifications: worldpay.Notifications{Keys: map[string]providers.Secret{"1": "00ff10"}, KeyEncoding: "text"}},
		"keyless": {},
	}
	provider := create(t, settings)
	good := "1/SHA256/" + signedByHex
	wrong := "/SHA256/" + strings.Repeat("0", 64)
	for _, c := range []struct {
		name     string
		account  string
		answer   providers.Answer
		required bool
		says     string // empty: it is authentic
	}{
		{"by the known key", "default", signed(signedBody, good), true, ""},
		{"for the account that is not named", "", signed(signedBody, good), true, ""},
		{"with a secret that is text", "text", signed(signedBody, "1/SHA256/"+signedByText), true, ""},
		{"a text secret is not hexadecimal", "text", signed(signedBody, good), true, "wrong"},
		{"lower-case hash, upper-case signature, blanks", "default", signed(signedBody, " 1/sha256/"+strings.ToUpper(signedByHex)+" "), true, ""},
		{"during a rotation, the unknown key first", "default", signed(signedBody, "7"+wrong+", "+good), true, ""},
		{"during a rotation, the unknown key last", "default", signed(signedBody, good+",7"+wrong), true, ""},
		{"in two headers", "default", signed(signedBody, "7"+wrong, good), true, ""},
		{"one of two known keys is right", "default", signed(signedBody, "2"+wrong+","+good), true, ""},
		{"another body", "default", signed(signedBody+" ", good), true, "wrong"},
		{"the right signature under another key id", "default", signed(signedBody, "2/SHA256/"+signedByHex), true, "wrong"},
		{"unknown keys only", "default", signed(signedBody, "7/SHA256/"+signedByHex), true, "none of the account's keys"},
		{"another hash function", "default", signed(signedBody, "1/MD5/"+signedByHex), true, "none of the account's keys"},
		{"nonsense", "default", signed(signedBody, "x"), false, "none of the account's keys"},
		{"no hexadecimal", "default", signed(signedBody, "1/SHA256/zz"), true, "wrong"},
		{"an empty signature", "default", signed(signedBody, "1/SHA256/"), true, "wrong"},
		{"no header, required", "default", signed(signedBody), true, "not signed"},
		{"no header, not required", "default", signed(signedBody), false, ""},
		{"no keys, required", "keyless", signed(signedBody, good), true, "no notification keys"},
		{"no keys, not required", "keyless", signed(signedBody, good), false, ""},
		{"an account that is not configured", "another", signed(signedBody, good), true, "no notification keys"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := provider.Verify(c.answer, c.account, c.required)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "00ff10")
		})
	}
}

func TestQueriesAndRepliesAreNotSigned(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, from := range []schemas.Source{schemas.SourceQuery, schemas.SourceInitiation, schemas.SourceRenormalization} {
		a := page("link", word("Authorized"))
		a.From = from
		require.NoError(t, provider.Verify(a, "default", true))
	}
}

func TestTheSimulatorsNotificationsAreAuthentic(t *testing.T) {
	t.Parallel()
	provider := create(t, sandboxSettings(t, "https://sandbox.invalid"))
	for fault, authentic := range map[string]bool{"": true, sandbox.FaultBadSignature: false, sandbox.FaultNoSignature: false} {
		p := sandbox.Payment{
			Reference: "order-1", Script: sandbox.Script{Amount: sandbox.Amount{Value: 1200, Currency: "GBP"}},
			Step: sandbox.Step{Fault: fault},
		}
		body, signature := sandbox.WorldpayNotification("settled", p, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		a := signed(string(body))
		if signature != "" {
			a = signed(string(body), signature)
		}
		err := provider.Verify(a, "default", true)
		assert.Equal(t, authentic, err == nil, "%s: %v", fault, err)
		o := observed(t, provider.Read(a, paid(t, provider, schemas.Reference{"transaction_reference": "order-1"})))
		assert.Equal(t, schemas.Captured, o.Status)
		assert.Equal(t, "2026-01-02T03:04:05Z", o.OccurredAt.Format(time.RFC3339))
	}
}
