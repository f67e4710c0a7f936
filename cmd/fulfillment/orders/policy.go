package orders

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/schemas"
)

// Releasing lists the statuses that a Policy can release on.
var Releasing = []schemas.Status{schemas.Captured, schemas.CapturePending, schemas.Authorized}

// Policy says at which statuses an order is released.
type Policy []schemas.Status

// DefaultPolicy releases when the money is taken, or when the provider will say no more than that it is going to be.
var DefaultPolicy = Policy{schemas.Captured, schemas.CapturePending}

// ParsePolicy reads the names of statuses.
func ParsePolicy(names []string) (Policy, error) {
	var p Policy
	for _, name := range names {
		s := schemas.Status(name)
		if !slices.Contains(Releasing, s) {
			words := make([]string, len(Releasing))
			for i, s := range Releasing {
				words[i] = string(s)
			}
			return nil, fmt.Errorf("an order can be released on %s, not on %q", strings.Join(words, ", "), name)
		}
		p = append(p, s)
	}
	if len(p) == 0 {
		return nil, fmt.Errorf("no status releases an order: name one of %v", Releasing)
	}
	return p, nil
}

// pays tells whether a payment has got so far that its order is released. A capture_pending counts for itself only where it is final,
// which means that the provider says no more (Worldpay); who releases on authorized has all the later ones, too, for the authorisation
// may never be seen by itself.
func (p Policy) pays(s schemas.Status, final bool) bool {
	reserved := slices.Contains(p, schemas.Authorized)
	switch s {
	case schemas.Captured:
		return true
	case schemas.CapturePending:
		return reserved || final && slices.Contains(p, schemas.CapturePending)
	case schemas.Authorized, schemas.PartiallyCaptured:
		return reserved
	default:
		return false
	}
}

// standing is what a payment means for its order.
type standing int

const (
	undecided  standing = iota
	paid                // the order may go
	doubtful            // a person has to look: contested, contradictory, or never decided
	givingBack          // paid, but a part of the money went back or a refund was tried
	gone                // not paid, or all of the money went back
)

func (p Policy) standing(n News) standing {
	switch {
	case n.Unresolved != "" || n.Status == schemas.Unknown || n.Status == schemas.Disputed:
		return doubtful
	case p.pays(n.Status, n.Final):
		return paid
	case n.Status == schemas.RefundPending && n.Final:
		return doubtful // how much of it, and whether it arrives, the provider does not say
	case n.Status == schemas.RefundPending || n.Status == schemas.PartiallyRefunded || n.Status == schemas.RefundFailed:
		return givingBack
	case n.Status.Negative() || n.Status == schemas.Refunded || n.Status == schemas.ChargedBack:
		return gone
	default:
		return undecided
	}
}
