package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestAMoveBackwardsIsAStaleRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		said   watch.Reading
		answer watch.Reading
	}{
		{"captured to authorized", answers(schemas.Captured), answers(schemas.Authorized)},
		{"captured to pending", answers(schemas.Captured), answers(schemas.Pending)},
		{"captured to declined", answers(schemas.Captured), answers(schemas.Declined)},
		{"captured to voided", answers(schemas.Captured), answers(schemas.Voided)},
		{"authorized to pending", answers(schemas.Authorized), answers(schemas.Pending)},
		{"declined to pending", answers(schemas.Declined), answers(schemas.Pending)},
		{"declined to authorized", answers(schemas.Declined), answers(schemas.Authorized)},
		{"a final status to unknown", answers(schemas.Captured), answers(schemas.Unknown)},
		{"a status that is final here to unknown", answers(schemas.CapturePending, finalHere), answers(schemas.Unknown)},
		{"refunded to partially refunded", answers(schemas.Refunded), answers(schemas.PartiallyRefunded, refunded(30))},
		{"a smaller sum within a status", answers(schemas.PartiallyCaptured, captured(60)), answers(schemas.PartiallyCaptured, captured(30))},
		{"a smaller refund within a status", answers(schemas.PartiallyRefunded, refunded(60)), answers(schemas.PartiallyRefunded, refunded(30))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := story(t, tt.said)
			before := w.lane.Said
			d := w.ask(repeat(event{}), tt.answer, nil)
			assert.Len(t, w.said, 1, "it is not emitted")
			assert.Equal(t, before, w.lane.Said)
			assert.True(t, d.Stale, "it is counted")
			require.NotNil(t, w.next, "and checked again")
			assert.Equal(t, 30*time.Second, w.next.After)
		})
	}
}

func TestAMoveOutsideTheTableIsEmittedWithAnAnomaly(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Authorized), answers(schemas.Declined))
	assert.Equal(t, []string{"authorized 1", "declined 1 final (unexpected_transition)"}, w.says())
	assert.Nil(t, w.next)
}

func TestAfterThreeStaleReadsTheSchedulesOwnDelaysGoOn(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Authorized))
	var delays []time.Duration
	for range 6 {
		w.wakes(answers(schemas.Pending))
		delays = append(delays, w.next.After)
	}
	assert.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second, 10 * time.Minute, time.Hour, 6 * time.Hour}, delays)

	t.Run("and a fresh answer allows three again", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized))
		for range 4 {
			w.wakes(answers(schemas.Pending))
		}
		w.wakes(answers(schemas.Authorized))
		w.wakes(answers(schemas.Pending))
		assert.Equal(t, 30*time.Second, w.next.After)
	})
	t.Run("until the deadline", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized))
		for w.next != nil {
			w.wakes(answers(schemas.Pending))
		}
		assert.Equal(t, 720*time.Hour, w.now.Sub(start))
		assert.Equal(t, []string{"authorized 1", "unresolved: authorized 1 deadline final"}, w.says())
	})
	t.Run("a final status is confirmed or left at the deadline", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.ask(repeat(event{}), answers(schemas.Authorized), nil)
		require.NotNil(t, w.next)
		w.wakes(answers(schemas.Captured))
		assert.Nil(t, w.next)
		assert.Equal(t, []string{"captured 1 final"}, w.says())
	})
}

func TestUnknownIsAskedOn(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	times := walk(w, forever, always(answers(schemas.Unknown)))
	assert.Equal(t, 72*time.Hour, times[len(times)-1])
	assert.Equal(t, []string{"unknown 1", "unresolved: unknown 1 deadline final"}, w.says())
}

func TestARefundThatSeemsUndone(t *testing.T) {
	t.Parallel()
	refund := func(then ...watch.Reading) *watched {
		captured := answers(schemas.Captured, func(o *providers.Outcome) { o.Observation.Final = false })
		return story(t, append([]watch.Reading{captured, answers(schemas.RefundPending)}, then...)...)
	}
	t.Run("has failed when two checks at least thirty minutes apart agree", func(t *testing.T) {
		t.Parallel()
		w := refund()
		var since time.Time
		for w.next != nil {
			w.wakes(answers(schemas.Captured))
			if since.IsZero() {
				since = w.now
			}
			if w.now.Sub(since) < 30*time.Minute {
				assert.Len(t, w.said, 2)
			}
		}
		assert.Equal(t, "refund_failed 1 final", w.says()[2])
		assert.True(t, w.said[2].Derived)
		assert.GreaterOrEqual(t, w.now.Sub(since), 30*time.Minute)
		assert.Less(t, w.now.Sub(since), 2*time.Hour)
	})
	t.Run("has not where the refund is seen again in between", func(t *testing.T) {
		t.Parallel()
		w := refund(answers(schemas.Captured), answers(schemas.RefundPending))
		w.passes(time.Hour)
		w.wakes(answers(schemas.Captured))
		assert.Len(t, w.said, 2)
	})
	t.Run("has failed at once where the provider says so in words", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "refund_failed 1 final", refund(answers(schemas.RefundFailed)).says()[2])
	})
	t.Run("has not because a notification says captured", func(t *testing.T) {
		t.Parallel()
		w := refund()
		w.pushed(pushes(schemas.Captured), unavailable())
		w.passes(time.Hour)
		w.pushed(pushes(schemas.Captured), unavailable())
		assert.Len(t, w.said, 2)
	})
	t.Run("has not because two notifications of it are followed by one query", func(t *testing.T) {
		t.Parallel()
		w := refund()
		w.pushed(pushes(schemas.Captured), unavailable())
		w.passes(time.Hour)
		w.wakes(answers(schemas.Captured))
		assert.Len(t, w.said, 2)
	})
	t.Run("a partial capture shows it, too", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.RefundPending), answers(schemas.PartiallyCaptured, captured(30)))
		w.passes(time.Hour)
		w.wakes(answers(schemas.PartiallyCaptured, captured(30)))
		assert.Equal(t, "refund_failed 1 final captured=30", w.says()[2])
	})
}

func TestANegativeByAReferenceThatCanBePaidAgainUnder(t *testing.T) {
	t.Parallel()
	declined := answers(schemas.Declined, payableAgain, attempt("pay_1"))

	t.Run("is checked for an hour before it is final", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		times := walk(w, forever, always(declined))
		assert.Equal(t, []string{"declined 1", "declined 1 final"}, w.says())
		assert.Equal(t, time.Hour, times[len(times)-1], "asked once more when the hour is over")
	})
	t.Run("counts the hour from the first check of the payment, whatever joins", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(event{}.check(), declined, nil)
		w.passes(59 * time.Minute)
		w.ask(event{offset: 1, at: 59 * time.Minute}.check(), declined, nil)
		w.passes(time.Minute)
		w.ask(w.next.Check, declined, nil)
		assert.Equal(t, []string{"declined 1", "declined 1 final"}, w.says())
	})
	t.Run("is final at once where it is first heard of after the hour", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		walk(w, forever, func(at time.Duration) watch.Reading {
			if at <= time.Hour {
				return answers(schemas.Pending)
			}
			return declined
		})
		assert.Equal(t, []string{"pending 1", "declined 1 final"}, w.says())
	})
	t.Run("is final at once by any other reference", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, []string{"declined 1 final"}, story(t, answers(schemas.Declined)).says())
	})
	t.Run("may be followed by every status of another attempt", func(t *testing.T) {
		t.Parallel()
		for _, status := range schemas.Statuses {
			if status.Status == schemas.Declined {
				continue
			}
			w := story(t, declined, answers(status.Status, attempt("pay_2")))
			require.Len(t, w.said, 2, "%s", status.Status)
			assert.Equal(t, status.Status, w.said[1].Facts.Status)
			assert.Empty(t, w.said[1].Anomalies)
		}
	})
	t.Run("but by none of the same attempt", func(t *testing.T) {
		t.Parallel()
		for _, status := range []schemas.Status{schemas.Pending, schemas.RequiresAction, schemas.Authorized} {
			w := story(t, declined, answers(status, attempt("pay_1")))
			assert.Len(t, w.said, 1, "%s", status)
		}
	})
	t.Run("an answer about an earlier attempt is stale", func(t *testing.T) {
		t.Parallel()
		for _, earlier := range []schemas.Status{schemas.Declined, schemas.Pending, schemas.Captured} {
			w := story(t, declined, answers(schemas.Pending, attempt("pay_2")))
			d := w.ask(w.next.Check, answers(earlier, attempt("pay_1")), nil)
			assert.True(t, d.Stale, "%s", earlier)
			assert.Equal(t, []string{"declined 1", "pending 1"}, w.says())
		}
	})
	t.Run("so is one about an attempt that was not heard of, but that the provider dates earlier", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending, attempt("pay_2"), occurred(time.Minute)))
		d := w.ask(w.next.Check, answers(schemas.Declined, payableAgain, attempt("pay_1"), occurred(time.Second)), nil)
		assert.True(t, d.Stale)
		assert.Equal(t, []string{"pending 1"}, w.says())
	})
	t.Run("unknown of another attempt forgets the negative of the one before", func(t *testing.T) {
		t.Parallel()
		second := attempt("pay_2")
		w := story(t, declined, answers(schemas.Unknown, second), answers(schemas.Authorized, second), answers(schemas.Captured, second))
		assert.Equal(t, []string{"declined 1", "unknown 1", "authorized 1", "captured 1 final"}, w.says())
	})
	t.Run("a second attempt that is declined, too, keeps the status and its entry", func(t *testing.T) {
		t.Parallel()
		w := story(t, declined, answers(schemas.Declined, payableAgain, attempt("pay_2")), answers(schemas.Captured, attempt("pay_2")))
		assert.Equal(t, "declined 1", w.says()[0])
		d := w.lane.Said
		assert.Equal(t, "pay_2", d.Attempts[len(d.Attempts)-1])
	})
	t.Run("a declined attempt after a pending one is another entry", func(t *testing.T) {
		t.Parallel()
		w := story(t, declined, answers(schemas.Pending, attempt("pay_2")), answers(schemas.Declined, payableAgain, attempt("pay_2")))
		assert.Equal(t, []string{"declined 1", "pending 1", "declined 2"}, w.says())
	})
	t.Run("is not final within the hour where only the record of its initiated event is restored", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.lane.RestoreCheck(event{}.check())
		w.pushed(pushes(schemas.Declined, payableAgain, attempt("pay_1")), declined)
		assert.Equal(t, []string{"declined 1"}, w.says())
	})
	t.Run("in a notification, too", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending))
		w.pushed(pushes(schemas.Declined, payableAgain, attempt("pay_1")), unavailable())
		assert.Equal(t, []string{"pending 1", "declined 1"}, w.says())
	})
}
