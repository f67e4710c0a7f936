package sandbox

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// NotificationTypes are the types that say something about a payment, and some of those that do not.
func (checkout) NotificationTypes() []NotificationType {
	return []NotificationType{
		{"payment_pending", "Pending"},
		{"payment_approved", "Authorized"},
		{"payment_captured", "Captured"},
		{"payment_declined", "Declined"},
		{"payment_canceled", "Canceled"},
		{"payment_voided", "Voided"},
		{"payment_expired", "Expired"},
		{"payment_refunded", "Refunded"},
		{"payment_refunded", "Partially Refunded"},
		{"payment_captured", "Partially Captured"},
		{"card_verified", "Card Verified"},
		{"payment_paid", "Paid"},
		{"payment_returned", "Returned"},
		{"payment_retry_scheduled", "Retry Scheduled"},
		{"payment_refund_pending", "Refund Pending"},
		{"authentication_started", "Authentication Requested"},
		{"authentication_approved", ""},
		{"authentication_attempted", ""},
		{"authentication_failed", ""},
		{"authentication_expired", ""},
		{"payment_authentication_failed", ""},
		{"card_verification_declined", ""},
		{"payment_authorization_incremented", ""},
		{"payment_authorization_increment_declined", ""},
		{"payment_capture_pending", ""},
		{"payment_capture_declined", ""},
		{"payment_void_declined", ""},
		{"payment_refund_declined", ""},
		{"payment_retrieval", ""},
		{"payment_chargeback", ""},
		{"dispute_received", ""},
		{"dispute_evidence_required", ""},
		{"dispute_evidence_submitted", ""},
		{"dispute_evidence_acknowledged_by_scheme", ""},
		{"dispute_arbitration_sent_to_scheme", ""},
		{"dispute_arbitration_evidence_submitted", ""},
		{"dispute_resolved", ""},
		{"request_for_information_received", ""},
		{"dispute_won", ""},
		{"dispute_canceled", ""},
		{"dispute_arbitration_won", ""},
		{"dispute_lost", ""},
		{"dispute_accepted", ""},
		{"dispute_expired", ""},
		{"dispute_arbitration_lost", ""},
		{"payment_risk_matched", ""},
		{"payment_optimized", ""},
		{"payment_compliance_review", ""},
		{"fraud_reported", ""},
	}
}

// Signer signs with the simulator's keys.
func (checkout) Signer() Signer { return SignCheckout(checkoutSignatureKey, checkoutAuthValue) }

// Notification is the body of a webhook of a workflow.
func (c checkout) Notification(kind string, p Payment, fields map[string]any, at time.Time) []byte {
	p = about(c, kind, p)
	id, sid, reference := checkoutNames(p)
	amount := p.Script.Amount
	now := at.UTC().Format("2006-01-02T15:04:05.0000000Z")
	var data map[string]any
	switch {
	case strings.HasPrefix(kind, "dispute_"), kind == "request_for_information_received":
		data = map[string]any{
			"id": checkoutDerived("dsp_", p.Reference)[:24], "category": "fraudulent", "amount": amount.Value, "currency": amount.Currency,
			"reason_code": "10.4", "payment_id": id, "payment_reference": reference, "payment_method": "VISA", "date": now,
		}
	case strings.HasPrefix(kind, "authentication_"):
		data = map[string]any{
			"payment_id": id, "session_id": sid, "amount": strconv.FormatInt(amount.Value, 10), "currency": amount.Currency,
		}
		if sid == "" {
			delete(data, "session_id")
		}
	default:
		data = map[string]any{
			"id": id, "action_id": checkoutDerived("act_", p.Reference+kind), "reference": reference, "amount": amount.Value,
			"currency": amount.Currency, "processed_on": now, "response_code": "10000", "response_summary": "Approved",
			"metadata": map[string]any{}, "source": map[string]any{
				"type": "card", "expiry_month": 12, "expiry_year": 2030, "scheme": "VISA", "last_4": "4242", "bin": "424242",
			},
		}
		if approval, declined := checkoutRefusals[kind]; declined {
			maps.Copy(data, approval)
		}
		if kind == "payment_authentication_failed" && sid != "" {
			data["3ds"] = map[string]any{"authentication_id": sid}
		}
	}
	return checkoutBytes(map[string]any{
		"id": "evt_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:26], "type": kind, "version": "1.0.0", "timestamp": now,
		"data":   replaced(data, fields),
		"_links": map[string]any{"payment": checkoutLink("https://api.sandbox.checkout.com/payments/" + id)},
	})
}

// checkoutRefusals are what types that tell of a refusal say of it.
var checkoutRefusals = func() map[string]map[string]any {
	all := map[string]map[string]any{
		"payment_authentication_failed": {"response_code": "20151", "response_summary": "Cardholder failed 3DS authentication"},
	}
	for _, kind := range []string{
		"payment_declined", "card_verification_declined", "payment_capture_declined", "payment_void_declined", "payment_refund_declined",
		"payment_authorization_increment_declined",
	} {
		all[kind] = map[string]any{"response_code": "20005", "response_summary": "Declined - Do Not Honour"}
	}
	return all
}()

// checkoutNames are the ids and the reference of a scripted payment; a payment id that no name is, is derived from the reference.
func checkoutNames(p Payment) (id, sid, reference string) {
	for _, name := range append([]string{p.Reference}, p.Script.Aliases...) {
		switch {
		case strings.HasPrefix(name, "pay_"):
			id = name
		case strings.HasPrefix(name, "sid_"):
			sid = name
		case reference == "":
			reference = name
		}
	}
	if id == "" {
		id = checkoutDerived("pay_", p.Reference)
	}
	return id, sid, reference
}
