package antom

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// asked is a request as a server got it.
type asked struct {
	path, body string
	header     http.Header
}

// ask makes one check against a server that answers nothing, and gives what that got.
func ask(t *testing.T, clientID, prefix string, ref schemas.Reference) asked {
	t.Helper()
	var got asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = asked{r.URL.Path, string(body), r.Header}
	}))
	defer server.Close()
	s := settingsWith(func(a *Account) { a.ClientID, a.KeyVersion = clientID, 3 })
	s.BaseURL = server.URL + prefix
	p, err := Definition.New(s, providers.Options{})
	require.NoError(t, err)
	_, err = p.Ask(context.Background(), providers.Payment{Reference: ref})
	require.NoError(t, err)
	return got
}

func TestAnInquiryIsSignedAsItIsSent(t *testing.T) {
	t.Parallel()
	got := ask(t, "SANDBOX_1", "", schemas.Reference{"payment_request_id": "P&1", "payment_id": "2024"})
	assert.Equal(t, "/ams/sandbox/api/v1/payments/inquiryPayment", got.path)
	assert.JSONEq(t, `{"paymentRequestId":"P&1"}`, got.body, "the merchant's id alone, for Antom's would win")
	assert.Equal(t, "application/json; charset=UTF-8", got.header.Get("Content-Type"))
	assert.Equal(t, "SANDBOX_1", got.header.Get("Client-Id"))
	at := got.header.Get("Request-Time")
	milliseconds, err := strconv.ParseInt(at, 10, 64)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), time.UnixMilli(milliseconds), time.Minute)
	assert.Contains(t, got.header.Get("Signature"), "keyVersion=3,")
	require.NoError(t, checkSignature(&ourKey().PublicKey, got.header.Get("Signature"), signedText(got.path, "SANDBOX_1", at, []byte(got.body))))
}

func TestAnInquiryByAntomsIDAlone(t *testing.T) {
	t.Parallel()
	assert.JSONEq(t, `{"paymentId":"2024"}`, ask(t, "1", "", schemas.Reference{"payment_id": "2024"}).body)
}

func TestThePathIsThatOfTheClientsEnvironment(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "/ams/api/v1/payments/inquiryPayment", ask(t, "5ABC", "", schemas.Reference{"payment_id": "1"}).path)
}

func TestThePathOfTheBaseURLIsNotSigned(t *testing.T) {
	t.Parallel()
	got := ask(t, "5ABC", "/proxy/antom/", schemas.Reference{"payment_id": "1"})
	assert.Equal(t, "/proxy/antom/ams/api/v1/payments/inquiryPayment", got.path)
	seen := strings.TrimPrefix(got.path, "/proxy/antom")
	text := signedText(seen, "5ABC", got.header.Get("Request-Time"), []byte(got.body))
	require.NoError(t, checkSignature(&ourKey().PublicKey, got.header.Get("Signature"), text))
}

func TestAnAccountThatIsNotConfiguredIsRefused(t *testing.T) {
	t.Parallel()
	answer, err := reader(t).Ask(context.Background(), providers.Payment{Account: "other", Reference: schemas.Reference{"payment_id": "1"}})
	require.NoError(t, err)
	require.NotNil(t, answer.Fault)
	assert.Equal(t, providers.Refused, answer.Fault.Kind)
	assert.Equal(t, *answer.Fault, reader(t).Read(answer, providers.Payment{}))
}
