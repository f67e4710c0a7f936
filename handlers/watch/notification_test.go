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

func TestWhatANotificationAddsToTheQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		said   watch.Reading // before
		pushed *watch.Reading
		query  watch.Reading
		says   []string
		next   time.Duration // 0: the chain ends
	}{
		{
			"what the query says, too, is said once, from the query",
			answers(schemas.Pending), pushes(schemas.Captured), answers(schemas.Captured),
			[]string{"pending 1", "captured 1 final"},
			0,
		},
		{
			"what the query does not show yet is said from the notification, and checked again soon",
			answers(schemas.Pending), pushes(schemas.Captured), answers(schemas.Pending),
			[]string{"pending 1", "captured 1 final"},
			30 * time.Second,
		},
		{
			"it speaks where the query could not be asked, and the chain does not end on that",
			answers(schemas.Pending), pushes(schemas.Captured), unavailable(),
			[]string{"pending 1", "captured 1 final"},
			2 * time.Second,
		},
		{
			"it speaks where the provider does not know the payment yet",
			answers(schemas.Pending), pushes(schemas.Captured), notFound(),
			[]string{"pending 1", "captured 1 final"},
			2 * time.Second,
		},
		{
			"the query leads on from it",
			answers(schemas.Pending), pushes(schemas.Authorized), answers(schemas.Captured),
			[]string{"pending 1", "captured 1 final"},
			0,
		},
		{
			"one that is older than what was said is no evidence",
			answers(schemas.RequiresAction, occurred(time.Hour)), pushes(schemas.Captured, occurred(30*time.Minute)), unavailable(),
			[]string{"requires_action 1"},
			2 * time.Second,
		},
		{
			"one as old as what was said is none either",
			answers(schemas.RequiresAction, occurred(time.Hour)), pushes(schemas.Captured, occurred(time.Hour)), unavailable(),
			[]string{"requires_action 1"},
			2 * time.Second,
		},
		{
			"a younger one is",
			answers(schemas.RequiresAction, occurred(time.Hour)), pushes(schemas.Captured, occurred(time.Hour+time.Nanosecond)), unavailable(),
			[]string{"requires_action 1", "captured 1 final"},
			2 * time.Second,
		},
		{
			"one that has no mapping adds nothing to a query that has",
			answers(schemas.Pending), pushes(schemas.Unknown), answers(schemas.Authorized),
			[]string{"pending 1", "authorized 1"},
			time.Minute,
		},
		{
			"one that would lead backwards is dropped",
			answers(schemas.Captured), pushes(schemas.Authorized), answers(schemas.Captured),
			[]string{"captured 1 final"},
			0,
		},
		{
			"one outside the table is dropped, because it may come late",
			answers(schemas.Authorized), pushes(schemas.Declined), answers(schemas.Authorized),
			[]string{"authorized 1"},
			time.Minute,
		},
		{
			"one of an earlier attempt is dropped",
			answers(schemas.Pending, attempt("pay_2")), pushes(schemas.Declined, attempt("pay_1")), answers(schemas.Pending, attempt("pay_2")),
			[]string{"pending 1"},
			2 * time.Second,
		},
		{
			"a partial capture or refund says no status, the query does",
			answers(schemas.Captured), pushes(schemas.PartiallyRefunded, partial), answers(schemas.PartiallyRefunded, refunded(30)),
			[]string{"captured 1 final", "partially_refunded 1 final refunded=30"},
			0,
		},
		{
			"a partial capture or refund says nothing where the query could not be asked",
			answers(schemas.Captured), pushes(schemas.PartiallyRefunded, partial), unavailable(),
			[]string{"captured 1 final"},
			2 * time.Second,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := story(t, tt.said)
			w.pushed(tt.pushed, tt.query)
			assert.Equal(t, tt.says, w.says())
			if tt.next == 0 {
				assert.Nil(t, w.next)
				return
			}
			require.NotNil(t, w.next)
			assert.Equal(t, tt.next, w.next.After)
		})
	}
}

func TestAConfirmingAnswerAdvancesWhatANotificationMustBeYoungerThan(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.RequiresAction, occurred(time.Minute)), answers(schemas.RequiresAction, occurred(time.Hour)))
	w.pushed(pushes(schemas.Captured, occurred(30*time.Minute)), unavailable())
	assert.Equal(t, []string{"requires_action 1"}, w.says())
}

func TestWhatWasSaidFromANotificationAlone(t *testing.T) {
	t.Parallel()
	unconfirmed := func(t *testing.T) *watched {
		t.Helper()
		w := story(t, answers(schemas.Pending))
		w.pushed(pushes(schemas.Captured), answers(schemas.Pending))
		return w
	}
	t.Run("ends the chain when a query shows it", func(t *testing.T) {
		t.Parallel()
		w := unconfirmed(t)
		w.wakes(answers(schemas.Captured))
		assert.Nil(t, w.next)
		assert.Equal(t, []string{"pending 1", "captured 1 final"}, w.says())
	})
	t.Run("does not end it while the query could not be asked", func(t *testing.T) {
		t.Parallel()
		w := unconfirmed(t)
		for range 10 {
			w.wakes(unavailable())
			require.NotNil(t, w.next)
		}
	})
	t.Run("is checked by the schedule's own delays after three quick checks", func(t *testing.T) {
		t.Parallel()
		w := unconfirmed(t)
		var delays []time.Duration
		for range 4 {
			delays = append(delays, w.next.After)
			w.wakes(answers(schemas.Pending))
		}
		assert.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second}, delays[:3])
		assert.NotEqual(t, 30*time.Second, delays[3])
	})
	t.Run("ends it at the deadline", func(t *testing.T) {
		t.Parallel()
		w := unconfirmed(t)
		for w.next != nil {
			w.wakes(answers(schemas.Pending))
		}
		assert.Equal(t, 72*time.Hour, w.now.Sub(start))
		assert.Equal(t, []string{"pending 1", "captured 1 final"}, w.says())
	})
}

func TestANotificationWaitsForItsQuery(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Pending))
	w.pushed(pushes(schemas.PartiallyRefunded, partial), unavailable())
	require.NotNil(t, w.next.Check.Evidence, "what was pushed travels on until a query is answered")
	w.wakes(answers(schemas.Pending))
	assert.Nil(t, w.next.Check.Evidence)
}

func TestWhatNobodyKnowsIsAskedAndNotSaid(t *testing.T) {
	t.Parallel()
	known := event{}.context()
	for _, tt := range []struct {
		name    string
		logFrom time.Duration // after the initiation
		says    []string
	}{
		{"a payment initiated before the log is known has an unknown past", time.Minute, []string{}},
		{"a payment initiated after that has none", -time.Minute, []string{"captured 1 final"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			w.now, w.logFrom = start.Add(24*time.Hour), start.Add(tt.logFrom)
			w.lane.RestoreCheck(chained(1, 4, known))
			w.pushed(pushes(schemas.Captured), unavailable())
			assert.Equal(t, tt.says, w.says())
		})
	}
	t.Run("a query speaks for itself", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.now, w.logFrom = start.Add(24*time.Hour), start.Add(time.Minute)
		w.lane.RestoreCheck(chained(1, 4, known))
		w.pushed(pushes(schemas.Captured), answers(schemas.Captured))
		assert.Equal(t, []string{"captured 1 final"}, w.says())
	})
}

func TestInitiationReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		reply *watch.Reading
		query watch.Reading
		says  []string
	}{
		{"a reply is said where no query was answered", replied(schemas.Authorized), unavailable(), []string{"authorized 1"}},
		{"a reply is said where the provider does not know the payment yet", replied(schemas.Authorized), notFound(), []string{"authorized 1"}},
		{"a query outweighs it", replied(schemas.Authorized), answers(schemas.Pending), []string{"pending 1"}},
		{"a negative is not said before a query confirms it", replied(schemas.Declined), unavailable(), []string{}},
		{"a negative that a query confirms is said from the query", replied(schemas.Declined), answers(schemas.Declined), []string{"declined 1 final"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			w.ask(event{}.check(), tt.query, tt.reply)
			assert.Equal(t, tt.says, w.says())
		})
	}
	t.Run("one that only refuses the call is asked about all the same", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		refusal := watch.Reading{From: schemas.SourceInitiation, Outcome: providers.Failure(providers.Refused, providers.CodeBadRequest, "")}
		w.ask(event{}.check(), answers(schemas.Captured), &refusal)
		assert.Equal(t, []string{"captured 1 final"}, w.says())
	})
}

func TestNotificationsWithoutAStatus(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Pending))
	nothing := watch.Reading{From: schemas.SourceNotification, Outcome: providers.Failure(providers.NoStatus, providers.CodeUnknownType, "")}
	w.pushed(&nothing, answers(schemas.Authorized))
	assert.Equal(t, []string{"pending 1", "authorized 1"}, w.says(), "an unknown type checks now, and says nothing itself")
}

func TestWithoutContext(t *testing.T) {
	t.Parallel()
	for _, status := range []schemas.Status{schemas.Authorized, schemas.CapturePending, schemas.PartiallyCaptured, schemas.Captured} {
		t.Run(string(status)+" is not said, neither from the query nor from the notification", func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			w.pushed(pushes(status), answers(status))
			w.wakes(answers(status))
			assert.Empty(t, w.says())
		})
	}
	t.Run("it is asked again under epoch 0 until the grace ends, then it is a dead letter", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.pushed(pushes(schemas.Captured), answers(schemas.Captured))
		for w.next != nil {
			require.Equal(t, 0, w.next.Check.Epoch)
			w.wakes(answers(schemas.Captured))
		}
		assert.Equal(t, 15*time.Minute, w.now.Sub(start))
		require.Len(t, w.letters, 1)
		assert.Equal(t, watch.CodeNoContext, w.letters[0].Reason)
		assert.Empty(t, w.says())
	})
	t.Run("until an initiated event brings the context, and overtakes it", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.pushed(pushes(schemas.Captured), answers(schemas.Captured))
		sleeper := w.next.Check
		w.ask(event{}.check(), answers(schemas.Captured), nil)
		assert.Equal(t, []string{"captured 1 final"}, w.says())
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
	})
	t.Run("other results are said, and asked on under epoch 0 to its deadline, which is a dead letter and never unresolved", func(t *testing.T) {
		t.Parallel()
		for _, outcome := range []watch.Reading{answers(schemas.RequiresAction), unavailable(), notFound()} {
			w := newWatched(t)
			w.random = 1
			w.pushed(pushes(schemas.RequiresAction), answers(schemas.RequiresAction))
			for w.next != nil {
				w.wakes(outcome)
			}
			assert.Equal(t, 72*time.Hour, w.now.Sub(start).Truncate(10*time.Minute))
			assert.Equal(t, []string{"requires_action 1"}, w.says())
			require.Len(t, w.letters, 1)
			assert.Equal(t, watch.CodeNoContext, w.letters[0].Reason)
		}
	})
	t.Run("a negative has final false", func(t *testing.T) {
		t.Parallel()
		for _, status := range []schemas.Status{schemas.Declined, schemas.Failed, schemas.Canceled, schemas.Voided, schemas.Expired} {
			w := newWatched(t)
			w.pushed(pushes(status), answers(status))
			assert.Equal(t, []string{string(status) + " 1"}, w.says())
			require.NotNil(t, w.next)
			w.ask(event{}.check(), answers(status), nil)
			assert.Equal(t, []string{string(status) + " 1", string(status) + " 1 final"}, w.says(), "until the context comes")
		}
	})
	t.Run("a payment that the provider does not know is a dead letter when the grace ends", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.pushed(pushes(schemas.Captured), notFound())
		for w.next != nil {
			w.wakes(notFound())
		}
		assert.Equal(t, 15*time.Minute, w.now.Sub(start))
		assert.Empty(t, w.says())
		require.Len(t, w.letters, 1)
		assert.Equal(t, watch.CodeNoContext, w.letters[0].Reason)
	})
}

func TestAQueryNoYoungerThanWhatANotificationSaidIsNoWayBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		query time.Duration
		says  []string
	}{
		{"by the provider's own clock", time.Minute, []string{"requires_action 1", "pending 1"}},
		{"but one that is younger is", 3 * time.Minute, []string{"requires_action 1", "pending 1", "requires_action 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := story(t, answers(schemas.RequiresAction, occurred(time.Minute)))
			w.pushed(pushes(schemas.Pending, occurred(2*time.Minute)), answers(schemas.RequiresAction, occurred(time.Minute)))
			w.wakes(answers(schemas.RequiresAction, occurred(tt.query)))
			assert.Equal(t, tt.says, w.says())
		})
	}
}

func TestAQueryThatStillShowsWhatWasSaidBeforeTheNotificationLags(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.CapturePending, attempt("p1"), finalHere))
	failed := pushes(schemas.Failed, occurred(time.Minute), payableAgain)
	w.pushed(failed, answers(schemas.CapturePending, attempt("p1"), finalHere))
	said := []string{"capture_pending 1 final", "failed 1"}
	require.Equal(t, said, w.says())
	w.wakes(answers(schemas.CapturePending, attempt("p1"), finalHere))
	w.pushed(failed, answers(schemas.CapturePending, attempt("p1"), finalHere))
	assert.Equal(t, said, w.says(), "within a quarter of an hour it is no news, also when the notification comes again")
	assert.False(t, w.lane.Ended)
	w.passes(15 * time.Minute)
	w.wakes(answers(schemas.CapturePending, attempt("p1"), finalHere))
	assert.Equal(t, append(said, "capture_pending 2 final (unexpected_transition)"), w.says(), "then the query is the truth")
}

func TestAQueryMayLagWhereANotificationSpokeFirst(t *testing.T) {
	t.Parallel()
	spoke := func(status schemas.Status, before ...watch.Reading) *watched {
		w := newWatched(t)
		for _, a := range append(before, unavailable()) {
			w.ask(repeat(event{}), a, nil)
		}
		w.pushed(pushes(status, occurred(time.Second)), unavailable())
		return w
	}
	for _, tt := range []struct {
		name    string
		w       *watched
		queries []watch.Reading
		says    []string
	}{
		{"what may come before is no news", spoke(schemas.Pending), []watch.Reading{answers(schemas.RequiresAction)}, []string{"pending 1"}},
		{
			"nor is what unknown is compared through", spoke(schemas.Unknown, answers(schemas.Pending)),
			[]watch.Reading{answers(schemas.Pending)},
			[]string{"pending 1", "unknown 1"},
		},
		{"what lies ahead by the table is", spoke(schemas.Pending), []watch.Reading{answers(schemas.Authorized)}, []string{"pending 1", "authorized 1"}},
		{
			"what is dated later is, and what follows it", spoke(schemas.Pending),
			[]watch.Reading{answers(schemas.RequiresAction, occurred(time.Hour)), answers(schemas.Pending)},
			[]string{"pending 1", "requires_action 1", "pending 2"},
		},
		{
			"what follows a query that has shown it is", spoke(schemas.Pending),
			[]watch.Reading{answers(schemas.Pending), answers(schemas.RequiresAction)},
			[]string{"pending 1", "requires_action 1"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, q := range tt.queries {
				tt.w.wakes(q)
			}
			assert.Equal(t, tt.says, tt.w.says())
		})
	}
}

func TestANotificationDoesNotOutweighTheQueryWhereTheTableKnowsNoForward(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.RequiresAction))
	for range 3 {
		w.pushed(pushes(schemas.Pending), answers(schemas.RequiresAction))
	}
	assert.Equal(t, []string{"requires_action 1"}, w.says())
	w.pushed(pushes(schemas.Pending), unavailable())
	for range 3 {
		w.pushed(pushes(schemas.Pending), answers(schemas.RequiresAction))
	}
	assert.Equal(t, []string{"requires_action 1", "pending 1"}, w.says())
}
