package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
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
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// world is everything around a pipeline: a broker, a sandbox of providers, topics of its own.
type world struct {
	t       testing.TB
	config  kafka.Config
	client  *kafka.Client
	writer  *kafka.Publisher
	topics  pipeline.Topics
	group   string
	sandbox *sandbox.Server
	url     string
	options pipeline.Options

	configured *config.Config // how the providers are reached
}

// embeddedBrokers starts a broker in memory.
func embeddedBrokers(t testing.TB) []string {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	return []string{broker.Addr()}
}

func newWorld(t testing.TB, brokers []string) *world {
	t.Helper()
	return newWorldWith(t, brokers, nil)
}

// newWorldWith lets a test create topics of its own first.
func newWorldWith(t testing.TB, brokers []string, before func(client *kafka.Client, statusTopic string)) *world {
	t.Helper()
	name := strings.NewReplacer("/", ".", " ", "_").Replace(t.Name())
	log := slog.New(slog.NewTextHandler(logWriter(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := &world{
		t: t, group: name, config: kafka.Config{Brokers: brokers, ClientID: name, Logger: log},
		topics: pipeline.Topics{Topics: config.Topics{
			Initiated: name + ".initiated", Notified: name + ".notified", StatusChanged: name + ".status_changed", Prefix: name + ".",
			Partitions: 4, Replication: 1, MinInsync: 1,
		}},
	}
	simulators := demo.Simulators()
	w.sandbox = sandbox.NewServer(simulators...)
	server := httptest.NewServer(w.sandbox)
	t.Cleanup(server.Close)
	w.url = server.URL

	var err error
	w.client, err = kafka.NewClient(w.config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.client.Close() })
	w.writer, err = kafka.NewPublisher(w.config, kafka.PublisherOptions{OmitUUID: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.writer.Close() })
	if before != nil {
		before(w.client, w.topics.StatusChanged)
	}
	_, err = pipeline.CreateTopics(t.Context(), w.client, w.topics)
	require.NoError(t, err)
	w.options = pipeline.Options{
		Kafka: w.config, Group: w.group, SessionTimeout: 6 * time.Second, Topics: w.topics, InFlight: 4096, Lookback: 15 * time.Minute,
		Drain: 5 * time.Second, Providers: w.connect(simulators), Schedule: func(string, string) watch.Schedule { return quick },
		Events: handlers.Events{Source: "/paystatus"}, InitiatedTypes: []string{schemas.TypeInitiated}, Log: log,
	}
	return w
}

// logWriter shows the pipeline's logs with PAYSTATUS_TEST_LOG=1.
func logWriter() *os.File {
	if os.Getenv("PAYSTATUS_TEST_LOG") != "" {
		return os.Stderr
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	return null
}

// quick is a schedule for tests: everything happens within seconds.
var quick = watch.Schedule{
	Open:          watch.Rhythm{Delays: []time.Duration{time.Second}, Every: time.Second, Deadline: time.Minute},
	Authorized:    watch.Rhythm{Every: time.Second, Deadline: time.Minute},
	Refund:        watch.Rhythm{Every: time.Second, Deadline: time.Minute},
	NotFoundGrace: 5 * time.Second, ReferenceWindow: 2 * time.Second, Recheck: time.Second,
	Unavailable: watch.Backoff{Initial: time.Second, Max: 2 * time.Second}, Unreadable: watch.Backoff{Initial: time.Second, Max: 2 * time.Second, Limit: 3},
	RefusedEvery: time.Second,
}

// start runs a pipeline until stop is called, which waits for its end.
func (w *world) start() (stop func()) {
	w.t.Helper()
	return w.startWith(w.options)
}

func (w *world) startWith(o pipeline.Options) (stop func()) {
	w.t.Helper()
	require.NoError(w.t, pipeline.CommitStarts(w.t.Context(), w.client, w.topics, w.group, kafka.Earliest, false))
	p, err := pipeline.New(o)
	require.NoError(w.t, err)
	return w.run(p)
}

func (w *world) run(p *pipeline.Pipeline) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	require.Eventually(w.t, p.Ready, 30*time.Second, 20*time.Millisecond, "the pipeline is not ready")
	return sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(w.t, err)
		case <-time.After(30 * time.Second):
			w.t.Error("the pipeline does not end")
		}
	})
}

// initiate writes the data of an initiated event.
func (w *world) initiate(event map[string]any) {
	w.t.Helper()
	data, err := json.Marshal(event)
	require.NoError(w.t, err)
	w.produce(w.topics.Initiated, fmt.Sprint(event["payment_id"]), data)
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

// event is a status event as it was written.
type event struct {
	id, eventType string
	key           string
	data          schemas.Change
}

// events reads every status event so far, each held against the schema.
func (w *world) events() []event {
	w.t.Helper()
	var all []event
	w.scan(w.topics.StatusChanged, func(r kafka.Record) {
		e := event{key: string(r.Key)}
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
	})
	return all
}

func (w *world) eventsOf(payment string) []event {
	w.t.Helper()
	var mine []event
	for _, e := range w.events() {
		if e.key == payment {
			mine = append(mine, e)
		}
	}
	return mine
}

func (w *world) scan(topic string, fn func(kafka.Record)) {
	w.t.Helper()
	first, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Earliest)
	require.NoError(w.t, err)
	last, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Latest)
	require.NoError(w.t, err)
	for p := range last {
		require.NoError(w.t, w.client.Scan(w.t.Context(), topic, p, first[p], last[p], func(r kafka.Record) error {
			fn(r)
			return nil
		}))
	}
}

// deadLetters reads every dead letter so far.
func (w *world) deadLetters() []kafka.Record {
	w.t.Helper()
	return w.records(w.topics.DeadLetters())
}

// records reads a topic.
func (w *world) records(topic string) []kafka.Record {
	w.t.Helper()
	var all []kafka.Record
	w.scan(topic, func(r kafka.Record) { all = append(all, r) })
	return all
}

// lagOf is how many records of a handler's topic its group has not committed.
func (w *world) lagOf(handler, topic string) int64 {
	w.t.Helper()
	last, err := w.client.ListOffsets(w.t.Context(), topic, kafka.Latest)
	require.NoError(w.t, err)
	committed, err := w.client.CommittedOffsets(w.t.Context(), pipeline.GroupOf(w.group, handler), topic)
	require.NoError(w.t, err)
	lag := int64(0)
	for p, end := range last {
		lag += end - committed[p]
	}
	return lag
}

func headerOf(r kafka.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// statuses are the words of events, in order.
func statuses(events []event) []string {
	var words []string
	for _, e := range events {
		word := string(e.data.Status)
		if e.eventType == schemas.TypeStatusUnresolved {
			word = "unresolved:" + e.data.Reason.Code
		}
		if e.data.Final {
			word += " (final)"
		}
		words = append(words, word)
	}
	return words
}

// eventually waits until a condition on real time holds; the pipeline runs on a real broker.
func (w *world) eventually(condition func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, condition, 60*time.Second, 50*time.Millisecond, what)
}
