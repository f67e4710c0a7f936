package liquido

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// signatureHeader carries a callback's signature: algorithm=HmacSHA256,timestamp=<unix seconds>,signature=<hex>.
const signatureHeader = "Liquido-Signature"

// Verify checks the signature of a callback, which the account's client secret makes. Where signatures are required the
// callback must also be recent: the time of signing within the allowed age of its receipt, in both directions. The answers of
// the API are not signed.
func (p *Provider) Verify(a providers.Answer, account string, required bool) error {
	if a.From != schemas.SourceNotification {
		return nil
	}
	page := a.Last()
	header := page.Header.Get(signatureHeader)
	credentials, _, configured := p.account(account)
	switch {
	case !required && (header == "" || !configured):
		return nil
	case header == "":
		return errors.New("the notification has no " + signatureHeader + " header")
	case !configured || credentials.ClientSecret == "":
		return errors.New("there is no client secret to check the notification's signature with")
	}
	signed, err := parseSignature(header)
	if err != nil {
		return err
	}
	if !hmac.Equal(signed.mac, sign(credentials.ClientSecret.Reveal(), page.Body, signed.timestamp)) {
		return errors.New("the notification's signature does not fit its body")
	}
	if age := page.ReceivedAt.Sub(signed.at).Abs(); required && age > p.maxAge {
		return fmt.Errorf("the notification was signed %s from its receipt, more than the allowed %s", age.Round(time.Second), p.maxAge)
	}
	return nil
}

// sign computes the signature of a body at a time, which stands in the header as text.
func sign(secret string, body []byte, timestamp string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("payload="))
	mac.Write(body)
	mac.Write([]byte(",timestamp=" + timestamp))
	return mac.Sum(nil)
}

type signature struct {
	timestamp string // as sent, for it is signed so
	at        time.Time
	mac       []byte
}

func parseSignature(header string) (signature, error) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := parts[name]; twice {
			return signature{}, errors.New("a part of the " + signatureHeader + " header stands twice")
		}
		parts[name] = strings.TrimSpace(value)
	}
	if !strings.EqualFold(parts["algorithm"], "HmacSHA256") {
		return signature{}, errors.New("the signature's algorithm is not HmacSHA256")
	}
	seconds, err := strconv.ParseInt(parts["timestamp"], 10, 64)
	if err != nil {
		return signature{}, errors.New("the signature's timestamp is not a number of seconds")
	}
	mac, err := hex.DecodeString(parts["signature"])
	if err != nil || len(mac) != sha256.Size {
		return signature{}, errors.New("the signature is not a SHA-256 in hexadecimal")
	}
	return signature{timestamp: parts["timestamp"], at: time.Unix(seconds, 0), mac: mac}, nil
}
