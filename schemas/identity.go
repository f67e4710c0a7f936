package schemas

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// EventNamespace is the UUIDv5 namespace of the ids of status events.
var EventNamespace = uuid.MustParse("7d6b1f5e-3c0a-5b1e-9a52-6c8f0e5d4b21")

// PaymentKey names a payment: what is known, checked and said belongs to these three.
type PaymentKey struct {
	Provider  string `json:"provider"`
	Account   string `json:"account"`
	PaymentID string `json:"payment_id"`
}

// Sums are the totals a provider states, in minor units; a zero was not stated.
type Sums struct {
	Authorized int64 `json:"authorized,omitempty"`
	Captured   int64 `json:"captured,omitempty"`
	Refunded   int64 `json:"refunded,omitempty"`
}

// Facts are what an event says about a payment. Two events about one payment with the same facts have the same id,
// whoever says them and whenever.
type Facts struct {
	Status  Status
	Entry   int      // from 1; 0 where a dispute stands in its place
	Dispute *Dispute // what this event's dispute brought or ended
	Final   bool
	Sums    Sums   // without those that are zero or equal to the initiated amount
	Reason  string // of payment.status_unresolved only
}

// EventID gives the id of the event that says f about k: a UUIDv5 over these facts and nothing else.
func EventID(k PaymentKey, f Facts) uuid.UUID {
	entry := strconv.Itoa(f.Entry)
	if f.Dispute != nil {
		entry = "dispute " + strconv.Quote(f.Dispute.ID) + " " + string(f.Dispute.Outcome)
	}
	name := []string{
		strconv.Quote(k.Provider), strconv.Quote(k.Account), strconv.Quote(k.PaymentID),
		string(f.Status), entry, strconv.FormatBool(f.Final),
		strconv.FormatInt(f.Sums.Authorized, 10), strconv.FormatInt(f.Sums.Captured, 10), strconv.FormatInt(f.Sums.Refunded, 10),
	}
	if f.Reason != "" {
		name = append(name, "unresolved "+f.Reason)
	}
	return uuid.NewSHA1(EventNamespace, []byte(strings.Join(name, "\n")))
}
