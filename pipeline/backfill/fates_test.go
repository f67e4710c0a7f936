package backfill_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/schemas"
)

func TestPaymentsOfAllProvidersAreAskedAboutAgainWithTheSameIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	fates := demo.Fates(demo.EveryFate)
	for _, f := range fates {
		for i := range f.Script.Steps {
			f.Script.Steps[i].Notify = nil // nobody listens
		}
		if f.Script.Steps != nil {
			require.NoError(t, w.Sandbox.Store(f.Provider).Put(f.Scripted, f.Script))
		}
		e := map[string]any{
			"payment_id": f.PaymentID, "provider": f.Provider, "reference": f.Reference, "initiated_at": time.Now().UTC().Format(time.RFC3339),
			"amount": map[string]any{"value": f.Script.Amount.Value, "currency": f.Script.Amount.Currency},
		}
		if f.Method != "" {
			e["method"] = f.Method
		}
		w.Initiate(e)
	}
	ended := func() bool {
		final := map[string]bool{}
		for _, e := range w.Events() {
			final[e.Data.PaymentID] = e.Data.Final
		}
		for _, f := range fates {
			if !final[f.PaymentID] {
				return false
			}
		}
		return true
	}
	w.Eventually(ended, "every payment ends")
	live := map[string]bool{}
	for _, e := range w.Events() {
		live[e.ID] = true
	}

	p := w.list(backfill.Selection{}, snapshot.Range{})
	sum, err := w.check().Run(t.Context(), p.All())
	require.NoError(t, err)
	assert.Zero(t, sum.Unasked())
	assert.Len(t, sum.ByProvider, 4)
	replayed := 0
	for _, e := range w.Events() {
		assert.True(t, live[e.ID], "%s: an id that the live run did not give", e.Data.PaymentID)
		if e.Data.ReplayID != "" {
			replayed++
			assert.NotEqual(t, schemas.TypeStatusUnresolved, e.Type)
		}
	}
	assert.Equal(t, sum.Events, replayed)

	report, err := w.verify(p)
	require.NoError(t, err)
	assert.Empty(t, report.Differences)
	assert.Empty(t, report.Unasked)
	assert.Equal(t, len(fates), report.Agree)
}
