package worldpay

import (
	"cmp"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// notification reads the body of an event webhook.
func (r reader) notification(a providers.Answer) providers.Outcome {
	page := a.Last()
	v, failed := providers.ParseBody(page.Body)
	if failed != nil {
		failed.Page = len(a.Pages) - 1
		return *failed
	}
	details := v.Get("eventDetails")
	var o providers.Outcome
	if details.Kind() == exactjson.Object {
		o = r.event(v, details)
	} else {
		o = providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the notification has no eventDetails")
	}
	o.Page = len(a.Pages) - 1
	reference, about := about(details)
	o.MerchantReference, o.About = r.ids.Find(details, reference), about
	return o
}

// about are the identifiers of the payment that a notification states.
func about(details exactjson.Value) (reference string, ids schemas.Reference) {
	ids = schemas.Reference{}
	for name, value := range map[string]string{
		refTransactionReference: details.Get("transactionReference").Str(),
		refPaymentID:            details.Get("paymentId").Str(),
		refEntity:               details.Get("merchant", "entity").Str(),
	} {
		if value != "" {
			ids[name] = value
		}
	}
	return ids[refTransactionReference], ids
}

func (r reader) event(v, details exactjson.Value) providers.Outcome {
	word := details.Get("type")
	switch key := fold(word.Text()); {
	case fold(details.Get("classification").Str()) == "payout":
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "a notification about a payout")
	case ignored[key]:
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "a notification that says nothing about the payment's state")
	case byWord[key] == nil:
		return providers.Failure(providers.NoStatus, providers.CodeUnknownType, "a notification of a type that is not known")
	}
	paymentID, reference := details.Get("paymentId").Str(), details.Get("transactionReference").Str()
	_, _, mismatch := r.identify(paymentID, reference, details.Get("merchant", "entity").Str())
	switch {
	case mismatch != nil:
		return *mismatch
	case paymentID == "" && reference == "" && !r.payment.Known():
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "a notification that names no payment")
	}

	value, readable := readMoney(details.Get("amount"), "value", "currencyCode")
	entry := byWord[fold(word.Text())]
	portion := r.portion(entry, details, value)
	_, m := mean(word.Text(), situation{below: portion})
	if !readable && !entry.portion && m.dispute == "" {
		return providers.Failure(providers.Unreadable, providers.CodeUnreadableAmount, "the payment's amount cannot be read")
	}

	obs := r.observe(word, m)
	obs.Partial = portion
	if !readable {
		obs.Partial = entry.portion // whether it is of a part cannot be told
		obs.Anomalies = append(obs.Anomalies, schemas.UnreadableAmount)
	}
	if m.dispute != "" {
		obs.Dispute, obs.DisputeUnnamed = &schemas.Dispute{ID: eventName(v, details), Outcome: m.dispute}, true
		obs.Amounts.Requested = r.requested(nil) // what is disputed is not what was paid
	} else if mismatch := r.eventAmounts(obs, entry, value, portion); mismatch != nil {
		return *mismatch
	}
	obs.ProviderPaymentID = paymentID
	if paymentID == "" {
		obs.ProviderPaymentID = r.payment.Reference[refPaymentID]
	}
	obs.OccurredAt = parseTime(v.Get("eventTimestamp").Str())
	obs.Reason = explain(obs.Status, entry, word.Text(),
		refusal{details.Get("refund", "refusal", "code"), details.Get("refund", "refusal", "description")},
		refusal{details.Get("refusal", "code"), details.Get("refusal", "description")},
		refusal{details.Get("refusalCode"), details.Get("refusalDescription")})
	obs.Card, obs.AVS, obs.CVV = readCard(details.Get("paymentInstrument")), risk(details, "avs"), risk(details, "cvc")
	return providers.Outcome{Kind: providers.Observed, Observation: obs}
}

// portion says that a settlement, refund or cancellation is of a part: by its amount; where that cannot be
// compared, by the reference that only partial ones have.
func (r reader) portion(e *entry, details exactjson.Value, value *schemas.Money) bool {
	switch {
	case !e.portion:
		return false
	case fold(details.Get("type").Text()) == fold("Sent for Partial Refund"):
		return true
	case value != nil && r.payment.Known() && value.Currency == r.payment.Amount.Currency:
		return value.Value < r.payment.Amount.Value
	default:
		return details.Get("reference").Text() != ""
	}
}

// eventAmounts fills in the sums of a notification. That of a part states no total and stays out.
func (r reader) eventAmounts(obs *providers.Observation, e *entry, value *schemas.Money, portion bool) (mismatch *providers.Outcome) {
	compared := value
	if portion && value != nil && r.payment.Known() && value.Currency == r.payment.Amount.Currency {
		compared = nil
	}
	anomaly, mismatch := r.compare(compared)
	if mismatch != nil {
		return mismatch
	}
	if anomaly != "" {
		obs.Anomalies = append(obs.Anomalies, anomaly)
	}
	switch {
	case portion, value == nil, e.portion && !r.payment.Known():
		obs.Amounts.Requested = r.requested(nil)
	default:
		obs.Amounts.Requested = value
	}
	if portion {
		return nil
	}
	switch obs.Status { //nolint:exhaustive // no other status states a sum
	case schemas.Authorized:
		obs.Amounts.Authorized = value
	case schemas.Captured:
		obs.Amounts.Captured = value
	case schemas.Refunded:
		obs.Amounts.Refunded = value
	}
	return nil
}

// eventName names a notification. Worldpay gives disputes no id, so that each is named by its first notification.
func eventName(v, details exactjson.Value) string {
	return cmp.Or(v.Get("eventId").Str(), v.Get("eventTimestamp").Str(), details.Get("date").Str(), details.Get("transactionReference").Str(),
		details.Get("paymentId").Str())
}
