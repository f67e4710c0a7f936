package why_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/notify"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/why"
	"github.com/paystatus/paystatus/schemas"
)

// world is a paystatus about whose payments one asks why.
type world struct{ *pipelinetest.World }

// settings make chains quick, but for the method pse, which is asked about every 12 minutes.
const settings = `
notifications: {trust_producer: true}
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 1h}
    not_found_grace: 1s
    recheck: 1s
    jitter: 0
    unavailable: {initial: 1s, max: 2s}
  liquido:
    methods:
      pse: {open: {delays: [12m], every: 12m}}
`

func newWorld(t testing.TB, partitions int) *world {
	t.Helper()
	return &world{pipelinetest.New(t, pipelinetest.Setup{Settings: settings, Partitions: partitions})}
}

// ask tells a story.
func (w *world) ask(payment string, with ...func(*why.Question)) *why.Story {
	w.T.Helper()
	q := why.Question{PaymentID: payment, Client: w.Client, Topics: w.Topics, Group: w.Config.Kafka.Group, Schedule: w.Config.Schedules.For}
	for _, change := range with {
		change(&q)
	}
	story, err := why.Tell(w.T.Context(), q)
	require.NoError(w.T, err)
	return story
}

// comesTo waits until all that is told of a payment is in a state.
func (w *world) comesTo(payment string, state why.State, entries int) {
	w.T.Helper()
	w.Eventually(func() bool {
		n := 0
		for _, p := range w.ask(payment).Payments {
			if n += len(p.Timeline); p.Now.State != state {
				return false
			}
		}
		return n >= entries
	}, fmt.Sprintf("%s does not come to %s", payment, state))
}

// initiate writes an initiated event of 300 COP at Liquido, under another key than the payment's id.
func (w *world) initiate(payment string, with ...string) {
	w.T.Helper()
	e := pipelinetest.Initiated(payment)
	for _, field := range with {
		name, value, _ := strings.Cut(field, "=")
		e[name] = value
	}
	data, err := json.Marshal(e)
	require.NoError(w.T, err)
	w.Produce(w.Topics.Initiated, "customer-7", data)
}

// notified writes a notification of Liquido about a payment, as a receiver of webhooks does.
func (w *world) notified(payment, kind string) {
	w.T.Helper()
	about := &schemas.Initiated{
		PaymentID: payment, Amount: schemas.Amount{Value: 300, Currency: "COP"}, Reference: schemas.Reference{"idempotency_key": payment}, Method: "pse",
	}
	r, err := notify.Sample{Provider: "liquido", Type: kind, Payment: about, To: "http://127.0.0.1/"}.Make(time.Now())
	require.NoError(w.T, err)
	w.Produce(w.Topics.Notified, "", r.Body, kafka.Header{Key: handlers.HeaderProvider, Value: []byte("liquido")})
}

// asked writes a check of a backfill, as an operator's command does.
func (w *world) asked(payment, replay string) {
	w.T.Helper()
	c := watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: payment}, Kind: watch.KindBackfill,
		Context: &watch.Context{
			Amount: schemas.Amount{Value: 300, Currency: "COP"}, InitiatedAt: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
			Capture: schemas.CaptureAutomatic, Reference: schemas.Reference{"idempotency_key": payment},
		},
		Cause: schemas.CauseBackfill, ReplayID: replay, AskedAt: time.Now(),
	}
	value, err := c.Encode()
	require.NoError(w.T, err)
	w.Produce(w.Topics.Checks(), payment, value)
}

// givesBack gives all dead letters of a payment back.
func (w *world) givesBack(payment string) {
	w.T.Helper()
	s, err := deadletters.Take(w.T.Context(), w.Client, w.Topics.DeadLetters(), time.Time{})
	require.NoError(w.T, err)
	r := deadletters.Redrive{
		Publisher: w.Writer, Topic: w.Topics.Redriven(), Filter: deadletters.Filter{Payment: payment}, Max: deadletters.DefaultMax,
		By: "olga", Why: "is configured now", Starts: w.CommitStarts,
	}
	_, err = r.Run(w.T.Context(), s)
	require.NoError(w.T, err)
}
