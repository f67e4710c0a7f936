package providers

import (
	"encoding/json"

	"github.com/paystatus/paystatus/schemas"
)

// Document is an outcome as `normalize` and `query` print it: the data of a status event, or why there is none.
type Document struct {
	Outcome    Kind            `json:"outcome"`
	Data       *schemas.Change `json:"data,omitempty"`
	Reason     *schemas.Reason `json:"reason,omitempty"`
	RetryAfter string          `json:"retry_after,omitempty"` // a Go duration: "2s"
}

// MarshalJSON writes null for the payment_id of an answer that was read without a payment.
func (d Document) MarshalJSON() ([]byte, error) {
	type plain Document
	if d.Data == nil || d.Data.PaymentID != "" {
		return json.Marshal(plain(d))
	}
	return json.Marshal(struct {
		plain
		Data any `json:"data"`
	}{plain(d), struct {
		PaymentID *string `json:"payment_id"`
		*schemas.Change
	}{nil, d.Data}})
}

// Describe makes the document of an outcome. Previous is what was last reported, "" when nothing was: a move backwards is
// shown with the anomaly stale_read, one outside the transition table with unexpected_transition.
func Describe(provider Provider, a Answer, o Outcome, p Payment, previous schemas.Status) Document {
	if o.Kind != Observed {
		d := Document{Outcome: o.Kind, Reason: o.Reason()}
		if o.RetryAfter > 0 {
			d.RetryAfter = o.RetryAfter.String()
		}
		return d
	}
	change := o.Change(provider, a, p)
	if previous != "" {
		change.PreviousStatus = &previous
		switch schemas.Between(previous, previous.Final(), change.Status) {
		case schemas.MoveBackwards:
			change.Anomalies = append(change.Anomalies, schemas.StaleRead)
		case schemas.MoveUnexpected:
			change.Anomalies = append(change.Anomalies, schemas.UnexpectedTransition)
		case schemas.MoveSame, schemas.MoveAllowed:
		}
	}
	return Document{Outcome: Observed, Data: &change}
}
