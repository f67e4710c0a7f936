package antom

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// object is a JSON object in the making.
type object map[string]any

// with is the object with other members; nil removes one.
func (o object) with(members object) object {
	changed := maps.Clone(o)
	for name, value := range members {
		if changed[name] = value; value == nil {
			delete(changed, name)
		}
	}
	return changed
}

func euros(value any) object { return object{"currency": "EUR", "value": value} }

func resultOf(status, code string) object { return object{"resultStatus": status, "resultCode": code} }

// success is an answer about a payment that was made, by a method that it does not name.
var success = object{
	"result": resultOf("S", "SUCCESS"), "paymentStatus": "SUCCESS", "paymentRequestId": "P", "paymentId": "2024", "paymentAmount": euros("8000"),
}

// payment is the one that the answers are about.
func payment(change ...func(*providers.Payment)) providers.Payment {
	p := providers.Payment{
		ID: "order", Reference: schemas.Reference{"payment_request_id": "P"}, Amount: &schemas.Amount{Value: 8000, Currency: "EUR"},
		Capture: schemas.CaptureAutomatic,
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

func read(t *testing.T, from schemas.Source, body object, p providers.Payment) providers.Outcome {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return reader(t).Read(providers.Answer{From: from, Pages: []providers.Page{{HTTPStatus: http.StatusOK, Body: text}}}, p)
}

func query(t *testing.T, body object, p providers.Payment) providers.Outcome {
	t.Helper()
	return read(t, schemas.SourceQuery, body, p)
}

func observed(t *testing.T, o providers.Outcome) *providers.Observation {
	t.Helper()
	require.Equal(t, providers.Observed, o.Kind, "%s: %s", o.Code, o.Message)
	return o.Observation
}

func requireFailure(t *testing.T, o providers.Outcome, kind providers.Kind, code string) {
	t.Helper()
	require.Equal(t, kind, o.Kind, "%s: %s", o.Code, o.Message)
	require.Equal(t, code, o.Code)
	require.Nil(t, o.Observation)
}

func TestIsItAboutOurPayment(t *testing.T) {
	t.Parallel()
	both := func(p *providers.Payment) {
		p.Reference = schemas.Reference{"payment_request_id": "P", "payment_id": "2024"}
	}
	theirs := func(p *providers.Payment) { p.Reference = schemas.Reference{"payment_id": "2024"} }
	for name, tc := range map[string]struct {
		body    object
		payment providers.Payment
		kind    providers.Kind
		code    string
	}{
		"the merchant's id is ours":     {success, payment(), providers.Observed, ""},
		"Antom's id is ours":            {success, payment(theirs), providers.Observed, ""},
		"both are ours":                 {success, payment(both), providers.Observed, ""},
		"Antom's id alone, as a number": {success.with(object{"paymentId": 2024}), payment(both), providers.Observed, ""},
		"another merchant's id": {
			success.with(object{"paymentRequestId": "Q"}), payment(both), providers.Mismatch, providers.CodeOtherPayment,
		},
		"an id in other letters":               {success.with(object{"paymentRequestId": "p"}), payment(), providers.Mismatch, providers.CodeOtherPayment},
		"another of Antom's ids":               {success.with(object{"paymentId": "2025"}), payment(both), providers.Mismatch, providers.CodeOtherPayment},
		"an id that we were not given is news": {success.with(object{"paymentId": "2025"}), payment(), providers.Observed, ""},
		"none of our ids": {
			success.with(object{"paymentRequestId": nil}), payment(), providers.Unreadable, providers.CodeUnexpectedContent,
		},
		"an empty id is none": {
			success.with(object{"paymentRequestId": ""}), payment(), providers.Unreadable, providers.CodeUnexpectedContent,
		},
		"without a payment any id will do": {success, providers.Payment{}, providers.Observed, ""},
		"without a payment and without any id": {
			success.with(object{"paymentRequestId": nil, "paymentId": nil}), providers.Payment{}, providers.Observed, "",
		},
		"without a payment, and about nothing": {
			object{"result": resultOf("S", "SUCCESS")}, providers.Payment{}, providers.Unreadable, providers.CodeUnexpectedContent,
		},
		"the query's own result is missing":       {success.with(object{"result": nil}), payment(), providers.Observed, ""},
		"an object without any name that we know": {object{"a": 1}, providers.Payment{}, providers.Unreadable, providers.CodeUnexpectedContent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := query(t, tc.body, tc.payment)
			assert.Equal(t, tc.kind, o.Kind, o.Message)
			assert.Equal(t, tc.code, o.Code)
		})
	}
}

func TestWithoutTheQuerysOwnSuccessThereIsNoStatus(t *testing.T) {
	t.Parallel()
	for _, result := range []any{nil, object{}, resultOf("", ""), resultOf("X", "SUCCESS"), "S"} {
		obs := observed(t, query(t, success.with(object{"result": result}), payment()))
		assert.Equal(t, schemas.Unknown, obs.Status)
		assert.Contains(t, obs.Anomalies, schemas.UnmappedStatus)
		assert.Equal(t, "SUCCESS", obs.ProviderStatus["payment_status"])
	}
}

func TestWordsOfOtherPlacesAreNoPaymentStatus(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"S", "F", "U", "REFUND_RESULT", "PAYMENT_PENDING", "DISPUTE_CREATED", "transactions", "anything else", "UNKNOWN"} {
		obs := observed(t, query(t, success.with(object{"paymentStatus": word}), payment()))
		assert.Equal(t, schemas.Unknown, obs.Status, word)
		assert.Equal(t, []schemas.Anomaly{schemas.UnmappedStatus}, obs.Anomalies, word)
	}
	obs := observed(t, read(t, schemas.SourceInitiation, object{"result": resultOf("SUCCESS", "SUCCESS")}, payment()))
	assert.Equal(t, schemas.Unknown, obs.Status)
}

func TestWhatThePaymentWasMadeFor(t *testing.T) {
	t.Parallel()
	raised := []object{{"transactionType": "INCREMENTAL", "transactionStatus": "SUCCESS", "transactionAmount": euros("1000")}}
	refused := []object{{"transactionType": "INCREMENTAL", "transactionStatus": "FAIL", "transactionAmount": euros("1000")}}
	for name, tc := range map[string]struct {
		members object
		kind    providers.Kind
		code    string
	}{
		"the same amount":                    {object{}, providers.Observed, ""},
		"a number":                           {object{"paymentAmount": euros(8000)}, providers.Observed, ""},
		"leading zeros":                      {object{"paymentAmount": euros("008000")}, providers.Observed, ""},
		"none stated":                        {object{"paymentAmount": nil}, providers.Observed, ""},
		"another amount":                     {object{"paymentAmount": euros("100")}, providers.Mismatch, providers.CodeOtherAmount},
		"another amount of a failed payment": {object{"paymentAmount": euros("100"), "paymentStatus": "FAIL"}, providers.Mismatch, providers.CodeOtherAmount},
		"another currency": {
			object{"paymentAmount": object{"currency": "USD", "value": "8000"}}, providers.Mismatch, providers.CodeOtherCurrency,
		},
		"a raised authorisation": {object{"paymentAmount": euros("9000"), "transactions": raised}, providers.Observed, ""},
		"a raise that was refused": {
			object{"paymentAmount": euros("9000"), "transactions": refused}, providers.Mismatch, providers.CodeOtherAmount,
		},
		"a raise in another currency": {
			object{"paymentAmount": object{"currency": "USD", "value": "1"}, "transactions": raised}, providers.Mismatch, providers.CodeOtherCurrency,
		},
		"a card verification": {object{"paymentAmount": euros("0"), "paymentMethodType": "CARD"}, providers.Observed, ""},
		"nothing to pay with another method": {
			object{"paymentAmount": euros("0"), "paymentMethodType": "TNG"}, providers.Mismatch, providers.CodeOtherAmount,
		},
		"major units":       {object{"paymentAmount": euros("80.00")}, providers.Unreadable, providers.CodeUnreadableAmount},
		"a negative amount": {object{"paymentAmount": euros("-8000")}, providers.Unreadable, providers.CodeUnreadableAmount},
		"an exponent":       {object{"paymentAmount": euros("8e3")}, providers.Unreadable, providers.CodeUnreadableAmount},
		"blanks":            {object{"paymentAmount": euros(" 8000")}, providers.Unreadable, providers.CodeUnreadableAmount},
		"more than 64 bits": {object{"paymentAmount": euros("99999999999999999999")}, providers.Unreadable, providers.CodeUnreadableAmount},
		"no value":          {object{"paymentAmount": object{"currency": "EUR"}}, providers.Unreadable, providers.CodeUnreadableAmount},
		"no currency":       {object{"paymentAmount": object{"value": "8000"}}, providers.Unreadable, providers.CodeUnreadableAmount},
		"a currency that is none": {
			object{"paymentAmount": object{"value": "8000", "currency": "eur"}}, providers.Unreadable, providers.CodeUnreadableAmount,
		},
		"no object":                    {object{"paymentAmount": "8000"}, providers.Unreadable, providers.CodeUnreadableAmount},
		"another amount at the wallet": {object{"actualPaymentAmount": object{"currency": "CNY", "value": "x"}}, providers.Observed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := query(t, success.with(tc.members), payment())
			assert.Equal(t, tc.kind, o.Kind, o.Message)
			assert.Equal(t, tc.code, o.Code)
		})
	}
}

func TestAnotherAmountCanBeAccepted(t *testing.T) {
	t.Parallel()
	s := Definition.Settings()
	s.Common().AcceptOtherAmount = true
	p, err := Definition.New(s, providers.Options{})
	require.NoError(t, err)
	for currency, kind := range map[string]providers.Kind{"EUR": providers.Observed, "USD": providers.Mismatch} {
		text, err := json.Marshal(success.with(object{"paymentAmount": object{"currency": currency, "value": "100"}}))
		require.NoError(t, err)
		o := p.Read(providers.Answer{Pages: []providers.Page{{HTTPStatus: 200, Body: text}}}, payment())
		require.Equal(t, kind, o.Kind)
		if kind == providers.Observed {
			assert.Equal(t, []schemas.Anomaly{schemas.AmountDiffers}, o.Observation.Anomalies)
			assert.EqualValues(t, 100, o.Observation.Amounts.Requested.Value)
		}
	}
}

func TestWhichMethodsAreCardLike(t *testing.T) {
	t.Parallel()
	manual := func(p *providers.Payment) { p.Capture = schemas.CaptureManual }
	method := func(m string) func(*providers.Payment) { return func(p *providers.Payment) { p.Method = m } }
	for name, tc := range map[string]struct {
		members object
		payment providers.Payment
		want    schemas.Status
	}{
		"a card":                                 {object{"paymentMethodType": "CARD"}, payment(), schemas.Authorized},
		"Apple Pay":                              {object{"paymentMethodType": "APPLEPAY"}, payment(), schemas.Authorized},
		"Google Pay, in other letters":           {object{"paymentMethodType": "GooglePay"}, payment(), schemas.Authorized},
		"a wallet":                               {object{"paymentMethodType": "ALIPAY_CN"}, payment(), schemas.Captured},
		"a wallet, although the event says card": {object{"paymentMethodType": "ALIPAY_CN"}, payment(method("card")), schemas.Captured},
		"a wallet whose event says manual capture": {object{"paymentMethodType": "ALIPAY_CN"}, payment(manual), schemas.Captured},
		"the event says card":                      {object{}, payment(method("card")), schemas.Authorized},
		"the event says apple_pay":                 {object{"paymentMethodType": ""}, payment(method("apple_pay")), schemas.Authorized},
		"the event says a wallet":                  {object{}, payment(method("gcash")), schemas.Captured},
		"nobody says":                              {object{}, payment(), schemas.Captured},
		"nobody says, but capture is by hand":      {object{}, payment(manual), schemas.Authorized},
		"an unknown method with an authorisation": {
			object{"paymentMethodType": "NEWPAY", "authExpiryTime": "2024-03-25T05:00:54-07:00"}, payment(), schemas.Authorized,
		},
		"nobody says, with an authorisation": {object{"authExpiryTime": "2024-03-25T05:00:54-07:00"}, payment(), schemas.Authorized},
		"nobody says, with a card's number":  {object{"paymentResultInfo": object{"cardNo": "411111******1111"}}, payment(), schemas.Authorized},
		"nobody says, with a card's region":  {object{"cardInfo": object{"paymentMethodRegion": "KR"}}, payment(), schemas.Authorized},
		"nobody says, with a 3DS result": {
			object{"paymentResultInfo": object{"threeDSResult": object{"eci": "05"}}}, payment(), schemas.Authorized,
		},
		"nobody says, with empty card data": {
			object{"cardInfo": object{"cardNo": "", "threeDSResult": object{"eci": ""}}, "paymentResultInfo": object{}}, payment(), schemas.Captured,
		},
		"nobody says, with a wallet's details": {
			object{"paymentResultInfo": object{"acquirerInfo": object{"acquirerName": "X"}}}, payment(), schemas.Captured,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := observed(t, query(t, success.with(tc.members), tc.payment))
			assert.Equal(t, tc.want, obs.Status)
			eight := &schemas.Money{Value: 8000, Currency: "EUR", Exponent: 2}
			want := schemas.Amounts{Requested: eight, Captured: eight}
			if tc.want == schemas.Authorized {
				want = schemas.Amounts{Requested: eight, Authorized: eight}
			}
			assert.Equal(t, want, obs.Amounts)
		})
	}
}

func TestQueriesThatDidNotWork(t *testing.T) {
	t.Parallel()
	type outcome struct {
		kind providers.Kind
		code string
	}
	var (
		notFound     = outcome{providers.NotFound, providers.CodeNotFound}
		unavailable  = outcome{providers.Unavailable, "query_failed"}
		unauthorized = outcome{providers.Refused, providers.CodeUnauthorized}
		forbidden    = outcome{providers.Refused, providers.CodeForbidden}
		badRequest   = outcome{providers.Refused, providers.CodeBadRequest}
	)
	for words, want := range map[string]outcome{
		"F ORDER_NOT_EXIST": notFound, "F PAYMENT_NOT_EXIST": notFound, "f order_not_exist": notFound,
		"F PROCESS_FAIL": unavailable, "F SYSTEM_ERROR": unavailable, "F BRAND_NEW": unavailable, "F": unavailable,
		"F PARAM_ILLEGAL": badRequest, "F NO_INTERFACE_DEF": badRequest, "F METHOD_NOT_SUPPORTED": badRequest, "F INVALID_API": badRequest,
		"F INTERFACE_NOT_EXIST": badRequest, "F MEDIA_TYPE_NOT_ACCEPTABLE": badRequest,
		"F INVALID_SIGNATURE": unauthorized, "F SIGNATURE_INVALID": unauthorized, "F KEY_NOT_FOUND": unauthorized, "F INVALID_CLIENT": unauthorized,
		"F CLIENT_INVALID": unauthorized, "F UNKNOWN_CLIENT": unauthorized, "F INVALID_CLIENT_STATUS": unauthorized, "F OAUTH_FAIL": unauthorized,
		"F ACCESS_DENIED": forbidden, "F CLIENT_FORBIDDEN_ACCESS_API": forbidden, "F MERCHANT_NOT_REGISTERED": forbidden,
		"U UNKNOWN_EXCEPTION": unavailable, "U ORDER_NOT_EXIST": unavailable, "U BRAND_NEW": unavailable, "U": unavailable,
		"U REQUEST_TRAFFIC_EXCEED_LIMIT": {providers.Unavailable, providers.CodeRateLimited},
	} {
		status, code, _ := strings.Cut(words, " ")
		o := query(t, success.with(object{"result": resultOf(status, code), "paymentStatus": "SUCCESS"}), payment())
		assert.Equal(t, want, outcome{o.Kind, o.Code}, words)
	}
}

func TestWhatAntomWritesInPlaceOfACodeIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"<b>NO</b>", strings.Repeat("A", 65), "naïve"} {
		assert.NotContains(t, query(t, object{"result": resultOf("F", code)}, payment()).Message, strings.ToUpper(code))
	}
}

func TestRetryAfterCountsWithAResultThatIsUnknown(t *testing.T) {
	t.Parallel()
	page := providers.Page{HTTPStatus: 200, Header: http.Header{"Retry-After": {"9"}}, Body: []byte(`{"result":{"resultStatus":"U"}}`)}
	o := reader(t).Read(providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page}}, payment())
	assert.Equal(t, 9*time.Second, o.RetryAfter)
}

func TestCodesOfAPaymentThatWasNotMade(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		status   schemas.Status
		category schemas.ReasonCategory
	}{
		"DO_NOT_HONOR":            {schemas.Declined, schemas.CategoryIssuer},
		"do_not_honor":            {schemas.Declined, schemas.CategoryIssuer},
		"USER_BALANCE_NOT_ENOUGH": {schemas.Declined, schemas.CategoryFunds},
		"AUTHENTICATION_REQUIRED": {schemas.Declined, schemas.CategoryAuthentication},
		"INVALID_CVV":             {schemas.Declined, schemas.CategoryCustomer},
		"FRAUD_REJECT":            {schemas.Declined, schemas.CategoryRisk},
		"ORDER_IS_CLOSED":         {schemas.Expired, schemas.CategoryExpired},
		"AUTH_CANCELLED":          {schemas.Canceled, schemas.CategoryOther},
		"PARAM_ILLEGAL":           {schemas.Failed, schemas.CategoryMerchant},
		"PROCESS_FAIL":            {schemas.Failed, schemas.CategoryTechnical},
		"BRAND_NEW":               {schemas.Failed, schemas.CategoryOther},
	} {
		body := success.with(object{"paymentStatus": "FAIL", "paymentResultCode": code, "paymentResultMessage": "why"})
		obs := observed(t, query(t, body, payment()))
		assert.Equal(t, want.status, obs.Status, code)
		assert.Equal(t, &schemas.Reason{Code: code, Message: "why", Category: want.category}, obs.Reason)
		assert.True(t, obs.Final)
		assert.Equal(t, schemas.Amounts{Requested: &schemas.Money{Value: 8000, Currency: "EUR", Exponent: 2}}, obs.Amounts)
	}
	obs := observed(t, query(t, success.with(object{"paymentStatus": "FAIL"}), payment()))
	assert.Equal(t, schemas.Failed, obs.Status)
	assert.Nil(t, obs.Reason)
}

func TestPaysAnswer(t *testing.T) {
	t.Parallel()
	reply := func(t *testing.T, status, code string, members object) providers.Outcome {
		t.Helper()
		return read(t, schemas.SourceInitiation, object{"result": resultOf(status, code)}.with(members), payment())
	}
	t.Run("codes that only refuse the call say nothing about an earlier one", func(t *testing.T) {
		t.Parallel()
		for _, code := range []string{
			"REPEAT_REQ_INCONSISTENT", "ORDER_STATUS_INVALID", "PARAM_ILLEGAL", "INVALID_SIGNATURE", "ACCESS_DENIED", "KEY_NOT_FOUND", "INVALID_CLIENT",
			"NO_INTERFACE_DEF", "MERCHANT_NOT_REGISTERED",
		} {
			assert.Equal(t, providers.Refused, reply(t, "F", code, nil).Kind, code)
		}
	})
	t.Run("it need not name the payment", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, schemas.Pending, observed(t, reply(t, "U", "PAYMENT_IN_PROCESS", nil)).Status)
		obs := observed(t, reply(t, "U", "PAYMENT_IN_PROCESS", object{"paymentId": "2024"}))
		assert.Equal(t, "2024", obs.ProviderPaymentID)
	})
	t.Run("another payment, amount or currency is a mismatch", func(t *testing.T) {
		t.Parallel()
		requireFailure(t, reply(t, "S", "SUCCESS", object{"paymentRequestId": "Q"}), providers.Mismatch, providers.CodeOtherPayment)
		requireFailure(t, reply(t, "S", "SUCCESS", object{"paymentAmount": euros("1")}), providers.Mismatch, providers.CodeOtherAmount)
		requireFailure(t, reply(t, "F", "RISK_REJECT", object{"paymentAmount": object{"currency": "USD", "value": "8000"}}),
			providers.Mismatch, providers.CodeOtherCurrency)
	})
	t.Run("what Antom does not know is to be asked", func(t *testing.T) {
		t.Parallel()
		requireFailure(t, reply(t, "U", "UNKNOWN_EXCEPTION", nil), providers.Unavailable, "query_failed")
		requireFailure(t, reply(t, "U", "", nil), providers.Unavailable, "query_failed")
	})
	t.Run("each thing to do makes it the customer's turn", func(t *testing.T) {
		t.Parallel()
		for name, value := range map[string]any{
			"normalUrl": "https://x", "schemeUrl": "x://y", "applinkUrl": "https://x", "redirectActionForm": object{"redirectUrl": "https://x"},
			"orderCodeForm": object{"codeDetails": []object{{"codeValue": "0002"}}}, "paymentActionForm": "{}",
		} {
			assert.Equal(t, schemas.RequiresAction, observed(t, reply(t, "U", "PAYMENT_IN_PROCESS", object{name: value})).Status, name)
			assert.Equal(t, schemas.Declined, observed(t, reply(t, "F", "RISK_REJECT", object{name: value})).Status, "only while it is undecided")
		}
		nothing := object{"normalUrl": "", "redirectActionForm": object{"method": "GET"}}
		assert.Equal(t, schemas.Pending, observed(t, reply(t, "U", "PAYMENT_IN_PROCESS", nothing)).Status)
	})
	t.Run("an HTTP error without an answer refuses the call", func(t *testing.T) {
		t.Parallel()
		page := providers.Page{HTTPStatus: 400, Body: []byte(`{"result":{"resultStatus":"F","resultCode":"RISK_REJECT"}}`)}
		answer := providers.Answer{From: schemas.SourceInitiation, Pages: []providers.Page{page}}
		requireFailure(t, reader(t).Read(answer, payment()), providers.Refused, providers.CodeBadRequest)
	})
	t.Run("an object without any name that we know is unreadable", func(t *testing.T) {
		t.Parallel()
		requireFailure(t, read(t, schemas.SourceInitiation, object{"a": 1}, payment()), providers.Unreadable, providers.CodeUnexpectedContent)
	})
}
