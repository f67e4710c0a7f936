package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// story asks the checks of one payment with these answers, in turn, each when its time has come, and gives what is said.
func story(t *testing.T, queries ...watch.Reading) *watched {
	t.Helper()
	w := newWatched(t)
	w.ask(event{}.check(), queries[0], nil)
	for _, q := range queries[1:] {
		w.wakes(q)
	}
	return w
}

func TestWhatAChangeIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers []watch.Reading
		says    []string
	}{
		{
			"the first status is a change",
			[]watch.Reading{answers(schemas.Pending)},
			[]string{"pending 1"},
		},
		{
			"the same tuple again is none",
			[]watch.Reading{answers(schemas.Pending), answers(schemas.Pending), answers(schemas.Pending)},
			[]string{"pending 1"},
		},
		{
			"another status is a change",
			[]watch.Reading{answers(schemas.Pending), answers(schemas.Authorized), answers(schemas.Captured)},
			[]string{"pending 1", "authorized 1", "captured 1 final"},
		},
		{
			"other sums are a change",
			[]watch.Reading{answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.PartiallyCaptured, captured(50))},
			[]string{"partially_captured 1 captured=30", "partially_captured 1 captured=50"},
		},
		{
			"another final is a change",
			[]watch.Reading{answers(schemas.CapturePending), answers(schemas.CapturePending, finalHere)},
			[]string{"capture_pending 1", "capture_pending 1 final"},
		},
		{
			"the entry counts how often this status with these sums became what we say",
			[]watch.Reading{
				answers(schemas.Pending), answers(schemas.RequiresAction), answers(schemas.Pending), answers(schemas.RequiresAction), answers(schemas.Pending),
			},
			[]string{"pending 1", "requires_action 1", "pending 2", "requires_action 2", "pending 3"},
		},
		{
			"with other sums a status is entered for the first time again",
			[]watch.Reading{
				answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.Unknown), answers(schemas.PartiallyCaptured, captured(50)),
			},
			[]string{"partially_captured 1 captured=30", "unknown 1 captured=30", "partially_captured 1 captured=50"},
		},
		{
			"a return after unknown is another entry",
			[]watch.Reading{answers(schemas.Authorized), answers(schemas.Unknown), answers(schemas.Authorized), answers(schemas.Unknown)},
			[]string{"authorized 1", "unknown 1", "authorized 2", "unknown 2"},
		},
		{
			"a sum that is not stated does not replace one that was",
			[]watch.Reading{
				answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.PartiallyCaptured), answers(schemas.PartiallyRefunded, refunded(10)),
			},
			[]string{"partially_captured 1 captured=30", "partially_refunded 1 final captured=30 refunded=10"},
		},
		{
			"a sum that equals the payment's amount counts as not stated",
			[]watch.Reading{
				answers(schemas.Authorized, authorized(100)), answers(schemas.Authorized), answers(schemas.Captured, authorized(100), captured(100)),
			},
			[]string{"authorized 1", "captured 1 final"},
		},
		{
			"a sum of zero counts as not stated",
			[]watch.Reading{answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.PartiallyCaptured, captured(30), refunded(0))},
			[]string{"partially_captured 1 captured=30"},
		},
		{
			"a sum that comes to the payment's amount is a change after a part of it",
			[]watch.Reading{answers(schemas.CapturePending, captured(30)), answers(schemas.CapturePending, captured(100))},
			[]string{"capture_pending 1 captured=30", "capture_pending 1"},
		},
		{
			"a raised authorisation is a change",
			[]watch.Reading{answers(schemas.Authorized, authorized(100)), answers(schemas.Authorized, authorized(150))},
			[]string{"authorized 1", "authorized 1 authorized=150"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.says, story(t, tt.answers...).says())
		})
	}
}

func TestTheTypeOfAnEvent(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.PartiallyCaptured, captured(50)), answers(schemas.Captured))
	types := []string{w.said[0].Type, w.said[1].Type, w.said[2].Type}
	assert.Equal(t, []string{schemas.TypeStatusChanged, schemas.TypeAmountsChanged, schemas.TypeStatusChanged}, types)

	w = story(t, answers(schemas.CapturePending), answers(schemas.CapturePending, finalHere, captured(50)))
	assert.Equal(t, schemas.TypeStatusChanged, w.said[1].Type, "what becomes final is more than other sums")

	w = story(t, answers(schemas.Pending), answers(schemas.Captured))
	assert.Equal(t, schemas.Status(""), w.said[0].Previous, "nothing was said before")
	assert.Equal(t, schemas.Pending, w.said[1].Previous)
}

func TestOneChangeHasOneID(t *testing.T) {
	t.Parallel()
	once := story(t, answers(schemas.Pending), answers(schemas.PartiallyCaptured, captured(30))).ids()

	for _, tt := range []struct {
		name string
		ids  func(*testing.T) []string
	}{
		{"said by another process that restored the log", func(t *testing.T) []string {
			t.Helper()
			w := story(t, answers(schemas.Pending))
			w.restart()
			w.wakes(answers(schemas.PartiallyCaptured, captured(30)))
			return w.ids()
		}},
		{"said by another process that knows only the message", func(t *testing.T) []string {
			t.Helper()
			w := story(t, answers(schemas.Pending))
			w.lane = watch.Lane{}
			w.wakes(answers(schemas.PartiallyCaptured, captured(30)))
			return w.ids()
		}},
		{"said later, after other outcomes", func(t *testing.T) []string {
			t.Helper()
			return story(t, notFound(), answers(schemas.Pending), unavailable(), unreadable(), mismatch(),
				answers(schemas.PartiallyCaptured, captured(30))).ids()
		}},
		{"said in a provider's other way of stating the same sums", func(t *testing.T) []string {
			t.Helper()
			return story(t, answers(schemas.Pending, authorized(100)), answers(schemas.PartiallyCaptured, authorized(100), captured(30), refunded(0))).ids()
		}},
		{"said from a notification", func(t *testing.T) []string {
			t.Helper()
			w := story(t, answers(schemas.Pending))
			w.pushed(pushes(schemas.PartiallyCaptured, captured(30)), unavailable())
			return w.ids()
		}},
		{"said of a payment without context that names its amount", func(t *testing.T) []string {
			t.Helper()
			w := newWatched(t)
			w.pushed(pushes(schemas.Pending), answers(schemas.Pending, madeFor100, authorized(100)))
			w.ask(event{}.check(), answers(schemas.PartiallyCaptured, captured(30)), nil)
			return w.ids()
		}},
		{"said again by a backfill", func(t *testing.T) []string {
			t.Helper()
			w := story(t, answers(schemas.Pending), answers(schemas.PartiallyCaptured, captured(30)))
			last := w.said[1].Said
			w.lane = watch.Lane{}
			w.ask(backfill(event{}.context(), &last), answers(schemas.PartiallyCaptured, captured(30)), nil)
			return []string{w.ids()[0], w.ids()[2]}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, once, tt.ids(t))
		})
	}
}

func TestTwoChangesNeverShareAnID(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Pending), answers(schemas.RequiresAction), answers(schemas.Pending), answers(schemas.Authorized), answers(schemas.Unknown),
		answers(schemas.Authorized), answers(schemas.CapturePending), answers(schemas.PartiallyCaptured, captured(30)),
		answers(schemas.PartiallyCaptured, captured(60)), answers(schemas.Captured, captured(100)))
	w.pushed(opens("d1"), answers(schemas.Captured))
	w.pushed(wins("d1"), answers(schemas.Captured))
	w.pushed(opens("d2"), answers(schemas.Captured))
	w.pushed(loses("d2"), answers(schemas.Captured))
	seen := map[string]string{}
	for i, id := range w.ids() {
		assert.NotContains(t, seen, id, "%s shares its id with %s", w.says()[i], seen[id])
		seen[id] = w.says()[i]
	}
	assert.Len(t, seen, 14)
}

func TestUnknownIsComparedThrough(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers []watch.Reading
		says    []string
		stale   bool
	}{
		{
			"what came before unknown does not come back",
			[]watch.Reading{answers(schemas.Authorized), answers(schemas.Unknown), answers(schemas.Pending)},
			[]string{"authorized 1", "unknown 1"},
			true,
		},
		{
			"what comes after the status before unknown does",
			[]watch.Reading{answers(schemas.Authorized), answers(schemas.Unknown), answers(schemas.Captured)},
			[]string{"authorized 1", "unknown 1", "captured 1 final"},
			false,
		},
		{
			"after two unknowns, too",
			[]watch.Reading{
				answers(schemas.CapturePending), answers(schemas.Unknown), answers(schemas.CapturePending), answers(schemas.Unknown), answers(schemas.Authorized),
			},
			[]string{"capture_pending 1", "unknown 1", "capture_pending 2", "unknown 2"},
			true,
		},
		{
			"unknown at first forbids nothing",
			[]watch.Reading{answers(schemas.Unknown), answers(schemas.Pending), answers(schemas.Captured)},
			[]string{"unknown 1", "pending 1", "captured 1 final"},
			false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := story(t, tt.answers[:len(tt.answers)-1]...)
			w.now = w.now.Add(w.next.After)
			d := w.ask(w.next.Check, tt.answers[len(tt.answers)-1], nil)
			assert.Equal(t, tt.says, w.says())
			assert.Equal(t, tt.stale, d.Stale)
		})
	}
}

func TestFinalNeverGoesFromTrueToFalse(t *testing.T) {
	t.Parallel()
	t.Run("for the same status and sums", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.CapturePending, finalHere))
		w.pushed(pushes(schemas.CapturePending), answers(schemas.CapturePending))
		assert.Equal(t, []string{"capture_pending 1 final"}, w.says())
	})
	t.Run("but other statuses after it have their own", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.pushed(pushes(schemas.RefundPending), answers(schemas.RefundPending))
		assert.Equal(t, []string{"captured 1 final", "refund_pending 1"}, w.says())
	})
}

func TestAnUnresolvedEndHasItsReasonInItsID(t *testing.T) {
	t.Parallel()
	ends := func(last watch.Reading) *watched {
		w := story(t, answers(schemas.Pending))
		w.passes(72 * time.Hour)
		w.wakes(last)
		return w
	}
	deadline, unreachable, again := ends(answers(schemas.Pending)), ends(unavailable()), ends(answers(schemas.Pending))
	require.Equal(t, []string{"pending 1", "unresolved: pending 1 deadline final"}, deadline.says())
	require.Equal(t, []string{"pending 1", "unresolved: pending 1 unavailable"}, unreachable.says())
	assert.Equal(t, deadline.ids(), again.ids())
	assert.NotEqual(t, deadline.ids()[1], unreachable.ids()[1])
	assert.NotEqual(t, deadline.ids()[0], deadline.ids()[1])

	t.Run("it keeps the last known status and changes nothing of what was said", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, schemas.Pending, deadline.said[1].Facts.Status)
		assert.Equal(t, schemas.Pending, deadline.said[1].Previous)
		assert.Equal(t, deadline.said[0].Said, deadline.said[1].Said)
		assert.Equal(t, schemas.TypeStatusUnresolved, deadline.said[1].Type)
	})
	t.Run("its status is unknown and its previous null where nothing was said", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.ask(event{}.check(), notFound(), nil)
		w.passes(time.Hour)
		w.wakes(notFound())
		assert.Equal(t, schemas.Unknown, w.said[0].Facts.Status)
		assert.Equal(t, schemas.Status(""), w.said[0].Previous)
	})
	t.Run("its answer is the last check's, and absent where there was none", func(t *testing.T) {
		t.Parallel()
		assert.NotNil(t, deadline.said[1].Reading)
		assert.Nil(t, unreachable.said[1].Reading)
	})
}
