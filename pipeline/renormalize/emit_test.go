package renormalize_test

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
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/archive"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/renormalize"
	"github.com/paystatus/paystatus/pipeline/statuslog"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// world is a broker, simulated providers, and a pipeline whose mapping of Liquido's words can be changed.
type world struct {
	t       *testing.T
	config  *config.Config
	kafka   kafka.Config
	client  *kafka.Client
	writer  *kafka.Publisher
	topics  pipeline.Topics
	sandbox *sandbox.Server
	change  func(*providers.Outcome) // nil: the mapping is the provider's own
	stop    func()
}

const settings = `
kafka: {session_timeout: 6s}
topics: {partitions: 4, replication: 1, min_insync: 1}
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 1m}
    recheck: 1s
`

func newWorld(t *testing.T) *world {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	simulators := demo.Simulators()
	w := &world{t: t, sandbox: sandbox.NewServer(simulators...)}
	server := httptest.NewServer(w.sandbox)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(settings+demo.SandboxConfig(simulators, server.URL)), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	w.config, w.topics = c, pipeline.Topics{Topics: c.Topics}
	w.kafka = kafka.Config{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)}
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

// start runs a pipeline with the mapping as it is now, in the place of the one that runs.
func (w *world) start() {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
	}
	require.NoError(w.t, w.commitStarts(w.t.Context()))
	o, err := pipeline.FromConfig(w.config, w.kafka, slog.New(slog.DiscardHandler))
	require.NoError(w.t, err)
	o.Providers["liquido"] = w.mapping(o.Providers["liquido"])
	p, err := pipeline.New(o)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	require.Eventually(w.t, p.Ready, 30*time.Second, 20*time.Millisecond, "the pipeline is not ready")
	w.stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(w.t, <-ended)
	})
	w.t.Cleanup(w.stop)
}

func (w *world) mapping(p providers.Provider) providers.Provider {
	if w.change == nil {
		return p
	}
	return remapped{p, w.change}
}

// pay makes payments that come to the steps, and waits for their events.
func (w *world) pay(payments int, steps ...string) {
	w.t.Helper()
	for n := range payments {
		w.initiate(order(n), steps...)
	}
	w.eventually(func() bool { return len(w.events("")) == payments*len(steps) }, "their events")
}

func (w *world) initiate(id string, steps ...string) {
	w.t.Helper()
	script := sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}}
	for _, status := range steps {
		script.Steps = append(script.Steps, sandbox.Step{Status: status})
	}
	require.NoError(w.t, w.sandbox.Store("liquido").Put(id, script))
	event := pesos(id)
	data, err := json.Marshal(event)
	require.NoError(w.t, err)
	msg := message.NewMessage("", data)
	kafka.SetKey(msg, []byte(id))
	require.NoError(w.t, w.writer.Publish(w.topics.Initiated, msg))
}

// logged is an event in the log.
type logged struct {
	handlers.StatusEvent

	value []byte
}

func (w *world) events(payment string) (all []logged) {
	w.t.Helper()
	last, err := w.client.ListOffsets(w.t.Context(), w.topics.StatusChanged, kafka.Latest)
	require.NoError(w.t, err)
	for p, end := range last {
		require.NoError(w.t, w.client.Scan(w.t.Context(), w.topics.StatusChanged, p, 0, end, func(r kafka.Record) error {
			if payment == "" || string(r.Key) == payment {
				e, err := handlers.ReadStatusEvent(statuslog.MessageOf(r))
				require.NoError(w.t, err)
				all = append(all, logged{e, r.Value})
			}
			return nil
		}))
	}
	return all
}

func statuses(events []logged) (all []schemas.Status) {
	for _, e := range events {
		all = append(all, e.Data.Status)
	}
	return all
}

func (w *world) eventually(condition func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, condition, 30*time.Second, 30*time.Millisecond, what)
}

// scan reads the log again with the mapping as it is now.
func (w *world) scan() (*renormalize.Scanned, renormalize.Log, *renormalize.Reader) {
	w.t.Helper()
	frozen, err := statuslog.Range{}.Freeze(w.t.Context(), w.client, w.topics.StatusChanged)
	require.NoError(w.t, err)
	r := reader(w.t, w.mapping(provider(w.t, "liquido")))
	r.Schedule = w.config.Schedules.For
	log := renormalize.Log{Range: frozen}
	scanned, err := (&renormalize.Scan{Reader: r, Source: log}).Run(w.t.Context())
	require.NoError(w.t, err)
	return scanned, log, r
}

func (w *world) emit(r *renormalize.Reader, source renormalize.Source, from map[int]int64) *renormalize.Emit {
	return &renormalize.Emit{
		Client: w.client, Publisher: w.writer, Checks: w.topics.Checks(), Replays: w.topics.Replays(), StatusChanged: w.topics.StatusChanged,
		Starts: w.commitStarts, Reader: r, Source: source, ReplayID: "mapping-2", From: from,
	}
}

// corrects has everything corrected that is due.
func (w *world) corrects() renormalize.Emitted {
	w.t.Helper()
	scanned, log, r := w.scan()
	sum, err := w.emit(r, log, log.Range.Onwards()).Run(w.t.Context(), scanned)
	require.NoError(w.t, err)
	return sum
}

func TestLastEventsAreCorrectedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.pay(12, "IN_PROGRESS", "SETTLED")
	before := w.events("")
	assert.Zero(t, w.corrects().Due, "nothing has changed")

	w.change = instead(schemas.Captured, schemas.Declined)
	w.start()
	sum := w.corrects()
	assert.Equal(t, renormalize.Emitted{ReplayID: "mapping-2", Due: 12, Asked: 12, Outcomes: map[string]int64{"corrected": 12}}, sum)
	require.Len(t, w.events(""), len(before)+12)
	for n := range 12 {
		events := w.events(order(n))
		require.Equal(t, []schemas.Status{schemas.Pending, schemas.Captured, schemas.Declined}, statuses(events), "in order")
		wrong, right := events[1], events[2]
		schematest.ValidateChange(t, right.value)
		assert.Equal(t, schemas.TypeStatusCorrected, right.Type)
		assert.Equal(t, wrong.ID, right.Data.Corrects)
		assert.Equal(t, wrong.Data.Raw, right.Data.Raw)
		assert.Equal(t, "mapping-2", right.Data.ReplayID)
		key := schemas.PaymentKey{Provider: "liquido", Account: schemas.DefaultAccount, PaymentID: order(n)}
		assert.Equal(t, schemas.EventID(key, schemas.Facts{Status: schemas.Declined, Entry: 1, Final: true}).String(), right.ID)
	}

	sum = w.corrects()
	assert.Zero(t, sum.Due, "the second time nothing differs")
	w.stop()

	// A live payment that comes to the same facts has the same id.
	w.start()
	w.initiate("order-99", "SETTLED")
	w.eventually(func() bool { return len(w.events("order-99")) == 1 }, "its event")
	live := w.events("order-99")
	key := schemas.PaymentKey{Provider: "liquido", Account: schemas.DefaultAccount, PaymentID: "order-99"}
	assert.Equal(t, schemas.EventID(key, schemas.Facts{Status: schemas.Declined, Entry: 1, Final: true}).String(), live[0].ID)
	assert.Equal(t, schemas.TypeStatusChanged, live[0].Type)
}

func TestACorrectedPaymentIsWatchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change = instead(schemas.Pending, schemas.Declined)
	w.start()
	w.initiate("order-1", "IN_PROGRESS")
	w.eventually(func() bool { return len(w.events("order-1")) == 1 }, "its event")
	w.change = nil
	w.start()
	require.NoError(t, w.sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	assert.Equal(t, int64(1), w.corrects().Outcomes["corrected"])
	w.eventually(func() bool { return len(w.events("order-1")) == 3 }, "the provider is asked again")
	assert.Equal(t, []schemas.Status{schemas.Declined, schemas.Pending, schemas.Captured}, statuses(w.events("order-1")))
}

func TestWhatWasSaidAfterTheScanIsNotCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.pay(3, "IN_PROGRESS")
	w.change = instead(schemas.Pending, schemas.RequiresAction)
	scanned, log, r := w.scan()
	w.change = nil
	require.NoError(t, w.sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	w.eventually(func() bool { return len(w.events("order-1")) == 2 }, "it settles")
	w.stop()
	x := w.emit(r, log, log.Range.Onwards())
	x.Patience = time.Millisecond
	sum, err := x.Run(t.Context(), scanned)
	require.ErrorContains(t, err, "2 corrections came to no outcome", "nobody does it")
	assert.Equal(t, []int{3, 1, 2, 2}, []int{sum.Due, sum.Superseded, sum.Asked, sum.Waiting})
}

func TestAnInterruptedRenormalizationGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.pay(6, "SETTLED")
	w.change = instead(schemas.Captured, schemas.Declined)
	w.start()
	scanned, log, r := w.scan()
	first := w.emit(r, log, log.Range.Onwards())
	first.Rate, first.Publisher = 10, &dying{w.writer, 3} // one at a time
	sum, err := first.Run(t.Context(), scanned)
	require.ErrorIs(t, err, errKilled)
	assert.Equal(t, 3, sum.Asked)
	w.eventually(func() bool { return len(w.events("")) == 9 }, "what was asked is done")

	sum, err = w.emit(r, log, log.Range.Onwards()).Run(t.Context(), scanned)
	require.NoError(t, err)
	assert.Equal(t, []int{6, 3, 3, 0}, []int{sum.Due, sum.Before + sum.Superseded, sum.Asked, sum.Waiting})
	assert.Equal(t, int64(3), sum.Outcomes["corrected"])
	assert.Len(t, w.events(""), 12)
}

// dying is a publisher of a process that is killed.
type dying struct {
	message.Publisher

	after int
}

var errKilled = errors.New("killed")

func (d *dying) Publish(topic string, messages ...*message.Message) error {
	if d.after == 0 {
		return errKilled
	}
	d.after--
	return d.Publisher.Publish(topic, messages...)
}

func TestAFileIsReadAgainAndOnlyTheLastEventsOfTheLogAreCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.pay(4, "IN_PROGRESS")
	frozen, err := statuslog.Range{}.Freeze(t.Context(), w.client, w.topics.StatusChanged)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "events.jsonl.gz")
	_, err = (&archive.Export{Range: frozen, File: name}).Run(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	w.eventually(func() bool { return len(w.events("order-1")) == 2 }, "it settles")

	w.change = instead(schemas.Pending, schemas.RequiresAction) // the operator's mapping; the service has the old one still
	_, _, r := w.scan()
	source := renormalize.File{Name: name}
	scanned, err := (&renormalize.Scan{Reader: r, Source: source}).Run(t.Context())
	require.NoError(t, err)
	_, last := scanned.Differences()
	assert.Equal(t, int64(4), last, "as far as the file tells")
	sum, err := w.emit(r, source, nil).Run(t.Context(), scanned)
	require.NoError(t, err)
	assert.Equal(t, []int{4, 1, 3}, []int{sum.Due, sum.Superseded, sum.Asked})
	assert.Equal(t, map[string]int64{"same": 3}, sum.Outcomes)
	assert.Len(t, w.events(""), 5)
}
