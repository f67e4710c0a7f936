package why_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/notify"
	"github.com/paystatus/paystatus/pipeline/why"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// world is a broker with the topics, simulated providers, and a pipeline when it is started.
type world struct {
	t       testing.TB
	config  *config.Config
	kafka   kafka.Config
	log     *slog.Logger
	client  *kafka.Client
	writer  *kafka.Publisher
	topics  pipeline.Topics
	sandbox *sandbox.Server
}

// settings make chains quick, but for the method pse, which is asked about every 12 minutes.
const settings = `
kafka: {session_timeout: 6s}
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

func newWorld(t testing.TB, partitions string) *world {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	simulators := demo.Simulators()
	w := &world{t: t, sandbox: sandbox.NewServer(simulators...), log: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(w.sandbox)
	t.Cleanup(server.Close)

	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	text := settings + "topics: {partitions: " + partitions + ", replication: 1, min_insync: 1}\n" + demo.SandboxConfig(simulators, server.URL)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
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

func (w *world) commitStarts(ctx context.Context) error {
	return pipeline.CommitStarts(ctx, w.client, w.topics, w.config.Kafka.Group, kafka.Earliest, false)
}

// ask tells a story.
func (w *world) ask(payment string, with ...func(*why.Question)) *why.Story {
	w.t.Helper()
	q := why.Question{PaymentID: payment, Client: w.client, Topics: w.topics, Group: w.config.Kafka.Group, Schedule: w.config.Schedules.For}
	for _, change := range with {
		change(&q)
	}
	story, err := why.Tell(w.t.Context(), q)
	require.NoError(w.t, err)
	return story
}

// comesTo waits until all that is told of a payment is in a state.
func (w *world) comesTo(payment string, state why.State, entries int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		n := 0
		for _, p := range w.ask(payment).Payments {
			if n += len(p.Timeline); p.Now.State != state {
				return false
			}
		}
		return n >= entries
	}, 60*time.Second, 50*time.Millisecond, "%s does not come to %s", payment, state)
}

func (w *world) produce(topic, key string, value []byte, headers ...kafka.Header) {
	w.t.Helper()
	msg := message.NewMessage("", value)
	if key != "" {
		kafka.SetKey(msg, []byte(key))
	}
	kafka.SetHeaders(msg, headers)
	require.NoError(w.t, w.writer.Publish(topic, msg))
}

// initiate writes an initiated event of 300 COP at Liquido, under another key than the payment's id.
func (w *world) initiate(payment string, with ...string) {
	w.t.Helper()
	e := map[string]any{
		"payment_id": payment, "provider": "liquido", "amount": map[string]any{"value": 300, "currency": "COP"},
		"initiated_at": "2026-01-31T12:00:00Z", "reference": map[string]any{"idempotency_key": payment},
	}
	for _, field := range with {
		name, value, _ := strings.Cut(field, "=")
		e[name] = value
	}
	data, err := json.Marshal(e)
	require.NoError(w.t, err)
	w.produce(w.topics.Initiated, "customer-7", data)
}

// scripted makes what Liquido says of a payment.
func (w *world) scripted(payment string, steps ...sandbox.Step) {
	w.t.Helper()
	require.NoError(w.t, w.sandbox.Store("liquido").Put(payment, sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: steps}))
}

// notified writes a notification of Liquido about a payment, as a receiver of webhooks does.
func (w *world) notified(payment, kind string) {
	w.t.Helper()
	about := &schemas.Initiated{
		PaymentID: payment, Amount: schemas.Amount{Value: 300, Currency: "COP"}, Reference: schemas.Reference{"idempotency_key": payment}, Method: "pse",
	}
	r, err := notify.Sample{Provider: "liquido", Type: kind, Payment: about, To: "http://127.0.0.1/"}.Make(time.Now())
	require.NoError(w.t, err)
	w.produce(w.topics.Notified, "", r.Body, kafka.Header{Key: handlers.HeaderProvider, Value: []byte("liquido")})
}

// asked writes a check of a backfill, as an operator's command does.
func (w *world) asked(payment, replay string) {
	w.t.Helper()
	c := watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: payment}, Kind: watch.KindBackfill,
		Context: &watch.Context{
			Amount: schemas.Amount{Value: 300, Currency: "COP"}, InitiatedAt: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
			Capture: schemas.CaptureAutomatic, Reference: schemas.Reference{"idempotency_key": payment},
		},
		Cause: schemas.CauseBackfill, ReplayID: replay, AskedAt: time.Now(),
	}
	value, err := c.Encode()
	require.NoError(w.t, err)
	w.produce(w.topics.Checks(), payment, value)
}

// givesBack gives all dead letters of a payment back.
func (w *world) givesBack(payment string) {
	w.t.Helper()
	s, err := deadletters.Take(w.t.Context(), w.client, w.topics.DeadLetters(), time.Time{})
	require.NoError(w.t, err)
	r := deadletters.Redrive{
		Publisher: w.writer, Topic: w.topics.Redriven(), Filter: deadletters.Filter{Payment: payment}, Max: deadletters.DefaultMax,
		By: "olga", Why: "is configured now", Starts: w.commitStarts,
	}
	_, err = r.Run(w.t.Context(), s)
	require.NoError(w.t, err)
}
