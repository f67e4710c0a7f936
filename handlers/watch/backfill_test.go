package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

func TestABackfill(t *testing.T) {
	t.Parallel()
	known := event{}.context()
	after := func(t *testing.T, last watch.Reading) (*watched, watch.Said) {
		t.Helper()
		w := story(t, last)
		return w, w.lane.Said
	}

	t.Run("starts no chain", func(t *testing.T) {
		t.Parallel()
		for _, outcome := range []watch.Reading{answers(schemas.Captured), notFound(), mismatch()} {
			w := newWatched(t)
			d := w.ask(backfill(known, nil), outcome, nil)
			assert.Nil(t, d.Next)
			assert.Equal(t, watch.Place{}, w.lane.High)
		}
	})
	t.Run("does not disturb a living one", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Pending))
		sleeper := w.next.Check
		d := w.ask(backfill(known, &said), answers(schemas.Authorized), nil)
		assert.Nil(t, d.Next)
		assert.Equal(t, watch.Ask, w.meet(sleeper).Verdict)
	})
	t.Run("emits what passes the guards even if unchanged, with its id", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		w.ask(backfill(known, &said), answers(schemas.Captured), nil)
		assert.Equal(t, []string{"captured 1 final", "captured 1 final"}, w.says())
		assert.Equal(t, w.ids()[0], w.ids()[1])
	})
	t.Run("does not emit what the guards hold back", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		w.ask(backfill(known, &said), answers(schemas.Authorized), nil)
		assert.Len(t, w.said, 1)
		w.pushed(opens("d1"), answers(schemas.Captured))
		w.ask(backfill(known, &said), answers(schemas.Captured), nil)
		assert.Equal(t, []string{"captured 1 final", "disputed d1 open"}, w.says())
	})
	t.Run("uses what it carries where the process does not know what was said", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.PartiallyCaptured, captured(30)))
		w.lane = watch.Lane{}
		w.ask(backfill(known, &said), answers(schemas.Authorized), nil)
		assert.Len(t, w.said, 1)
		w.ask(backfill(known, &said), answers(schemas.PartiallyCaptured, captured(60)), nil)
		assert.Equal(t, "partially_captured 1 captured=60", w.says()[1])
	})
	t.Run("uses what it carries where the process only knows that nobody could find out", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		w.lane = watch.Lane{}
		taken := w.meet(event{}.check())
		w.lane = watch.Abandon(&watch.Question{Check: taken.Check, Lane: w.lane, Now: w.now}).Lane
		w.ask(backfill(known, &said), answers(schemas.Authorized), nil)
		assert.Equal(t, []string{"captured 1 final"}, w.says(), "what was authorised before it was captured is stale")
	})
	t.Run("uses what the log says where the process knows it", func(t *testing.T) {
		t.Parallel()
		w, old := after(t, answers(schemas.Pending))
		w.wakes(answers(schemas.Captured))
		w.ask(backfill(known, &old), answers(schemas.Authorized), nil)
		assert.Equal(t, []string{"pending 1", "captured 1 final"}, w.says())
	})
	t.Run("that finds something new and non-final opens the next epoch of an ended chain", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		w.passes(time.Hour)
		w.ask(backfill(known, &said), answers(schemas.RefundPending), nil)
		require.NotNil(t, w.next)
		assert.Equal(t, watch.Place{Epoch: 2, Step: 2}, w.next.Check.Place)
		assert.Equal(t, watch.KindChain, w.next.Check.Kind)
		assert.Empty(t, w.next.Check.ReplayID, "what the chain says later is not the backfill's")
		w.wakes(answers(schemas.Refunded))
		assert.Equal(t, []string{"captured 1 final", "refund_pending 1", "refunded 1 final"}, w.says())
	})
	t.Run("that finds something new and non-final begins a chain where none is known", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		w.lane = watch.Lane{}
		w.ask(backfill(known, &said), answers(schemas.RefundPending), nil)
		require.NotNil(t, w.next)
		assert.Equal(t, watch.Place{Epoch: 1, Step: 2}, w.next.Check.Place)
	})
	t.Run("that finds something new and non-final joins a chain of which nobody knows whether it lives", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		w.restart(event{}.check())
		w.ask(backfill(known, &said), answers(schemas.RefundPending), nil)
		require.NotNil(t, w.next)
		assert.Equal(t, watch.Place{Epoch: 1, Step: 3}, w.next.Check.Place)
	})
	t.Run("that died after it said so opens the next epoch when it is asked again", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		lane := w.lane
		d := w.ask(backfill(known, &said), answers(schemas.RefundPending), nil)
		w.lane, w.next = lane, nil
		w.lane.Restore(d.Statements[0].Trail)
		w.ask(backfill(known, &said), answers(schemas.RefundPending), nil)
		assert.Equal(t, w.ids()[1], w.ids()[2])
		require.NotNil(t, w.next)
		assert.Equal(t, 2, w.next.Check.Epoch)
	})
	t.Run("that finds nothing new opens nothing", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Pending))
		w.lane.Ended = true
		d := w.ask(backfill(known, &said), answers(schemas.Pending), nil)
		assert.Nil(t, d.Next)
	})
	t.Run("that finds a final status opens nothing", func(t *testing.T) {
		t.Parallel()
		w, said := after(t, answers(schemas.Captured))
		d := w.ask(backfill(known, &said), answers(schemas.Refunded), nil)
		assert.Nil(t, d.Next)
	})
	t.Run("is tried again for an hour where no answer could be had, and then recorded as that", func(t *testing.T) {
		t.Parallel()
		for _, outcome := range []watch.Reading{unavailable(), unreadable(), refused()} {
			w := newWatched(t)
			w.random = 1
			d := w.ask(backfill(known, nil), outcome, nil)
			for d.Next != nil {
				require.False(t, d.Record)
				require.Equal(t, watch.KindBackfill, d.Next.Check.Kind)
				w.passes(d.Next.After)
				d = w.ask(d.Next.Check, outcome, nil)
			}
			assert.True(t, d.Record)
			assert.GreaterOrEqual(t, w.now.Sub(start), time.Hour)
			assert.LessOrEqual(t, w.now.Sub(start), time.Hour+10*time.Minute)
			assert.Empty(t, w.says())
		}
	})
	t.Run("keeps to Retry-After", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		d := w.ask(backfill(known, nil), unavailable(5*time.Minute), nil)
		assert.Equal(t, 5*time.Minute, d.Next.After)
	})
	t.Run("never emits that a payment was not found", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.passes(100 * time.Hour)
		d := w.ask(backfill(known, nil), notFound(), nil)
		assert.Empty(t, w.says())
		assert.True(t, d.Record)
	})
	t.Run("makes a mismatch a dead letter and ends no watch", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		d := w.ask(backfill(known, nil), mismatch(), nil)
		require.Len(t, d.DeadLetters, 1)
		assert.Equal(t, watch.CodeMismatch, d.DeadLetters[0].Reason)
		assert.Empty(t, w.says())
		assert.True(t, d.Record)
	})
	t.Run("writes its outcome record once it came to one, and a manual check none", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		assert.True(t, w.ask(backfill(known, nil), answers(schemas.Captured), nil).Record)
		manual := backfill(known, nil)
		manual.ReplayID, manual.Cause = "", schemas.CauseManual
		assert.False(t, w.ask(manual, answers(schemas.Captured), nil).Record)
	})
	t.Run("without context says what needs none", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(backfill(nil, nil), answers(schemas.Captured), nil)
		assert.Empty(t, w.says())
		w.ask(backfill(nil, nil), answers(schemas.Refunded, madeFor100), nil)
		assert.Equal(t, []string{"refunded 1 final"}, w.says())
	})
	t.Run("without context asks on under epoch 0, where a notification joins", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(backfill(nil, nil), answers(schemas.RefundPending, madeFor100), nil)
		require.NotNil(t, w.next)
		assert.Equal(t, watch.Place{Epoch: 0, Step: 2}, w.next.Check.Place)
		w.pushed(pushes(schemas.RefundPending), answers(schemas.RefundPending, madeFor100))
		require.NotNil(t, w.next)
		assert.Equal(t, watch.Ask, w.meet(w.next.Check).Verdict, "or nobody watches the payment")
	})
	t.Run("says a negative that can be paid again under with final false, and watches it", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		d := w.ask(backfill(known, nil), answers(schemas.Declined, payableAgain), nil)
		assert.Equal(t, []string{"declined 1"}, w.says())
		require.NotNil(t, d.Next)
	})
	t.Run("says it with final true where its hour must be over", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.passes(time.Hour)
		w.ask(backfill(known, nil), answers(schemas.Declined, payableAgain), nil)
		assert.Equal(t, []string{"declined 1 final"}, w.says())
	})
}
