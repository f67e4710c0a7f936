package consume

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/paystatus/paystatus/schemas"
)

// Known is what a consumer knows of one payment at one provider and account; the zero value: nothing yet. Store it as JSON beside what
// the service keeps of the payment, in the same transaction. It takes about 40 bytes for each event of the payment and 300 besides.
// Its fields are for reading; Next alone changes them.
type Known struct {
	State

	Last uuid.UUID   `json:"last,omitzero"` // the event that made the state: what a correction must name
	IDs  []uuid.UUID `json:"ids,omitempty"` // of every event taken

	// Undo is what was before Last: a correction takes the place of the event that it corrects.
	Undo Standing `json:"undo,omitzero"`
	// Dropped are the records that came late. The same record stays dropped when it is read again; another with its id may be news.
	Dropped []Record `json:"dropped,omitempty"`
}

// State is what the events taken so far come to.
type State struct {
	Standing

	Attempts   []string  `json:"attempts,omitempty"` // the provider's ids, the latest last
	Disputes   []Dispute `json:"disputes,omitempty"`
	OccurredAt time.Time `json:"occurred_at,omitzero"` // the latest that the provider stated
	ObservedAt time.Time `json:"observed_at,omitzero"` // the latest
}

// Standing is the part of a state that a correction sets back.
type Standing struct {
	View

	Known schemas.Status `json:"known,omitempty"` // the last status other than unknown: what the next is held against
}

// View is what became of a payment, for a service to act on. Sums are merged over its events: one that is not stated never replaces
// one that was. Postings are the differences between two views.
type View struct {
	Status schemas.Status `json:"status,omitempty"` // "" when nothing was said; a word of a newer version as it came
	// Funds says where the money is; while the provider makes no sense (status unknown), where it was before. "" when nothing was said.
	Funds     schemas.Funds `json:"funds,omitempty"`
	Final     bool          `json:"final,omitempty"`     // checking has ended; refunds and disputes may follow
	Requested int64         `json:"requested,omitempty"` // minor units; zero when it was not stated
	schemas.Sums
	Currency string `json:"currency,omitempty"` // ISO 4217, of all sums
	Exponent int    `json:"exponent,omitempty"` // decimal digits of the minor unit, as the provider counts
	// Unresolved is why checking ended, or is parked, without a final status: a reason code. The next change clears it.
	Unresolved string `json:"unresolved,omitempty"`
}

// Dispute is what is known of one dispute.
type Dispute struct {
	schemas.Dispute
	At time.Time `json:"at,omitzero"` // the provider's time of this outcome
}

// Record names one record among those that repeat an id.
type Record struct {
	ID         uuid.UUID `json:"id"`
	ObservedAt time.Time `json:"observed_at"`
}

// Seen reports whether the event with this id was taken.
func (k Known) Seen(id uuid.UUID) bool { return slices.Contains(k.IDs, id) }
