package delay

import (
	"cmp"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
)

// Explanation is what a schedule comes to for a payment that stays in one phase until the watch ends.
type Explanation struct {
	Phase    watch.Phase
	Runs     []Run
	Checks   int           // how often the provider is asked in all
	Deadline time.Duration // from when the watch ends with the next check
	Ends     time.Duration // when that is: delays are rounded up to what tiers can make
}

// Run is one check, or several that follow each other equally far apart. Its times count from the beginning of the phase.
type Run struct {
	First  time.Duration
	Checks int
	Delay  time.Duration // what the schedule wants before each; 0: at once
	Tiers  []Tier        // what each passes on its way; none: at once
}

// Last is when the last check of the run is made.
func (r Run) Last() time.Duration { return r.First + time.Duration(r.Checks-1)*r.Wait() }

// Wait is how long a check of the run really waits: Delay, or a little more.
func (r Run) Wait() time.Duration { return sum(r.Tiers) }

// Shortened are the planned delays of a schedule that jitter makes shorter, with the shortest that becomes of each. Tiers lie far
// apart: in reach of most delays there is nothing that tiers can make.
func Shortened(s watch.Schedule) []Jitter {
	var all []Jitter
	exact := Standard.Exact()
	for _, r := range []watch.Rhythm{s.Open, s.Authorized, s.Refund} {
		for _, d := range append(slices.Clone(r.Delays), r.Every) {
			known := func(j Jitter) bool { return j.Delay == d }
			least := sum(Standard.Compose(s.Shortest(d, exact)))
			if least < sum(Standard.Compose(d)) && !slices.ContainsFunc(all, known) {
				all = append(all, Jitter{d, least})
			}
		}
	}
	slices.SortFunc(all, func(a, b Jitter) int { return cmp.Compare(a.Delay, b.Delay) })
	return all
}

// Jitter is what becomes of a planned delay.
type Jitter struct {
	Delay, Least time.Duration
}

// Explain says when a payment is asked about that stays in a phase. Without jitter: that only makes checks come earlier. The
// open phase begins with the first check; the others begin when an answer leads into them, which is no check of theirs.
func Explain(s watch.Schedule, p watch.Phase) Explanation {
	r := s.Rhythm(p)
	return explain(p, r, r.Deadline)
}

// ExplainNotFound says when a payment is asked about that the provider never comes to know. PayableAgain tells that its
// reference is one under which the customer may still pay.
func ExplainNotFound(s watch.Schedule, payableAgain bool) Explanation {
	grace := s.NotFoundGrace
	if payableAgain {
		grace = max(grace, s.ReferenceWindow)
	}
	return explain(watch.PhaseOpen, s.Open, min(grace, s.Open.Deadline))
}

func explain(p watch.Phase, r watch.Rhythm, deadline time.Duration) Explanation {
	e := Explanation{Phase: p, Deadline: deadline}
	if p == watch.PhaseOpen {
		e.add(Run{Checks: 1})
	}
	for used := 0; e.Ends < deadline; {
		left := deadline - e.Ends
		planned := r.Planned(used)
		run := Run{Delay: min(planned, left), Checks: 1}
		run.Tiers = Standard.Compose(run.Delay)
		if used >= len(r.Delays) && planned <= left {
			run.Checks += int((left - planned) / run.Wait())
		}
		run.First = e.Ends + run.Wait()
		e.add(run)
		used += run.Checks
	}
	return e
}

// add puts a run behind the others, or into the one before when it goes on like that.
func (e *Explanation) add(r Run) {
	e.Checks += r.Checks
	e.Ends = r.Last()
	if n := len(e.Runs); n > 0 && e.Runs[n-1].Delay == r.Delay {
		e.Runs[n-1].Checks += r.Checks
		return
	}
	e.Runs = append(e.Runs, r)
}
