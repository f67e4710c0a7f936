package consume_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

// traced marks the context that a service passes.
type traced struct{}

func (f *flaky) Load(ctx context.Context, key schemas.PaymentKey) (consume.Known, error) {
	if ctx.Value(traced{}) == nil {
		return consume.Known{}, errors.New("another context")
	}
	if f.load != nil {
		return consume.Known{}, f.load
	}
	return f.ledger.Load(ctx, key)
}

func (f *flaky) Store(ctx context.Context, key schemas.PaymentKey, known consume.Known) error {
	f.stores++
	if ctx.Value(traced{}) == nil {
		return errors.New("another context")
	}
	if f.store != nil {
		return f.store
	}
	return f.ledger.Store(ctx, key, known)
}

func TestTheEffectAndWhatIsKnownGoTogether(t *testing.T) {
	t.Parallel()
	ctx := context.WithValue(t.Context(), traced{}, true)
	event := step{ID: "captured 1", Status: schemas.Captured, Final: true, At: 2}.event(t)
	broken := errors.New("broken")
	acted := 0
	act := func(d consume.Delta) error {
		acted++
		assert.Equal(t, consume.Apply, d.Verdict)
		assert.Empty(t, d.Before.Status)
		assert.Equal(t, schemas.Captured, d.After.Status)
		return nil
	}
	tx := &flaky{ledger: ledger{}, load: broken}

	_, err := consume.Handle(ctx, tx, event, act)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "load what is known of the payment of event "+event.ID.String())
	assert.Zero(t, acted)

	tx.load = nil
	_, err = consume.Handle(ctx, tx, event, func(consume.Delta) error { return broken })
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "act on event "+event.ID.String()+" (apply)")
	assert.Zero(t, tx.stores, "an effect that failed is not known")

	tx.store = broken
	_, err = consume.Handle(ctx, tx, event, act)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "store what is known of the payment of event "+event.ID.String())

	tx.store = nil
	delta, err := consume.Handle(ctx, tx, event, act)
	require.NoError(t, err)
	assert.Equal(t, consume.Apply, delta.Verdict)
	assert.Equal(t, 2, acted)
}

func TestWhatIsNewIsStoredAndNewsIsActedOn(t *testing.T) {
	t.Parallel()
	ctx := context.WithValue(t.Context(), traced{}, true)
	tx := &flaky{ledger: ledger{}}
	for _, tt := range []struct {
		step
		acts, stores int
	}{
		{step{ID: "captured 1", Status: schemas.Captured, Final: true, At: 2, Verdict: consume.Apply}, 1, 1},
		{step{ID: "captured 1", Status: schemas.Captured, Final: true, At: 2, Verdict: consume.Duplicate}, 0, 0},
		{step{ID: "the same by another id", Status: schemas.Captured, At: 3, Verdict: consume.Duplicate}, 0, 1},
		{step{ID: "the same by another id", Status: schemas.Captured, At: 3, Verdict: consume.Duplicate}, 0, 0},
		{step{ID: "pending 1", Status: schemas.Pending, At: 1, Verdict: consume.Regression}, 0, 1},
		{step{ID: "pending 1", Status: schemas.Pending, At: 1, Verdict: consume.Regression}, 0, 0},
		{step{ID: "gave up", Type: "status_unresolved", Status: schemas.Unknown, Reason: "deadline", At: 4, Verdict: consume.Note}, 1, 1},
		{step{ID: "gave up", Type: "status_unresolved", Status: schemas.Unknown, Reason: "deadline", At: 4, Verdict: consume.Duplicate}, 0, 0},
	} {
		acted := 0
		tx.stores = 0
		delta, err := consume.Handle(ctx, tx, tt.event(t), func(consume.Delta) error { acted++; return nil })
		require.NoError(t, err)
		assert.Equal(t, tt.Verdict, delta.Verdict, tt.ID)
		assert.Equal(t, tt.acts, acted, tt.ID)
		assert.Equal(t, tt.stores, tx.stores, tt.ID)
	}
}

func TestTheViewHasTheRequestedSumAndItsUnit(t *testing.T) {
	t.Parallel()
	e := step{ID: "captured 1", Status: schemas.Captured}.event(t)
	e.Change.Amounts.Requested = &schemas.Money{Value: 950, Currency: "JPY", Exponent: 1}
	_, delta := consume.Known{}.Next(e)
	assert.Equal(t, consume.View{
		Status: schemas.Captured, Funds: schemas.Captured.Funds(), Requested: 950, Currency: "JPY", Exponent: 1,
	}, delta.After)
}

func TestOnlyTheLatestAttemptsAreRemembered(t *testing.T) {
	t.Parallel()
	var known consume.Known
	for i := range 20 {
		known, _ = known.Next(step{ID: strconv.Itoa(i), Status: schemas.Declined, Attempt: fmt.Sprintf("pay_%d", i), At: i}.event(t))
	}
	require.Len(t, known.Attempts, 16)
	assert.Equal(t, "pay_4", known.Attempts[0])
	assert.Equal(t, "pay_19", known.Attempts[15])
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
	for _, s := range []step{ // three of each kind: the fourth fits in the same memory
		{ID: "1", Status: schemas.Captured, Attempt: "pay_1", At: 1, Dispute: &schemas.Dispute{ID: "a", Outcome: schemas.DisputeOpen}},
		{ID: "2", Status: schemas.Captured, Attempt: "pay_2", At: 2, Dispute: &schemas.Dispute{ID: "b", Outcome: schemas.DisputeOpen}},
		{ID: "3", Status: schemas.Captured, Attempt: "pay_3", At: 3, Dispute: &schemas.Dispute{ID: "c", Outcome: schemas.DisputeOpen}},
		{ID: "4", Status: schemas.Pending, At: 2},
		{ID: "5", Status: schemas.Pending, At: 2},
		{ID: "6", Status: schemas.Pending, At: 2},
	} {
		known, _ = known.Next(s.event(t))
	}
	before := stored(t, known)
	won := step{ID: "7", Status: schemas.Captured, Attempt: "pay_7", At: 3, Dispute: &schemas.Dispute{ID: "a", Outcome: schemas.DisputeWon}}
	one, _ := known.Next(won.event(t))
	won.ID, won.Attempt, won.Dispute.Outcome = "8", "pay_8", schemas.DisputeLost
	two, _ := known.Next(won.event(t))
	late, _ := known.Next(step{ID: "9", Status: schemas.Declined, At: 1}.event(t))
	later, _ := known.Next(step{ID: "10", Status: schemas.Declined, At: 1}.event(t))
	assert.Equal(t, before, stored(t, known))
	assert.NotEqual(t, one.Disputes, two.Disputes)
	assert.NotEqual(t, one.IDs, two.IDs)
	assert.NotEqual(t, one.Attempts, two.Attempts)
	assert.NotEqual(t, late.Dropped, later.Dropped)
}
