package consumertest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/renormalize"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/pipeline/why"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// mistaken is a provider with a wrong mapping: what was taken it reads as declined, and what ended without money as captured.
type mistaken struct{ providers.Provider }

func (m mistaken) Read(a providers.Answer, p providers.Payment) providers.Outcome {
	o := m.Provider.Read(a, p)
	if o.Observation == nil {
		return o
	}
	switch o.Observation.Status {
	case schemas.Captured, schemas.CapturePending:
		o.Observation.Status, o.Observation.Final = schemas.Declined, true
	case schemas.Declined, schemas.Expired, schemas.Canceled:
		o.Observation.Status, o.Observation.Final, o.Observation.PayableAgain = schemas.Captured, true, false
	default:
	}
	return o
}

// The fates that no webhook is needed for. Of each provider one was captured, and one ended without money.
const mistakenPayments = 13

func endedWithoutMoney(f demo.Fate) bool {
	return len(f.Script.Steps) > 0 && cameTo(f) == came{}
}

func TestACorrectedMistakeTakesEffectOnce(t *testing.T) {
	t.Parallel()
	testACorrectedMistakeTakesEffectOnce(t, nil, consumertest.SQLite)
}

// Payments of all providers are read wrongly, and booked and shipped so. Then the mapping is mended, and the answers are read again: orders and
// books are what they would have been, but for the goods that are out. A backfill of everything and a full re-read change nothing after that.
func testACorrectedMistakeTakesEffectOnce(t *testing.T, brokers []string, database func(testing.TB) string) {
	t.Helper()
	w := pipelinetest.New(t, pipelinetest.Setup{Brokers: brokers, Settings: `
schedules:
  default:
    open: {delays: [1s], every: 1s, deadline: 1m}
    authorized: {delays: [1s], every: 1s, deadline: 1m}
    refund: {delays: [1s], every: 1s, deadline: 1m}
    not_found_grace: 2s
    reference_window: 1s
    recheck: 1s
    unavailable: {initial: 1s, max: 1s}
    unreadable: {initial: 1s, max: 1s}
`})
	right, wrong := w.Options(), w.Options()
	for name, provider := range wrong.Providers {
		wrong.Providers[name] = mistaken{provider}
	}
	stop := w.StartWith(wrong)
	initiate(w)
	ended(w)
	stop()

	log := consumertest.OpenLog(t, w.Kafka.Brokers, w.Topics.StatusChanged)
	shop := consumertest.NewService(t, log, database(t), orders.Name, orders.Migrations, orders.Fulfillment{Policy: orders.DefaultPolicy}.Effect)
	books := consumertest.NewService(t, log, database(t), book.Name, book.Migrations, book.Effect)
	services := []*consumertest.Service{shop, books}
	for _, service := range services {
		service.TakeAll(w.Config.Kafka.Group + service.Name)
	}

	w.StartWith(right)
	assert.Equal(t, int64(11), correct(w).Outcomes[string(watch.RereadCorrected)])
	ended(w)
	for _, service := range services {
		service.TakeAndDie(w.Config.Kafka.Group+service.Name, 5)
		service.TakeAll(w.Config.Kafka.Group + service.Name)
	}
	checkEffects(t, shop, books, mistakenPayments, endedWithoutMoney)
	assert.Equal(t, asked(endedWithoutMoney), actions(t, shop, orders.RequestReturn), "what was shipped by mistake is asked back")

	assert.Contains(t, story(w, "order-0001"), "corrected from declined to captured (final)")
	assert.Positive(t, fillBack(w).Events)
	log.WriteAgain()
	for _, service := range services {
		assert.Zero(t, service.TakeAll(w.Config.Kafka.Group+service.Name).News)
		assert.Zero(t, service.TakeAll(w.Config.Kafka.Group+"-second-"+service.Name).News, "a full re-read from the beginning")
	}
	checkEffects(t, shop, books, mistakenPayments, endedWithoutMoney)
}

// initiate scripts the fates and tells of the payments.
func initiate(w *pipelinetest.World) {
	w.T.Helper()
	for _, f := range demo.Fates(mistakenPayments) {
		if f.Script.Steps != nil {
			require.NoError(w.T, w.Sandbox.Store(f.Provider).Put(f.Scripted, f.Script))
		}
		event := map[string]any{
			"payment_id": f.PaymentID, "provider": f.Provider, "initiated_at": time.Now().UTC().Format(time.RFC3339),
			"amount":    map[string]any{"value": f.Script.Amount.Value, "currency": f.Script.Amount.Currency},
			"reference": f.Reference,
		}
		if f.Method != "" {
			event["method"] = f.Method
		}
		w.Initiate(event)
	}
}

// ended waits until the last event of every payment is final.
func ended(w *pipelinetest.World) {
	w.T.Helper()
	w.Eventually(func() bool {
		last := map[string]bool{}
		for _, e := range w.Events() {
			last[e.Data.PaymentID] = e.Data.Final
		}
		final := 0
		for _, is := range last {
			if is {
				final++
			}
		}
		return final == mistakenPayments
	}, "every payment ends")
}

// correct has everything corrected that the providers' own mappings read otherwise.
func correct(w *pipelinetest.World) renormalize.Emitted {
	w.T.Helper()
	frozen, err := snapshot.Range{}.Freeze(w.T.Context(), w.Client, w.Topics.StatusChanged)
	require.NoError(w.T, err)
	reader := &renormalize.Reader{Providers: w.Options().Providers, Schedule: w.Config.Schedules.For, Now: time.Now()}
	source := renormalize.Log{Range: frozen}
	scanned, err := (&renormalize.Scan{Reader: reader, Source: source}).Run(w.T.Context())
	require.NoError(w.T, err)
	sum, err := (&renormalize.Emit{
		Client: w.Client, Publisher: w.Writer, Checks: w.Topics.Checks(), Replays: w.Topics.Replays(), StatusChanged: w.Topics.StatusChanged,
		Starts: w.CommitStarts, Reader: reader, Source: source, ReplayID: "mended", From: frozen.Onwards(),
	}).Run(w.T.Context(), scanned)
	require.NoError(w.T, err)
	return sum
}

// story is why a payment stands where it stands, for people.
func story(w *pipelinetest.World, payment string) string {
	w.T.Helper()
	told, err := why.Tell(w.T.Context(), why.Question{
		PaymentID: payment, Client: w.Client, Topics: w.Topics, Group: w.Config.Kafka.Group, Schedule: w.Config.Schedules.For,
	})
	require.NoError(w.T, err)
	var text strings.Builder
	require.NoError(w.T, told.Show(&text))
	return text.String()
}

// fillBack asks again about every payment.
func fillBack(w *pipelinetest.World) backfill.Summary {
	w.T.Helper()
	o := w.Options()
	payments := backfill.NewPayments(&handlers.Intake{Providers: o.Providers, Types: o.InitiatedTypes}, backfill.Selection{})
	frozen, err := snapshot.Range{}.Freeze(w.T.Context(), w.Client, w.Topics.Initiated)
	require.NoError(w.T, err)
	require.NoError(w.T, payments.ReadInitiated(w.T.Context(), frozen))
	require.NoError(w.T, payments.ReadSaid(w.T.Context(), w.Client, w.Topics, time.Time{}, nil))
	sum, err := (&backfill.Check{
		Client: w.Client, Publisher: w.Writer, Topics: w.Topics, Group: w.Config.Kafka.Group, Starts: w.CommitStarts,
		ReplayID: "everything", Concurrency: 100, Log: w.Log,
	}).Run(w.T.Context(), payments.All())
	require.NoError(w.T, err)
	assert.Equal(w.T, mistakenPayments, sum.Asked)
	return sum
}

// actions counts what the shop has to do, by order.
func actions(t *testing.T, shop *consumertest.Service, kind orders.Kind) map[string]int {
	t.Helper()
	byOrder := map[string]int{}
	require.NoError(t, orders.Actions(t.Context(), shop.DB, orders.Chosen{Kind: kind}, func(a orders.ListedAction) error {
		byOrder[a.OrderID]++
		return nil
	}))
	return byOrder
}

// asked has one for each payment that is so.
func asked(is func(demo.Fate) bool) map[string]int {
	byOrder := map[string]int{}
	for _, f := range demo.Fates(mistakenPayments) {
		if is(f) {
			byOrder[f.PaymentID] = 1
		}
	}
	return byOrder
}
