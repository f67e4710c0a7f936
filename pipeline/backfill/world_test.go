package backfill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
)

// world is a paystatus for backfills, that counts what its providers are asked.
type world struct {
	*pipelinetest.World

	options pipeline.Options

	mu       sync.Mutex
	requests map[string]int // for payments, by the last part of the path
}

const settings = `
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

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldAt(t, nil, nil)
}

// newWorldAt is at brokers; a test may create some of the topics first.
func newWorldAt(t testing.TB, brokers []string, before func(*kafka.Client, config.Topics)) *world {
	t.Helper()
	w := &world{requests: map[string]int{}}
	w.World = pipelinetest.New(t, pipelinetest.Setup{Settings: settings, Brokers: brokers, Before: before, Around: w.counting})
	w.options = w.Options()
	return w
}

// counting counts requests by what they ask for.
func (w *world) counting(sandbox http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
		w.mu.Unlock()
		sandbox.ServeHTTP(response, r)
	})
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

// start runs the pipeline with the world's options.
func (w *world) start() (stop func()) {
	w.T.Helper()
	return w.StartWith(w.options)
}

// live runs n payments to their end, and gives their ids and the ids of their events.
func (w *world) live(n int) (payments []string, events map[string]bool) {
	w.T.Helper()
	const flood = 500 // more at once have to queue for the provider
	for first := 0; first < n; first += flood {
		var some []map[string]any
		for i := first; i < min(first+flood, n); i++ {
			id := fmt.Sprintf("p-%05d", i)
			w.At(id, "SETTLED")
			payments, some = append(payments, id), append(some, pipelinetest.Initiated(id))
		}
		w.Initiate(some...)
		w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) >= len(payments) }, "the payments come to their end")
	}
	w.Eventually(w.Idle, "nothing is on its way any more")
	events = map[string]bool{}
	for _, e := range w.Events() {
		events[e.ID] = true
	}
	require.Len(w.T, events, n)
	w.forget()
	return payments, events
}

// record writes what the pipeline writes when a check has come to its outcome.
func (w *world) record(o handlers.ReplayOutcome) {
	value, err := json.Marshal(o)
	require.NoError(w.T, err)
	msg := message.NewMessage("", value)
	kafka.SetKey(msg, []byte(o.PaymentID))
	require.NoError(w.T, w.Writer.Publish(w.Topics.Replays(), msg))
}

// commit is what the check handler does once it has handled all that is there.
func (w *world) commit(topic string) {
	last, err := w.Client.ListOffsets(w.T.Context(), topic, kafka.Latest)
	require.NoError(w.T, err)
	require.NoError(w.T, w.Client.CommitOffsets(w.T.Context(), pipeline.GroupOf(w.Config.Kafka.Group, handlers.NameCheck), topic, last))
}

func (w *world) payments(s backfill.Selection) *backfill.Payments {
	return backfill.NewPayments(&handlers.Intake{Providers: w.options.Providers, Types: w.options.InitiatedTypes}, s)
}

// list is what a range of the topics holds, with what was said.
func (w *world) list(s backfill.Selection, r snapshot.Range) *backfill.Payments {
	w.T.Helper()
	p := w.payments(s)
	frozen, err := r.Freeze(w.T.Context(), w.Client, w.Topics.Initiated)
	require.NoError(w.T, err)
	require.NoError(w.T, p.ReadInitiated(w.T.Context(), frozen))
	require.NoError(w.T, p.ReadSaid(w.T.Context(), w.Client, w.Topics, time.Time{}, nil))
	return p
}

// check is a backfill of mode check, unhurried.
func (w *world) check() *backfill.Check {
	return &backfill.Check{
		Client: w.Client, Publisher: w.Writer, Topics: w.Topics, Group: w.Config.Kafka.Group, Starts: w.CommitStarts,
		ReplayID: "replay-1", Concurrency: 100, Log: w.Log,
	}
}

// verify is a backfill of mode verify.
func (w *world) verify(p *backfill.Payments) (backfill.Report, error) {
	w.T.Helper()
	connected, err := pipeline.Connect(w.Config, nil)
	require.NoError(w.T, err)
	v := &backfill.Verify{
		Providers: connected, Schedule: w.Config.Schedules.For, Concurrency: 32, Timeout: 10 * time.Second, Attempts: 2, Pause: time.Millisecond,
		Reread: func(ctx context.Context) error { return p.ReadSaid(ctx, w.Client, w.Topics, time.Time{}, nil) },
	}
	return v.Run(w.T.Context(), p)
}

// outcomes are the outcome records of all backfills, by payment.
func (w *world) outcomes() map[string][]handlers.ReplayOutcome {
	w.T.Helper()
	all := map[string][]handlers.ReplayOutcome{}
	for _, r := range w.Records(w.Topics.Replays()) {
		var o handlers.ReplayOutcome
		require.NoError(w.T, json.Unmarshal(r.Value, &o))
		all[o.PaymentID] = append(all[o.PaymentID], o)
	}
	return all
}

// conclusive are outcomes that tell something.
var conclusive = []providers.Kind{providers.Observed, providers.NotFound, providers.Mismatch}
