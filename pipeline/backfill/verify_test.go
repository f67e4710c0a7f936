package backfill_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// kinds are the kinds of differences, by payment.
func kinds(all []backfill.Difference) map[string]backfill.Kind {
	found := map[string]backfill.Kind{}
	for _, d := range all {
		found[d.PaymentID] = d.Kind
	}
	return found
}

func TestVerifyFindsEverySeededDifferenceAndNothingElse(t *testing.T) {
	t.Parallel()
	verified(t, 500, 100)
}

// verified runs payments live, changes so many at the provider, and holds a verify to them.
func verified(t testing.TB, payments, seeded int) {
	t.Helper()
	w := newWorld(t)
	stop := w.start()
	ids, _ := w.live(payments)
	stop()
	written := w.Count(w.Topics.StatusChanged) + w.Count(w.Topics.Checks())

	want := map[string]backfill.Kind{}
	for i := range seeded {
		id := ids[i*payments/seeded]
		switch i % 4 {
		case 0:
			w.At(id, "REFUNDED")
			want[id] = backfill.Behind
		case 1:
			w.At(id, "IN_PROGRESS")
			want[id] = backfill.Contradiction
		case 2:
			w.At(id, sandbox.StatusNotFound)
			want[id] = backfill.Vanished
		case 3:
			script := sandbox.Script{Amount: sandbox.Amount{Value: 299, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}}}
			require.NoError(t, w.Sandbox.Store("liquido").Put(id, script))
			want[id] = backfill.Mismatch
		}
	}
	report, err := w.verify(w.list(backfill.Selection{}, snapshot.Range{}))
	require.NoError(t, err)
	assert.Equal(t, want, kinds(report.Differences))
	assert.Empty(t, report.Unasked)
	assert.Equal(t, payments-seeded, report.Agree)
	assert.Equal(t, written, w.Count(w.Topics.StatusChanged)+w.Count(w.Topics.Checks()), "nothing is emitted")
}

func TestVerifyTellsHowAPaymentDiffers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"silent", "down", "open"} {
		w.Initiate(pipelinetest.Initiated(id))
	}
	w.At("open", "IN_PROGRESS")
	w.At("silent", "404")
	w.At("down", "404")
	stop := w.start()
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) >= 1 }, "the open one is said")
	stop()
	w.At("open", "SETTLED")
	w.At("silent", "SETTLED")
	w.At("down", "503")
	w.forget()
	report, err := w.verify(w.list(backfill.Selection{}, snapshot.Range{}))
	require.NoError(t, err)
	assert.Equal(t, map[string]backfill.Kind{"open": backfill.Behind, "silent": backfill.Silent}, kinds(report.Differences))
	assert.Equal(t, map[string]backfill.Kind{"down": backfill.Unasked}, kinds(report.Unasked))
	assert.Equal(t, map[backfill.Kind]int{backfill.Behind: 1, backfill.Silent: 1, backfill.Unasked: 1}, report.ByKind)
	open := report.Differences[0]
	assert.Equal(t, schemas.Pending, open.Said.Status)
	assert.Equal(t, schemas.Captured, open.Found.Status)
	assert.True(t, open.Found.Final)
	assert.Nil(t, report.Differences[1].Said)
	assert.Equal(t, 2, w.asked("down"), "as often as allowed")
}

func TestVerifyComparesSums(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	captured := func(id string, sum int) {
		fields := map[string]any{"balances": map[string]any{"total_authorized": 1000, "total_captured": sum}}
		script := sandbox.Script{Amount: sandbox.Amount{Value: 1000, Currency: "EUR"}, Steps: []sandbox.Step{{Status: "Partially Captured", Fields: fields}}}
		require.NoError(t, w.Sandbox.Store("checkout").Put(id, script))
	}
	reference := func(i int) string { return fmt.Sprintf("pay_%026d", i) }
	for i := range 3 {
		e := pipelinetest.Initiated(fmt.Sprintf("p-%d", i))
		e["provider"], e["amount"], e["reference"] = "checkout", map[string]any{"value": 1000, "currency": "EUR"}, map[string]any{"payment_id": reference(i)}
		captured(reference(i), 500)
		w.Initiate(e)
	}
	stop := w.start()
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 3 }, "all are said")
	stop()
	captured(reference(1), 700)
	captured(reference(2), 300)
	report, err := w.verify(w.list(backfill.Selection{}, snapshot.Range{}))
	require.NoError(t, err)
	assert.Equal(t, map[string]backfill.Kind{"p-1": backfill.Behind, "p-2": backfill.Contradiction}, kinds(report.Differences))
	assert.Equal(t, int64(500), report.Differences[0].Said.Sums.Captured)
	assert.Equal(t, int64(700), report.Differences[0].Found.Sums.Captured)
	assert.Equal(t, int64(300), report.Differences[1].Found.Sums.Captured)
}

func TestVerifyDoesNotReportWhatIsSaidMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("p"))
	w.At("p", "IN_PROGRESS")
	stop := w.start()
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 1 }, "pending is said")
	stop()
	p := w.list(backfill.Selection{}, snapshot.Range{})
	w.At("p", "SETTLED")
	stop = w.start()
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 2 }, "captured is said, too")
	stop()
	report, err := w.verify(p)
	require.NoError(t, err)
	assert.Empty(t, report.Differences)
	assert.Equal(t, 1, report.Agree)
}
