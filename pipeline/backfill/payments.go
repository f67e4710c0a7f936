package backfill

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// Payment is a payment that can be asked about.
type Payment struct {
	schemas.PaymentKey

	Context *watch.Context // what its initiated events say, merged
	Said    watch.Said     // what was last said about it; the zero Said: nothing was
}

// Selection chooses payments; the zero Selection all.
type Selection struct {
	IDs      map[string]bool // their payment_id, at whichever provider; nil: any
	Provider string          // "": any
	Account  string          // "": any
	Statuses []string        // the status last said, or StatusNone or StatusOpen; empty: any
}

// What a Selection calls payments by besides their statuses.
const (
	StatusNone = "none" // nothing was said yet
	StatusOpen = "open" // nothing that is final was said
)

func (s Selection) said(last watch.Said) bool {
	return len(s.Statuses) == 0 ||
		last.Has() && slices.Contains(s.Statuses, string(last.Status)) ||
		!last.Has() && slices.Contains(s.Statuses, StatusNone) ||
		(!last.Has() || !last.Final) && slices.Contains(s.Statuses, StatusOpen)
}

// Payments are the payments of a backfill in the making: initiated events are put in, merged as the pipeline merges them, then
// what the emitted log says about these. It is safe for concurrent use.
type Payments struct {
	intake    *handlers.Intake
	selection Selection

	mu        sync.Mutex
	lanes     map[schemas.PaymentKey]*watch.Lane
	counts    Counts
	saidUntil map[int]int64 // how far the emitted log has been read, by partition
}

// Counts say what the sources of a backfill came to.
type Counts struct {
	Records   int64                `json:"records"`             // read from the topic of initiated events, or from the file
	Refused   map[watch.Code]int64 `json:"refused,omitempty"`   // that make no payment: the pipeline has dead letters of them
	Ignored   int64                `json:"ignored,omitempty"`   // CloudEvents of other types
	Conflicts int64                `json:"conflicts,omitempty"` // that contradict an earlier one of their payment: dead letters, too
	Gone      int64                `json:"gone,omitempty"`      // in the range, but no longer in the topic
	Events    int64                `json:"events"`              // read from the emitted log
}

// NewPayments begins a backfill's list of payments. Intake reads initiated events as the pipeline does.
func NewPayments(intake *handlers.Intake, selection Selection) *Payments {
	return &Payments{intake: intake, selection: selection, lanes: map[schemas.PaymentKey]*watch.Lane{}, counts: Counts{Refused: map[watch.Code]int64{}}}
}

func (p *Payments) chooses(key schemas.PaymentKey) bool {
	s := p.selection
	return (s.IDs == nil || s.IDs[key.PaymentID]) && (s.Provider == "" || key.Provider == s.Provider) &&
		(s.Account == "" || key.Account == s.Account)
}

// add merges what an initiated event says into its payment. The error says what contradicts an earlier event.
func (p *Payments) add(check *watch.Check) error {
	if !p.chooses(check.PaymentKey) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	lane := p.lanes[check.PaymentKey]
	if lane == nil {
		lane = &watch.Lane{}
		p.lanes[check.PaymentKey] = lane
	}
	// The zero time: when the payment was first asked about is what the emitted log says, not now.
	if taken := lane.Take(*check, time.Time{}); taken.Verdict == watch.Conflict {
		return taken.Why
	}
	return nil
}

// restore takes over what an event of the emitted log says.
func (p *Payments) restore(trail watch.Trail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lane := p.lanes[trail.PaymentKey]
	if lane == nil {
		lane = &watch.Lane{}
		p.lanes[trail.PaymentKey] = lane
	}
	lane.Restore(trail)
}

// asks reports whether what the emitted log says about a payment matters. That of one that was asked for by its id does even
// where no initiated event was found: the log may carry its context.
func (p *Payments) asks(key schemas.PaymentKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lanes[key] != nil || p.selection.IDs != nil && p.chooses(key)
}

func (p *Payments) count(change func(*Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.counts)
}

// Counts are those of everything that was read so far.
func (p *Payments) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// All are the payments that the selection chooses, in the order of provider, account and payment_id.
func (p *Payments) All() []Payment {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Payment
	for key, lane := range p.lanes {
		if lane.Context != nil && p.selection.said(lane.Said) {
			all = append(all, payment(key, lane))
		}
	}
	slices.SortFunc(all, func(a, b Payment) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Account, b.Account), cmp.Compare(a.PaymentID, b.PaymentID))
	})
	return all
}

// get is one payment as it is known now.
func (p *Payments) get(key schemas.PaymentKey) Payment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return payment(key, p.lanes[key])
}

// payment has no origins: the initiated events that it was read from have not been handled by anybody on its account.
func payment(key schemas.PaymentKey, lane *watch.Lane) Payment {
	context := *lane.Context
	context.Origins = nil
	return Payment{PaymentKey: key, Context: &context, Said: lane.Said}
}

// Missing are the ids asked for of which neither an initiated event nor the emitted log knows enough to ask, in order.
func (p *Payments) Missing() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := maps.Clone(p.selection.IDs)
	for key, lane := range p.lanes {
		if lane.Context != nil {
			delete(missing, key.PaymentID)
		}
	}
	return slices.Sorted(maps.Keys(missing))
}
