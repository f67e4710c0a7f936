package handlers

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// undecided is a provider whose notifications name a payment by its key, and whose answer is always that it is pending.
type undecided struct {
	reading

	asked []schemas.Reference
}

func (u *undecided) Ask(_ context.Context, p providers.Payment) (providers.Answer, error) {
	u.asked = append(u.asked, p.Reference)
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{HTTPStatus: http.StatusOK, Body: []byte(`{}`)}}}, nil
}

func (u *undecided) Verify(providers.Answer, string, bool) error { return nil }

func (u *undecided) Read(a providers.Answer, _ providers.Payment) providers.Outcome {
	o := providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: schemas.Pending}}
	if a.From == schemas.SourceNotification {
		o.About = schemas.Reference{"key": "k"}
	}
	return o
}

func TestAPaymentWithoutContextIsAskedForByWhatItsNotificationStates(t *testing.T) {
	t.Parallel()
	provider := &undecided{}
	h := &Check{
		Providers: map[string]providers.Provider{"liquido": provider}, Memory: NewMemory(), Random: func() float64 { return 0 }, Timeout: time.Second,
		Log: slog.New(slog.DiscardHandler), Events: Events{Source: "/x"},
		Schedule: func(string, string) watch.Schedule {
			return watch.Schedule{Open: watch.Rhythm{Every: time.Minute, Deadline: time.Hour}, NotFoundGrace: time.Minute}
		},
	}
	h.Memory.Assign(0, time.Now())
	first := watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p"}, Kind: watch.KindNotification,
		Evidence: &watch.Evidence{From: schemas.SourceNotification, Body: []byte(`{}`)}, Cause: schemas.CauseNotification,
	}
	value, err := first.Encode()
	require.NoError(t, err)
	for range 3 {
		result, err := h.Handle(t.Context(), Message{Value: value})
		require.NoError(t, err)
		result.Done()
		next := result.Out[len(result.Out)-1]
		require.Equal(t, ToDelay, next.To)
		value = next.Value
	}
	assert.Equal(t, []schemas.Reference{{"key": "k"}, {"key": "k"}, {"key": "k"}}, provider.asked)
}

func TestAnAbandonedCheckOfABackfillIsADeadLetterAndRecordedAsNotAsked(t *testing.T) {
	t.Parallel()
	h := &Check{Memory: NewMemory(), Log: slog.New(slog.DiscardHandler)}
	h.Memory.Assign(0, time.Now())
	key := schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p"}
	value, err := watch.Check{
		PaymentKey: key, Kind: watch.KindBackfill, ReplayID: "r", Cause: schemas.CauseBackfill,
		Context: &watch.Context{Amount: schemas.Amount{Value: 300, Currency: "COP"}},
	}.Encode()
	require.NoError(t, err)
	out := h.Abandon(Message{Value: value}).Out
	require.Len(t, out, 2)
	var record ReplayOutcome
	require.NoError(t, json.Unmarshal(out[0].Value, &record))
	assert.Equal(t, ToReplays, out[0].To)
	assert.Equal(t, ReplayOutcome{ReplayID: "r", PaymentKey: key, Outcome: providers.Unavailable, Code: "internal_error", At: record.At}, record)
	assert.Equal(t, ToDeadLetters, out[1].To)
}
