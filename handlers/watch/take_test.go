package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// knows is a lane that has completed a step with the context of some initiated events, in this order.
func knows(high watch.Place, ended bool, events ...event) watch.Lane {
	lane := watch.Lane{}
	for _, e := range events {
		lane.RestoreCheck(e.check())
	}
	lane.High, lane.Ended = high, ended
	return lane
}

// asked is the verdict that a check is asked at this place.
func asked(epoch, step int) *watch.Place { return &watch.Place{Epoch: epoch, Step: step} }

func withID(e event) event {
	e.reference = schemas.Reference{"reference": "order-1", "payment_id": "pay_1"}
	return e
}

func TestWhatACheckMessageMeansToItsLane(t *testing.T) {
	t.Parallel()
	first := event{offset: 7}
	second := event{offset: 8, at: time.Minute}
	earlier := event{offset: 3, at: -time.Minute, partition: 1}
	dearer := func(e event) event { e.amount = 200; return e }

	for _, tt := range []struct {
		name    string
		lane    watch.Lane
		check   watch.Check
		asked   *watch.Place // nil: it is not asked
		verdict watch.Verdict
		wrong   string // the field of a conflict
	}{
		// Initiated events.
		{"the first initiated event of a payment begins its chain", watch.Lane{}, first.check(), asked(1, 1), watch.Ask, ""},
		{"the same record again is a redelivery", knows(watch.Place{Epoch: 1, Step: 4}, false, first), first.check(), nil, watch.Done, ""},
		{
			"the same record again is a redelivery after the chain ended, too",
			knows(watch.Place{Epoch: 1, Step: 4}, true, first), first.check(), nil, watch.Done, "",
		},
		{
			"another offset is a repeat and joins the living chain as its next step",
			knows(watch.Place{Epoch: 1, Step: 4}, false, first), second.check(), asked(1, 5), watch.Ask, "",
		},
		{
			"the same offset of another partition is a repeat", knows(watch.Place{Epoch: 1, Step: 4}, false, first),
			event{offset: 7, partition: 2, at: time.Minute}.check(), asked(1, 5), watch.Ask, "",
		},
		{"a repeat opens the next epoch of an ended chain", knows(watch.Place{Epoch: 1, Step: 4}, true, first), second.check(), asked(2, 1), watch.Ask, ""},
		{"any initiated event overtakes epoch 0", watch.Lane{High: watch.Place{Epoch: 0, Step: 9}}, first.check(), asked(1, 1), watch.Ask, ""},
		{
			"any initiated event overtakes an ended epoch 0",
			watch.Lane{High: watch.Place{Epoch: 0, Step: 9}, Ended: true},
			first.check(), asked(1, 1), watch.Ask, "",
		},
		{"another amount is a conflict", knows(watch.Place{Epoch: 1, Step: 4}, false, first), dearer(second).check(), nil, watch.Conflict, "amount"},
		{
			"another currency is a conflict", knows(watch.Place{Epoch: 1, Step: 4}, false, first),
			event{offset: 8, at: time.Minute, currency: "USD"}.check(), nil, watch.Conflict, "amount",
		},
		{
			"another value of an identifier already given is a conflict", knows(watch.Place{Epoch: 1, Step: 4}, false, first),
			event{offset: 8, at: time.Minute, reference: schemas.Reference{"reference": "order-2"}}.check(), nil, watch.Conflict, "reference.reference",
		},
		{
			"a dead letter given back is like another initiated event",
			knows(watch.Place{Epoch: 1, Step: 4}, true, first), repeat(first), asked(2, 1), watch.Ask, "",
		},
		{
			"an earlier initiated event wins, although it is read later",
			knows(watch.Place{Epoch: 1, Step: 4}, false, dearer(first)), earlier.check(), asked(1, 5), watch.Ask, "",
		},

		// The chain's own checks.
		{
			"a step above the highest completed one is asked in its place",
			knows(watch.Place{Epoch: 1, Step: 4}, false, first), chained(1, 5, first.context()), asked(1, 5), watch.Ask, "",
		},
		{
			"a later epoch is above every step of an earlier one",
			knows(watch.Place{Epoch: 1, Step: 40}, true, first), chained(2, 1, first.context()), asked(2, 1), watch.Ask, "",
		},
		{"the highest completed step was done", knows(watch.Place{Epoch: 1, Step: 4}, false, first), chained(1, 4, first.context()), nil, watch.Done, ""},
		{"a step below the highest was done", knows(watch.Place{Epoch: 1, Step: 4}, false, first), chained(1, 2, first.context()), nil, watch.Done, ""},
		{
			"a step of an earlier epoch was done, however high",
			knows(watch.Place{Epoch: 2, Step: 1}, false, first), chained(1, 40, first.context()), nil, watch.Done, "",
		},
		{"a lane that knows nothing asks at the message's place", watch.Lane{}, chained(1, 5, first.context()), asked(1, 5), watch.Ask, ""},
		{
			"an overtaken step that brings an identifier is asked as the next one",
			knows(watch.Place{Epoch: 1, Step: 4}, false, first), chained(1, 2, withID(first).context()), asked(1, 5), watch.Ask, "",
		},
		{
			"an overtaken step that brings an identifier after the end opens the next epoch",
			knows(watch.Place{Epoch: 1, Step: 4}, true, first), chained(1, 2, withID(first).context()), asked(2, 1), watch.Ask, "",
		},
		{
			"an overtaken step that brings the context itself is asked as the next one",
			watch.Lane{High: watch.Place{Epoch: 1, Step: 4}},
			chained(1, 2, first.context()), asked(1, 5), watch.Ask, "",
		},
		{
			"an overtaken step that brings an earlier context is asked as the next one",
			knows(watch.Place{Epoch: 1, Step: 4}, false, dearer(second)), chained(1, 2, first.context()), asked(1, 5), watch.Ask, "",
		},
		{
			"a step that brings an earlier context is asked in its place",
			knows(watch.Place{Epoch: 1, Step: 4}, false, dearer(second)), chained(1, 7, first.context()), asked(1, 7), watch.Ask, "",
		},
		{
			"a step of a later, conflicting context is a conflict",
			knows(watch.Place{Epoch: 1, Step: 4}, false, first), chained(1, 7, dearer(second).context()), nil, watch.Conflict, "amount",
		},
		{
			"an overtaken step of a later, conflicting context is one, too: its initiated event may have no dead letter yet",
			knows(watch.Place{Epoch: 1, Step: 4}, false, first), chained(1, 3, dearer(second).context()), nil, watch.Conflict, "amount",
		},
		{
			"a sleeper of epoch 0 is overtaken by any initiated event",
			knows(watch.Place{Epoch: 1, Step: 1}, false, first), chained(0, 30, nil), nil, watch.Done, "",
		},

		// Notifications.
		{"a notification joins the living chain as its next step", knows(watch.Place{Epoch: 1, Step: 4}, false, first), notified(), asked(1, 5), watch.Ask, ""},
		{"a notification opens the next epoch of an ended chain", knows(watch.Place{Epoch: 1, Step: 4}, true, first), notified(), asked(2, 1), watch.Ask, ""},
		{"a notification for a payment without context is asked under epoch 0", watch.Lane{}, notified(), asked(0, 1), watch.Ask, ""},
		{"another notification without context joins epoch 0", watch.Lane{High: watch.Place{Epoch: 0, Step: 3}}, notified(), asked(0, 4), watch.Ask, ""},
		{
			"a notification without context after epoch 0 ended goes on under epoch 0",
			watch.Lane{High: watch.Place{Epoch: 0, Step: 3}, Ended: true},
			notified(), asked(0, 4), watch.Ask, "",
		},

		// Backfills.
		{
			"a backfill check is asked and takes no place in the living chain",
			knows(watch.Place{Epoch: 1, Step: 4}, false, first), backfill(nil, nil), asked(0, 0), watch.Ask, "",
		},
		{
			"a backfill check is asked and takes no place after the end",
			knows(watch.Place{Epoch: 1, Step: 4}, true, first), backfill(nil, nil), asked(0, 0), watch.Ask, "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lane := tt.lane
			taken := lane.Take(overTopic(t, tt.check), start)
			require.Equal(t, tt.verdict, taken.Verdict)
			if tt.asked != nil {
				assert.Equal(t, *tt.asked, taken.Check.Place)
			}
			if tt.wrong != "" {
				var wrong *schemas.FieldError
				require.ErrorAs(t, taken.Why, &wrong)
				assert.Equal(t, tt.wrong, wrong.Field)
			}
			if tt.verdict != watch.Ask {
				assert.Equal(t, tt.lane.High, lane.High, "what is not asked completes nothing")
			}
		})
	}
}

// repeat is a dead letter of check given back.
func repeat(e event) watch.Check {
	return watch.Check{PaymentKey: key, Kind: watch.KindRepeat, Context: e.context(), Cause: schemas.CauseRedrive}
}

func TestContextIsMergedAndNeverLost(t *testing.T) {
	t.Parallel()
	first, second := event{offset: 7}, withID(event{offset: 8, at: time.Minute})

	t.Run("a repeat that adds an identifier is asked with both", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first)
		taken := lane.Take(second.check(), start)
		assert.Equal(t, schemas.Reference{"reference": "order-1", "payment_id": "pay_1"}, taken.Check.Context.Reference)
	})
	t.Run("an overtaken check that brings an identifier is asked with it", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first)
		taken := lane.Take(chained(1, 2, second.context()), start)
		assert.Equal(t, "pay_1", taken.Check.Context.Reference["payment_id"])
	})
	t.Run("a sleeper without the identifier that the lane knows is asked with it", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first, second)
		taken := lane.Take(chained(1, 5, first.context()), start)
		assert.Equal(t, "pay_1", taken.Check.Context.Reference["payment_id"])
	})
	t.Run("a notification is asked with what the lane knows", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first, second)
		taken := lane.Take(notified(), start)
		assert.Equal(t, "pay_1", taken.Check.Context.Reference["payment_id"])
	})
	t.Run("an origin that a chain check carries counts as done", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		require.Equal(t, watch.Ask, lane.Take(chained(1, 5, first.context()), start).Verdict)
		assert.Equal(t, watch.Done, lane.Take(first.check(), start).Verdict)
	})
	t.Run("an overtaken check is dropped, but not the origins that it carries", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first)
		require.Equal(t, watch.Done, lane.Take(chained(1, 2, event{offset: 9, at: time.Minute}.context()), start).Verdict)
		assert.Equal(t, watch.Done, lane.Take(event{offset: 9, at: time.Minute}.check(), start).Verdict)
	})
	t.Run("a backfill check uses the lane's context, and its own where the lane has none", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first, second)
		assert.Equal(t, "pay_1", lane.Take(backfill(first.context(), nil), start).Check.Context.Reference["payment_id"])
		lane = watch.Lane{}
		assert.Equal(t, "order-1", lane.Take(backfill(first.context(), nil), start).Check.Context.Reference["reference"])
		assert.Nil(t, lane.Context, "and leaves the lane as it was")
	})
	t.Run("the first check's time is kept through all that joins", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.Take(first.check(), start)
		taken := lane.Take(second.check(), start.Add(time.Hour))
		assert.Equal(t, start, taken.Check.Context.First)
	})
}

func TestTheEarliestInitiatedEventWins(t *testing.T) {
	t.Parallel()
	dear := func(e event) event { e.amount = 200; return e }
	early := event{offset: 3, partition: 1}
	late := dear(event{offset: 1, at: time.Minute})

	for _, tt := range []struct {
		name string
		lane watch.Lane
		then watch.Check
	}{
		{"when its chain check comes after the later one was handled", knows(watch.Place{Epoch: 1, Step: 4}, false, late), chained(1, 2, early.context())},
		{"when the later one's context was restored from an event", restored(t, late), chained(1, 2, early.context())},
		{"when it is read after the later one", knows(watch.Place{Epoch: 1, Step: 4}, false, late), early.check()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lane := tt.lane
			taken := lane.Take(tt.then, start)
			require.Equal(t, watch.Ask, taken.Verdict)
			assert.Equal(t, int64(100), taken.Check.Context.Amount.Value, "it is asked with the earlier amount")
			assert.Equal(t, int64(100), lane.Context.Amount.Value, "which the lane keeps")
			require.NotNil(t, taken.Displaced)
			assert.Equal(t, int64(200), taken.Displaced.Amount.Value, "the later one becomes the dead letter")
			assert.Equal(t, watch.Conflict, lane.Take(late.check(), start).Verdict, "and stays one")
		})
	}

	t.Run("by the record's time, then by its place", func(t *testing.T) {
		t.Parallel()
		at := func(topic string, partition int, offset int64, after time.Duration) watch.Origin {
			return watch.Origin{Topic: topic, Partition: partition, Offset: offset, Time: start.Add(after)}
		}
		ascending := []watch.Origin{
			at("b", 9, 9, -time.Second), at("a", 5, 5, 0), at("b", 1, 7, 0), at("b", 2, 1, 0), at("b", 2, 2, 0), at("a", 0, 0, time.Second),
		}
		for i, a := range ascending {
			for j, b := range ascending {
				assert.Equal(t, i < j, a.Before(b), "%d before %d", i, j)
			}
		}
	})
	t.Run("and its other facts are those of the payment when a later one only repeats it", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		later := event{offset: 9, at: time.Minute}.check()
		later.Context.Method, later.Context.Metadata = "pix", map[string]string{"order": "later"}
		earlier := event{offset: 3}.check()
		earlier.Context.Method, earlier.Context.Metadata = "card", map[string]string{"order": "earlier"}
		lane.Take(later, start)
		taken := lane.Take(earlier, start)
		assert.Equal(t, "card", taken.Check.Context.Method)
		assert.Equal(t, map[string]string{"order": "earlier"}, taken.Check.Context.Metadata)
	})
}

// restored is a lane restored from an event that was said with the context of e.
func restored(t *testing.T, e event) watch.Lane {
	t.Helper()
	w := newWatched(t)
	w.ask(e.check(), answers(schemas.Pending), nil)
	lane := watch.Lane{}
	lane.Restore(overLog(t, w.said[0].Trail))
	return lane
}

func TestSteps(t *testing.T) {
	t.Parallel()
	first, second := event{offset: 7}, event{offset: 8, at: time.Minute}

	t.Run("every hand-over adds one to the step, whatever the outcome; attempts count apart", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), unavailable(), nil)
		for i, outcome := range []struct {
			answer  watch.Reading
			attempt int // after it
		}{
			{unreadable(), 0},
			{refused(), 0},
			{notFound(), 1},
			{answers(schemas.Pending), 2},
			{mismatch(), 3},
			{unavailable(), 3},
			{answers(schemas.Authorized), 4},
		} {
			require.Equal(t, watch.Place{Epoch: 1, Step: i + 2}, w.next.Check.Place)
			w.wakes(outcome.answer)
			assert.Equal(t, outcome.attempt, w.next.Check.Attempt)
		}
	})
	t.Run("a crash between hand-over and commit does not fork the chain", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		step2 := w.next.Check
		w.wakes(answers(schemas.Pending))
		step3 := w.next.Check
		w.lane = watch.Lane{} // the process dies before it commits step 2, which is asked again and handed over again
		w.ask(step2, answers(schemas.Pending), nil)
		require.Equal(t, step3.Place, w.next.Check.Place)
		w.wakes(answers(schemas.Pending))
		assert.Equal(t, watch.Done, w.meet(step3).Verdict, "one of the two sleepers is enough")
	})
	t.Run("a repeat asks now and overtakes the sleeper", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		sleeper := w.next.Check
		w.ask(second.check(), answers(schemas.Pending), nil)
		assert.Equal(t, watch.Place{Epoch: 1, Step: 3}, w.next.Check.Place, "it writes the next check")
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
	})
	t.Run("a notification asks now and overtakes the sleeper", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		sleeper := w.next.Check
		w.pushed(pushes(schemas.RequiresAction), answers(schemas.RequiresAction))
		assert.Equal(t, watch.Place{Epoch: 1, Step: 3}, w.next.Check.Place, "it writes the next check")
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
	})
	t.Run("meeting a message completes nothing until the decision is written", func(t *testing.T) {
		t.Parallel()
		lane := knows(watch.Place{Epoch: 1, Step: 4}, false, first)
		before := lane
		require.Equal(t, watch.Ask, lane.Take(second.check(), start).Verdict)
		assert.Equal(t, watch.Ask, before.Take(second.check(), start).Verdict, "a process that kept the lane as it was asks again")
	})
	t.Run("a check that ended the chain leaves no next one, and nothing of it is asked again", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		sleeper := w.next.Check
		w.wakes(answers(schemas.Captured))
		require.Nil(t, w.next)
		assert.True(t, w.lane.Ended)
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
	})
}
