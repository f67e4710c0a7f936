package sandbox

import (
	"maps"
	"strings"
	"time"
)

// NotificationTypes are the types that say something about a payment, and some of those that do not. The second word of a
// PAYMENT_RESULT or CAPTURE_RESULT is the resultCode of a failure, that of a REFUND_RESULT the refundStatus, that of a
// DISPUTE_JUDGED the judgement.
func (a *antom) NotificationTypes() []NotificationType {
	return []NotificationType{
		{"PAYMENT_RESULT", "SUCCESS"},
		{"PAYMENT_RESULT PROCESS_FAIL", "FAIL"},
		{"PAYMENT_RESULT RISK_REJECT", "FAIL RISK_REJECT"},
		{"PAYMENT_PENDING", "PENDING"},
		{"CAPTURE_RESULT", "SUCCESS CAPTURE"},
		{"CAPTURE_RESULT PROCESS_FAIL", ""},
		{"REFUND_RESULT", "SUCCESS CAPTURE REFUND"},
		{"REFUND_RESULT", "SUCCESS REFUND"},
		{"REFUND_RESULT FAIL", ""},
		{"REFUND_RESULT PROCESSING", ""},
		{"UPDATE_AMOUNT_RESULT", ""},
		{"UPDATE_AMOUNT_RESULT PROCESS_FAIL", ""},
		{"OFFLINE_PAYMENT_CODE", ""},
		{"DISPUTE_CREATED", ""},
		{"DEFENSE_SUPPLIED", ""},
		{"DEFENSE_DUE_ALERT", ""},
		{"DISPUTE_JUDGED ACCEPT_BY_MERCHANT", ""},
		{"DISPUTE_JUDGED ACCEPT_BY_CUSTOMER", ""},
		{"DISPUTE_JUDGED VALIDATE_SUCCESS", ""},
		{"DISPUTE_JUDGED VALIDATE_FAIL", ""},
		{"DISPUTE_ACCEPTED", ""},
		{"RDR_RESOLVED", ""},
		{"DISPUTE_CANCELLED", ""},
		{"TOKEN_CREATED", ""},
	}
}

// Signer signs with the gateway's key, for the one client id that the simulator knows.
func (a *antom) Signer() Signer { return SignAntom(a.gateway(), antomClient) }

// Notification is the body of a notification. Those of captures name Antom's id of the payment alone, those of refunds neither
// that nor the merchant's.
func (a *antom) Notification(kind string, p Payment, fields map[string]any, at time.Time) []byte {
	p = about(a, kind, p)
	kind, second, _ := strings.Cut(kind, " ")
	amount := antomAmount(p.Script.Amount.Value, p.Script.Amount.Currency)
	now, id := antomClock(at), antomPaymentID(p)
	body := antomResult("SUCCESS", "S")
	switch {
	case second != "" && kind != "REFUND_RESULT" && kind != "DISPUTE_JUDGED":
		body = antomResult(second, "F")
	case kind == "PAYMENT_RESULT" && strings.HasPrefix(p.Status, "FAIL "):
		body = antomResult(strings.TrimPrefix(p.Status, "FAIL "), "F")
	}
	switch kind {
	case "PAYMENT_RESULT", "PAYMENT_PENDING", "UPDATE_AMOUNT_RESULT", "OFFLINE_PAYMENT_CODE":
		shown := antomPayment(p)
		for _, name := range []string{"result", "paymentStatus", "paymentResultCode", "paymentResultMessage", "transactions", "redirectActionForm"} {
			delete(shown, name)
		}
		maps.Copy(body, shown)
		body["notifyType"] = kind
	case "CAPTURE_RESULT":
		maps.Copy(body, map[string]any{
			"notifyType": kind, "paymentId": id, "captureRequestId": "request-" + p.Reference + "-1", "captureId": p.Reference + "-1",
			"captureAmount": amount, "captureTime": now,
		})
	case "REFUND_RESULT":
		if second == "" {
			second = "SUCCESS"
		}
		maps.Copy(body, map[string]any{
			"notifyType": kind, "refundStatus": second, "refundRequestId": "request-" + p.Reference + "-2", "refundId": p.Reference + "-2",
			"refundAmount": amount, "refundTime": now,
		})
	case "TOKEN_CREATED":
		body = map[string]any{"authorizationNotifyType": kind, "authClientId": antomClient, "result": body["result"]}
	default:
		body = antomDispute(kind, second, p, now)
	}
	return checkoutBytes(replaced(body, fields))
}

func antomDispute(kind, judgement string, p Payment, now string) map[string]any {
	body := map[string]any{
		"disputeNotificationType": kind, "paymentRequestId": p.Reference, "paymentId": antomPaymentID(p), "disputeId": "dispute-" + p.Reference,
		"disputeType": "CHARGEBACK", "disputeTime": now, "disputeReasonCode": "10.4", "disputeReasonMsg": "Other fraud",
		"disputeAmount": antomAmount(p.Script.Amount.Value, p.Script.Amount.Currency),
	}
	switch kind {
	case "DISPUTE_JUDGED":
		body["disputeJudgedResult"], body["disputeJudgedTime"] = judgement, now
	case "DISPUTE_ACCEPTED":
		body["disputeAcceptTime"] = now
	}
	return body
}
