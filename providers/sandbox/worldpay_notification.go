package sandbox

import (
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// worldpayNotificationKey is the key with id 1, in hexadecimal.
const worldpayNotificationKey = "73616e64626f782d776f726c647061792d6e6f74696669636174696f6e2d6b6579"

// NotificationTypes are the types of events, and those about other things than payments.
func (worldpay) NotificationTypes() []NotificationType {
	return []NotificationType{
		{"sentForAuthorization", "Sent for Authorization"},
		{"authorized", "Authorized"},
		{"sentForSettlement", "Sent for Settlement"},
		{"settled", "Settled"},
		{"settlementFailed", "Settlement failed"},
		{"refused", "Refused"},
		{"error", "Error"},
		{"expired", "Expired"},
		{"cancelled", "Sent for Cancellation"},
		{"sentForRefund", "Sent for Refund"},
		{"refunded", "Refunded"},
		{"refundFailed", "Refund failed"},
		{"settlementInstructed", ""},
		{"settlementRejected", ""},
		{"requestExpired", ""},
		{"cancelledByCustomer", ""},
		{"informationRequested", ""},
		{"chargedBack", ""},
		{"chargebackReversed", ""},
		{"tokenCreated", ""},
		{"topUpAccepted", ""},
		{"topUpRejected", ""},
		{"pending", ""},
	}
}

// worldpayClasses are the classifications of those types that are not about a payment itself.
var worldpayClasses = map[string]string{
	"informationRequested": "chargeback", "chargedBack": "chargeback", "chargebackReversed": "chargeback", "pending": "payout",
}

// Signer signs with the simulator's key.
func (worldpay) Signer() Signer {
	key, err := hex.DecodeString(worldpayNotificationKey)
	if err != nil {
		panic(err) // a constant
	}
	return SignWorldpay(WorldpayKey{ID: "1", Key: key})
}

// Notification is the body of an event webhook.
func (w worldpay) Notification(kind string, p Payment, fields map[string]any, at time.Time) []byte {
	p = about(w, kind, p)
	class := worldpayClasses[kind]
	if class == "" {
		class = "payment"
	}
	details := map[string]any{
		"classification": class, "transactionReference": p.Reference, "type": kind, "date": p.Created.UTC().Format(time.DateOnly),
		"amount": map[string]any{"value": p.Script.Amount.Value, "currencyCode": p.Script.Amount.Currency},
		"_links": map[string]any{"payment": map[string]any{"href": ""}},
	}
	return worldpayText(map[string]any{
		"eventId": uuid.NewString(), "eventTimestamp": at.UTC().Format("2006-01-02T15:04:05.000"), "eventDetails": replaced(details, fields),
	})
}

// WorldpayNotification is the body of the event webhook of a type ("sentForSettlement") about a payment, and the
// Event-Signature header that the simulator's key makes for it.
func WorldpayNotification(eventType string, p Payment, sent time.Time) (body []byte, signature string) {
	w := worldpay{}
	body = w.Notification(eventType, p, nil, sent)
	header, err := signed(w.Signer(), "", body, sent, p.Step.Fault)
	if err != nil {
		panic(err) // it signs with a constant
	}
	return body, header.Get("Event-Signature")
}
