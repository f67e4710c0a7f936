package antom

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// The one algorithm of the API.
const algorithm = "RSA256"

// signedText is what both sides sign: of a request and of a notification with the time of the request, of an answer with
// that of the answer. Path has no host; body is the exact bytes.
func signedText(path, clientID, at string, body []byte) []byte {
	return append([]byte("POST "+path+"\n"+clientID+"."+at+"."), body...)
}

// sign makes the value of the Signature header.
func sign(key *rsa.PrivateKey, keyVersion int, text []byte) (string, error) {
	digest := sha256.Sum256(text)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign a request: %w", err)
	}
	return fmt.Sprintf("algorithm=%s,keyVersion=%d,signature=%s", algorithm, keyVersion,
		url.QueryEscape(base64.StdEncoding.EncodeToString(signature))), nil
}

// checkSignature tells whether the value of a Signature header fits a text.
func checkSignature(key *rsa.PublicKey, header string, text []byte) error {
	signature, err := parseSignature(header)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(text)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) != nil {
		return errors.New("the signature does not fit")
	}
	return nil
}

// parseSignature takes the signature out of "algorithm=RSA256,keyVersion=1,signature=…". Blanks around the parts, and base64
// that was not escaped for URLs or that lost its + on the way, are accepted.
func parseSignature(header string) ([]byte, error) {
	value := ""
	for part := range strings.SplitSeq(header, ",") {
		name, content, _ := strings.Cut(strings.TrimSpace(part), "=")
		content = strings.TrimSpace(content)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "algorithm":
			if !strings.EqualFold(content, algorithm) {
				return nil, errors.New("the signature is of another algorithm than " + algorithm)
			}
		case "signature":
			value = content
		}
	}
	if strings.Contains(value, "%") {
		unescaped, err := url.QueryUnescape(value)
		if err != nil {
			return nil, errors.New("the signature is not escaped as in URLs")
		}
		value = unescaped
	}
	value = strings.TrimRight(strings.ReplaceAll(value, " ", "+"), "=")
	signature, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil || len(signature) == 0 {
		return nil, errors.New("the signature header holds no signature in base64")
	}
	return signature, nil
}
