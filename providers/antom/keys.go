package antom

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

var (
	errPrivateKey = errors.New("must be an RSA private key: PEM, or base64 of its DER, in PKCS#8 or PKCS#1")
	errPublicKey  = errors.New("must be an RSA public key: PEM, or base64 of its DER, as SubjectPublicKeyInfo")
)

// ParsePrivateKey reads an RSA key in any form that the configuration accepts. The error does not repeat any of it.
func ParsePrivateKey(text string) (*rsa.PrivateKey, error) { return parsePrivateKey(text) }

// parsePrivateKey reads our key. The error does not repeat any of it.
func parsePrivateKey(text string) (*rsa.PrivateKey, error) {
	der := keyBytes(text)
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errPrivateKey
	}
	return key, nil
}

// parsePublicKey reads Antom's key.
func parsePublicKey(text string) (*rsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(keyBytes(text))
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, errPublicKey
	}
	return key, nil
}

// keyBytes is the DER in a key's text; nil when there is none. Line breaks written as \n, as in environment variables, are
// accepted.
func keyBytes(text string) []byte {
	text = strings.TrimSpace(strings.ReplaceAll(text, `\n`, "\n"))
	if strings.HasPrefix(text, "-----BEGIN") {
		if block, _ := pem.Decode([]byte(text)); block != nil {
			return block.Bytes
		}
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	return der
}
