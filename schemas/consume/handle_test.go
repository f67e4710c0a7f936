package consume_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// flaky is a store that can fail.
type flaky struct {
	ledger

	load, store error
	stores      int
}

func (f *flaky) Load(ctx context.Context, key schemas.PaymentKey) (consume.Known, error) {
	if f.load != nil {
		return consume.Known{}, f.load
	}
	return f.ledger.Load(ctx, key)
}

func (f *flaky) Store(ctx context.Context, key schemas.PaymentKey, known consume.Known) error {
	f.stores++
	if f.store != nil {
		return f.store
	}
	return f.ledger.Store(ctx, key, known)
}

func TestTheEffectAndWhatIsKnownGoTogether(t *testing.T) {
	t.Parallel()
	event := step{ID: "captured 1", Status: schemas.Captured, Final: true, At: 2}.event(t)
	late := step{ID: "pending 1", Status: schemas.Pending, At: 1}.event(t)
	broken := errors.New("broken")
	nothing := func(consume.Delta) error { require.Fail(t, "no news, and acted on"); return nil }
	tx := &flaky{ledger: ledger{}, load: broken}

	_, err := consume.Handle(t.Context(), tx, event, nothing)
	require.ErrorIs(t, err, broken)

	tx.load = nil
	_, err = consume.Handle(t.Context(), tx, event, func(consume.Delta) error { return broken })
	require.ErrorIs(t, err, broken)
	assert.Zero(t, tx.stores, "an effect that failed is not known")

	tx.store = broken
	acted := 0
	act := func(consume.Delta) error { acted++; return nil }
	_, err = consume.Handle(t.Context(), tx, event, act)
	require.ErrorIs(t, err, broken)

	tx.store, tx.stores = nil, 0
	delta, err := consume.Handle(t.Context(), tx, event, act)
	require.NoError(t, err)
	assert.Equal(t, consume.Apply, delta.Verdict)
	assert.Equal(t, 2, acted)
	assert.Equal(t, 1, tx.stores)

	delta, err = consume.Handle(t.Context(), tx, event, nothing)
	require.NoError(t, err)
	assert.Equal(t, consume.Duplicate, delta.Verdict)
	assert.Equal(t, 1, tx.stores, "a known id costs no write")

	for range 2 {
		delta, err = consume.Handle(t.Context(), tx, late, nothing)
		require.NoError(t, err)
		assert.Equal(t, consume.Regression, delta.Verdict)
	}
	assert.Len(t, tx.ledger[key].Dropped, 1)
}

func TestAPaymentAtTwoProvidersIsTwoPayments(t *testing.T) {
	t.Parallel()
	at := func(provider string, status schemas.Status, id string) consume.Event {
		e := step{ID: id, Status: status, Final: true, At: 1}.event(t)
		e.Change.Provider = provider
		return e
	}
	tx := ledger{}
	for _, e := range []consume.Event{at("checkout", schemas.Captured, "a"), at("antom", schemas.Declined, "b")} {
		delta, err := consume.Handle(t.Context(), tx, e, func(consume.Delta) error { return nil })
		require.NoError(t, err)
		assert.Equal(t, consume.Apply, delta.Verdict, "a decline there says nothing about the payment here")
		assert.Empty(t, delta.Before.Status)
	}
	assert.Len(t, tx, 2)
}

func TestWhatIsKnownStaysAsItWas(t *testing.T) {
	t.Parallel()
	var known consume.Known
	for _, s := range []step{
		{ID: "1", Status: schemas.Captured, Attempt: "pay_1", At: 1, Dispute: &schemas.Dispute{ID: "a", Outcome: schemas.DisputeOpen}},
		{ID: "2", Status: schemas.Pending, At: 2},
	} {
		known, _ = known.Next(s.event(t))
	}
	before := stored(t, known)
	won := step{ID: "3", Status: schemas.Captured, Attempt: "pay_2", At: 3, Dispute: &schemas.Dispute{ID: "a", Outcome: schemas.DisputeWon}}
	one, _ := known.Next(won.event(t))
	won.ID, won.Attempt, won.Dispute.Outcome = "4", "pay_3", schemas.DisputeLost
	two, _ := known.Next(won.event(t))
	_, _ = known.Next(step{ID: "5", Status: schemas.Declined, At: 1}.event(t))
	assert.Equal(t, before, stored(t, known))
	assert.NotEqual(t, one.Disputes, two.Disputes)
	assert.NotEqual(t, one.IDs, two.IDs)
}
