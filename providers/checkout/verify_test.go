package checkout

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The signatures below were made with openssl dgst -sha256 -hmac.
const (
	signedBody    = `{"id":"evt_1","type":"payment_captured","data":{"id":"pay_mbabizu24mvu3mela5njyhpit4"}}` + "\n"
	signatureKey  = "8V8x0dLK%AyD*DNS8JJr"
	signature     = "6623788a2f83cb69bb65d8d7aa2ea208c739324507f14632f1084a303dfc6957"
	abcSecret     = "sk_test_00000000-aaaa-bbbb-cccc-dddddddddddd"
	abcSignature  = "77f5a5da7fc889d246d27b55d57f1654e11bf7e219653a25ca0c5220960e32cd"
	authorization = "shared value"
)

func TestNotificationsAreVerified(t *testing.T) {
	t.Parallel()
	settings := defaults()
	settings.Accounts = map[string]Account{
		"default": {SecretKey: "sk_x", Notifications: Notifications{SignatureKey: signatureKey, Authorization: authorization}},
		"signed":  {SecretKey: "sk_x", Notifications: Notifications{SignatureKey: signatureKey}},
		"agreed":  {SecretKey: "sk_x", Notifications: Notifications{Authorization: authorization}},
		"abc":     {SecretKey: abcSecret},
		"bare":    {SecretKey: "sk_x"},
	}
	provider := newProvider(settings, providers.Options{})
	for name, tc := range map[string]struct {
		account, body, signature, authorization string
		required, optional                      bool // whether it is accepted where a signature is required, and where it is not
	}{
		"signed and agreed":               {"", signedBody, signature, authorization, true, true},
		"in capital letters":              {"default", signedBody, strings.ToUpper(signature), authorization, true, true},
		"without Authorization":           {"default", signedBody, signature, "", false, true},
		"with another Authorization":      {"default", signedBody, signature, "Bearer " + authorization, false, false},
		"without a signature":             {"default", signedBody, "", authorization, false, true},
		"with neither":                    {"default", signedBody, "", "", false, true},
		"one byte changed":                {"signed", signedBody + " ", signature, "", false, false},
		"a signature cut short":           {"signed", signedBody, signature[:62], "", false, false},
		"a signature that is no hex":      {"signed", signedBody, "sha256=" + signature, "", false, false},
		"signed with another key":         {"signed", signedBody, abcSignature, "", false, false},
		"an Authorization nobody expects": {"signed", signedBody, signature, "whatever", true, true},
		"agreed alone":                    {"agreed", signedBody, "", authorization, true, true},
		"agreed, but not given":           {"agreed", signedBody, "", "", false, true},
		"signed with the ABC secret key":  {"abc", signedBody, abcSignature, "", true, true},
		"nothing to verify with":          {"bare", signedBody, signature, authorization, false, true},
		"an account that is not there":    {"nobody", signedBody, signature, authorization, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if tc.signature != "" {
				header.Set("Cko-Signature", tc.signature)
			}
			if tc.authorization != "" {
				header.Set("Authorization", tc.authorization)
			}
			answer := providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{{Header: header, Body: []byte(tc.body)}}}
			for required, accepted := range map[bool]bool{true: tc.required, false: tc.optional} {
				err := provider.Verify(answer, tc.account, required)
				assert.Equal(t, accepted, err == nil, "required: %t: %v", required, err)
				if err != nil {
					assert.NotContains(t, err.Error(), signatureKey)
				}
			}
		})
	}
	assert.NoError(t, provider.Verify(query(requestPayment, "{}"), "default", true), "answers to queries are not signed")
}
