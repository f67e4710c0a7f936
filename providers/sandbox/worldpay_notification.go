package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// worldpayNotificationKey is the key with id 1, in hexadecimal.
const worldpayNotificationKey = "73616e64626f782d776f726c647061792d6e6f74696669636174696f6e2d6b6579"

// WorldpayNotification is the body of the event webhook of a type ("sentForSettlement") about a payment, and the
// Event-Signature header that the simulator's key makes for it.
func WorldpayNotification(eventType string, p Payment, sent time.Time) (body []byte, signature string) {
	body = worldpayText(map[string]any{
		"eventId":        uuid.NewString(),
		"eventTimestamp": sent.UTC().Format("2006-01-02T15:04:05.000"),
		"eventDetails": map[string]any{
			"classification": "payment", "transactionReference": p.Reference, "type": eventType, "date": p.Created.UTC().Format(time.DateOnly),
			"amount": map[string]any{"value": p.Script.Amount.Value, "currencyCode": p.Script.Amount.Currency},
			"_links": map[string]any{"payment": map[string]any{"href": ""}},
		},
	})
	key, err := hex.DecodeString(worldpayNotificationKey)
	if err != nil {
		panic(err) // a constant
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	switch p.Step.Fault {
	case FaultBadSignature:
		mac.Write([]byte("spoilt"))
	case FaultNoSignature:
		return body, ""
	}
	return body, "1/SHA256/" + hex.EncodeToString(mac.Sum(nil))
}
