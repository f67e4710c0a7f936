package watch_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// journeys are lives of payments that never come back to where they were, so that each change has one name.
var journeys = [][]leg{
	{{status: schemas.Pending}, {status: schemas.Authorized}, {status: schemas.Captured}},
	{{status: schemas.RequiresAction}, {status: schemas.Authorized}, {status: schemas.CapturePending}, {status: schemas.Captured}},
	{{status: schemas.RequiresAction}, {status: schemas.Declined}},
	{{status: schemas.RequiresAction}, {status: schemas.Pending}, {status: schemas.Authorized}, {status: schemas.Captured}},
	{{status: schemas.Pending}, {status: schemas.Expired}},
	{{status: schemas.Authorized}, {status: schemas.Voided}},
	{
		{status: schemas.Authorized},
		{status: schemas.PartiallyCaptured, sums: schemas.Sums{Captured: 30}},
		{status: schemas.PartiallyCaptured, sums: schemas.Sums{Captured: 60}},
		{status: schemas.Captured, sums: schemas.Sums{Captured: 100}},
	},
}

// refundJourneys are lives that go on after what ends the polling: only notifications tell of it.
var refundJourneys = [][]leg{
	{
		{status: schemas.Pending},
		{status: schemas.Captured, sums: schemas.Sums{Captured: 100}},
		{status: schemas.PartiallyRefunded, sums: schemas.Sums{Captured: 100, Refunded: 30}},
		{status: schemas.Refunded, sums: schemas.Sums{Captured: 100, Refunded: 100}},
	},
	{
		{status: schemas.Authorized},
		{status: schemas.Captured, sums: schemas.Sums{Captured: 100}},
		{status: schemas.RefundPending, sums: schemas.Sums{Captured: 100}},
		{status: schemas.Refunded, sums: schemas.Sums{Captured: 100, Refunded: 100}},
	},
}

// leg is one status of a journey.
type leg struct {
	status schemas.Status
	sums   schemas.Sums
	after  time.Duration // from the start
}

// partial reports whether its notification states no total, and only asks.
func (l leg) partial() bool {
	return l.status == schemas.PartiallyCaptured || l.status == schemas.PartiallyRefunded
}

func (l leg) details() []detail {
	all := []detail{occurred(l.after)}
	if l.sums.Captured > 0 {
		all = append(all, captured(l.sums.Captured))
	}
	if l.sums.Refunded > 0 {
		all = append(all, refunded(l.sums.Refunded))
	}
	return all
}

// push is a notification of a leg, at a time.
type push struct {
	leg   int
	after time.Duration
}

// traveller is one payment on its journey, and who watches it.
type traveller struct {
	*watched

	legs  []leg
	lag   time.Duration // how old what queries show is
	fails func() bool   // whether the next query cannot be asked

	sleepers []nap
	hasty    []string // ends of the watch that came too early
}

// shows is what a query is answered at this time.
func (v *traveller) shows() watch.Reading {
	if v.fails() {
		return unavailable()
	}
	now := v.legs[0]
	for _, l := range v.legs {
		if !start.Add(l.after).After(v.now.Add(-v.lag)) {
			now = l
		}
	}
	return answers(now.status, now.details()...)
}

// tells is the notification of a leg.
func (v *traveller) tells(l leg) *watch.Reading {
	if l.partial() {
		return pushes(l.status, occurred(l.after), partial)
	}
	return pushes(l.status, l.details()...)
}

// travel watches the whole journey, with the notifications that are pushed, in that order. Whatever sleeps wakes when it is due,
// overtaken or not.
func (v *traveller) travel(pushed []push) {
	v.check(event{}.check(), nil)
	end := start.Add(v.legs[len(v.legs)-1].after + v.lag + 26*time.Hour)
	for {
		first := -1
		for i, s := range v.sleepers {
			if first < 0 || s.due.Before(v.sleepers[first].due) {
				first = i
			}
		}
		switch {
		case len(pushed) > 0 && (first < 0 || !start.Add(pushed[0].after).After(v.sleepers[first].due)):
			v.now = latest(v.now, start.Add(pushed[0].after))
			v.check(notified(), v.tells(v.legs[pushed[0].leg]))
			pushed = pushed[1:]
		case first < 0 || v.sleepers[first].due.After(end):
			return
		default:
			s := v.sleepers[first]
			v.sleepers = slices.Delete(v.sleepers, first, first+1)
			v.now = latest(v.now, s.due)
			lane := v.lane
			if lane.Take(overTopic(v.t, s.check), v.now).Verdict == watch.Ask {
				v.check(s.check, nil)
			}
		}
	}
}

// nap is a check in a tier.
type nap struct {
	check watch.Check
	due   time.Time
}

// check asks, and puts what follows to sleep. The watch may end only when a query shows what was said.
func (v *traveller) check(c watch.Check, evidence *watch.Reading) {
	shown := v.shows()
	v.ask(c, shown, evidence)
	if v.next != nil {
		v.sleepers = append(v.sleepers, nap{v.next.Check, v.now.Add(v.next.After)})
		return
	}
	if said := v.lane.Said.Status; shown.Outcome.Observation == nil || shown.Outcome.Observation.Status != said {
		v.hasty = append(v.hasty, fmt.Sprintf("the watch ended at %v after %s was said, which no query has confirmed", v.now.Sub(start), said))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TestNotificationsChangeWhenSomethingIsSaidAndNotWhat travels twice: once with polling alone, and once with notifications in any
// order, several times, too late.
func TestNotificationsChangeWhenSomethingIsSaidAndNotWhat(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		legs := drawJourney(r, journeys)
		lag, failing := drawLag(r), drawFailing(r)
		pushed := drawPushes(r, legs)
		alone, both := newTraveller(t, legs, lag, failing), newTraveller(t, legs, lag, failing)
		alone.travel(nil)
		both.travel(pushed)

		require.Equal(r, legs[len(legs)-1].status, alone.lane.Said.Status)
		require.Equal(r, alone.lane.Said.Facts(), both.lane.Said.Facts(), "polling: %v, both: %v", alone.says(), both.says())
		require.Empty(r, alone.sleepers)
		require.Empty(r, both.sleepers, "the watch has ended: %v", both.says())
		require.Empty(r, both.hasty, "%v", both.says())
		requireSameIDs(r, alone, both)
	})
}

func TestNotificationsInAnyOrderLeadToTheLastThatHappened(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		legs := drawJourney(r, refundJourneys)
		lag, failing := drawLag(r), drawFailing(r)
		last := len(legs) - 1
		pushed := append(drawPushes(r, legs), push{last, legs[last].after + 5*time.Hour})
		alone, both := newTraveller(t, legs, lag, failing), newTraveller(t, legs, lag, failing)
		alone.travel(nil)
		both.travel(pushed)
		require.Equal(r, legs[last].status, both.lane.Said.Status, "%v", both.says())
		require.Empty(r, both.sleepers, "the watch has ended: %v", both.says())
		require.Empty(r, both.hasty, "%v", both.says())
		requireSameIDs(r, alone, both)
	})
}

// requireSameIDs requires that both name a change alike, and none twice.
func requireSameIDs(r *rapid.T, alone, both *traveller) {
	ids := map[string]string{}
	for i, id := range alone.ids() {
		ids[change(alone.said[i])] = id
	}
	given := map[string]bool{}
	for i, id := range both.ids() {
		facts := both.said[i].Facts
		require.True(r, slices.ContainsFunc(both.legs, func(l leg) bool {
			return l.status == facts.Status && (!l.partial() || l.sums == both.said[i].Said.Sums)
		}), "the provider never said so: %v", both.says())
		require.False(r, given[id], "an id is given once: %v", both.says())
		given[id] = true
		if also, seen := ids[change(both.said[i])]; seen {
			require.Equal(r, also, id, "one change has one id: %v, %v", alone.says(), both.says())
		}
	}
}

// change names what an event says, whoever said it when.
func change(s watch.Statement) string {
	return fmt.Sprintf("%s %s %v %v", s.Type, s.Facts.Status, s.Facts.Sums, s.Facts.Final)
}

func drawJourney(r *rapid.T, from [][]leg) []leg {
	legs := slices.Clone(rapid.SampledFrom(from).Draw(r, "journey"))
	for i := 1; i < len(legs); i++ {
		legs[i].after = legs[i-1].after + time.Duration(rapid.IntRange(1, 7200).Draw(r, "seconds to the next leg"))*time.Second
	}
	return legs
}

func drawLag(r *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, 0, 40 * time.Second, 15 * time.Minute}).Draw(r, "lag")
}

func drawFailing(r *rapid.T) []bool {
	return rapid.SliceOfN(rapid.Bool(), 0, 12).Draw(r, "queries that fail")
}

// drawPushes are notifications of things that have happened: any of them, in any order, several times.
func drawPushes(r *rapid.T, legs []leg) []push {
	var pushed []push
	for range rapid.IntRange(0, 10).Draw(r, "notifications") {
		n := rapid.IntRange(0, len(legs)-1).Draw(r, "of leg")
		pushed = append(pushed, push{n, legs[n].after + time.Duration(rapid.IntRange(0, 9000).Draw(r, "seconds late"))*time.Second})
	}
	slices.SortStableFunc(pushed, func(a, b push) int { return cmp.Compare(a.after, b.after) })
	return pushed
}

func newTraveller(t *testing.T, legs []leg, lag time.Duration, failing []bool) *traveller {
	t.Helper()
	v := &traveller{watched: newWatched(t), legs: legs, lag: lag}
	v.fails = func() bool {
		if len(failing) == 0 {
			return false
		}
		now := failing[0]
		failing = failing[1:]
		return now
	}
	return v
}
