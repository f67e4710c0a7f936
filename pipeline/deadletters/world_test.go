package deadletters_test

import (
	"errors"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

// world is a paystatus with dead letters.
type world struct{ *pipelinetest.World }

const settings = `
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 1m}
    recheck: 1s
    unavailable: {initial: 1s, max: 2s}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{pipelinetest.New(t, pipelinetest.Setup{Settings: settings})}
}

// post writes what a handler wants written to the dead letters; what else it wants is left out.
func (w *world) post(results ...handlers.Result) {
	w.T.Helper()
	var all []*message.Message
	for _, r := range results {
		for _, out := range r.Out {
			if out.To == handlers.ToDeadLetters {
				all = append(all, record(out.Key, out.Value, out.Headers...))
			}
		}
	}
	require.NoError(w.T, w.Writer.Publish(w.Topics.DeadLetters(), all...))
}

func record(key, value []byte, headers ...handlers.Header) *message.Message {
	msg := message.NewMessage("", value)
	kafka.SetKey(msg, key)
	var exact []kafka.Header
	for _, h := range headers {
		exact = append(exact, kafka.Header(h))
	}
	kafka.SetHeaders(msg, exact)
	return msg
}

// written is how many records each topic holds.
func (w *world) written() map[string]int {
	w.T.Helper()
	count := map[string]int{}
	for _, topic := range []string{w.Topics.DeadLetters(), w.Topics.Redriven(), w.Topics.StatusChanged, w.Topics.Checks()} {
		count[topic] = w.Count(topic)
	}
	return count
}

// walk lists what a filter chooses.
func (w *world) walk(f deadletters.Filter) ([]deadletters.Letter, deadletters.Counts) {
	w.T.Helper()
	s, err := deadletters.Take(w.T.Context(), w.Client, w.Topics.DeadLetters(), f.Since)
	require.NoError(w.T, err)
	var all []deadletters.Letter
	counts, err := s.Walk(w.T.Context(), f, func(l deadletters.Letter, _ deadletters.Counts) error {
		all = append(all, l)
		return nil
	})
	require.NoError(w.T, err)
	return all, counts
}

// redrive gives letters back with a publisher of the test's own, if it has one.
func (w *world) redrive(r deadletters.Redrive) (deadletters.Summary, error) {
	w.T.Helper()
	s, err := deadletters.Take(w.T.Context(), w.Client, w.Topics.DeadLetters(), r.Filter.Since)
	require.NoError(w.T, err)
	if r.Publisher == nil {
		r.Publisher = w.Writer
	}
	if r.Max == 0 {
		r.Max = deadletters.DefaultMax
	}
	r.Topic, r.By = w.Topics.Redriven(), "olga"
	if r.Starts == nil {
		r.Starts = w.CommitStarts
	}
	return r.Run(w.T.Context(), s)
}

// given is how many letters a redrive gave back, without an error.
func (w *world) given(r deadletters.Redrive) int {
	w.T.Helper()
	sum, err := w.redrive(r)
	require.NoError(w.T, err)
	return sum.Verdicts[deadletters.GivenBack]
}

// statuses are the statuses of a payment's events and the ids of all events.
func (w *world) statuses(payment string) (statuses, ids []string) {
	w.T.Helper()
	for _, e := range w.EventsOf(payment) {
		statuses, ids = append(statuses, string(e.Data.Status)), append(ids, e.ID)
	}
	return statuses, ids
}

// event is the data of an initiated event at Liquido.
func event(payment string, amount string) string {
	return `{"payment_id":"` + payment + `","provider":"liquido","amount":{"value":` + amount + `,"currency":"COP"},` +
		`"initiated_at":"2026-01-31T12:00:00Z","reference":{"idempotency_key":"` + payment + `"}}`
}

// dying is a publisher of a process that is killed before it writes to one topic.
type dying struct {
	message.Publisher

	before string
}

var errKilled = errors.New("killed")

func (d dying) Publish(topic string, messages ...*message.Message) error {
	if topic == d.before {
		return errKilled
	}
	return d.Publisher.Publish(topic, messages...)
}
