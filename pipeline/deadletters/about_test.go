package deadletters_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/deadletters"
)

func TestTheLettersAboutOnePayment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	give := func(key, value string) {
		w.T.Helper()
		result, err := (&handlers.Intake{}).Handle(t.Context(), handlers.Message{Topic: "payments.initiated", Key: []byte(key), Value: []byte(value)})
		require.NoError(t, err)
		w.post(result)
	}
	give("order-1", event("order-1", "1"))
	give("customer-7", event("order-1", "2"))
	give("customer-7", `{"payment_id":"order-\u0031","provider":"liquido"}`)
	give("customer-7", event("order-2", "3"))
	give("order-1", "")

	about := func() []deadletters.Letter {
		about := deadletters.About{Payment: "order-1"}
		for _, r := range w.Records(w.Topics.DeadLetters()) {
			if about.Chooses(r.Key, r.Value) {
				require.NoError(t, about.Take(r))
			} else {
				assert.Contains(t, string(r.Value), "order-2")
			}
		}
		return about.Letters()
	}
	letters := about()
	assert.Len(t, letters, 4, "by the key, by the value, by an escaped value, by the key alone")
	for i, l := range letters {
		assert.Nil(t, l.Given)
		assert.Equal(t, "order-1", l.About.PaymentID)
		assert.True(t, i == 0 || !l.Time.Before(letters[i-1].Time), "the oldest first")
	}

	require.Equal(t, 4, w.given(deadletters.Redrive{Filter: deadletters.Filter{Payment: "order-1"}}))
	letters = about()
	require.Len(t, letters, 4)
	for _, l := range letters {
		assert.Equal(t, "olga", l.Given.By)
	}
}
