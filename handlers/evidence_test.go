package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// Numbers that cards could have. The second names a payment in these tests.
const (
	cardNumber = "4111111111111111"
	orderID    = "4000056655665556"
)

func TestCardNumbersInARepliedInitiationAreMaskedBeforeTheWorkTopic(t *testing.T) {
	t.Parallel()
	event := strings.NewReplacer(
		`"payment_id":"p"`, `"payment_id":"`+orderID+`"`, `"body":"{}"`, `"body":"{\"number\":\"`+cardNumber+`\",\"order\":\"`+orderID+`\"}"`,
	).Replace(goodEvent)
	result, err := newIntake().Handle(t.Context(), Message{Value: []byte(event)})
	require.NoError(t, err)
	require.Len(t, result.Out, 1)
	check, err := watch.DecodeCheck(result.Out[0].Value)
	require.NoError(t, err)
	assert.JSONEq(t, `{"number":"411111******1111","order":"`+orderID+`"}`, string(check.Evidence.Body), "the payment's own id is none")
	assert.True(t, check.Evidence.Masked)
}

func TestCardNumbersInANotificationAreMaskedBeforeTheWorkTopicAndSaidSoInTheEvent(t *testing.T) {
	t.Parallel()
	payment := providers.Payment{ID: orderID, Account: "default", Reference: schemas.Reference{"idempotency_key": orderID}}
	callback, _ := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", sandbox.Payment{
		Reference: orderID, Status: "SETTLED", Script: sandbox.Script{Amount: sandbox.Amount{Value: 5000, Currency: "COP"}},
	}, time.Now())
	body := strings.Replace(string(callback), "{", `{"x_note":"`+cardNumber+`",`, 1)
	p := newPushing(t, "liquido", "")
	h := hear(t, p, body)
	require.NotNil(t, h.check)
	masked := strings.Replace(body, cardNumber, "411111******1111", 1)
	assert.Equal(t, masked, string(h.check.Evidence.Body))

	reading := readEvidence(p, *h.check.Evidence, payment)
	require.Equal(t, providers.Observed, reading.Outcome.Kind, reading.Outcome.Message)
	change := reading.Outcome.Change(p, reading.Answer, payment)
	assert.True(t, change.Raw.Masked)
	assert.Equal(t, masked, change.Raw.Body)
	sum := sha256.Sum256([]byte(masked))
	assert.Equal(t, hex.EncodeToString(sum[:]), change.Raw.SHA256)
	assert.Contains(t, change.Anomalies, schemas.MaskedCardNumber)

	h = hear(t, p, string(callback))
	assert.Equal(t, string(callback), string(h.check.Evidence.Body), "without one it stays exact")
	assert.False(t, h.check.Evidence.Masked)
}
