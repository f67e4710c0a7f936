package sandbox

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Signer sets the headers that a provider calls a webhook with: the body's media type, and its signature made at a time. Path
// is that of the URL, with its query.
type Signer func(header http.Header, path string, body []byte, at time.Time) error

const (
	contentType = "Content-Type"
	mediaJSON   = "application/json"
)

// SignCheckout signs as Checkout.com does, with the key of the header Cko-Signature and the value of the header
// Authorization; either may be empty.
func SignCheckout(key, authorization string) Signer {
	return func(header http.Header, _ string, body []byte, _ time.Time) error {
		header.Set(contentType, mediaJSON)
		if key != "" {
			header.Set("Cko-Signature", hex.EncodeToString(mac([]byte(key), body)))
		}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		return nil
	}
}

// SignAntom signs as Antom's gateway does, with the gateway's key, for a merchant's client id.
func SignAntom(key *rsa.PrivateKey, clientID string) Signer {
	return func(header http.Header, path string, body []byte, at time.Time) error {
		requested := at.In(antomPlace).Format(time.RFC3339)
		digest := sha256.Sum256(append([]byte("POST "+path+"\n"+clientID+"."+requested+"."), body...))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		if err != nil {
			return fmt.Errorf("sign a notification: %w", err)
		}
		header.Set(contentType, mediaJSON+"; charset=UTF-8")
		header.Set("Client-Id", clientID)
		header.Set("Request-Time", requested)
		header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
		return nil
	}
}

// WorldpayKey is one of the keys that Worldpay signs with.
type WorldpayKey struct {
	ID  string
	Key []byte
}

// SignWorldpay signs as Worldpay does, once with each key.
func SignWorldpay(keys ...WorldpayKey) Signer {
	return func(header http.Header, _ string, body []byte, _ time.Time) error {
		header.Set(contentType, "application/vnd.worldpay.events-v1.hal+json")
		signatures := make([]string, len(keys))
		for i, k := range keys {
			signatures[i] = k.ID + "/SHA256/" + hex.EncodeToString(mac(k.Key, body))
		}
		header.Set("Event-Signature", strings.Join(signatures, ","))
		return nil
	}
}

// SignLiquido signs as Liquido does, with the merchant's client secret.
func SignLiquido(clientSecret string) Signer {
	return func(header http.Header, _ string, body []byte, at time.Time) error {
		timestamp := strconv.FormatInt(at.Unix(), 10)
		signed := fmt.Appendf(nil, "payload=%s,timestamp=%s", body, timestamp)
		header.Set(contentType, mediaJSON)
		header.Set("Liquido-Signature", "algorithm=HmacSHA256,timestamp="+timestamp+",signature="+hex.EncodeToString(mac([]byte(clientSecret), signed)))
		return nil
	}
}

func mac(key, text []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(text)
	return m.Sum(nil)
}

// signed are the headers of a call, with the signature as wrong as the fault wants it.
func signed(sign Signer, path string, body []byte, at time.Time, fault string) (http.Header, error) {
	header := http.Header{}
	if fault == FaultBadSignature {
		body = append(append([]byte{}, body...), "spoilt"...)
	}
	if err := sign(header, path, body, at); err != nil {
		return nil, err
	}
	if fault == FaultNoSignature {
		header = http.Header{contentType: header[contentType]}
	}
	return header, nil
}
