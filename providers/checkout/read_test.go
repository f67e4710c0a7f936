package checkout

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// payment is the API's object about the payment of the tests; more is appended to its members.
func payment(status string, more ...string) string {
	members := append([]string{
		`"id":"` + payID + `"`, `"reference":"` + order + `"`, `"amount":8000`, `"currency":"EUR"`, `"status":` + strconv.Quote(status),
		`"requested_on":"2026-01-02T03:00:01Z"`,
	}, more...)
	return "{" + strings.Join(members, ",") + "}"
}

func observe(t *testing.T, o providers.Outcome) *providers.Observation {
	t.Helper()
	require.Equal(t, providers.Observed, o.Kind, "%s: %s", o.Code, o.Message)
	return o.Observation
}

// asked is what the answer to a query by id comes to.
func asked(body string) providers.Outcome {
	return reader().Read(query(requestPayment, body), known(byID))
}

func TestTheGuidesTableOfApprovedAndStatusHolds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		approved, status string
		want             schemas.Status
		final            bool
	}{
		{"true", "Authorized", schemas.Authorized, false},
		{"true", "Card Verified", schemas.Verified, true},
		{"true", "Partially Captured", schemas.PartiallyCaptured, false},
		{"true", "Captured", schemas.Captured, true},
		{"false", "Declined", schemas.Declined, true},
		{"true", "Partially Refunded", schemas.PartiallyRefunded, true},
		{"true", "Refunded", schemas.Refunded, true},
		{"true", "Voided", schemas.Voided, true},
		{"", "Pending", schemas.Pending, false},
	} {
		t.Run(row.approved+" "+row.status, func(t *testing.T) {
			t.Parallel()
			body := payment(row.status)
			if row.approved != "" {
				body = payment(row.status, `"approved":`+row.approved)
			}
			o := observe(t, asked(body))
			assert.Equal(t, row.want, o.Status)
			assert.Equal(t, row.final, o.Final)
			assert.Empty(t, o.Anomalies)
			if row.approved == "" {
				return
			}
			// The other value of approved contradicts the status; one that cannot be read proves nothing.
			for _, contrary := range []string{strconv.FormatBool(row.approved == "false"), `"perhaps"`, `1`} {
				o = observe(t, asked(payment(row.status, `"approved":`+contrary)))
				assert.Equal(t, schemas.Unknown, o.Status, contrary)
				assert.Equal(t, []schemas.Anomaly{schemas.ContradictoryApproval}, o.Anomalies, contrary)
				assert.False(t, o.Final)
			}
		})
	}
}

func TestApprovedAloneDecidesNothing(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]schemas.Status{"Pending": schemas.Pending, "Retry Scheduled": schemas.Pending, "Expired": schemas.Expired} {
		for _, approved := range []string{"true", "false"} {
			o := observe(t, asked(payment(status, `"approved":`+approved)))
			assert.Equal(t, want, o.Status, "%s, approved %s", status, approved)
		}
	}
}

func TestThingsForTheCustomerToDoCountOnlyWhileThePaymentIsUndecided(t *testing.T) {
	t.Parallel()
	for _, thing := range []string{
		`"_links":{"redirect":{"href":"https://pay.example"}}`, `"3ds":{"enrolled":"Y","authentication_response":"C"}`,
		`"3ds":{"enrolled":"Y"}`, `"3ds":{"enrolled":"Y","authentication_response":""}`,
	} {
		for status, want := range map[string]schemas.Status{
			"Pending": schemas.RequiresAction, "Captured": schemas.Captured, "Declined": schemas.Declined, "Expired": schemas.Expired,
		} {
			o := observe(t, asked(payment(status, thing)))
			assert.Equal(t, want, o.Status, "%s with %s", status, thing)
		}
	}
	for _, nothing := range []string{
		`"3ds":{"enrolled":"N"}`, `"3ds":{"enrolled":"Y","authentication_response":"Y"}`, `"3ds":{"enrolled":"Y","authentication_response":"A"}`,
		`"3ds":null`, `"_links":{"self":{"href":"https://pay.example"}}`,
	} {
		o := observe(t, asked(payment("Pending", nothing)))
		assert.Equal(t, schemas.Pending, o.Status, nothing)
	}
}

func TestAnAuthorisationWithNothingLeftToCaptureIsBeingCaptured(t *testing.T) {
	t.Parallel()
	balances := func(total, voided, left string) string {
		return fmt.Sprintf(`"balances":{"total_authorized":%s,"total_voided":%s,"available_to_capture":%s}`, total, voided, left)
	}
	for text, want := range map[string]schemas.Status{
		balances("8000", "0", "0"):                                 schemas.CapturePending,
		balances("8000", "0", "8000"):                              schemas.Authorized,
		balances("8000", "8000", "0"):                              schemas.Authorized,
		balances("0", "0", "0"):                                    schemas.Authorized,
		balances("8000", "0", `"many"`):                            schemas.Authorized,
		`"balances":{"available_to_capture":0}`:                    schemas.Authorized,
		`"approved":false,` + balances("8000", "0", "0"):           schemas.Unknown,
		`"balances":null`:                                          schemas.Authorized,
		`"approved":true,` + balances("8000", "0", `"0"`):          schemas.CapturePending,
		`"balances":{"total_authorized":8000,"total_voided":null}`: schemas.Authorized,
	} {
		o := observe(t, asked(payment("Authorized", text)))
		assert.Equal(t, want, o.Status, text)
	}
}

func TestAnAnswerAboutAnotherAmountIsAMismatch(t *testing.T) {
	t.Parallel()
	// The id came through the customer's browser: it may be that of a cheaper order.
	event := initiated(nil)
	event.ReturnURL = "https://shop.example/back?cko-payment-id=" + payID
	reference, err := reader().Identify(event)
	require.NoError(t, err)
	p := providers.PaymentOf(event, reference)
	cheaper := strings.Replace(payment("Captured", `"approved":true`), "8000", "1", 1)

	o := reader().Read(query(requestPayment, cheaper), p)
	assert.Equal(t, providers.Mismatch, o.Kind)
	assert.Equal(t, providers.CodeOtherAmount, o.Code)

	settings := defaults()
	settings.AcceptOtherAmount = true
	accepted := observe(t, newProvider(settings, providers.Options{}).Read(query(requestPayment, cheaper), p))
	assert.Equal(t, []schemas.Anomaly{schemas.AmountDiffers}, accepted.Anomalies)

	incremented := payment("Captured", `"actions":[{"type":"Authorization","authorization_type":"Incremental"}]`)
	for name, exempt := range map[string]string{
		"a raised authorisation by its balances": strings.Replace(payment("Captured", `"balances":{"total_authorized":9000}`), "8000", "8500", 1),
		"a raised authorisation by its actions":  strings.Replace(incremented, "8000", "9000", 1),
		"a partial authorisation":                strings.Replace(payment("Captured", `"amount_requested":8000`), `"amount":8000`, `"amount":5000`, 1),
		"a verified card":                        strings.Replace(payment("Card Verified"), "8000", "0", 1),
	} {
		assert.Empty(t, observe(t, reader().Read(query(requestPayment, exempt), p)).Anomalies, name)
	}
	for name, counterfeit := range map[string]string{
		"a capture of nothing":                      strings.Replace(payment("Captured"), "8000", "0", 1),
		"balances that say the same as the amount":  strings.Replace(payment("Captured", `"balances":{"total_authorized":1}`), "8000", "1", 1),
		"a partial authorisation of another amount": payment("Captured", `"amount_requested":9000`),
	} {
		assert.Equal(t, providers.CodeOtherAmount, reader().Read(query(requestPayment, counterfeit), p).Code, name)
	}
}

func TestAnAnswerMustNameThePaymentThatWasAskedFor(t *testing.T) {
	t.Parallel()
	anonymous := `{"status":"Captured","approved":true,"amount":8000,"currency":"EUR"}`
	withReference := `{"reference":"` + order + `",` + anonymous[1:]
	ours, list := payment("Captured"), `{"total_count":1,"data":[`+payment("Captured")+`]}`
	const foreign, otherPayment = providers.CodeUnexpectedContent, providers.CodeOtherPayment
	for name, tc := range map[string]struct {
		request, body string
		reference     schemas.Reference
		kind          providers.Kind
		code          string
	}{
		"nothing of ours":                 {requestPayment, anonymous, byID, providers.Unreadable, foreign},
		"a reference that we do not know": {requestPayment, withReference, byID, providers.Unreadable, foreign},
		"a reference that we know": {
			requestPayment, withReference, schemas.Reference{refPayment: payID, refReference: order}, providers.Observed, "",
		},
		"no id, asked by session": {requestSession, anonymous, bySession, providers.Unreadable, foreign},
		"an id, asked by session": {requestSession, ours, bySession, providers.Observed, ""},
		"an id that we do not know": {
			requestPayment, strings.Replace(ours, `"reference":"`+order+`",`, "", 1), byOrder, providers.Unreadable, foreign,
		},
		"another id": {requestPayment, ours, schemas.Reference{refPayment: otherID}, providers.Mismatch, otherPayment},
		"another reference, asked by session": {
			requestSession, ours, schemas.Reference{refSession: sid, refReference: "x"}, providers.Mismatch, otherPayment,
		},
		"the reference in other letters": {
			requestSession, ours, schemas.Reference{refSession: sid, refReference: "ord-1001"}, providers.Mismatch, otherPayment,
		},
		"something else than a payment":         {requestPayment, `{"id":"hpp_1","status":"Payment Received"}`, byID, providers.Unreadable, foreign},
		"a list where one payment was meant":    {requestPayment, list, byID, providers.Unreadable, foreign},
		"one payment where a list was meant":    {requestList, ours, byOrder, providers.Unreadable, foreign},
		"a list although no reference is known": {requestList, list, bySession, providers.Unreadable, foreign},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := reader().Read(query(tc.request, tc.body), known(tc.reference))
			assert.Equal(t, tc.kind, o.Kind, o.Message)
			assert.Equal(t, tc.code, o.Code)
		})
	}
}

func TestANegativeFoundOnlyByAReferenceIsNotFinal(t *testing.T) {
	t.Parallel()
	list := `{"total_count":1,"data":[` + payment("Declined", `"approved":false`) + `]}`
	for name, tc := range map[string]struct {
		request, body string
		reference     schemas.Reference
		again         bool
	}{
		"by id":        {requestPayment, payment("Declined"), schemas.Reference{refPayment: payID, refReference: order}, false},
		"by session":   {requestSession, payment("Declined"), schemas.Reference{refSession: sid, refReference: order}, false},
		"by reference": {requestList, list, byOrder, true},
		"by reference, the session being expired": {requestList, list, schemas.Reference{refSession: sid, refReference: order}, true},
		"in a list, by id":                        {requestList, list, schemas.Reference{refPayment: payID, refReference: order}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := observe(t, reader().Read(query(tc.request, tc.body), known(tc.reference)))
			assert.Equal(t, schemas.Declined, o.Status)
			assert.True(t, o.Final)
			assert.Equal(t, tc.again, o.PayableAgain)
		})
	}
	o := observe(t, reader().Read(query(requestList, strings.Replace(list, "Declined", "Captured", 1)), known(byOrder)))
	assert.False(t, o.PayableAgain, "a success is no negative")
}

func TestASessionAskedForTooLateIsExpiredOnlyWhenNothingElseIsKnown(t *testing.T) {
	t.Parallel()
	at := func(reference schemas.Reference, after time.Duration) providers.Outcome {
		missing := page(requestSession, http.StatusNotFound, "")
		missing.ReceivedAt = initiatedAt.Add(after)
		return reader().Read(providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{missing}}, known(reference))
	}
	for name, tc := range map[string]struct {
		reference schemas.Reference
		after     time.Duration
		want      string
	}{
		"within the session's life": {bySession, 15 * time.Minute, providers.CodeNotFound},
		"later":                     {bySession, 15*time.Minute + time.Second, providers.CodeReferenceExpired},
		"later, with a reference":   {schemas.Reference{refSession: sid, refReference: order}, time.Hour, providers.CodeNotFound},
		"later, with a payment id":  {schemas.Reference{refSession: sid, refPayment: payID}, time.Hour, providers.CodeNotFound},
		"a payment id":              {byID, time.Hour, providers.CodeNotFound},
	} {
		o := at(tc.reference, tc.after)
		assert.Equal(t, providers.NotFound, o.Kind, name)
		assert.Equal(t, tc.want, o.Code, name)
	}
}

func TestWhatEndedTheAskingOutweighsA404(t *testing.T) {
	t.Parallel()
	fault := providers.Failure(providers.Unavailable, providers.CodeTimeout, "late")
	answer := providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{page(requestSession, http.StatusNotFound, "")}, Fault: &fault}
	p := known(schemas.Reference{refSession: sid, refReference: order})
	o := reader().Read(answer, p)
	assert.Equal(t, providers.CodeTimeout, o.Code)
	assert.Nil(t, providers.Kept(answer, o, p), "a page that says nothing about the fault is not its answer")
}

func TestAmountsAreWhatTheProviderStates(t *testing.T) {
	t.Parallel()
	euros := func(n int64) *schemas.Money { return &schemas.Money{Value: n, Currency: "EUR", Exponent: 2} }
	for name, tc := range map[string]struct {
		body      string
		want      schemas.Amounts
		anomalies []schemas.Anomaly
	}{
		"nothing but the amount": {payment("Captured"), schemas.Amounts{Requested: euros(8000)}, nil},
		"balances": {
			payment("Partially Refunded", `"balances":{"total_authorized":8000,"total_captured":7000,"total_refunded":0}`),
			schemas.Amounts{Requested: euros(8000), Authorized: euros(8000), Captured: euros(7000), Refunded: euros(0)},
			nil,
		},
		"actions that state their amounts": {
			payment("Captured", `"actions":[{"type":"Refund","amount":100,"approved":false},{"type":"Capture","amount":3000,"response_code":"10000"},`+
				`{"type":"Capture","amount":9000,"response_code":"20005"},{"type":"Capture","amount":5000,"approved":true}]`),
			schemas.Amounts{Requested: euros(8000), Captured: euros(8000)},
			nil,
		},
		"one action without an amount": {
			payment("Captured", `"actions":[{"type":"Capture","amount":3000},{"type":"Capture"}]`), schemas.Amounts{Requested: euros(8000)}, nil,
		},
		"actions that add up to nonsense": {
			payment("Captured", `"actions":[{"type":"Capture","amount":9223372036854775807},{"type":"Capture","amount":1}]`),
			schemas.Amounts{Requested: euros(8000)},
			[]schemas.Anomaly{schemas.UnreadableAmount},
		},
		"a balance that cannot be read": {
			payment("Captured", `"balances":{"total_captured":80.5,"total_refunded":-1,"total_authorized":8000}`),
			schemas.Amounts{Requested: euros(8000), Authorized: euros(8000)},
			[]schemas.Anomaly{schemas.UnreadableAmount},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := observe(t, asked(tc.body))
			assert.Equal(t, tc.want, o.Amounts)
			assert.Equal(t, tc.anomalies, o.Anomalies)
		})
	}
	for _, amount := range []string{`80.5`, `-1`, `1e3`, `"8000 EUR"`, `{}`, `99999999999999999999`} {
		o := reader().Read(query(requestPayment, strings.Replace(payment("Captured"), "8000", amount, 1)), providers.Payment{})
		assert.Equal(t, providers.CodeUnreadableAmount, o.Code, amount)
	}
}

func TestExponentsAreThoseOfTheProvider(t *testing.T) {
	t.Parallel()
	for currency, want := range map[string]int{
		"EUR": 2, "CLP": 2, "COP": 2, "IDR": 2, "JPY": 0, "KRW": 0, "ISK": 0, "UGX": 0, "VND": 0, "XOF": 0, "PYG": 0, "BHD": 3, "KWD": 3, "TND": 3, "IQD": 3,
	} {
		assert.Equal(t, want, exponent(currency), currency)
	}
}

func TestReasonsAreGrouped(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]schemas.ReasonCategory{
		"20005": schemas.CategoryIssuer, "20051": schemas.CategoryFunds, "20096": schemas.CategoryTechnical, "20151": schemas.CategoryAuthentication,
		"30041": schemas.CategoryIssuer, "40101": schemas.CategoryRisk, "50000": schemas.CategoryOther, "2005": schemas.CategoryOther,
	} {
		o := observe(t, asked(payment("Declined", `"response_code":"`+code+`"`)))
		assert.Equal(t, &schemas.Reason{Code: code, Category: want}, o.Reason)
	}
	o := observe(t, asked(payment("Voided", `"response_code":"10000"`)))
	assert.Nil(t, o.Reason, "an approval is no reason")
	o = observe(t, asked(payment("Captured", `"response_code":"20005"`)))
	assert.Nil(t, o.Reason, "a success has no reason")
	o = observe(t, asked(payment("Declined", `"actions":[{"type":"Void","response_code":"30000"},{"type":"Authorization","response_code":"20051"}]`)))
	assert.Equal(t, "20051", o.Reason.Code, "the reason is that of the authorisation")
}

func TestTheCardIsDescribedInEitherSpelling(t *testing.T) {
	t.Parallel()
	want := &schemas.Card{
		Brand: "VISA", BIN: "424242", Last4: "0042", Funding: "Credit", Issuer: "BANK", Country: "US", Expiry: "2030-01", Token: "src_1",
	}
	for _, spelling := range []string{"last4", "last_4"} {
		source := `"source":{"id":"src_1","type":"card","scheme":"VISA","bin":"424242","` + spelling + `":"0042","card_type":"Credit","issuer":"BANK",` +
			`"issuer_country":"US","expiry_month":1,"expiry_year":2030,"avs_check":"S","cvv_check":""}`
		o := observe(t, asked(payment("Captured", source)))
		assert.Equal(t, want, o.Card, spelling)
		assert.Equal(t, "S", o.AVS)
		assert.Empty(t, o.CVV)
	}
	o := observe(t, asked(payment("Captured", `"source":{"id":"src_1","type":"ideal"}`)))
	assert.Nil(t, o.Card)
}

func TestInitiationReplies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   providers.Kind
		want   schemas.Status
		code   string
	}{
		"made and authorised": {201, payment("Authorized", `"approved":true`), providers.Observed, schemas.Authorized, ""},
		"waits for the customer": {
			202, payment("Pending", `"_links":{"redirect":{"href":"https://pay.example"}}`), providers.Observed, schemas.RequiresAction, "",
		},
		"nothing but an id and a status":   {202, `{"id":"` + payID + `","status":"Pending"}`, providers.Observed, schemas.Pending, ""},
		"nothing but an id":                {201, `{"id":"` + payID + `"}`, providers.Observed, schemas.Unknown, ""},
		"a declined payment":               {201, payment("Declined", `"approved":false`), providers.Observed, schemas.Declined, ""},
		"a declined payment with HTTP 422": {422, payment("Declined", `"approved":false`), providers.Observed, schemas.Declined, ""},
		"a refused call": {
			422, `{"error_type":"request_invalid","error_codes":["amount_invalid"]}`, providers.Refused, "", providers.CodeBadRequest,
		},
		"a refused call that names a payment": {422, `{"id":"` + payID + `"}`, providers.Refused, "", providers.CodeBadRequest},
		"a refused call that names a word":    {422, `{"status":"Declined"}`, providers.Refused, "", providers.CodeBadRequest},
		"no credentials":                      {401, ``, providers.Refused, "", providers.CodeUnauthorized},
		"an unknown path":                     {404, ``, providers.Refused, "", providers.CodeBadRequest},
		"too many calls":                      {429, `{"error_codes":["api_calls_quota_exceeded"]}`, providers.Refused, "", providers.CodeRateLimited},
		"trouble at the provider":             {502, `<html>`, providers.Unavailable, "", "http_502"},
		"another payment": {
			201, strings.Replace(payment("Authorized"), payID, otherID, 1), providers.Mismatch, "", providers.CodeOtherPayment,
		},
		"another amount":                    {201, strings.Replace(payment("Authorized"), "8000", "1", 1), providers.Mismatch, "", providers.CodeOtherAmount},
		"a hosted page":                     {201, `{"id":"hpp_1","reference":"` + order + `"}`, providers.Unreadable, "", providers.CodeUnexpectedContent},
		"a success that is no JSON":         {201, `OK`, providers.Unreadable, "", providers.CodeNotJSON},
		"a success that ends in the middle": {201, payment("Authorized")[:40], providers.Unreadable, "", providers.CodeTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := providers.Answer{From: schemas.SourceInitiation, Pages: []providers.Page{page("", tc.status, tc.body)}}
			o := reader().Read(answer, known(schemas.Reference{refPayment: payID, refReference: order}))
			require.Equal(t, tc.kind, o.Kind, o.Message)
			assert.Equal(t, tc.code, o.Code)
			if tc.kind == providers.Observed {
				assert.Equal(t, tc.want, o.Observation.Status)
			}
		})
	}
}
