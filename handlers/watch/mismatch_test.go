package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

func TestMismatch(t *testing.T) {
	t.Parallel()
	t.Run("is never emitted; each is a dead letter; the third, over ten minutes, ends the watch", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		times := walk(w, forever, always(mismatch()))
		require.Len(t, times, 3)
		assert.GreaterOrEqual(t, times[2], 10*time.Minute)
		assert.LessOrEqual(t, times[2], 15*time.Minute)
		require.Len(t, w.letters, 3)
		for _, letter := range w.letters {
			assert.Equal(t, watch.CodeMismatch, letter.Reason)
			assert.True(t, letter.Answer, "the answer goes with it")
		}
		assert.Equal(t, []string{"unresolved: unknown mismatch final"}, w.says())
	})
	t.Run("the third sooner does not", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(event{}.check(), mismatch(), nil)
		for range 3 {
			w.passes(time.Minute)
			w.ask(w.next.Check, mismatch(), nil)
		}
		assert.Empty(t, w.says())
		w.passes(7 * time.Minute)
		w.ask(w.next.Check, mismatch(), nil)
		assert.Equal(t, []string{"unresolved: unknown mismatch final"}, w.says())
	})
	t.Run("an answer about this payment in between begins the count anew", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		walk(w, 6, func(at time.Duration) watch.Reading {
			if at > 0 && at < 8*time.Minute {
				return answers(schemas.Pending)
			}
			return mismatch()
		})
		assert.Equal(t, []string{"pending 1"}, w.says())
	})
	t.Run("one that could not be had does not", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(event{}.check(), mismatch(), nil)
		for range 2 {
			w.wakes(unavailable())
			w.wakes(mismatch())
		}
		assert.Equal(t, []string{"unresolved: unknown mismatch final"}, w.says())
	})
	t.Run("ends a watch whose last said is final without an event, alarmed", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.ask(repeat(event{}), mismatch(), nil)
		for w.next != nil {
			w.wakes(mismatch())
		}
		assert.Equal(t, []string{"captured 1 final"}, w.says())
		assert.Contains(t, w.alarms, watch.AlarmEndedOverFinal)
	})
}

func TestAnAbandonedCheckEndsUnresolved(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	taken := w.meet(event{}.check())
	d := watch.Abandon(&watch.Question{Check: taken.Check, Lane: w.lane, Now: w.now})
	require.Len(t, d.Statements, 1)
	assert.Equal(t, "unresolved: unknown internal_error final", spoken(d.Statements[0]))
	assert.Nil(t, d.Next)
	assert.True(t, d.Lane.Ended)
}
