// Package delay makes messages wait on Kafka alone. A tier is a topic in which everything waits equally long, counted from when the
// broker appended it, so that its head is always due first; any other delay is a sequence of tiers. Nothing is kept in
// memory: restarts and rebalances cost lateness at most.
package delay

import (
	"slices"
	"strings"
	"time"
)

// Tier is one delay topic.
type Tier struct {
	Name  string // the end of the topic's name: "5s"
	Delay time.Duration
}

// Tiers are delays that have a topic, the shortest first.
type Tiers []Tier

// Standard are the tiers of the service.
var Standard = Tiers{
	{"1s", time.Second},
	{"5s", 5 * time.Second},
	{"30s", 30 * time.Second},
	{"2m", 2 * time.Minute},
	{"10m", 10 * time.Minute},
	{"1h", time.Hour},
	{"6h", 6 * time.Hour},
}

// MaxHops is how many tiers a delay is composed of at most; it is rounded up to what they can make. Delays beyond MaxHops of
// the longest tier take more.
const MaxHops = 5

// Compose gives the tiers that a message passes to wait for d, the longest first. Their sum is d or a little more.
func (t Tiers) Compose(d time.Duration) []Tier {
	longest := t[len(t)-1]
	var far []Tier
	for d > MaxHops*longest.Delay {
		far = append(far, longest)
		d -= longest.Delay
	}
	best := t.roundUp(d)
	bestSum := sum(best)
	var exact []Tier
	for left := d; len(exact) < MaxHops-1; {
		i := t.fitting(left)
		if i < 0 {
			break
		}
		exact = append(exact, t[i])
		left -= t[i].Delay
		candidate := slices.Clone(exact)
		if left > 0 {
			candidate = append(candidate, t.roundUp(left)...)
		}
		if s := sum(candidate); len(candidate) <= MaxHops && s >= d && s < bestSum {
			best, bestSum = candidate, s
		}
		if left <= 0 {
			break
		}
	}
	all := slices.Concat(far, best)
	slices.SortStableFunc(all, func(a, b Tier) int { return int(b.Delay - a.Delay) })
	return all
}

// Exact are the delays that MaxHops tiers make without being rounded up, the shortest first.
func (t Tiers) Exact() []time.Duration {
	all := []time.Duration{0}
	for range MaxHops {
		for _, made := range slices.Clone(all) {
			for _, tier := range t {
				all = append(all, made+tier.Delay)
			}
		}
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return all[1:]
}

// fitting is the longest tier that is not longer than d, or -1.
func (t Tiers) fitting(d time.Duration) int {
	for i, tier := range slices.Backward(t) {
		if tier.Delay <= d {
			return i
		}
	}
	return -1
}

// roundUp covers d by one tier, or by as many of the longest as it takes.
func (t Tiers) roundUp(d time.Duration) []Tier {
	for _, tier := range t {
		if tier.Delay >= d {
			return []Tier{tier}
		}
	}
	longest := t[len(t)-1]
	return append([]Tier{longest}, t.roundUp(d-longest.Delay)...)
}

func sum(tiers []Tier) time.Duration {
	var total time.Duration
	for _, t := range tiers {
		total += t.Delay
	}
	return total
}

func (t Tiers) byName(name string) (Tier, bool) {
	i := slices.IndexFunc(t, func(tier Tier) bool { return tier.Name == name })
	if i < 0 {
		return Tier{}, false
	}
	return t[i], true
}

func names(tiers []Tier) string {
	all := make([]string, len(tiers))
	for i, t := range tiers {
		all[i] = t.Name
	}
	return strings.Join(all, ",")
}
