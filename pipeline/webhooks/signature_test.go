package webhooks_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers/sandbox"
)

// signatureHeaders are where each provider's signature stands.
var signatureHeaders = map[string]string{
	"checkout": "Cko-Signature", "antom": "Signature", "worldpay": "Event-Signature", "liquido": "Liquido-Signature",
}

// otherSigner signs with a key that is not the account's.
func otherSigner(t *testing.T, provider string) sandbox.Signer {
	t.Helper()
	switch provider {
	case "checkout":
		return sandbox.SignCheckout("another key", "paystatus-sandbox-checkout-authorization-header")
	case "antom":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		return sandbox.SignAntom(key, "SANDBOX_5TEST00000000001")
	case "worldpay":
		return sandbox.SignWorldpay(sandbox.WorldpayKey{ID: "1", Key: []byte("another key")})
	default:
		return sandbox.SignLiquido("another secret")
	}
}

// rewrite changes the value of the header that holds the signature.
func rewrite(c call, provider string, change func(string) string) call {
	header := c.header.Clone()
	header.Set(signatureHeaders[provider], change(header.Get(signatureHeaders[provider])))
	c.header = header
	return c
}

func replacing(old, by string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, old, by) }
}

func TestSignaturesOfAllProviders(t *testing.T) {
	t.Parallel()
	endpoint := newEndpoint(&written{})
	const ok, refused = http.StatusOK, http.StatusUnauthorized
	signs := func(provider string) sandbox.Signer { return sides().signing[provider].Signer() }
	kind := func(provider string) string { return sides().signing[provider].NotificationTypes()[0].Type }
	for name, tc := range map[string]struct {
		change func(t *testing.T, provider string, c call) call
		want   map[string]int // by provider; of those that are not named the case does not exist
	}{
		"valid": {
			func(_ *testing.T, _ string, c call) call { return c },
			map[string]int{"checkout": ok, "antom": ok, "worldpay": ok, "liquido": ok},
		},
		"one byte of the body changed": {
			func(_ *testing.T, _ string, c call) call {
				c.body = append([]byte{}, c.body...)
				c.body[len(c.body)/2] ^= 1
				return c
			},
			map[string]int{"checkout": refused, "antom": refused, "worldpay": refused, "liquido": refused},
		},
		"a blank added to the body": {
			func(_ *testing.T, _ string, c call) call {
				c.body = append(append([]byte{}, c.body...), ' ')
				return c
			},
			map[string]int{"checkout": refused, "antom": refused, "worldpay": refused, "liquido": refused},
		},
		"by another key": {
			func(t *testing.T, provider string, _ call) call {
				t.Helper()
				return signedOf(t, provider, kind(provider), otherSigner(t, provider), time.Now())
			},
			map[string]int{"checkout": refused, "antom": refused, "worldpay": refused, "liquido": refused},
		},
		"made six minutes ago": { // Checkout.com and Worldpay sign no time
			func(t *testing.T, provider string, _ call) call {
				t.Helper()
				return signedOf(t, provider, kind(provider), signs(provider), time.Now().Add(-6*time.Minute))
			},
			map[string]int{"checkout": ok, "antom": refused, "worldpay": ok, "liquido": refused},
		},
		"made four minutes ago": {
			func(t *testing.T, provider string, _ call) call {
				t.Helper()
				return signedOf(t, provider, kind(provider), signs(provider), time.Now().Add(-4*time.Minute))
			},
			map[string]int{"checkout": ok, "antom": ok, "worldpay": ok, "liquido": ok},
		},
		"an old one under a new time": {
			func(t *testing.T, provider string, _ call) call {
				t.Helper()
				c := signedOf(t, provider, kind(provider), signs(provider), time.Now().Add(-time.Hour))
				fresh := signedOf(t, provider, kind(provider), signs(provider), time.Now())
				c.header.Set("Request-Time", fresh.header.Get("Request-Time"))
				stamp := func(header string) string {
					_, rest, _ := strings.Cut(header, "timestamp=")
					at, _, _ := strings.Cut(rest, ",")
					return at
				}
				old, now := stamp(c.header.Get("Liquido-Signature")), stamp(fresh.header.Get("Liquido-Signature"))
				return rewrite(c, provider, replacing("timestamp="+old, "timestamp="+now))
			},
			map[string]int{"antom": refused, "liquido": refused},
		},
		"missing": {
			func(_ *testing.T, provider string, c call) call {
				c.header = c.header.Clone()
				c.header.Del(signatureHeaders[provider])
				return c
			},
			map[string]int{"checkout": refused, "antom": refused, "worldpay": refused, "liquido": refused},
		},
		"empty": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(string) string { return "" })
			},
			map[string]int{"checkout": refused, "antom": refused, "worldpay": refused, "liquido": refused},
		},
		"cut short": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(s string) string { return s[:len(s)-2] })
			},
			map[string]int{"checkout": refused, "antom": refused, "worldpay": refused, "liquido": refused},
		},
		"two keys, the known one last": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(s string) string { return "2/SHA256/" + strings.Repeat("ab", 32) + "," + s })
			},
			map[string]int{"worldpay": ok},
		},
		"two keys, the known one first": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(s string) string { return s + ",2/SHA256/" + strings.Repeat("ab", 32) })
			},
			map[string]int{"worldpay": ok},
		},
		"two headers": {
			func(_ *testing.T, _ string, c call) call {
				c.header = c.header.Clone()
				c.header["Event-Signature"] = append([]string{"2/SHA256/" + strings.Repeat("ab", 32)}, c.header["Event-Signature"]...)
				return c
			},
			map[string]int{"worldpay": ok},
		},
		"only a key that is not known": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, replacing("1/SHA256", "2/SHA256"))
			},
			map[string]int{"worldpay": refused},
		},
		"base64 not escaped, with its padding": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(s string) string {
					plain, err := url.QueryUnescape(s)
					if err != nil {
						panic(err)
					}
					return plain
				})
			},
			map[string]int{"antom": ok},
		},
		"a blank after each comma": {
			func(_ *testing.T, provider string, c call) call { return rewrite(c, provider, replacing(",", ", ")) },
			map[string]int{"antom": ok, "liquido": ok},
		},
		"two keys with a blank after the comma": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(s string) string { return "2/sha256/" + strings.Repeat("ab", 32) + ", " + s })
			},
			map[string]int{"worldpay": ok},
		},
		"in capital digits": {
			func(_ *testing.T, provider string, c call) call {
				return rewrite(c, provider, func(s string) string {
					digits := s[len(s)-64:]
					_, err := hex.DecodeString(digits)
					if err != nil {
						panic(err)
					}
					return s[:len(s)-64] + strings.ToUpper(digits)
				})
			},
			map[string]int{"checkout": ok, "worldpay": ok, "liquido": ok},
		},
		"right, but the agreed value is wrong": {
			func(_ *testing.T, _ string, c call) call {
				c.header = c.header.Clone()
				c.header.Set("Authorization", "paystatus-sandbox-checkout-authorization-header ")
				return c
			},
			map[string]int{"checkout": refused},
		},
		"for another path": {
			func(_ *testing.T, _ string, c call) call { c.path += "?x=1"; return c },
			map[string]int{"checkout": ok, "antom": refused, "worldpay": ok, "liquido": ok},
		},
		"with another path claimed in a header": {
			func(_ *testing.T, _ string, c call) call {
				c.header = c.header.Clone()
				c.header.Set("Paystatus-Path", c.path)
				c.path += "?x=1"
				return c
			},
			map[string]int{"antom": refused},
		},
		"for another client id": {
			func(_ *testing.T, _ string, c call) call {
				c.header = c.header.Clone()
				c.header.Set("Client-Id", "SANDBOX_5TEST00000000002") // the account's own is what is signed
				return c
			},
			map[string]int{"antom": ok},
		},
	} {
		for provider, want := range tc.want {
			t.Run(provider+" "+name, func(t *testing.T) {
				t.Parallel()
				assert.Equal(t, want, send(endpoint, tc.change(t, provider, signed(t, provider))).Code)
			})
		}
	}
}

func TestAntomSignsThePathWithItsQuery(t *testing.T) {
	t.Parallel()
	n := sides().signing["antom"]
	path := "/notifications/antom/default?shop=1"
	header, body, err := sandbox.Notify{Type: "PAYMENT_RESULT"}.Request(n, n.Signer(), payment, path, time.Now())
	require.NoError(t, err)
	endpoint := newEndpoint(&written{})
	assert.Equal(t, http.StatusOK, send(endpoint, call{path, header, body}).Code)
	assert.Equal(t, http.StatusUnauthorized, send(endpoint, call{"/notifications/antom/default", header, body}).Code)
}
