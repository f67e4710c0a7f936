package watch

import (
	"slices"
	"time"
)

// Schedule says when a payment is asked about. It is data: the configuration resolves one for each provider and method.
type Schedule struct {
	Open       Rhythm // nothing decided yet
	Authorized Rhythm // money reserved or settling
	Refund     Rhythm // a refund or a dispute under way

	// NotFoundGrace is how long after the first check a payment may be unknown to the provider.
	NotFoundGrace time.Duration

	// ReferenceWindow is how long a negative status is not final when the customer can pay again under the same reference.
	ReferenceWindow time.Duration

	// Recheck is the delay after a stale read or an unconfirmed notification.
	Recheck time.Duration

	// Jitter shortens planned delays of 5 s and more by up to this share.
	Jitter float64

	Unavailable Backoff
	Unreadable  Backoff // its Limit is after how many in a row the answer becomes a dead letter

	// RefusedEvery is the delay after the provider refused our credentials or our request.
	RefusedEvery time.Duration
}

// Rhythm is one phase of a schedule: the planned delays, then one every Every, until Deadline after the phase began.
type Rhythm struct {
	Delays   []time.Duration
	Every    time.Duration
	Deadline time.Duration
}

// Backoff draws a delay between Initial and the current exponential step, which ends at Max.
type Backoff struct {
	Initial, Max time.Duration
	Limit        int
}

// Rhythm is that of a phase.
func (s Schedule) Rhythm(p Phase) Rhythm {
	switch p {
	case PhaseAuthorized:
		return s.Authorized
	case PhaseRefund:
		return s.Refund
	case PhaseOpen:
		return s.Open
	default:
		return s.Open
	}
}

// Planned is the delay after used planned ones of the phase.
func (r Rhythm) Planned(used int) time.Duration {
	if used < len(r.Delays) {
		return r.Delays[used]
	}
	return r.Every
}

// leastJittered is the shortest delay that jitter shortens.
const leastJittered = 5 * time.Second

// Shortest is what jitter can make of a planned delay, where exact are the delays that can be kept as they are.
func (s Schedule) Shortest(d time.Duration, exact []time.Duration) time.Duration {
	const random = 1 - 1e-9 // the most that is drawn
	return s.jittered(d, exact, random)
}

// jittered draws among the exact delays in reach, each as likely as another: to draw any delay, which is rounded up then, would make most
// what they were. They are sorted.
func (s Schedule) jittered(d time.Duration, exact []time.Duration, random float64) time.Duration {
	if d < leastJittered {
		return d
	}
	reach := s.Jitter * float64(d)
	first, _ := slices.BinarySearch(exact, d-time.Duration(reach))
	end, _ := slices.BinarySearch(exact, d+1)
	if n := end - first; n > 0 {
		return exact[end-1-min(int(random*float64(n)), n-1)]
	}
	return d - time.Duration(random*reach)
}

// delay is the wait after n failures in a row, n from 1.
func (b Backoff) delay(n int, random float64) time.Duration {
	step := b.Initial
	for range n {
		if step *= 2; step >= b.Max {
			step = b.Max
			break
		}
	}
	return b.Initial + time.Duration(random*float64(max(step-b.Initial, 0)))
}
