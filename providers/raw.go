package providers

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"mime"
	"unicode/utf8"

	"github.com/paystatus/paystatus/schemas"
)

// The encodings of a raw body.
const (
	EncodingUTF8   = "utf-8"
	EncodingBase64 = "base64"
)

// Seal makes the raw part of an event: the exact bytes as text. A full card number inside is masked first, unless it is one
// of the payment's own identifiers; then Masked is set and the hash is of the masked bytes.
func Seal(p Page, own []string) *schemas.Raw {
	body, masked := MaskCardNumbers(p.Body, own)
	sum := sha256.Sum256(body)
	raw := &schemas.Raw{
		MediaType: mediaType(p), Encoding: EncodingUTF8, Size: len(body), SHA256: hex.EncodeToString(sum[:]), Masked: masked || p.Masked,
		HTTPStatus: p.HTTPStatus, ReceivedAt: p.ReceivedAt.UTC(),
	}
	if utf8.Valid(body) {
		raw.Body = string(body)
	} else {
		raw.Encoding, raw.Body = EncodingBase64, base64.StdEncoding.EncodeToString(body)
	}
	return raw
}

func mediaType(p Page) string {
	t, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) { // which leaves the type itself good
		return ""
	}
	return t
}
