package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

func TestAMessageRemembersWhatALaneForgot(t *testing.T) {
	t.Parallel()
	first := event{offset: 7}

	t.Run("an overtaken sleeper reminds a lane that forgot what was said", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.pushed(opens("d1"), answers(schemas.Captured, madeFor100))
		sleeper := w.next.Check
		w.lane = watch.Lane{} // it slept for longer than the lookback, and the process is another one
		w.ask(first.check(), answers(schemas.Captured), nil)
		taken := w.meet(sleeper)
		assert.Equal(t, watch.Ask, taken.Verdict)
		assert.Equal(t, watch.Place{Epoch: 2, Step: 1}, taken.Check.Place)
		assert.Equal(t, schemas.Disputed, w.lane.Said.Status)
	})
	t.Run("of two that know one dispute each neither forgets what the other knows", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.pushed(wins("d1"), answers(schemas.Captured, madeFor100))
		sleeper := chained(0, 2, nil)
		said := w.lane.Said
		sleeper.Said = &said
		w.lane = watch.Lane{}
		w.ask(first.check(), answers(schemas.Captured), nil)
		w.pushed(opens("d2"), answers(schemas.Captured))
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
		assert.Equal(t, schemas.Disputed, w.lane.Said.Status)
		w.pushed(opens("d1"), answers(schemas.Captured))
		assert.Equal(t, []string{"captured d1 won final", "captured 1 final", "disputed d2 open"}, w.says(), "d1 is known to be won")
	})
	t.Run("an overtaken sleeper is asked where nobody knows what was said after it", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			said    schemas.Status
			verdict watch.Verdict
		}{{schemas.RefundPending, watch.Ask}, {schemas.Captured, watch.Done}} {
			w := newWatched(t)
			w.ask(first.check(), answers(tt.said), nil)
			said := w.lane.Said
			sleeper := chained(1, 2, first.context())
			sleeper.Said = &said
			lane := knows(watch.Place{Epoch: 1, Step: 2}, false, first) // from the tail of the work topic
			assert.Equal(t, tt.verdict, lane.Take(overTopic(t, sleeper), start).Verdict, "%s", tt.said)
		}
	})
	t.Run("a later step's message outranks what an earlier one's said was said", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Unknown), nil)
		step2 := w.next.Check
		w.wakes(answers(schemas.Authorized))
		step3 := w.next.Check
		w.lane = watch.Lane{}
		w.ask(step2, answers(schemas.Unknown), nil)
		w.ask(step3, answers(schemas.Unknown), nil)
		assert.Equal(t, []string{"unknown 1", "authorized 1", "unknown 2"}, w.says())
	})
	t.Run("an overtaken sleeper that knows what the lane knows outranks it, although that was confirmed since", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Authorized), nil)
		step2 := w.next.Check
		w.ask(repeat(first), answers(schemas.Unknown), nil)
		step3 := w.next.Check
		w.lane = watch.Lane{}
		w.ask(step2, answers(schemas.Authorized, occurred(time.Hour)), nil)
		w.ask(event{offset: 9, at: time.Minute}.check(), answers(schemas.Authorized), nil)
		require.Equal(t, watch.Ask, w.meet(step3).Verdict)
		assert.Equal(t, schemas.Unknown, w.lane.Said.Status)
	})
	t.Run("an overtaken sleeper tells what the payment was before a dispute", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.PartiallyRefunded, refunded(30)), nil)
		w.ask(repeat(first), unavailable(), nil)
		sleeper := w.next.Check
		w.lane = watch.Lane{}
		w.ask(event{offset: 8, at: time.Minute}.check(), unavailable(), nil)
		w.pushed(opens("d1"), unavailable())
		w.pushed(pushes(schemas.Disputed), unavailable())
		sleeper.Place = watch.Place{Epoch: 1, Step: 1}
		require.Equal(t, watch.Done, w.meet(sleeper).Verdict)
		w.pushed(wins("d1"), unavailable())
		assert.Equal(t, "partially_refunded d1 won final refunded=30", w.says()[len(w.says())-1])
	})
	t.Run("an overtaken sleeper's entry counts are kept", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Unknown), nil)
		sleeper := w.next.Check
		w.lane = watch.Lane{}
		w.ask(event{offset: 8, at: time.Minute}.check(), answers(schemas.Authorized), nil)
		w.ask(event{offset: 9, at: time.Minute}.check(), answers(schemas.Authorized), nil)
		require.Equal(t, watch.Done, w.meet(sleeper).Verdict)
		w.wakes(answers(schemas.Unknown))
		assert.Equal(t, []string{"unknown 1", "authorized 1", "unknown 2"}, w.says())
	})
	t.Run("a sleeper does not remind a lane that knows more", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		sleeper := w.next.Check
		w.pushed(pushes(schemas.Captured), answers(schemas.Captured))
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
		assert.Equal(t, schemas.Captured, w.lane.Said.Status)
	})
}
