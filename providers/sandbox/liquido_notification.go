package sandbox

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// NotificationTypes are the eventTypes of callbacks. A second word is the transferStatus that a charge has meanwhile.
func (l *LiquidoAPI) NotificationTypes() []NotificationType {
	return []NotificationType{
		{"CHARGE_SUCCEEDED", "SETTLED"},
		{"CHARGE_SUCCEEDED AUTHORIZED", "AUTHORIZED"},
		{"CHARGE_SUCCEEDED IN_PROGRESS", "IN_PROGRESS"},
		{"CHARGE_FAILED", "FAILED"},
		{"CHARGE_FAILED CANCELLED", "CANCELLED"},
		{"CHARGE_FAILED EXPIRED", "EXPIRED"},
		{"CHARGE_CHARGED_BACK", "CHARGED_BACK"},
		{"CHARGE_REFUND_SUCCEEDED", "REFUNDED"},
		{"CHARGE_REFUND_FAILED", ""},
	}
}

// Signer signs with the client secret that the simulator knows.
func (l *LiquidoAPI) Signer() Signer { return SignLiquido(liquidoClientSecret) }

// Notification is the body of a callback. In those of refunds the key is the refund's and the reference names the charge.
func (l *LiquidoAPI) Notification(kind string, p Payment, fields map[string]any, at time.Time) []byte {
	p = about(l, kind, p)
	p.Since = at
	kind, _, _ = strings.Cut(kind, " ")
	p.Step.Fields = map[string]any{}
	switch kind {
	case "CHARGE_REFUND_SUCCEEDED":
		p.Status = "SETTLED"
	case "CHARGE_REFUND_FAILED":
		p.Status = "FAILED"
	case "CHARGE_CHARGED_BACK":
		p.Step.Fields["transferStatusCode"] = 200
	}
	if strings.HasPrefix(kind, "CHARGE_REFUND_") {
		p.Step.Fields["idempotencyKey"] = "refund-" + p.Reference
	}
	maps.Copy(p.Step.Fields, fields)
	return liquidoBody(kind, p)
}

func liquidoBody(eventType string, p Payment) []byte {
	return fmt.Appendf(nil, `{"eventType":%s,"data":{"chargeDetails":%s}}`, liquidoText(eventType), LiquidoCharge(p))
}

// LiquidoCallback is the body of the callback about a payment, and the Liquido-Signature header that the simulator's client
// secret makes for it at the time of sending.
func LiquidoCallback(eventType string, p Payment, sent time.Time) (body []byte, signature string) {
	body = liquidoBody(eventType, p)
	header, err := signed(SignLiquido(liquidoClientSecret), "", body, sent, p.Step.Fault)
	if err != nil {
		panic(err) // an HMAC never fails
	}
	return body, header.Get("Liquido-Signature")
}
