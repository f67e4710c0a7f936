package checkout

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Verify checks a webhook: Cko-Signature is the HMAC-SHA256 of the body's bytes in hexadecimal digits, Authorization a value that
// was agreed on. Answers to queries are not signed. The signature holds no time: a notification can be sent again.
func (c *provider) Verify(a providers.Answer, account string, required bool) error {
	if a.From != schemas.SourceNotification {
		return nil
	}
	settings, configured := c.settings.Accounts[accountName(account)]
	if !configured {
		if required {
			return fmt.Errorf("checkout: no account %q is configured", accountName(account))
		}
		return nil
	}
	key, authorization := settings.WebhookKey(), settings.Notifications.Authorization.Reveal()
	if key == "" && authorization == "" && required {
		return fmt.Errorf("checkout: account %q has no notifications.signature_key or notifications.authorization to verify with", accountName(account))
	}
	page := a.Last()
	signature, given := page.Header.Get("Cko-Signature"), page.Header.Get("Authorization")
	if key != "" && (signature != "" || required) && !signedBy(key, page.Body, signature) {
		return errors.New("checkout: the header Cko-Signature is missing or does not fit the notification")
	}
	if authorization != "" && (given != "" || required) && subtle.ConstantTimeCompare([]byte(given), []byte(authorization)) != 1 {
		return errors.New("checkout: the header Authorization is missing or is not the configured value")
	}
	return nil
}

// WebhookKey is what webhooks of the account are signed with. ABC accounts sign with their secret key.
func (a Account) WebhookKey() string {
	if key := a.Notifications.SignatureKey.Reveal(); key != "" {
		return key
	}
	if key := a.SecretKey.Reveal(); abcKey.MatchString(key) {
		return key
	}
	return ""
}

func signedBy(key string, body []byte, signature string) bool {
	given, err := hex.DecodeString(strings.TrimSpace(signature))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}

// The provider answers to this interface.
var _ providers.Provider = (*provider)(nil)
