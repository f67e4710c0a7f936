package antom

import (
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// The types of notifications that speak of a payment.
const (
	notifyResult       = "PAYMENT_RESULT"
	notifyPending      = "PAYMENT_PENDING"
	notifyCapture      = "CAPTURE_RESULT"
	notifyRefund       = "REFUND_RESULT"
	notifyUpdateAmount = "UPDATE_AMOUNT_RESULT"
	notifyOfflineCode  = "OFFLINE_PAYMENT_CODE" // no longer sent
)

// notificationRows are about notifications other than PAYMENT_RESULT, which is read like pay's answer.
var notificationRows = []row{
	contradiction(notifyPending, "resultStatus F", func(f *facts) bool { return f.result("F") }),
	{value: notifyPending, status: schemas.Pending}, // although it carries S
	{
		value: notifyCapture, condition: "S, not less than the payment's amount",
		when: func(f *facts) bool { return f.result("S") && f.movedSum }, status: schemas.Captured, at: movedAt,
	},
	{
		value: notifyCapture, condition: "S, less than the payment's amount or not comparable",
		when: func(f *facts) bool { return f.result("S") }, status: schemas.PartiallyCaptured, at: movedAt, partial: true,
	},
	{
		value: notifyUpdateAmount, condition: "S",
		when: func(f *facts) bool { return f.result("S") }, status: schemas.Authorized, partial: true,
	},
	{
		value: notifyRefund, condition: "refundStatus SUCCESS, not less than the payment's amount",
		when: func(f *facts) bool { return f.refund("SUCCESS") && f.movedSum }, status: schemas.Refunded, at: movedAt,
	},
	{
		value: notifyRefund, condition: "refundStatus SUCCESS, less than the payment's amount or not comparable",
		when: func(f *facts) bool { return f.refund("SUCCESS") }, status: schemas.PartiallyRefunded, at: movedAt, partial: true,
	},
	{
		value: notifyRefund, condition: "refundStatus FAIL",
		when: func(f *facts) bool { return f.refund("FAIL") }, status: schemas.RefundFailed, at: movedAt,
		why: func(f *facts) *schemas.Reason { return reasonOf(f.body.Get("result")) },
	},
	{
		value: notifyRefund, condition: "refundStatus PROCESSING or PENDING",
		when: func(f *facts) bool { return f.refund("PROCESSING") || f.refund("PENDING") }, status: schemas.RefundPending,
	},
}

func (f *facts) result(status string) bool {
	return word(f.body.Get("result", "resultStatus")) == status
}
func (f *facts) refund(status string) bool { return word(f.body.Get("refundStatus")) == status }

const judged = "DISPUTE_JUDGED"

// disputeRows are about disputeNotificationType.
var disputeRows = []row{
	disputeRow("DISPUTE_CREATED", "", schemas.Disputed, schemas.DisputeOpen, "disputeTime"),
	disputeRow("DEFENSE_SUPPLIED", "", schemas.Disputed, schemas.DisputeOpen, "disputeTime"),
	disputeRow("DEFENSE_DUE_ALERT", "", schemas.Disputed, schemas.DisputeOpen, "disputeTime"),
	disputeRow(judged, "ACCEPT_BY_MERCHANT", schemas.ChargedBack, schemas.DisputeLost, "disputeJudgedTime"),
	disputeRow(judged, "ACCEPT_BY_CUSTOMER", schemas.Captured, schemas.DisputeWon, "disputeJudgedTime"),
	disputeRow(judged, "VALIDATE_SUCCESS", schemas.Captured, schemas.DisputeWon, "disputeJudgedTime"),
	disputeRow(judged, "VALIDATE_FAIL", schemas.Disputed, schemas.DisputeOpen, "disputeTime"),
	disputeRow("DISPUTE_ACCEPTED", "", schemas.ChargedBack, schemas.DisputeLost, "disputeAcceptTime"),
	disputeRow("RDR_RESOLVED", "", schemas.ChargedBack, schemas.DisputeLost, ""),
	disputeRow("DISPUTE_CANCELLED", "", schemas.Captured, schemas.DisputeWon, ""),
}

// disputeRow is a row for one type, and for judgements one judgement.
func disputeRow(value, judgement string, status schemas.Status, outcome schemas.DisputeOutcome, at string) row {
	r := row{value: value, status: status, dispute: outcome, at: func(f *facts) time.Time { return readTime(f.body.Get(at)) }}
	if judgement != "" {
		r.condition = "disputeJudgedResult " + judgement
		r.when = func(f *facts) bool { return word(f.body.Get("disputeJudgedResult")) == judgement }
	}
	return r
}

// disputeID names the dispute: by its id, else by its opening, which its later notifications repeat. One that states neither is
// of the dispute that is known.
func disputeID(body exactjson.Value) (id string, unnamed bool) {
	if id = firstOf(body.Get("disputeId").Text(), body.Get("disputeTime").Text()); id != "" {
		return id, false
	}
	return firstOf(body.Get("paymentRequestId").Text(), body.Get("paymentId").Text()), true
}

// readNotification reads what Antom pushed, and whom it is about.
func (p *provider) readNotification(body exactjson.Value, payment providers.Payment) providers.Outcome {
	about := statedIDs(body)
	reference := p.paymentID.Find(body, about[paymentRequestID])
	o := p.readPushed(body, payment, len(about) > 0 || reference != "")
	o.About, o.MerchantReference = about, reference
	return o
}

func (p *provider) readPushed(body exactjson.Value, payment providers.Payment, named bool) providers.Outcome {
	result := body.Get("result")
	kind := word(body.Get("notifyType"))
	if dispute := word(body.Get("disputeNotificationType")); dispute != "" {
		kind = dispute
	}
	switch {
	case ignored(body, kind):
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "the notification says nothing about what became of a payment")
	case (kind == notifyCapture || kind == notifyUpdateAmount) && word(result.Get("resultStatus")) == "F":
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "a change of the payment was refused; the payment is what it was")
	case kind == "" && !named && !result.Present():
		return unexpected("the notification holds nothing that is known")
	case kind != notifyResult && notifications[kind] == nil:
		return providers.Failure(providers.NoStatus, providers.CodeUnknownType, "the type of the notification is not known")
	case !named && !payment.Known():
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "the notification does not say which payment it is about")
	}
	if _, other := compareIDs(body, payment); other != nil {
		return *other
	}
	f := newFacts(body, payment, result.Get("resultCode"), result.Get("resultMessage"))
	said := words{"notify_type": body.Get("notifyType"), "result_status": result.Get("resultStatus"), "result_code": result.Get("resultCode")}
	switch kind {
	case notifyResult:
		status := word(result.Get("resultStatus"))
		return p.observe(f, replies, status, status == "S", said)
	case notifyCapture:
		f.measure(body.Get("captureAmount"), body.Get("captureTime"))
	case notifyRefund:
		f.measure(body.Get("refundAmount"), body.Get("refundTime"))
		said["refund_status"] = body.Get("refundStatus")
	case notifyPending, notifyUpdateAmount:
	default:
		said["notify_type"], said["dispute_judged_result"] = body.Get("disputeNotificationType"), body.Get("disputeJudgedResult")
	}
	return p.observe(f, notifications, kind, false, said)
}

// ignored tells the notifications about tokens, stored cards and subscriptions, which are no payment's.
func ignored(body exactjson.Value, kind string) bool {
	for _, name := range []string{"authorizationNotifyType", "vaultingRequestId", "subscriptionNotificationType"} {
		if body.Get(name).Present() {
			return true
		}
	}
	return kind == notifyOfflineCode
}
