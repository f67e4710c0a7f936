package why

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/schemas"
)

// part is what was found of one payment at one provider, in the order of time.
type part struct {
	key      schemas.PaymentKey
	checks   []check
	sleepers []sleeper
	events   []event
	replays  []replay
	letters  []deadletters.Letter
	inputs   []input
}

// parts divides what was found by provider and account. What names no provider belongs to the only one there is, or stands alone.
func (f *found) parts() []*part {
	all := map[schemas.PaymentKey]*part{}
	of := func(key schemas.PaymentKey) *part {
		key.PaymentID = f.payment
		if all[key] == nil {
			all[key] = &part{key: key}
		}
		return all[key]
	}
	for _, c := range f.checks {
		p := of(c.PaymentKey)
		p.checks = append(p.checks, c)
	}
	for _, s := range f.sleepers {
		p := of(s.PaymentKey)
		p.sleepers = append(p.sleepers, s)
	}
	for _, e := range f.events {
		p := of(keyOf(e))
		p.events = append(p.events, e)
	}
	for _, r := range f.replays {
		p := of(r.PaymentKey)
		p.replays = append(p.replays, r)
	}
	seen := map[place]bool{}
	for _, i := range f.inputs {
		if !seen[i.place] {
			p := of(i.key)
			p.inputs = append(p.inputs, i)
		}
		seen[i.place] = true
	}
	for _, l := range f.letters {
		p := of(l.About)
		p.letters = append(p.letters, l)
	}
	if nameless := all[schemas.PaymentKey{PaymentID: f.payment}]; nameless != nil && len(all) == 2 {
		delete(all, nameless.key)
		for _, p := range all {
			p.letters, p.inputs = append(p.letters, nameless.letters...), append(p.inputs, nameless.inputs...)
		}
	}
	out := slices.SortedFunc(maps.Values(all), func(a, b *part) int {
		return cmp.Or(strings.Compare(a.key.Provider, b.key.Provider), strings.Compare(a.key.Account, b.key.Account))
	})
	for _, p := range out {
		p.sort()
	}
	return out
}

func (p *part) sort() {
	slices.SortStableFunc(p.checks, func(a, b check) int { return inOrder(a.at, b.at, a.place, b.place) })
	slices.SortStableFunc(p.sleepers, func(a, b sleeper) int { return inOrder(a.at, b.at, a.place, b.place) })
	slices.SortStableFunc(p.events, func(a, b event) int { return inOrder(a.at, b.at, a.place, b.place) })
	slices.SortStableFunc(p.replays, func(a, b replay) int { return inOrder(a.at, b.at, a.place, b.place) })
	slices.SortStableFunc(p.letters, func(a, b deadletters.Letter) int { return a.Time.Compare(b.Time) })
	slices.SortStableFunc(p.inputs, func(a, b input) int { return inOrder(a.at, b.at, a.place, b.place) })
}

// inOrder is that of time, but of one partition that of its offsets: clocks may go back.
func inOrder(at, bt time.Time, a, b place) int {
	if a.topic == b.topic && a.Partition == b.Partition {
		return cmp.Compare(a.Offset, b.Offset)
	}
	return at.Compare(bt)
}

// context is what is known of the payment: the newest record's, which holds all that was merged before.
func (p *part) context() *watch.Context {
	var newest *watch.Context
	var at time.Time
	see := func(c *watch.Context, t time.Time) {
		if c != nil && (newest == nil || !t.Before(at)) {
			newest, at = c, t
		}
	}
	for _, e := range p.events {
		if e.Trail != nil {
			see(e.Trail.Context, e.at)
		}
	}
	for _, c := range p.checks {
		see(c.Context, c.at)
	}
	for _, s := range p.sleepers {
		see(s.Context, s.at)
	}
	return newest
}
