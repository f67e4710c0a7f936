package watch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// paced is a payment watched by a schedule that chance made, at a provider of moods, by a process that crashes now and then.
type paced struct {
	*rapid.T

	schedule watch.Schedule
	now      time.Time
	lane     watch.Lane
	check    watch.Check

	asked, crashes int
	letters, ended bool
	unresolved     bool
}

func TestChecksKeepThePaceOfTheirScheduleAndEveryWatchEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := &paced{T: rt, schedule: anySchedule(rt), now: start, check: event{}.check()}
		for steps := 0; !p.ended; {
			require.Less(rt, steps, 3000, "the watch does not end")
			if p.step(p.mood(steps)) {
				steps++
			}
			require.Equal(rt, steps+p.crashes, p.asked, "asked once a step, and once more for each crash")
		}
		final := p.lane.Said.Has() && p.lane.Said.Final
		require.True(rt, final || p.unresolved || p.letters, "it ends in a final status, unresolved, or a dead letter")
	})
}

func anySchedule(t *rapid.T) watch.Schedule {
	spans := []time.Duration{10 * time.Minute, 7 * time.Second, time.Hour, 5 * time.Second, 4 * time.Second, time.Minute, 1500 * time.Millisecond, 6 * time.Hour}
	span := func(name string) time.Duration { return rapid.SampledFrom(spans).Draw(t, name) }
	rhythm := func(name string) watch.Rhythm {
		r := watch.Rhythm{Every: span(name + " every")}
		for range rapid.IntRange(0, 4).Draw(t, name+" delays") {
			r.Delays = append(r.Delays, span(name+" delay"))
		}
		r.Deadline = time.Duration(rapid.IntRange(3, 40).Draw(t, name+" deadline")) * r.Every
		return r
	}
	initial := span("initial")
	backoff := watch.Backoff{Initial: initial, Max: initial + span("max"), Limit: rapid.IntRange(1, 20).Draw(t, "limit")}
	return watch.Schedule{
		Open: rhythm("open"), Authorized: rhythm("authorized"), Refund: rhythm("refund"),
		NotFoundGrace: span("grace"), ReferenceWindow: span("window"),
		Recheck: span("recheck"), Jitter: rapid.Float64Range(0, 0.9).Draw(t, "jitter"),
		Unavailable: backoff, Unreadable: backoff, RefusedEvery: span("refused"),
	}
}

// mood is what the provider answers: anything for a while, and then for ever that it is undecided.
func (p *paced) mood(steps int) watch.Reading {
	if steps > 100 {
		return answers(schemas.Pending)
	}
	switch rapid.IntRange(0, 13).Draw(p.T, "mood") {
	case 0, 1:
		return notFound()
	case 2:
		return unavailable()
	case 3:
		return unavailable(time.Duration(rapid.IntRange(1, 7200).Draw(p.T, "retry after")) * time.Second)
	case 4:
		return unreadable()
	case 5:
		return refused()
	case 6:
		return fails(providers.Mismatch, providers.CodeOtherAmount)
	case 7, 8:
		return answers(schemas.Authorized)
	case 9:
		return answers(schemas.RefundPending)
	case 10:
		if steps > 20 {
			return answers(schemas.Declined)
		}
	}
	return answers(schemas.Pending)
}

// step asks the check that is due; false when the process crashed before it wrote anything.
func (p *paced) step(query watch.Reading) bool {
	chance := func(name string) bool { return rapid.IntRange(0, 9).Draw(p.T, name) == 0 }
	if p.check.Kind == watch.KindChain && chance("another process has it, and knows nothing") {
		p.lane = watch.Lane{}
	}
	taken := p.lane.Take(p.check, p.now)
	require.Equal(p.T, watch.Ask, taken.Verdict)
	p.asked++
	d := watch.Decide(&watch.Question{
		Check: taken.Check, Lane: p.lane, Query: query, Schedule: p.schedule, Now: p.now, Random: rapid.Float64Range(0, 1).Draw(p.T, "random"),
	})
	if chance("crash before the writes") {
		p.crashes++
		p.lane = watch.Lane{}
		p.late()
		return false
	}
	for _, s := range d.Statements {
		p.unresolved = p.unresolved || s.Type == schemas.TypeStatusUnresolved
	}
	p.letters = p.letters || len(d.DeadLetters) > 0
	p.lane, p.ended = d.Lane, d.Next == nil
	if chance("crash between the writes and the commit") {
		require.NotEqual(p.T, watch.Ask, p.lane.Take(p.check, p.now).Verdict, "what is done is not asked again")
	}
	if d.Next != nil {
		p.paces(taken.Check, query.Outcome, d)
		p.check, p.now = d.Next.Check, p.now.Add(d.Next.After)
		p.late()
	}
	return true
}

// late lets the check come later than it should.
func (p *paced) late() {
	if rapid.IntRange(0, 4).Draw(p.T, "late") == 0 {
		p.now = p.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(p.T, "seconds late")) * time.Second)
	}
}

// paces holds a delay against the schedule.
func (p *paced) paces(asked watch.Check, o providers.Outcome, d *watch.Decision) {
	after, next := d.Next.After, d.Next.Check
	switch {
	case next.Parked:
		require.Equal(p.T, max(time.Hour, o.RetryAfter), after)
	case o.Kind == providers.Unavailable && o.RetryAfter > 0:
		require.Equal(p.T, o.RetryAfter, after, "neither shorter nor longer")
	case o.Kind == providers.Unreadable && next.Unreadable >= p.schedule.Unreadable.Limit:
		require.Equal(p.T, p.schedule.Open.Every, after)
	case o.Kind == providers.Unavailable, o.Kind == providers.Unreadable:
		require.GreaterOrEqual(p.T, after, p.schedule.Unavailable.Initial)
		require.LessOrEqual(p.T, after, p.schedule.Unavailable.Max)
	case o.Kind == providers.Refused:
		require.Equal(p.T, p.schedule.RefusedEvery, after)
	case d.Stale && next.Delays == asked.Delays:
		require.Equal(p.T, p.schedule.Recheck, after)
	default:
		p.pacesPlanned(o, d)
	}
}

// pacesPlanned holds a planned delay against the schedule: shorter than planned less jitter only where something must not be missed.
func (p *paced) pacesPlanned(o providers.Outcome, d *watch.Decision) {
	after, next := d.Next.After, d.Next.Check
	rhythm := p.schedule.Rhythm(next.Phase)
	planned := rhythm.Planned(next.Delays - 1)
	least := planned
	if planned >= 5*time.Second {
		least -= time.Duration(p.schedule.Jitter * float64(planned))
	}
	if o.Kind == providers.Mismatch {
		require.GreaterOrEqual(p.T, after, 5*time.Minute)
		return
	}
	require.LessOrEqual(p.T, after, planned, "jitter never lengthens")
	marks := []time.Time{
		next.PhaseSince.Add(rhythm.Deadline), next.Since.Add(p.schedule.NotFoundGrace),
		next.Since.Add(max(p.schedule.NotFoundGrace, p.schedule.ReferenceWindow)),
	}
	if !slices.ContainsFunc(marks, p.now.Add(after).Equal) {
		require.GreaterOrEqual(p.T, after, least, "earlier than planned less jitter")
	}
}
