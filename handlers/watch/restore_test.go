package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// restart gives the payment to a process that reads the log and a tail of the work topic.
func (w *watched) restart(tail ...watch.Check) {
	w.t.Helper()
	w.lane = watch.Lane{}
	for _, s := range w.said {
		w.lane.Restore(overLog(w.t, s.Trail))
	}
	for _, c := range tail {
		w.lane.RestoreCheck(overTopic(w.t, c))
	}
}

func TestALaneIsRestoredFromTheLog(t *testing.T) {
	t.Parallel()
	first := event{offset: 7}

	t.Run("what the log says was said outranks the message", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		sleeper := w.next.Check
		w.wakes(answers(schemas.Authorized))
		w.restart()
		w.meet(sleeper)
		assert.Equal(t, schemas.Authorized, w.lane.Said.Status)
	})
	t.Run("what a message says was said fills a lane that the log did not", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Authorized, captured(30)), nil)
		w.lane = watch.Lane{}
		w.wakes(answers(schemas.Authorized))
		assert.Equal(t, []string{"authorized 1 captured=30"}, w.says(), "and is not said again")
	})
	t.Run("the last event of the log counts, with all its entries", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		w.wakes(answers(schemas.RequiresAction))
		w.wakes(answers(schemas.Pending))
		w.restart()
		w.wakes(answers(schemas.RequiresAction))
		assert.Equal(t, []string{"pending 1", "requires_action 1", "pending 2", "requires_action 2"}, w.says())
	})
	t.Run("disputes are restored", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Captured), nil)
		w.pushed(opens("d1"), answers(schemas.Captured))
		w.restart()
		w.pushed(opens("d1"), answers(schemas.Captured))
		w.restart()
		w.pushed(wins("d1"), answers(schemas.Captured))
		assert.Equal(t, []string{"captured 1 final", "disputed d1 open", "captured d1 won final"}, w.says())
	})
	t.Run("the context is restored, and which event came earliest", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(withID(first).check(), answers(schemas.Pending), nil)
		w.restart()
		require.NotNil(t, w.lane.Context)
		assert.Equal(t, "pay_1", w.lane.Context.Reference["payment_id"])
		assert.Equal(t, start, w.lane.Context.First, "when it was first asked about, too")
		later := event{offset: 9, at: time.Minute, amount: 200}
		assert.Equal(t, watch.Conflict, w.meet(later.check()).Verdict)
	})
	t.Run("but an origin never counts as done from an event", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		w.restart()
		assert.Equal(t, watch.Ask, w.meet(first.check()).Verdict, "the process may have died before the next check was written")
	})
	t.Run("an event's step is its own minus one, because the event precedes its hand-over", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		step2 := w.next.Check
		w.wakes(answers(schemas.Authorized))
		w.restart()
		assert.Equal(t, watch.Place{Epoch: 1, Step: 1}, w.lane.High)
		assert.Equal(t, watch.Ask, w.meet(step2).Verdict, "the step that said it may not have handed over")
	})
	t.Run("the step before an event's was completed", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		step2 := w.next.Check
		w.wakes(answers(schemas.Pending))
		w.wakes(answers(schemas.Authorized))
		w.restart()
		assert.Equal(t, watch.Done, w.meet(step2).Verdict)
	})
	t.Run("an unresolved end does not change what was said, and restores the rest", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), notFound(), nil)
		w.passes(time.Hour)
		w.wakes(notFound())
		require.Equal(t, []string{"unresolved: unknown not_found final"}, w.says())
		w.restart()
		assert.False(t, w.lane.Said.Has())
		assert.NotNil(t, w.lane.Context)
		assert.Equal(t, watch.Place{Epoch: 1, Step: 1}, w.lane.High)
	})
	t.Run("a backfill's event restores what was said, the context that it was asked with, and no place", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(backfill(first.context(), nil), answers(schemas.Captured), nil)
		w.restart()
		assert.Equal(t, schemas.Captured, w.lane.Said.Status)
		require.NotNil(t, w.lane.Context)
		assert.Equal(t, "order-1", w.lane.Context.Reference["reference"])
		assert.Equal(t, watch.Place{}, w.lane.High)
	})
}

func TestALateWriteOfAStalledProcessChangesNothing(t *testing.T) {
	t.Parallel()
	trail := func(asks ...watch.Reading) watch.Trail {
		w := newWatched(t)
		w.ask(event{}.check(), asks[0], nil)
		for _, a := range asks[1:] {
			w.wakes(a)
		}
		return w.said[len(w.said)-1].Trail
	}
	declined := answers(schemas.Declined, attempt("pay_1"), payableAgain)

	for _, tt := range []struct {
		name        string
		first, late watch.Trail
		status      schemas.Status
	}{
		{"one step back is dropped", trail(answers(schemas.Pending), answers(schemas.Captured)), trail(answers(schemas.Authorized)), schemas.Captured},
		{"one step on counts", trail(answers(schemas.Pending)), trail(answers(schemas.Authorized)), schemas.Authorized},
		{"another attempt counts", trail(declined), trail(declined, answers(schemas.Pending, attempt("pay_2"))), schemas.Pending},
		{"the same attempt does not come back to life", trail(declined), trail(answers(schemas.RequiresAction, attempt("pay_1"))), schemas.Declined},
		{
			"what may come before and is dated so is dropped",
			trail(answers(schemas.Pending, occurred(time.Hour))), trail(answers(schemas.RequiresAction, occurred(time.Minute))), schemas.Pending,
		},
		{"unknown is compared through", trail(answers(schemas.Authorized), answers(schemas.Unknown)), trail(answers(schemas.Pending)), schemas.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lane := watch.Lane{}
			lane.Restore(overLog(t, tt.first))
			lane.Restore(overLog(t, tt.late))
			assert.Equal(t, tt.status, lane.Said.Status)
		})
	}

	t.Run("what was said before and stands there again is dropped", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized), answers(schemas.Unknown))
		w.restart()
		w.lane.Restore(w.said[0].Trail)
		w.wakes(answers(schemas.Authorized))
		assert.Equal(t, []string{"authorized 1", "unknown 1", "authorized 2"}, w.says())
	})
	t.Run("unknown counts, and is compared through to what its process did not know", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.Restore(trail(answers(schemas.Pending), answers(schemas.Authorized)))
		lane.Restore(trail(answers(schemas.Pending), answers(schemas.Unknown)))
		assert.Equal(t, schemas.Unknown, lane.Said.Status)
		assert.Equal(t, schemas.Authorized, lane.Said.Known)
	})
	t.Run("a smaller sum is dropped", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.Restore(trail(answers(schemas.Authorized, authorized(150))))
		lane.Restore(trail(answers(schemas.Authorized)))
		assert.Equal(t, int64(150), lane.Said.Sums.Authorized)
	})
	t.Run("final false after final true of the same status is dropped", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.Restore(trail(answers(schemas.CapturePending, finalHere)))
		lane.Restore(trail(answers(schemas.CapturePending)))
		assert.True(t, lane.Said.Final)
	})
	t.Run("what does not know of a dispute, or only of its opening, is dropped", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.pushed(opens("d1"), answers(schemas.Captured))
		w.pushed(wins("d1"), answers(schemas.Captured))
		for _, late := range w.said[:2] {
			w.restart()
			w.lane.Restore(late.Trail)
			assert.Equal(t, &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeWon}, w.lane.Said.Dispute)
		}
	})
	t.Run("what a dispute brings counts", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(event{}.check(), answers(schemas.Captured), nil)
		w.pushed(loses("d1"), answers(schemas.Captured))
		w.pushed(wins("d1"), answers(schemas.Captured))
		w.restart()
		assert.Equal(t, schemas.Captured, w.lane.Said.Status)
		assert.Equal(t, &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeWon}, w.lane.Said.Dispute)
	})
}

func TestWhatProcessesSayThatDoNotKnowOfEachOthersDisputes(t *testing.T) {
	t.Parallel()
	refunds := func(w *watched) { w.ask(event{}.check(), answers(schemas.PartiallyRefunded, refunded(30)), nil) }
	captures := func(w *watched) { w.ask(event{}.check(), answers(schemas.Captured, madeFor100), nil) }
	returns := func(w *watched) { w.wakes(answers(schemas.RefundPending)) }
	pushed := func(news *watch.Reading) func(*watched) { return func(w *watched) { w.pushed(news, unavailable()) } }
	type steps []func(*watched)
	for _, tt := range []struct {
		name      string
		processes []steps // each knows only what it said itself; the log has the last event of each
		status    schemas.Status
		sums      schemas.Sums
	}{
		{"a refund moves a disputed payment on", []steps{{pushed(opens("d1"))}, {refunds}}, schemas.PartiallyRefunded, schemas.Sums{Refunded: 30}},
		{"nothing else does", []steps{{pushed(opens("d1"))}, {captures}}, schemas.Disputed, schemas.Sums{}},
		{"a refund does not move one that was lost", []steps{{pushed(loses("d1"))}, {refunds}}, schemas.ChargedBack, schemas.Sums{}},
		{"but one that was won since", []steps{{captures, pushed(loses("d1"))}, {pushed(loses("d1")), pushed(wins("d1")), returns}}, schemas.RefundPending, schemas.Sums{}},
		{"another dispute is news, and no sum is forgotten", []steps{{refunds}, {pushed(opens("d1"))}}, schemas.Disputed, schemas.Sums{Refunded: 30}},
		{"another that is opened does not outweigh one that was lost", []steps{{pushed(loses("d1"))}, {pushed(opens("d2"))}}, schemas.ChargedBack, schemas.Sums{}},
		{"the same dispute is none", []steps{{pushed(opens("d1"))}, {refunds}, {refunds, pushed(opens("d1"))}}, schemas.PartiallyRefunded, schemas.Sums{Refunded: 30}},
		{
			"a refund after the same that was won is",
			[]steps{{captures, pushed(wins("d1"))}, {refunds, pushed(wins("d1"))}},
			schemas.PartiallyRefunded,
			schemas.Sums{Refunded: 30},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lane := watch.Lane{}
			for _, p := range tt.processes {
				w := newWatched(t)
				for _, step := range p {
					step(w)
				}
				lane.Restore(overLog(t, w.said[len(w.said)-1].Trail))
			}
			assert.Equal(t, tt.status, lane.Said.Status)
			assert.Equal(t, tt.sums, lane.Said.Sums)
		})
	}
}

func TestALaneIsRestoredFromTheTailOfTheWorkTopic(t *testing.T) {
	t.Parallel()
	first, second := event{offset: 7}, withID(event{offset: 8, at: time.Minute})
	dear := event{offset: 9, at: 2 * time.Minute, amount: 200}

	t.Run("an initiated event's check gives its context and its origin, and counts as asked", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.RestoreCheck(overTopic(t, first.check()))
		assert.NotNil(t, lane.Context)
		assert.Equal(t, watch.Place{Epoch: 1, Step: 1}, lane.High)
		assert.Equal(t, watch.Done, lane.Take(first.check(), start).Verdict)
	})
	t.Run("a chain check gives its context, the origins that it carries, and its step", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.RestoreCheck(overTopic(t, chained(1, 6, first.context())))
		assert.Equal(t, watch.Place{Epoch: 1, Step: 6}, lane.High)
		assert.Equal(t, watch.Done, lane.Take(first.check(), start).Verdict)
		assert.Equal(t, watch.Done, lane.Take(chained(1, 6, first.context()), start).Verdict)
	})
	t.Run("an older record does not lower the step", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		for _, c := range []watch.Check{chained(1, 6, first.context()), chained(1, 4, first.context()), second.check()} {
			lane.RestoreCheck(c)
		}
		assert.Equal(t, watch.Place{Epoch: 1, Step: 6}, lane.High)
		assert.Equal(t, "pay_1", lane.Context.Reference["payment_id"], "and its identifier is merged all the same")
	})
	t.Run("a conflicting record does not displace an earlier event's context", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.RestoreCheck(first.check())
		lane.RestoreCheck(dear.check())
		assert.Equal(t, int64(100), lane.Context.Amount.Value)
	})
	t.Run("a conflicting record of an earlier event displaces", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.RestoreCheck(dear.check())
		lane.RestoreCheck(chained(1, 2, first.context()))
		assert.Equal(t, int64(100), lane.Context.Amount.Value)
	})
	t.Run("the steps of a later, conflicting event's chain are none of the earlier one's", func(t *testing.T) {
		t.Parallel()
		mine, theirs := chained(1, 5, first.context()), chained(1, 9, dear.context())
		for _, tail := range [][]watch.Check{{mine, theirs}, {theirs, mine}} {
			lane := watch.Lane{}
			for _, c := range tail {
				lane.RestoreCheck(overTopic(t, c))
			}
			assert.Equal(t, watch.Ask, lane.Take(overTopic(t, chained(1, 6, first.context())), start).Verdict, "or nobody watches the payment")
			assert.Equal(t, watch.Conflict, lane.Take(overTopic(t, chained(1, 10, dear.context())), start).Verdict)
		}
		lane := watch.Lane{}
		lane.Restore(watch.Trail{Said: watch.Said{Status: schemas.Pending}, Context: dear.context(), Place: watch.Place{Epoch: 1, Step: 8}})
		lane.Restore(watch.Trail{Said: watch.Said{Status: schemas.Authorized}, Context: first.context(), Place: watch.Place{Epoch: 1, Step: 4}})
		assert.Equal(t, watch.Ask, lane.Take(overTopic(t, chained(1, 6, first.context())), start).Verdict, "also from the log")
	})
	t.Run("a notification and a backfill prove nothing", func(t *testing.T) {
		t.Parallel()
		lane := watch.Lane{}
		lane.RestoreCheck(notified())
		lane.RestoreCheck(backfill(first.context(), nil))
		assert.Equal(t, watch.Lane{}, lane)
	})
	t.Run("it says nothing of what was said", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		lane := watch.Lane{}
		lane.RestoreCheck(overTopic(t, w.next.Check))
		assert.False(t, lane.Said.Has())
	})
	t.Run("an event after it keeps the origins", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		lane := watch.Lane{}
		lane.RestoreCheck(overTopic(t, w.next.Check))
		lane.Restore(overLog(t, w.said[0].Trail))
		assert.Equal(t, watch.Done, lane.Take(first.check(), start).Verdict)
	})
	t.Run("after the log it adds the origins that events do not carry", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(first.check(), answers(schemas.Pending), nil)
		w.restart(first.check())
		assert.Equal(t, watch.Done, w.meet(first.check()).Verdict)
	})
}

func TestMessagesSurviveTheirTopics(t *testing.T) {
	t.Parallel()

	t.Run("a chain check carries what was said with its entry counts and disputes, and the context", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(withID(event{offset: 7}).check(), answers(schemas.Captured, captured(90), attempt("pay_1"), occurred(time.Minute)), nil)
		w.pushed(opens("d1", occurred(time.Hour)), answers(schemas.Captured))
		carried := overTopic(t, w.next.Check)
		require.NotNil(t, carried.Said)
		assert.Equal(t, w.lane.Said, *carried.Said)
		assert.Equal(t, w.lane.Context, carried.Context)
		assert.Equal(t, w.lane.Said, overLog(t, w.said[1].Trail).Said, "an event carries the same")
	})
	t.Run("a check of another version is left alone", func(t *testing.T) {
		t.Parallel()
		c, err := watch.DecodeCheck([]byte(`{"v": 2, "kind": ["of", "another", "form"]}`))
		require.NoError(t, err)
		assert.Equal(t, watch.Check{Version: 2}, c)
	})
	t.Run("what is no check is an error", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"", "[]", `{"v": "one"}`, `{"v": 1, "kind": 3}`} {
			_, err := watch.DecodeCheck([]byte(text))
			assert.Error(t, err, text)
		}
	})
}
