package backfill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
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
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// world is what surrounds a backfill: a broker with the topics, simulated providers, and a pipeline when it is started.
type world struct {
	t       testing.TB
	config  *config.Config
	kafka   kafka.Config
	log     *slog.Logger
	client  *kafka.Client
	writer  *kafka.Publisher
	topics  pipeline.Topics
	options pipeline.Options
	sandbox *sandbox.Server

	mu       sync.Mutex
	requests map[string]int // for payments, by the last part of the path
}

const settings = `
kafka: {session_timeout: 6s}
topics: {partitions: 4, replication: 1, min_insync: 1}
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 2m}
    authorized: {delays: [1s], every: 1s, deadline: 2m}
    refund: {delays: [1s], every: 1s, deadline: 2m}
    recheck: 1s
    unreadable: {initial: 1s, max: 2s}
    unavailable: {initial: 1s, max: 2s}
    not_found_grace: 10s
    reference_window: 3s
`

// embeddedBrokers starts a broker in memory.
func embeddedBrokers(t testing.TB) []string {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	return []string{broker.Addr()}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldAt(t, embeddedBrokers(t), nil)
}

// newWorldAt has topics of its own at brokers; a test may create some of them first.
func newWorldAt(t testing.TB, brokers []string, before func(*kafka.Client, config.Topics)) *world {
	t.Helper()
	simulators := demo.Simulators()
	w := &world{t: t, sandbox: sandbox.NewServer(simulators...), log: slog.New(slog.DiscardHandler), requests: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)

	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(settings+demo.SandboxConfig(simulators, server.URL)), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	for _, s := range c.Providers {
		s.Common().Rate = 0 // the simulators bear everything
	}
	name := strings.NewReplacer("/", ".", " ", "_").Replace(t.Name())
	c.Kafka.Group, c.Topics.Prefix = name, name+"."
	c.Topics.Initiated, c.Topics.Notified, c.Topics.StatusChanged = name+".initiated", name+".notified", name+".status_changed"
	w.config, w.topics = c, pipeline.Topics{Topics: c.Topics}
	w.kafka = kafka.Config{Brokers: brokers, ClientID: "test", Logger: w.log}
	var err error
	w.options, err = pipeline.FromConfig(w.config, w.kafka, w.log)
	require.NoError(t, err)

	w.client, err = kafka.NewClient(w.kafka)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.client.Close() })
	w.writer, err = kafka.NewPublisher(w.kafka, kafka.PublisherOptions{OmitUUID: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.writer.Close() })
	if before != nil {
		before(w.client, c.Topics)
	}
	_, err = pipeline.CreateTopics(t.Context(), w.client, w.topics)
	require.NoError(t, err)
	return w
}

// serve counts requests by what they ask for.
func (w *world) serve(response http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.requests[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
	w.mu.Unlock()
	w.sandbox.ServeHTTP(response, r)
}

// asked is how often a provider was asked for a reference.
func (w *world) asked(reference string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[reference]
}

// forget begins to count requests anew.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.requests)
}

func (w *world) commitStarts(ctx context.Context) error {
	return pipeline.CommitStarts(ctx, w.client, w.topics, w.config.Kafka.Group, kafka.Earliest, false)
}

// start runs the pipeline until stop is called, which waits for its end.
func (w *world) start() (stop func()) {
	w.t.Helper()
	require.NoError(w.t, w.commitStarts(w.t.Context()))
	p, err := pipeline.New(w.options)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	require.Eventually(w.t, p.Ready, 30*time.Second, 20*time.Millisecond, "the pipeline is not ready")
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-ended)
	})
	w.t.Cleanup(stop)
	return stop
}

// at is a payment of 300 COP at Liquido that goes through statuses; its reference is its id.
func (w *world) at(id string, statuses ...string) {
	w.t.Helper()
	script := sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}}
	for _, status := range statuses {
		step := sandbox.Step{Status: status}
		if status[0] >= '0' && status[0] <= '9' {
			step = sandbox.Step{Fault: status}
		}
		script.Steps = append(script.Steps, step)
	}
	require.NoError(w.t, w.sandbox.Store("liquido").Put(id, script))
}

// event is the data of a payment's initiated event at Liquido.
func event(id string) map[string]any {
	return map[string]any{
		"payment_id": id, "provider": "liquido", "amount": map[string]any{"value": 300, "currency": "COP"},
		"initiated_at": "2026-01-31T12:00:00Z", "reference": map[string]any{"idempotency_key": id},
	}
}

// initiate writes initiated events.
func (w *world) initiate(events ...map[string]any) {
	w.t.Helper()
	var all []*message.Message
	for _, e := range events {
		data, err := json.Marshal(e)
		require.NoError(w.t, err)
		msg := message.NewMessage("", data)
		kafka.SetKey(msg, []byte(fmt.Sprint(e["payment_id"])))
		all = append(all, msg)
	}
	for len(all) > 0 {
		n := min(len(all), 1000)
		require.NoError(w.t, w.writer.Publish(w.topics.Initiated, all[:n]...))
		all = all[n:]
	}
}

// live runs n payments to their end, and gives their ids and the ids of their events.
func (w *world) live(n int) (payments []string, events map[string]bool) {
	w.t.Helper()
	const flood = 500 // more at once have to queue for the provider
	for first := 0; first < n; first += flood {
		var some []map[string]any
		for i := first; i < min(first+flood, n); i++ {
			id := fmt.Sprintf("p-%05d", i)
			w.at(id, "SETTLED")
			payments, some = append(payments, id), append(some, event(id))
		}
		w.initiate(some...)
		w.eventually(func() bool { return w.count(w.topics.StatusChanged) >= int64(len(payments)) }, "the payments come to their end")
	}
	w.eventually(w.idle, "nothing is on its way any more")
	events = map[string]bool{}
	for _, e := range w.events() {
		events[e.id] = true
	}
	require.Len(w.t, events, n)
	w.forget()
	return payments, events
}

// count is how many records a topic holds.
func (w *world) count(topic string) int64 {
	w.t.Helper()
	last, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Latest)
	require.NoError(w.t, err)
	total := int64(0)
	for _, end := range last {
		total += end
	}
	return total
}

// idle reports whether every group has handled all records of its topic.
func (w *world) idle() bool {
	w.t.Helper()
	for handler, topic := range w.topics.Consumed() {
		last, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Latest)
		require.NoError(w.t, err)
		committed, err := w.client.CommittedOffsets(w.t.Context(), pipeline.GroupOf(w.config.Kafka.Group, handler), topic)
		require.NoError(w.t, err)
		for p, end := range last {
			if committed[p] < end {
				return false
			}
		}
	}
	return true
}

// record writes what the pipeline writes when a check has come to its outcome.
func (w *world) record(o handlers.ReplayOutcome) {
	value, err := json.Marshal(o)
	require.NoError(w.t, err)
	msg := message.NewMessage("", value)
	kafka.SetKey(msg, []byte(o.PaymentID))
	require.NoError(w.t, w.writer.Publish(w.topics.Replays(), msg))
}

// commit is what the check handler does once it has handled all that is there.
func (w *world) commit(topic string) {
	last, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Latest)
	require.NoError(w.t, err)
	require.NoError(w.t, w.client.CommitOffsets(w.t.Context(), pipeline.GroupOf(w.config.Kafka.Group, handlers.NameCheck), topic, last))
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

// said is a status event as it was written.
type said struct {
	id, eventType string
	data          schemas.Change
}

// events reads every status event so far, each held against the schema.
func (w *world) events() []said {
	w.t.Helper()
	var all []said
	for _, r := range w.records(w.topics.StatusChanged) {
		var e said
		for _, h := range r.Headers {
			switch h.Key {
			case "ce_id":
				e.id = string(h.Value)
			case "ce_type":
				e.eventType = string(h.Value)
			}
		}
		schematest.ValidateChange(w.t, r.Value)
		require.NoError(w.t, json.Unmarshal(r.Value, &e.data))
		all = append(all, e)
	}
	return all
}

// eventually waits until a condition on real time holds; the pipeline runs on a real broker.
func (w *world) eventually(condition func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, condition, 2*time.Minute, 50*time.Millisecond, what)
}

func (w *world) payments(s backfill.Selection) *backfill.Payments {
	return backfill.NewPayments(&handlers.Intake{Providers: w.options.Providers, Types: w.options.InitiatedTypes}, s)
}

// list is what a range of the topics holds, with what was said.
func (w *world) list(s backfill.Selection, r backfill.Range) *backfill.Payments {
	w.t.Helper()
	p := w.payments(s)
	frozen, err := r.Freeze(w.t.Context(), w.client, w.topics.Initiated)
	require.NoError(w.t, err)
	require.NoError(w.t, p.ReadInitiated(w.t.Context(), w.client, frozen, nil))
	require.NoError(w.t, p.ReadSaid(w.t.Context(), w.client, w.topics, time.Time{}, nil))
	return p
}

// check is a backfill of mode check, unhurried.
func (w *world) check() *backfill.Check {
	return &backfill.Check{
		Client: w.client, Publisher: w.writer, Topics: w.topics, Group: w.config.Kafka.Group, Starts: w.commitStarts,
		ReplayID: "replay-1", Concurrency: 100, Log: w.log,
	}
}

// verify is a backfill of mode verify.
func (w *world) verify(p *backfill.Payments) (backfill.Report, error) {
	w.t.Helper()
	connected, err := pipeline.Connect(w.config, nil)
	require.NoError(w.t, err)
	v := &backfill.Verify{
		Providers: connected, Schedule: w.config.Schedules.For, Concurrency: 32, Timeout: 10 * time.Second, Attempts: 2, Pause: time.Millisecond,
		Reread: func(ctx context.Context) error { return p.ReadSaid(ctx, w.client, w.topics, time.Time{}, nil) },
	}
	return v.Run(w.t.Context(), p)
}

// outcomes are the outcome records of all backfills, by payment.
func (w *world) outcomes() map[string][]handlers.ReplayOutcome {
	w.t.Helper()
	all := map[string][]handlers.ReplayOutcome{}
	for _, r := range w.records(w.topics.Replays()) {
		var o handlers.ReplayOutcome
		require.NoError(w.t, json.Unmarshal(r.Value, &o))
		all[o.PaymentID] = append(all[o.PaymentID], o)
	}
	return all
}

// conclusive are outcomes that tell something.
var conclusive = []providers.Kind{providers.Observed, providers.NotFound, providers.Mismatch}
