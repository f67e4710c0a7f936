package deadletters_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/kafka"
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

	first, err := w.Client.ListOffsets(t.Context(), w.Topics.DeadLetters(), kafka.Earliest)
	require.NoError(t, err)
	about := func() ([]deadletters.Letter, kafka.Searched) {
		last, err := w.Client.ListOffsets(t.Context(), w.Topics.DeadLetters(), kafka.Latest)
		require.NoError(t, err)
		letters, searched, err := deadletters.About(t.Context(), w.Client, w.Topics.DeadLetters(), "order-1", first, last)
		require.NoError(t, err)
		return letters, searched
	}
	letters, searched := about()
	assert.Len(t, letters, 4, "by the key, by the value, by an escaped value, by the key alone")
	assert.Equal(t, int64(5), searched.Records)
	for i, l := range letters {
		assert.Nil(t, l.Given)
		assert.Equal(t, "order-1", l.About.PaymentID)
		assert.True(t, i == 0 || !l.Time.Before(letters[i-1].Time), "the oldest first")
	}

	require.Equal(t, 4, w.given(deadletters.Redrive{Filter: deadletters.Filter{Payment: "order-1"}}))
	letters, _ = about()
	require.Len(t, letters, 4)
	for _, l := range letters {
		assert.Equal(t, "olga", l.Given.By)
	}
}
