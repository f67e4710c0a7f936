package renormalize_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/archive"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/renormalize"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// world is a paystatus whose mapping of Liquido's words can be changed.
type world struct {
	*pipelinetest.World

	change func(*providers.Outcome) // nil: the mapping is the provider's own
	stop   func()
}

const settings = `
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 1m}
    recheck: 1s
`

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldAt(t, nil)
}

// worldAt is a world at given brokers; nil: in memory.
func worldAt(t *testing.T, brokers []string) *world {
	t.Helper()
	return &world{World: pipelinetest.New(t, pipelinetest.Setup{Settings: settings, Brokers: brokers})}
}

// start runs a pipeline with the mapping as it is now, in the place of the one that runs.
func (w *world) start() {
	w.T.Helper()
	if w.stop != nil {
		w.stop()
	}
	o := w.Options()
	o.Providers["liquido"] = w.mapping(o.Providers["liquido"])
	w.stop = w.StartWith(o)
}

func (w *world) mapping(p providers.Provider) providers.Provider {
	if w.change == nil {
		return p
	}
	return remapped{p, w.change}
}

// pay makes payments that come to the steps, and waits for their events.
func (w *world) pay(payments int, steps ...string) {
	w.T.Helper()
	for n := range payments {
		w.initiate(order(n), steps...)
	}
	w.Eventually(func() bool { return len(w.Events()) == payments*len(steps) }, "their events")
}

func (w *world) initiate(id string, steps ...string) {
	w.T.Helper()
	w.At(id, steps...)
	w.ask(id)
}

// ask has the provider asked about a payment, by an initiated event.
func (w *world) ask(id string) {
	w.T.Helper()
	data, err := json.Marshal(pesos(id))
	require.NoError(w.T, err)
	w.Produce(w.Topics.Initiated, id, data)
}

func statuses(events []pipelinetest.Event) (all []schemas.Status) {
	for _, e := range events {
		all = append(all, e.Data.Status)
	}
	return all
}

// scan reads the log again with the mapping as it is now.
func (w *world) scan() (*renormalize.Scanned, renormalize.Log, *renormalize.Reader) {
	w.T.Helper()
	frozen, err := snapshot.Range{}.Freeze(w.T.Context(), w.Client, w.Topics.StatusChanged)
	require.NoError(w.T, err)
	r := reader(w.T, w.mapping(provider(w.T, "liquido")))
	r.Schedule = w.Config.Schedules.For
	log := renormalize.Log{Range: frozen}
	scanned, err := (&renormalize.Scan{Reader: r, Source: log}).Run(w.T.Context())
	require.NoError(w.T, err)
	return scanned, log, r
}

func (w *world) emit(r *renormalize.Reader, source renormalize.Source, from map[int]int64) *renormalize.Emit {
	return &renormalize.Emit{
		Client: w.Client, Publisher: w.Writer, Checks: w.Topics.Checks(), Replays: w.Topics.Replays(), StatusChanged: w.Topics.StatusChanged,
		Starts: w.CommitStarts, Reader: r, Source: source, ReplayID: "mapping-2", From: from,
	}
}

// corrects has everything corrected that is due.
func (w *world) corrects() renormalize.Emitted {
	w.T.Helper()
	scanned, log, r := w.scan()
	sum, err := w.emit(r, log, log.Range.Onwards()).Run(w.T.Context(), scanned)
	require.NoError(w.T, err)
	return sum
}

func TestLastEventsAreCorrectedOnce(t *testing.T) {
	t.Parallel()
	testLastEventsAreCorrectedOnce(t, nil)
}

func testLastEventsAreCorrectedOnce(t *testing.T, brokers []string) {
	t.Helper()
	w := worldAt(t, brokers)
	w.start()
	w.pay(12, "IN_PROGRESS", "SETTLED")
	w.initiate("declined", "FAILED")
	w.initiate("refunded", "SETTLED", "REFUNDED")
	w.Eventually(func() bool { return len(w.Events()) == 26 }, "their events")
	w.ask("refunded")
	w.Eventually(func() bool { return len(w.Events()) == 27 }, "the refund")
	before := w.Events()
	partitions := map[int]bool{}
	for _, r := range w.Records(w.Topics.StatusChanged) {
		partitions[r.Partition] = true
	}
	require.Len(t, partitions, 4)
	assert.Zero(t, w.corrects().Due, "nothing has changed")

	w.change = instead(schemas.Captured, schemas.Declined)
	w.start()
	sum := w.corrects()
	assert.Equal(t, renormalize.Emitted{ReplayID: "mapping-2", Due: 12, Asked: 12, Outcomes: map[string]int64{"corrected": 12}}, sum)
	require.Len(t, w.Events(), len(before)+12)
	assert.Equal(t, []schemas.Status{schemas.Declined}, statuses(w.EventsOf("declined")), "rightly")
	assert.Equal(t, []schemas.Status{schemas.Captured, schemas.Refunded}, statuses(w.EventsOf("refunded")), "the wrong one is not the last")
	for n := range 12 {
		events := w.EventsOf(order(n))
		require.Equal(t, []schemas.Status{schemas.Pending, schemas.Captured, schemas.Declined}, statuses(events), "in order")
		wrong, right := events[1], events[2]
		schematest.ValidateChange(t, right.Value)
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
	w.Eventually(func() bool { return len(w.EventsOf("order-99")) == 1 }, "its event")
	live := w.EventsOf("order-99")
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
	w.Eventually(func() bool { return len(w.EventsOf("order-1")) == 1 }, "its event")
	w.change = nil
	w.start()
	require.NoError(t, w.Sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	assert.Equal(t, int64(1), w.corrects().Outcomes["corrected"])
	w.Eventually(func() bool { return len(w.EventsOf("order-1")) == 3 }, "the provider is asked again")
	assert.Equal(t, []schemas.Status{schemas.Declined, schemas.Pending, schemas.Captured}, statuses(w.EventsOf("order-1")))
}

func TestWhatWasSaidAfterTheScanIsNotCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.pay(3, "IN_PROGRESS")
	w.change = instead(schemas.Pending, schemas.RequiresAction)
	scanned, log, r := w.scan()
	w.change = nil
	require.NoError(t, w.Sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	w.Eventually(func() bool { return len(w.EventsOf("order-1")) == 2 }, "it settles")
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
	first.Rate, first.Publisher = 10, &dying{w.Writer, 3} // one at a time
	sum, err := first.Run(t.Context(), scanned)
	require.ErrorIs(t, err, errKilled)
	assert.Equal(t, 3, sum.Asked)
	w.Eventually(func() bool { return len(w.Events()) == 9 }, "what was asked is done")

	sum, err = w.emit(r, log, log.Range.Onwards()).Run(t.Context(), scanned)
	require.NoError(t, err)
	assert.Equal(t, []int{6, 3, 3, 0}, []int{sum.Due, sum.Before + sum.Superseded, sum.Asked, sum.Waiting})
	assert.Equal(t, int64(3), sum.Outcomes["corrected"])
	assert.Len(t, w.Events(), 12)
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
	frozen, err := snapshot.Range{}.Freeze(t.Context(), w.Client, w.Topics.StatusChanged)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "events.jsonl.gz")
	_, err = (&archive.Export{Range: frozen, File: name}).Run(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.Sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}},
	}))
	w.Eventually(func() bool { return len(w.EventsOf("order-1")) == 2 }, "it settles")

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
	assert.Len(t, w.Events(), 5)
}
