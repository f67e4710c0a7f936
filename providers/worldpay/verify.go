package worldpay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

const signatureHeader = "Event-Signature"

// Verify checks the signature of a notification: Event-Signature holds keyId/SHA256/hex, one for each key in force, in any
// order. One by a key that the account knows must be right. Worldpay signs nothing else.
func (p *Provider) Verify(a providers.Answer, account string, required bool) error {
	if a.From != schemas.SourceNotification {
		return nil
	}
	if account == "" {
		account = schemas.DefaultAccount
	}
	keys, page := p.keys[account], a.Last()
	header := strings.Join(page.Header.Values(signatureHeader), ",")
	switch {
	case header == "" && required:
		return errors.New("the notification is not signed: the header " + signatureHeader + " is missing")
	case header == "":
		return nil
	case len(keys) == 0 && required:
		return errors.New("the account has no notification keys to check the signature with")
	case len(keys) == 0:
		return nil
	}
	known := false
	for signature := range strings.SplitSeq(header, ",") {
		parts := strings.Split(strings.TrimSpace(signature), "/")
		if len(parts) != 3 || !strings.EqualFold(strings.TrimSpace(parts[1]), "SHA256") {
			continue
		}
		key, ok := keys[strings.TrimSpace(parts[0])]
		if !ok {
			continue
		}
		known = true
		given, err := hex.DecodeString(strings.TrimSpace(parts[2]))
		mac := hmac.New(sha256.New, key)
		mac.Write(page.Body)
		if err == nil && hmac.Equal(given, mac.Sum(nil)) {
			return nil
		}
	}
	if !known {
		return errors.New("the notification is signed with none of the account's keys")
	}
	return errors.New("the notification's signature is wrong")
}
