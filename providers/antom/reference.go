package antom

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// The names of a reference, and where Antom's bodies state them.
const (
	paymentRequestID = "payment_request_id" // the merchant's id of this attempt
	paymentID        = "payment_id"         // Antom's id

	maxID = 64 // characters
)

var idNames = []struct{ reference, body string }{{paymentRequestID, "paymentRequestId"}, {paymentID, "paymentId"}}

// Identify checks the identifiers of an event and adds what pay's answer states, unless that is about another payment.
func (p *provider) Identify(e schemas.Initiated) (schemas.Reference, error) {
	ref := schemas.Reference{}
	for _, id := range idNames {
		value := e.Reference[id.reference]
		switch {
		case value == "": // some write what they do not know yet as an empty text
		case !usableID(value):
			return nil, &schemas.FieldError{
				Field:   "reference." + id.reference,
				Problem: fmt.Sprintf("must be at most %d characters, without control characters and without blanks around them", maxID),
			}
		default:
			ref[id.reference] = value
		}
	}
	if e.InitiationResponse != nil {
		if body, fault := providers.ParseBody([]byte(e.InitiationResponse.Body)); fault == nil {
			if stated := statedIDs(body); ref.Conflict(stated) == nil {
				ref, _ = ref.Merge(stated)
			}
		}
	}
	if len(ref) == 0 {
		return nil, &schemas.FieldError{
			Field: "reference", Problem: "needs payment_request_id or payment_id, or an initiation_response that states one",
		}
	}
	return ref, nil
}

// statedIDs are the payment's identifiers that a body states.
func statedIDs(body exactjson.Value) schemas.Reference {
	ids := schemas.Reference{}
	for _, id := range idNames {
		if value := idText(body.Get(id.body)); usableID(value) {
			ids[id.reference] = value
		}
	}
	return ids
}

// idText is an identifier as it is stated; some write theirs as a number.
func idText(v exactjson.Value) string {
	if v.Kind() != exactjson.String && v.Kind() != exactjson.Number {
		return ""
	}
	return v.Text()
}

func usableID(value string) bool {
	return value != "" && utf8.RuneCountInString(value) <= maxID && strings.TrimSpace(value) == value && !strings.ContainsFunc(value, unicode.IsControl)
}
