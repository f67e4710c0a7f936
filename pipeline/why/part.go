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

// part is what was found of one payment at one provider; in the order of time once it is sorted.
type part struct {
	key      schemas.PaymentKey
	checks   []check
	sleepers []sleeper
	events   []event
	replays  []replay
	letters  []deadletters.Letter
	inputs   []input
}

// divided are the parts, sorted, by provider and account. What names no provider belongs to the only one there is, or stands alone.
func (f *found) divided() []*part {
	if nameless := f.parts[schemas.PaymentKey{PaymentID: f.payment}]; nameless != nil && len(f.parts) == 2 {
		delete(f.parts, nameless.key)
		for _, p := range f.parts {
			p.letters, p.inputs = append(p.letters, nameless.letters...), append(p.inputs, nameless.inputs...)
		}
	}
	all := slices.SortedFunc(maps.Values(f.parts), func(a, b *part) int {
		return cmp.Or(strings.Compare(a.key.Provider, b.key.Provider), strings.Compare(a.key.Account, b.key.Account))
	})
	for _, p := range all {
		p.sort()
	}
	return all
}

func (p *part) sort() {
	inOrder(p.checks)
	inOrder(p.sleepers)
	inOrder(p.events)
	inOrder(p.replays)
	inOrder(p.inputs)
	slices.SortStableFunc(p.letters, func(a, b deadletters.Letter) int { return a.Time.Compare(b.Time) })
}

// inOrder sorts by time, but what is of one partition by its offsets: clocks may go back.
func inOrder[T interface{ where() record }](all []T) {
	slices.SortStableFunc(all, func(x, y T) int {
		a, b := x.where(), y.where()
		if a.topic == b.topic && a.Partition == b.Partition {
			return cmp.Compare(a.Offset, b.Offset)
		}
		return a.at.Compare(b.at)
	})
}

func (r record) where() record { return r }

// asked are the checks, with those that sleep.
func (p *part) asked() []check {
	all := slices.Clone(p.checks)
	for _, s := range p.sleepers {
		all = append(all, s.check)
	}
	return all
}

// context is what is known of the payment: the newest record's, which holds all that was merged before.
func (p *part) context() *watch.Context {
	var newest *watch.Context
	var at time.Time
	see := func(c *watch.Context, r record) {
		if c != nil && (newest == nil || !r.at.Before(at)) {
			newest, at = c, r.at
		}
	}
	for _, e := range p.events {
		if e.Trail != nil {
			see(e.Trail.Context, e.record)
		}
	}
	for _, c := range p.asked() {
		see(c.Context, c.record)
	}
	return newest
}
