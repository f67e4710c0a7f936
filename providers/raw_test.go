package providers_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestTheRawAnswerIsExact(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"json":                   `{"a": "x & y", "b":[1 , 2.50]}` + "\r\n",
		"markup":                 "<script>&amp;\u2028</script>",
		"a byte order mark":      "\xef\xbb\xbf{}",
		"NUL and control bytes":  "{\"a\":\"\x00\x1f\x7f\"}",
		"nothing":                "",
		"a replacement sign":     "\uFFFD",
		"not JSON":               `{"expirationMonth": 06}`,
		"an invalid escape":      `{"a":"\ud800"}`,
		"Latin-1":                "caf\xe9",
		"half of a character":    "\xe2\x82",
		"a surrogate in 3 bytes": "\xed\xa0\x80",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := providers.Seal(providers.Page{Body: []byte(body), HTTPStatus: 200, ReceivedAt: receivedAt}, nil)

			document, err := json.Marshal(raw)
			require.NoError(t, err)
			var arrived schemas.Raw
			require.NoError(t, json.Unmarshal(document, &arrived))
			kept := []byte(arrived.Body)
			if arrived.Encoding == providers.EncodingBase64 {
				kept, err = base64.StdEncoding.DecodeString(arrived.Body)
				require.NoError(t, err)
			}
			assert.Equal(t, body, string(kept), "what arrives are the bytes that were received")
			sum := sha256.Sum256([]byte(body))
			assert.Equal(t, hex.EncodeToString(sum[:]), arrived.SHA256)
			assert.Equal(t, len(body), arrived.Size)
			assert.False(t, arrived.Masked)
		})
	}
}

func TestOnlyBytesThatAreNotUTF8AreEncoded(t *testing.T) {
	t.Parallel()
	assert.Equal(t, providers.EncodingUTF8, providers.Seal(providers.Page{Body: []byte("Bogotá")}, nil).Encoding)
	assert.Equal(t, providers.EncodingBase64, providers.Seal(providers.Page{Body: []byte("Bogot\xe1")}, nil).Encoding)
}

func TestAFullCardNumberIsMaskedAndTheHashIsOfWhatIsKept(t *testing.T) {
	t.Parallel()
	body := []byte(`number: 4242424242424242`)
	raw := providers.Seal(providers.Page{Body: body}, nil)
	assert.Equal(t, `number: 424242******4242`, raw.Body)
	assert.True(t, raw.Masked)
	sum := sha256.Sum256([]byte(raw.Body))
	assert.Equal(t, hex.EncodeToString(sum[:]), raw.SHA256)
	assert.Equal(t, `number: 4242424242424242`, string(body), "the answer itself is not changed")

	own := providers.Seal(providers.Page{Body: body}, []string{"4242424242424242"})
	assert.False(t, own.Masked)
	assert.Equal(t, string(body), own.Body, "an identifier of the payment is no card number")

	latin := providers.Seal(providers.Page{Body: []byte("caf\xe9 4242424242424242")}, nil)
	assert.Equal(t, base64.StdEncoding.EncodeToString([]byte("caf\xe9 424242******4242")), latin.Body)
}

func TestTheRawAnswerSaysHowItCame(t *testing.T) {
	t.Parallel()
	for header, mediaType := range map[string]string{
		"application/json":                "application/json",
		"Application/JSON; charset=UTF-8": "application/json",
		"text/html; charset":              "text/html",
		"":                                "",
		"/":                               "",
	} {
		page := providers.Page{Header: http.Header{"Content-Type": {header}}, HTTPStatus: 402, ReceivedAt: receivedAt.In(time.FixedZone("", 3600))}
		raw := providers.Seal(page, nil)
		assert.Equal(t, mediaType, raw.MediaType, header)
		assert.Equal(t, 402, raw.HTTPStatus)
		assert.Equal(t, time.UTC, raw.ReceivedAt.Location())
		assert.True(t, receivedAt.Equal(raw.ReceivedAt))
	}
	assert.Empty(t, providers.Seal(providers.Page{}, nil).MediaType)
}
