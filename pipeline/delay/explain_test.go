package delay

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// times are when the checks of an explanation are made, one by one.
func (e Explanation) times() []time.Duration {
	var all []time.Duration
	for _, r := range e.Runs {
		for i := range r.Checks {
			all = append(all, r.First+time.Duration(i)*sum(r.Tiers))
		}
	}
	return all
}

// tester is a test, or one of rapid's.
type tester interface {
	require.TestingT
	Helper()
}

// walk lets the planner watch a payment about which the provider always says the same, through the tiers, without jitter. The
// result is when each check was made, after the first.
func walk(t tester, s watch.Schedule, says providers.Outcome) []time.Duration {
	t.Helper()
	begun := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	key := schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "order-1"}
	origin := &watch.Origin{Topic: "payments.initiated", Time: begun}
	event := schemas.Initiated{Amount: schemas.Amount{Value: 100, Currency: "EUR"}, InitiatedAt: begun}
	check := watch.Check{
		Version: watch.Version, PaymentKey: key, Kind: watch.KindInitiated, Origin: origin, Cause: schemas.CauseInitiated,
		Context: watch.NewContext(event, schemas.Reference{"reference": "order-1"}, origin),
	}
	answer := providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{HTTPStatus: http.StatusOK, Body: []byte("{}")}}}
	var lane watch.Lane
	var times []time.Duration
	for now := begun; ; {
		times = append(times, now.Sub(begun))
		taken := lane.Take(check, now)
		require.Equal(t, watch.Ask, taken.Verdict)
		d := watch.Decide(&watch.Question{
			Check: taken.Check, Lane: lane, Schedule: s, Now: now,
			Query: watch.Reading{From: schemas.SourceQuery, Answer: answer, Outcome: says},
		})
		lane = d.Lane
		if d.Next == nil {
			return times
		}
		now, check = now.Add(sum(Standard.Compose(d.Next.After))), d.Next.Check
	}
}

func says(status schemas.Status) providers.Outcome {
	return providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: status}}
}

func notFound(payableAgain bool) providers.Outcome {
	o := providers.Failure(providers.NotFound, providers.CodeNotFound, "it does not know the payment")
	o.PayableAgain = payableAgain
	return o
}

// agrees holds every explanation of a schedule against what the planner does.
func agrees(t tester, s watch.Schedule) {
	t.Helper()
	for phase, status := range map[watch.Phase]schemas.Status{
		watch.PhaseOpen: schemas.Pending, watch.PhaseAuthorized: schemas.Authorized, watch.PhaseRefund: schemas.RefundPending,
	} {
		want := walk(t, s, says(status))
		if phase != watch.PhaseOpen {
			want = want[1:] // the check that led into the phase
		}
		e := Explain(s, phase)
		require.Equal(t, want, e.times(), phase)
		require.Equal(t, len(want), e.Checks, phase)
		require.Equal(t, want[len(want)-1], e.Ends, phase)
	}
	for _, again := range []bool{false, true} {
		require.Equal(t, walk(t, s, notFound(again)), ExplainNotFound(s, again).times(), "not found, payable again: %v", again)
	}
}

// usual is the schedule of a configuration that says nothing.
func usual() watch.Schedule {
	slow := watch.Rhythm{Delays: []time.Duration{time.Minute, 10 * time.Minute, time.Hour}, Every: 6 * time.Hour, Deadline: 720 * time.Hour}
	return watch.Schedule{
		Open: watch.Rhythm{
			Delays: []time.Duration{
				2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
				10 * time.Minute, 30 * time.Minute,
			},
			Every: time.Hour, Deadline: 72 * time.Hour,
		},
		Authorized: slow, Refund: slow, NotFoundGrace: 15 * time.Minute, ReferenceWindow: time.Hour, Jitter: 0.1,
	}
}

func TestAnExplanationIsWhatThePlannerDoes(t *testing.T) {
	t.Parallel()
	agrees(t, usual())

	t.Run("whatever the schedule", func(t *testing.T) {
		t.Parallel()
		span := func(t *rapid.T, most time.Duration, name string) time.Duration {
			return time.Duration(rapid.Int64Range(1, int64(most/(100*time.Millisecond))).Draw(t, name)) * 100 * time.Millisecond
		}
		rhythm := func(t *rapid.T, name string) watch.Rhythm {
			r := watch.Rhythm{Every: span(t, 30*time.Hour, name+" every")}
			for range rapid.IntRange(0, 4).Draw(t, name+" delays") {
				r.Delays = append(r.Delays, span(t, 2*time.Hour, name+" delay"))
			}
			r.Deadline = min(span(t, 720*time.Hour, name+" deadline"), 300*r.Every)
			return r
		}
		rapid.Check(t, func(rt *rapid.T) {
			s := watch.Schedule{
				Open: rhythm(rt, "open"), Authorized: rhythm(rt, "authorized"), Refund: rhythm(rt, "refund"),
				NotFoundGrace: span(rt, 10*time.Hour, "grace"), ReferenceWindow: span(rt, 10*time.Hour, "window"),
			}
			agrees(rt, s)
		})
	})
}

func TestLongTailsAreFolded(t *testing.T) {
	t.Parallel()
	e := Explain(usual(), watch.PhaseAuthorized)
	require.Len(t, e.Runs, 5)
	tail := e.Runs[3]
	assert.Equal(t, 119, tail.Checks)
	assert.Equal(t, 6*time.Hour, tail.Delay)
	assert.Equal(t, "6h", names(tail.Tiers))
	assert.Equal(t, 71*time.Minute+6*time.Hour, tail.First)
	assert.Equal(t, 71*time.Minute+119*6*time.Hour, tail.Last())
	assert.Equal(t, 1, e.Runs[4].Checks, "once more at the deadline")
	assert.GreaterOrEqual(t, e.Ends, e.Deadline)
	assert.Equal(t, 123, e.Checks)

	t.Run("also of a second over a month", func(t *testing.T) {
		t.Parallel()
		s := usual()
		s.Open = watch.Rhythm{Every: time.Second, Deadline: 720 * time.Hour}
		e := Explain(s, watch.PhaseOpen)
		assert.Len(t, e.Runs, 2)
		assert.Equal(t, 720*3600+1, e.Checks)
		assert.Equal(t, 720*time.Hour, e.Ends)
	})
}

func TestJitterShortensWhatTiersCanMakeShorter(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []Jitter{{10 * time.Second, 9 * time.Second}, {5 * time.Minute, 270 * time.Second}}, Shortened(usual()))

	s := usual()
	s.Jitter = 0
	assert.Empty(t, Shortened(s))
	s.Jitter = 0.5
	assert.Contains(t, Shortened(s), Jitter{10 * time.Second, 5 * time.Second})
	assert.Contains(t, Shortened(s), Jitter{6 * time.Hour, 3 * time.Hour})
}
