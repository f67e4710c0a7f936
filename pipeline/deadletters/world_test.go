package deadletters_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// world is what surrounds dead letters: a broker with the topics, simulated providers, and a pipeline when it is started.
type world struct {
	t       *testing.T
	config  *config.Config
	kafka   kafka.Config
	log     *slog.Logger
	client  *kafka.Client
	writer  *kafka.Publisher
	topics  pipeline.Topics
	sandbox *sandbox.Server
}

const settings = `
kafka: {session_timeout: 6s}
topics: {partitions: 4, replication: 1, min_insync: 1}
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 1m}
    recheck: 1s
    unavailable: {initial: 1s, max: 2s}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	simulators := demo.Simulators()
	w := &world{t: t, sandbox: sandbox.NewServer(simulators...), log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(w.sandbox)
	t.Cleanup(server.Close)

	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(settings+demo.SandboxConfig(simulators, server.URL)), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	w.config, w.topics = c, pipeline.Topics{Topics: c.Topics}
	w.kafka = kafka.Config{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: w.log}

	w.client, err = kafka.NewClient(w.kafka)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.client.Close() })
	w.writer, err = kafka.NewPublisher(w.kafka, kafka.PublisherOptions{OmitUUID: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.writer.Close() })
	_, err = pipeline.CreateTopics(t.Context(), w.client, w.topics)
	require.NoError(t, err)
	return w
}

func (w *world) commitStarts(ctx context.Context) error {
	return pipeline.CommitStarts(ctx, w.client, w.topics, w.config.Kafka.Group, kafka.Earliest, false)
}

// start runs the pipeline until stop is called, which waits for its end.
func (w *world) start() (stop func()) {
	w.t.Helper()
	require.NoError(w.t, w.commitStarts(w.t.Context()))
	o, err := pipeline.FromConfig(w.config, w.kafka, w.log)
	require.NoError(w.t, err)
	p, err := pipeline.New(o)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	require.Eventually(w.t, p.Ready, 30*time.Second, 20*time.Millisecond, "the pipeline is not ready")
	return sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-ended)
	})
}

// post writes what a handler wants written to the dead letters; what else it wants is left out.
func (w *world) post(results ...handlers.Result) {
	w.t.Helper()
	var all []*message.Message
	for _, r := range results {
		for _, out := range r.Out {
			if out.To == handlers.ToDeadLetters {
				all = append(all, record(out.Key, out.Value, out.Headers...))
			}
		}
	}
	require.NoError(w.t, w.writer.Publish(w.topics.DeadLetters(), all...))
}

func (w *world) produce(topic, key, value string, headers ...handlers.Header) {
	w.t.Helper()
	require.NoError(w.t, w.writer.Publish(topic, record([]byte(key), []byte(value), headers...)))
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

// records reads a topic.
func (w *world) records(topic string) []kafka.Record {
	w.t.Helper()
	last, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Latest)
	require.NoError(w.t, err)
	var all []kafka.Record
	for p, end := range last {
		require.NoError(w.t, w.client.Scan(w.t.Context(), topic, p, 0, end, func(r kafka.Record) error {
			all = append(all, r)
			return nil
		}))
	}
	return all
}

// written is how many records each topic holds.
func (w *world) written() map[string]int {
	w.t.Helper()
	count := map[string]int{}
	for _, topic := range []string{w.topics.DeadLetters(), w.topics.Redriven(), w.topics.StatusChanged, w.topics.Checks()} {
		count[topic] = len(w.records(topic))
	}
	return count
}

func headerOf(r kafka.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// walk lists what a filter chooses.
func (w *world) walk(f deadletters.Filter) ([]deadletters.Letter, deadletters.Counts) {
	w.t.Helper()
	s, err := deadletters.Take(w.t.Context(), w.client, w.topics.DeadLetters(), f.Since)
	require.NoError(w.t, err)
	var all []deadletters.Letter
	counts, err := s.Walk(w.t.Context(), f, func(l deadletters.Letter, _ deadletters.Counts) error {
		all = append(all, l)
		return nil
	})
	require.NoError(w.t, err)
	return all, counts
}

// redrive gives letters back with a publisher of the test's own, if it has one.
func (w *world) redrive(r deadletters.Redrive) (deadletters.Summary, error) {
	w.t.Helper()
	s, err := deadletters.Take(w.t.Context(), w.client, w.topics.DeadLetters(), r.Filter.Since)
	require.NoError(w.t, err)
	if r.Publisher == nil {
		r.Publisher = w.writer
	}
	if r.Max == 0 {
		r.Max = deadletters.DefaultMax
	}
	r.Topic, r.By = w.topics.Redriven(), "olga"
	if r.Starts == nil {
		r.Starts = w.commitStarts
	}
	return r.Run(w.t.Context(), s)
}

// given is how many letters a redrive gave back, without an error.
func (w *world) given(r deadletters.Redrive) int {
	w.t.Helper()
	sum, err := w.redrive(r)
	require.NoError(w.t, err)
	return sum.Verdicts[deadletters.GivenBack]
}

// statuses are the statuses of a payment's events and the ids of all events.
func (w *world) statuses(payment string) (statuses, ids []string) {
	w.t.Helper()
	for _, r := range w.records(w.topics.StatusChanged) {
		if string(r.Key) != payment {
			continue
		}
		var c schemas.Change
		require.NoError(w.t, json.Unmarshal(r.Value, &c))
		statuses, ids = append(statuses, string(c.Status)), append(ids, headerOf(r, "ce_id"))
	}
	return statuses, ids
}

// eventually waits until a condition on real time holds; the pipeline runs on a real broker.
func (w *world) eventually(condition func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, condition, 30*time.Second, 30*time.Millisecond, what)
}

// settled is a script of a payment of 300 COP at Liquido.
func (w *world) settled(reference string, steps ...string) {
	w.t.Helper()
	script := sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}}
	for _, status := range steps {
		script.Steps = append(script.Steps, sandbox.Step{Status: status})
	}
	require.NoError(w.t, w.sandbox.Store("liquido").Put(reference, script))
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
