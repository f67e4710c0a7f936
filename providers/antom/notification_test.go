package antom

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func notification(kind string, members object) object {
	return object{"notifyType": kind, "result": resultOf("S", "SUCCESS")}.with(members)
}

func TestNotificationsSayWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	both := schemas.Reference{"payment_request_id": "P", "payment_id": "2024"}
	for name, tc := range map[string]struct {
		body     object
		about    schemas.Reference
		merchant string
	}{
		"a result": {notification("PAYMENT_RESULT", object{"paymentRequestId": "P", "paymentId": "2024"}), both, "P"},
		"a capture": {
			notification("CAPTURE_RESULT", object{"paymentId": "2024", "captureRequestId": "C"}), schemas.Reference{"payment_id": "2024"}, "",
		},
		"a refund":              {notification("REFUND_RESULT", object{"refundId": "7", "refundRequestId": "R"}), schemas.Reference{}, ""},
		"a dispute":             {object{"disputeNotificationType": "DISPUTE_CREATED", "paymentRequestId": "P", "paymentId": "2024"}, both, "P"},
		"an unknown type":       {notification("NEW", object{"paymentRequestId": "P"}), schemas.Reference{"payment_request_id": "P"}, "P"},
		"one about another one": {notification("PAYMENT_RESULT", object{"paymentRequestId": "Q"}), schemas.Reference{"payment_request_id": "Q"}, "Q"},
	} {
		o := read(t, schemas.SourceNotification, tc.body, payment())
		assert.Equal(t, tc.about, o.About, name)
		assert.Equal(t, tc.merchant, o.MerchantReference, name)
	}
}

func TestNotificationsWithoutAStatus(t *testing.T) {
	t.Parallel()
	refused := object{"result": resultOf("F", "PROCESS_FAIL"), "paymentId": "2024"}
	for name, tc := range map[string]struct {
		body    object
		payment providers.Payment
		kind    providers.Kind
		code    string
	}{
		"an authorisation token": {object{"authorizationNotifyType": "TOKEN_CREATED"}, payment(), providers.NoStatus, providers.CodeIgnoredType},
		"a stored card": {
			notification("VAULTING", object{"vaultingRequestId": "V"}), payment(), providers.NoStatus, providers.CodeIgnoredType,
		},
		"a subscription":             {object{"subscriptionNotificationType": "CREATE"}, payment(), providers.NoStatus, providers.CodeIgnoredType},
		"an offline code":            {notification("OFFLINE_PAYMENT_CODE", nil), payment(), providers.NoStatus, providers.CodeIgnoredType},
		"a capture that was refused": {notification("CAPTURE_RESULT", refused), payment(), providers.NoStatus, providers.CodeIgnoredType},
		"a raise that was refused":   {notification("UPDATE_AMOUNT_RESULT", refused), payment(), providers.NoStatus, providers.CodeIgnoredType},
		"an unknown type": {
			notification("NEW", object{"paymentRequestId": "P"}), payment(), providers.NoStatus, providers.CodeUnknownType,
		},
		"a word that is no type": {
			notification("SUCCESS", object{"paymentRequestId": "P"}), payment(), providers.NoStatus, providers.CodeUnknownType,
		},
		"no type": {object{"paymentRequestId": "P"}, payment(), providers.NoStatus, providers.CodeUnknownType},
		"an unknown type of dispute": {
			object{"disputeNotificationType": "NEW", "paymentRequestId": "P"}, payment(), providers.NoStatus, providers.CodeUnknownType,
		},
		"a refund that names no payment": {
			notification("REFUND_RESULT", object{"refundStatus": "SUCCESS"}), providers.Payment{}, providers.NoStatus, providers.CodeIgnoredType,
		},
		"a result that names no payment":     {notification("PAYMENT_RESULT", nil), providers.Payment{}, providers.NoStatus, providers.CodeIgnoredType},
		"an object that holds nothing known": {object{"a": 1}, payment(), providers.Unreadable, providers.CodeUnexpectedContent},
		"a result about another payment": {
			notification("PAYMENT_RESULT", object{"paymentRequestId": "Q"}), payment(), providers.Mismatch, providers.CodeOtherPayment,
		},
		"a result about another amount": {
			notification("PAYMENT_RESULT", object{"paymentRequestId": "P", "paymentAmount": euros("1")}), payment(), providers.Mismatch,
			providers.CodeOtherAmount,
		},
		"a dispute about another payment": {
			object{"disputeNotificationType": "DISPUTE_CREATED", "paymentRequestId": "Q"}, payment(), providers.Mismatch, providers.CodeOtherPayment,
		},
		"a result whose amount is unreadable": {
			notification("PAYMENT_RESULT", object{"paymentRequestId": "P", "paymentAmount": euros("1.5")}), payment(), providers.Unreadable,
			providers.CodeUnreadableAmount,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireFailure(t, read(t, schemas.SourceNotification, tc.body, tc.payment), tc.kind, tc.code)
		})
	}
}

func TestNotificationsWithAStatus(t *testing.T) {
	t.Parallel()
	refund := func(status string, members object) object {
		return notification("REFUND_RESULT", object{"refundStatus": status, "refundAmount": euros("8000")}.with(members))
	}
	capture := func(amount any) object {
		return notification("CAPTURE_RESULT", object{"paymentId": "2024", "captureAmount": amount})
	}
	other := object{"currency": "USD", "value": "8000"}
	for name, tc := range map[string]struct {
		body      object
		payment   providers.Payment
		want      schemas.Status
		partial   bool
		anomalies []schemas.Anomaly
	}{
		"pending carries S": {notification("PAYMENT_PENDING", nil), payment(), schemas.Pending, false, nil},
		"a result without a word": {
			notification("PAYMENT_RESULT", object{"result": nil}), payment(), schemas.Unknown, false, []schemas.Anomaly{schemas.UnmappedStatus},
		},
		"a result that is no end": {
			notification("PAYMENT_RESULT", object{"result": resultOf("U", "UNKNOWN_EXCEPTION")}), payment(), schemas.Unknown, false,
			[]schemas.Anomaly{schemas.UnmappedStatus},
		},
		"the type in other letters": {notification("payment_result ", object{"paymentMethodType": "TNG"}), payment(), schemas.Captured, false, nil},
		"a refusal that request codes share": {
			notification("PAYMENT_RESULT", object{"result": resultOf("F", "PARAM_ILLEGAL")}), payment(), schemas.Failed, false, nil,
		},
		"a whole capture":               {capture(euros("8000")), payment(), schemas.Captured, false, nil},
		"a part":                        {capture(euros("7999")), payment(), schemas.PartiallyCaptured, true, nil},
		"a capture without amount":      {capture(nil), payment(), schemas.PartiallyCaptured, true, nil},
		"a capture in another currency": {capture(other), payment(), schemas.PartiallyCaptured, true, nil},
		"a capture with an unreadable amount": {
			capture(euros("80.00")), payment(), schemas.PartiallyCaptured, true, []schemas.Anomaly{schemas.UnreadableAmount},
		},
		"a capture of an unknown payment": {capture(euros("8000")), providers.Payment{}, schemas.PartiallyCaptured, true, nil},
		"a capture without a word": {
			capture(euros("8000")).with(object{"result": nil}), payment(), schemas.Unknown, false, []schemas.Anomaly{schemas.UnmappedStatus},
		},
		"a whole refund":                 {refund("SUCCESS", nil), payment(), schemas.Refunded, false, nil},
		"a partial refund":               {refund("SUCCESS", object{"refundAmount": euros("1")}), payment(), schemas.PartiallyRefunded, true, nil},
		"a refund that failed":           {refund("FAIL", nil), payment(), schemas.RefundFailed, false, nil},
		"a refund that was accepted":     {refund("PROCESSING", nil), payment(), schemas.RefundPending, false, nil},
		"a refund whose word is missing": {refund("", nil), payment(), schemas.Unknown, false, []schemas.Anomaly{schemas.UnmappedStatus}},
		"a raised authorisation": {
			notification("UPDATE_AMOUNT_RESULT", object{"paymentRequestId": "P", "paymentAmount": euros("9000")}), payment(), schemas.Authorized, true, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := observed(t, read(t, schemas.SourceNotification, tc.body, tc.payment))
			assert.Equal(t, tc.want, obs.Status)
			assert.Equal(t, tc.partial, obs.Partial)
			assert.Equal(t, tc.anomalies, obs.Anomalies)
			if tc.partial {
				assert.Nil(t, obs.Amounts.Captured, "the total is not stated")
				assert.Nil(t, obs.Amounts.Refunded, "the total is not stated")
			}
		})
	}
}

func TestADisputeWithoutIDIsNamedByItsOpening(t *testing.T) {
	t.Parallel()
	body := object{"disputeNotificationType": "DEFENSE_SUPPLIED", "paymentRequestId": "P", "disputeTime": "2024-03-20T05:00:00-07:00"}
	obs := observed(t, read(t, schemas.SourceNotification, body, payment()))
	assert.Equal(t, &schemas.Dispute{ID: "2024-03-20T05:00:00-07:00", Outcome: schemas.DisputeOpen}, obs.Dispute)
	assert.False(t, obs.DisputeUnnamed)

	obs = observed(t, read(t, schemas.SourceNotification, object{"disputeNotificationType": "RDR_RESOLVED", "paymentRequestId": "P"}, payment()))
	assert.Equal(t, &schemas.Dispute{ID: "P", Outcome: schemas.DisputeLost}, obs.Dispute, "one that states neither")
	assert.True(t, obs.DisputeUnnamed)
}

func TestTheStatusOfANotificationsHTTPRequestDoesNotCount(t *testing.T) {
	t.Parallel()
	page := providers.Page{Body: []byte(`{"notifyType":"PAYMENT_PENDING","result":{"resultStatus":"S"},"paymentRequestId":"P"}`)}
	pushed := func() providers.Outcome {
		return reader(t).Read(providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}, payment())
	}
	assert.Equal(t, schemas.Pending, observed(t, pushed()).Status)
	page.Cut = true
	requireFailure(t, pushed(), providers.Unreadable, providers.CodeTruncated)
}
