package antom

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsSigned(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path, clientID, at, body string
		length                   int
		sum                      string
	}{
		"a request in the sandbox": {
			"/ams/sandbox/api/v1/payments/inquiryPayment", "SANDBOX_5TEST00000000001", "1685599933871", `{"paymentRequestId":"PAY_20240318_0001"}`,
			128, "1bf1f72a877b1ab78ab22533941a52569d2374777ee0fef731aac7823393052c",
		},
		"a notification": {
			"/webhooks/antom/notify", "SANDBOX_5TEST00000000001", "2024-03-18T19:36:55-07:00",
			`{"notifyType":"PAYMENT_RESULT","result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},` +
				`"paymentRequestId":"PAY_20240318_0001"}`,
			0, "24eba5cdaf1289f2e1a63dafa0e226123a0ea70888a7f8f900aac7aceb3c6bca",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := signedText(tc.path, tc.clientID, tc.at, []byte(tc.body))
			if tc.length > 0 {
				assert.Len(t, text, tc.length)
			}
			sum := sha256.Sum256(text)
			assert.Equal(t, tc.sum, hex.EncodeToString(sum[:]))
		})
	}
}

func TestSignaturesAreReadHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	text := []byte("what is signed")
	header, err := sign(ourKey(), 7, text)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(header, "algorithm=RSA256,keyVersion=7,signature="), header)
	escaped := strings.TrimPrefix(header, "algorithm=RSA256,keyVersion=7,signature=")
	plain, err := url.QueryUnescape(escaped)
	require.NoError(t, err)
	require.Contains(t, plain, "=", "base64 of 256 bytes is padded")

	for name, written := range map[string]string{
		"as we write it":           header,
		"blanks after the commas":  "algorithm=RSA256, keyVersion=1, signature=" + escaped,
		"blanks around":            " algorithm = RSA256 , signature = " + escaped + " ",
		"base64 not escaped":       "algorithm=RSA256,keyVersion=1,signature=" + plain,
		"plus signs lost":          "algorithm=RSA256,keyVersion=1,signature=" + strings.ReplaceAll(plain, "+", " "),
		"padding lost":             "algorithm=RSA256,keyVersion=1,signature=" + strings.TrimRight(plain, "="),
		"names in capital letters": "Algorithm=rsa256,KeyVersion=1,Signature=" + escaped,
		"nothing but the value":    "signature=" + escaped,
	} {
		require.NoError(t, checkSignature(&ourKey().PublicKey, written, text), name)
	}
	flipped := []byte(plain)
	flipped[10] ^= 1
	for name, written := range map[string]string{
		"no value":          "algorithm=RSA256,keyVersion=1",
		"an empty value":    "algorithm=RSA256,signature=",
		"not base64":        "signature=!!!!",
		"a broken escape":   "signature=%ZZ",
		"another algorithm": "algorithm=MD5," + strings.TrimPrefix(header, "algorithm=RSA256,"),
		"another signature": "signature=" + string(flipped),
		"garbage":           "x",
	} {
		require.Error(t, checkSignature(&ourKey().PublicKey, written, text), name)
	}
	require.Error(t, checkSignature(&theirKey().PublicKey, header, text), "another key")
	require.Error(t, checkSignature(&ourKey().PublicKey, header, []byte("what is signed ")), "another text")
}

func TestKeysAreReadInTheFormsTheyComeIn(t *testing.T) {
	t.Parallel()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ourKey())
	require.NoError(t, err)
	pkcs1 := x509.MarshalPKCS1PrivateKey(ourKey())
	spki, err := x509.MarshalPKIXPublicKey(&ourKey().PublicKey)
	require.NoError(t, err)
	armour := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	bare := base64.StdEncoding.EncodeToString

	for name, text := range map[string]string{
		"bare PKCS#8": bare(pkcs8), "bare PKCS#1": bare(pkcs1),
		"PEM PKCS#8": armour("PRIVATE KEY", pkcs8), "PEM PKCS#1": armour("RSA PRIVATE KEY", pkcs1),
		"bare in lines":        bare(pkcs8)[:64] + "\n" + bare(pkcs8)[64:] + "\r\n",
		"PEM in one line":      strings.ReplaceAll(armour("PRIVATE KEY", pkcs8), "\n", `\n`),
		"PEM with blanks left": "\n  " + armour("PRIVATE KEY", pkcs8),
	} {
		key, err := parsePrivateKey(text)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(ourKey()), name)
	}
	for name, text := range map[string]string{"bare": bare(spki), "PEM": armour("PUBLIC KEY", spki)} {
		key, err := parsePublicKey(text)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(&ourKey().PublicKey), name)
	}
	for name, text := range map[string]string{
		"nothing": "", "text": "s3cret-text", "a public key": bare(spki), "PEM without end": "-----BEGIN PRIVATE KEY-----\nAAAA",
	} {
		_, err := parsePrivateKey(text)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	_, err = parsePublicKey(bare(pkcs8))
	require.Error(t, err, "a private key in the place of a public one")
}
