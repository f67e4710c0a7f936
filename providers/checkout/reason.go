package checkout

import (
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// reason explains a status that says that something did not happen. The code is the provider's response code; of a failed
// authentication without one, the 3-D Secure result.
func (b *body) reason(s schemas.Status) *schemas.Reason {
	if !s.Negative() && s != schemas.RefundFailed {
		return nil
	}
	if b.responseCode != "" && !approvedCode(b.responseCode) {
		return &schemas.Reason{Code: b.responseCode, Message: b.summary, Category: category(b.responseCode)}
	}
	for item := range b.actions.Items() { // the newest first
		if code := item.Get("response_code").Text(); code != "" && !approvedCode(code) && isAction(item, actionOf[s]) {
			return &schemas.Reason{Code: code, Message: item.Get("response_summary").Str(), Category: category(code)}
		}
	}
	response := b.threeDS.Get("authentication_response").Str()
	if s == schemas.Declined && (response == "N" || response == "R") {
		return &schemas.Reason{Code: response, Message: "3-D Secure authentication failed", Category: schemas.CategoryAuthentication}
	}
	return nil
}

// category groups response codes: 2xxxx are soft and 3xxxx hard refusals of the issuer, 4xxxx risk. Source: "Response codes" of
// the provider's documentation.
func category(code string) schemas.ReasonCategory {
	switch {
	case len(code) != 5:
		return schemas.CategoryOther
	case code == "20051": // insufficient funds
		return schemas.CategoryFunds
	case code == "20096": // system malfunction
		return schemas.CategoryTechnical
	case code == "20151", code == "20152": // authentication failed, not completed within 15 minutes
		return schemas.CategoryAuthentication
	case strings.HasPrefix(code, "2"), strings.HasPrefix(code, "3"):
		return schemas.CategoryIssuer
	case strings.HasPrefix(code, "4"):
		return schemas.CategoryRisk
	default:
		return schemas.CategoryOther
	}
}

// actionOf is the type of the action that brings a status about.
var actionOf = map[schemas.Status]string{
	schemas.Authorized: "Authorization", schemas.Declined: "Authorization", schemas.Verified: "Card Verification",
	schemas.PartiallyCaptured: "Capture", schemas.Captured: "Capture", schemas.Voided: "Void",
	schemas.PartiallyRefunded: "Refund", schemas.Refunded: "Refund", schemas.RefundFailed: "Refund",
}

// occurredAt is when the newest action that fits the status was processed; zero where none says.
func (b *body) occurredAt(s schemas.Status) time.Time {
	var newest time.Time
	for item := range b.actions.Items() {
		if kind, known := actionOf[s]; known && isAction(item, kind) && refusedAction(item) == (s == schemas.Declined || s == schemas.RefundFailed) {
			if at := timeOf(item.Get("processed_on").Str()); at.After(newest) {
				newest = at
			}
		}
	}
	return newest
}
