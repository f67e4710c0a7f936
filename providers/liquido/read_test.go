package liquido_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

// with is settledCharge with other fields; nil leaves a field out, and null is json.RawMessage("null").
func with(t testing.TB, changes map[string]any) []byte {
	t.Helper()
	var fields map[string]any
	decoder := json.NewDecoder(strings.NewReader(settledCharge))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&fields))
	maps.Copy(fields, changes)
	maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil })
	body, err := json.Marshal(fields)
	require.NoError(t, err)
	return body
}

func answerOf(from schemas.Source, status int, body []byte) providers.Answer {
	return providers.Answer{From: from, Pages: []providers.Page{{HTTPStatus: status, Header: http.Header{}, Body: body, ReceivedAt: providertest.ReceivedAt}}}
}

func paymentOf(t testing.TB, e schemas.Initiated) providers.Payment {
	t.Helper()
	reference, err := newReader(t).Identify(e)
	require.NoError(t, err)
	return providers.PaymentOf(e, reference)
}

// query reads a query's answer about the payment of initiated().
func query(t testing.TB, body []byte) providers.Outcome {
	t.Helper()
	return newReader(t).Read(answerOf(schemas.SourceQuery, http.StatusOK, body), paymentOf(t, initiated()))
}

func observed(t testing.TB, o providers.Outcome) *providers.Observation {
	t.Helper()
	require.Equal(t, providers.Observed, o.Kind, "%s: %s", o.Code, o.Message)
	return o.Observation
}

func TestAnAnswerThatStatesNoneOfOurIdentifiersIsUnreadable(t *testing.T) {
	t.Parallel()
	o := query(t, with(t, map[string]any{"idempotencyKey": nil, "referenceId": nil}))
	assert.Equal(t, providers.Unreadable, o.Kind)
	assert.Equal(t, providers.CodeUnexpectedContent, o.Code)

	for _, left := range []string{"idempotencyKey", "referenceId"} {
		assert.Equal(t, schemas.Captured, observed(t, query(t, with(t, map[string]any{left: nil}))).Status, "the other identifier is enough")
	}
	assert.Equal(t, providers.Unreadable, query(t, with(t, map[string]any{"idempotencyKey": []string{"order-7001"}})).Kind)
}

func TestAnObjectThatIsNoChargeIsUnreadableWithoutAPaymentToo(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"message":"Endpoint request timed out"}`, `{"status":400,"error":"Bad Request"}`, `{"transferStatusCode":200}`} {
		for _, from := range []schemas.Source{schemas.SourceQuery, schemas.SourceInitiation} {
			for _, payment := range []providers.Payment{{}, paymentOf(t, initiated())} {
				o := newReader(t).Read(answerOf(from, http.StatusOK, []byte(body)), payment)
				assert.Equal(t, providers.CodeUnexpectedContent, o.Code, "%s of a %s", body, from)
			}
		}
	}
}

func TestTheReplyToOurOwnCreateCallNeedsNoIdentifier(t *testing.T) {
	t.Parallel()
	body := with(t, map[string]any{"idempotencyKey": nil, "referenceId": nil, "transferStatus": "IN_PROGRESS"})
	o := newReader(t).Read(answerOf(schemas.SourceInitiation, http.StatusOK, body), paymentOf(t, initiated()))
	assert.Equal(t, schemas.Pending, observed(t, o).Status)

	body = with(t, map[string]any{"idempotencyKey": "order-7002"})
	o = newReader(t).Read(answerOf(schemas.SourceInitiation, http.StatusOK, body), paymentOf(t, initiated()))
	assert.Equal(t, providers.CodeOtherPayment, o.Code, "but one that it states must be ours")
}

func TestHTTPErrorsWithOurChargeAreReadAndOthersAreNot(t *testing.T) {
	t.Parallel()
	refused := map[string]any{"transferStatus": "FAILED", "transferStatusCode": 2001, "transferErrorMsg": "Declined"}
	for name, tc := range map[string]struct {
		status  int
		changes map[string]any
		kind    providers.Kind
	}{
		"our charge with HTTP 400":               {400, refused, providers.Observed},
		"our charge with HTTP 404":               {404, refused, providers.Observed},
		"our charge with HTTP 422":               {422, refused, providers.Observed},
		"our charge with HTTP 500":               {500, refused, providers.Unavailable},
		"another charge with HTTP 404":           {404, map[string]any{"idempotencyKey": "order-7002"}, providers.NotFound},
		"no key with HTTP 400":                   {400, map[string]any{"idempotencyKey": nil}, providers.Refused},
		"our charge without status and HTTP 400": {400, map[string]any{"transferStatus": nil}, providers.Refused},
		"our charge, null status and HTTP 400":   {400, map[string]any{"transferStatus": json.RawMessage("null")}, providers.Refused},
		"our charge of another amount, HTTP 400": {400, map[string]any{"amount": 1}, providers.Mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newReader(t).Read(answerOf(schemas.SourceQuery, tc.status, with(t, tc.changes)), paymentOf(t, initiated()))
			assert.Equal(t, tc.kind, o.Kind, o.Message)
		})
	}
	t.Run("without a payment the charge in an HTTP error is read", func(t *testing.T) {
		t.Parallel()
		o := newReader(t).Read(answerOf(schemas.SourceQuery, http.StatusBadRequest, with(t, refused)), providers.Payment{})
		assert.Equal(t, schemas.Declined, observed(t, o).Status)
	})
	t.Run("one that is cut off is not", func(t *testing.T) {
		t.Parallel()
		answer := answerOf(schemas.SourceQuery, http.StatusBadRequest, with(t, refused))
		answer.Pages[0].Cut = true
		assert.Equal(t, providers.Refused, newReader(t).Read(answer, paymentOf(t, initiated())).Kind)
	})
}

func TestTheStatusCodeNeverDecides(t *testing.T) {
	t.Parallel()
	contradictory := []schemas.Anomaly{schemas.ContradictoryAnswer}
	for name, tc := range map[string]struct {
		word      any
		code      any
		want      schemas.Status
		anomalies []schemas.Anomaly
	}{
		"200 is not paid":               {"IN_PROGRESS", 200, schemas.Pending, nil},
		"open with a failing code":      {"IN_PROGRESS", 2001, schemas.Pending, contradictory},
		"paid with a failing code":      {"SETTLED", 2001, schemas.Captured, contradictory},
		"failed with the good code":     {"FAILED", 200, schemas.Failed, contradictory},
		"the code as text":              {"SETTLED", "200", schemas.Captured, nil},
		"no code":                       {"SETTLED", nil, schemas.Captured, nil},
		"a code that is none":           {"SETTLED", "ok", schemas.Captured, nil},
		"expired with a failing code":   {"EXPIRED", 2001, schemas.Expired, nil},
		"expired with the good code":    {"EXPIRED", 200, schemas.Expired, nil},
		"cancelled with a failing code": {"CANCELLED", 2001, schemas.Canceled, nil},
		"not resolved by anybody":       {"AUTHORIZED", 2001, schemas.Unknown, contradictory},
		"200 without a status":          {nil, 200, schemas.Unknown, []schemas.Anomaly{schemas.UnmappedStatus}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := observed(t, query(t, with(t, map[string]any{"transferStatus": tc.word, "transferStatusCode": tc.code})))
			assert.Equal(t, tc.want, obs.Status)
			assert.Equal(t, tc.anomalies, obs.Anomalies)
		})
	}
}

func TestFailuresOfCardsAreDeclinedWhereSomebodyRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, message string
		code            int
		want            schemas.Status
		category        schemas.ReasonCategory
	}{
		"funds":                         {"CARD", "Insufficient funds", 2003, schemas.Declined, schemas.CategoryFunds},
		"limit":                         {"CREDIT_CARD", "Amount exceeds the LIMIT", 500, schemas.Declined, schemas.CategoryFunds},
		"issuer":                        {"CARD", "Do not honor", 2001, schemas.Declined, schemas.CategoryIssuer},
		"expired card":                  {"CARD", "card_expired", 2001, schemas.Declined, schemas.CategoryIssuer},
		"risk":                          {"CARD", "Suspected fraud", 400, schemas.Declined, schemas.CategoryRisk},
		"lost card":                     {"CARD", "Lost card, pick up", 2041, schemas.Declined, schemas.CategoryRisk},
		"authentication":                {"CARD", "3DS authentication failed", 2050, schemas.Declined, schemas.CategoryAuthentication},
		"the code alone":                {"CARD", "Reason 17", 2001, schemas.Declined, schemas.CategoryOther},
		"rate limit":                    {"CARD", "Rate limit exceeded", 2001, schemas.Failed, schemas.CategoryTechnical},
		"lost connection":               {"CARD", "Lost connection", 2001, schemas.Failed, schemas.CategoryTechnical},
		"no word, no card code":         {"CARD", "Reason 17", 500, schemas.Failed, schemas.CategoryOther},
		"asterisk is not a risk":        {"CARD", "See asterisk", 500, schemas.Failed, schemas.CategoryOther},
		"closed is not lost":            {"CARD", "Session closed", 500, schemas.Failed, schemas.CategoryOther},
		"another method is only failed": {"PSE", "Insufficient funds", 2003, schemas.Failed, schemas.CategoryFunds},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := observed(t, query(t, with(t, map[string]any{
				"transferStatus": "FAILED", "transferStatusCode": tc.code, "transferErrorMsg": tc.message, "paymentMethod": tc.method,
			})))
			assert.Equal(t, tc.want, obs.Status)
			require.NotNil(t, obs.Reason)
			assert.Equal(t, tc.category, obs.Reason.Category)
			assert.Equal(t, tc.message, obs.Reason.Message)
			assert.Equal(t, tc.code, int(must(json.Number(obs.Reason.Code).Int64())))
		})
	}
	t.Run("the event's method stands in for one that is missing", func(t *testing.T) {
		t.Parallel()
		obs := observed(t, query(t, with(t, map[string]any{
			"transferStatus": "FAILED", "transferStatusCode": 2001, "transferErrorMsg": "Declined", "paymentMethod": nil,
		})))
		assert.Equal(t, schemas.Declined, obs.Status)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestThePayerMustActOnlyOnWhatItsOwnMethodOffers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		word, method, details string
		want                  schemas.Status
	}{
		"3-D Secure": {
			"IN_PROGRESS", "CARD", `{"card":{"card3dsInfo":{"threeDsRedirectUrl":"https://3ds.example"}}}`, schemas.RequiresAction,
		},
		"a card without 3-D Secure": {"IN_PROGRESS", "CARD", `{"card":{"cardInfo":{"last4":"4242"}}}`, schemas.Pending},
		"PSE under its old name":    {"IN_PROGRESS", "PSE", `{"pse":{"paymentUrl":"https://pse.example"}}`, schemas.RequiresAction},
		"an empty URL":              {"IN_PROGRESS", "PSE", `{"psePay":{"paymentUrl":" "}}`, schemas.Pending},
		"a URL that is none":        {"IN_PROGRESS", "PSE", `{"psePay":{"paymentUrl":false}}`, schemas.Pending},
		"a null URL":                {"IN_PROGRESS", "PSE", `{"psePay":{"paymentUrl":null}}`, schemas.Pending},
		"a bank transfer's account": {
			"IN_PROGRESS", "BANK_TRANSFER", `{"bankTransfer":{"bankAccountInfo":{"bankAccountNumber":"1"}}}`, schemas.RequiresAction,
		},
		"both codes for cash": {
			"IN_PROGRESS", "BANCOLOMBIA_COLLECTION", `{"bancolombiaCashCollection":{"businessAgreementCode":"1","paymentIntentionIdentifier":"2"}}`,
			schemas.RequiresAction,
		},
		"one code for cash is not enough":  {"IN_PROGRESS", "CASH", `{"cashPay":{"businessAgreementCode":"1"}}`, schemas.Pending},
		"a PayCash reference":              {"IN_PROGRESS", "PAY_CASH", `{"payCash":{"referenceNumber":"1"}}`, schemas.RequiresAction},
		"a Pix code":                       {"IN_PROGRESS", "PIX_STATIC_QR", `{"pix":{"qrCode":"0002"}}`, schemas.RequiresAction},
		"a boleto's line":                  {"IN_PROGRESS", "BOLETO", `{"boleto":{"digitalLine":"0019"}}`, schemas.RequiresAction},
		"a voucher of a method not listed": {"IN_PROGRESS", "PAGO_EFECTIVO", `{"pagoEfectivo":{"referenceNumber":"8710"}}`, schemas.RequiresAction},
		"the merchant's own redirectUrl":   {"IN_PROGRESS", "PAGO46", `{"pago46":{"redirectUrl":"https://merchant.example"}}`, schemas.Pending},
		"the details of another method":    {"IN_PROGRESS", "CARD", `{"card":{},"payCash":{"referenceNumber":"1"}}`, schemas.Pending},
		"no details":                       {"IN_PROGRESS", "PSE", `null`, schemas.Pending},
		"a URL that stays after payment":   {"SETTLED", "PSE", `{"psePay":{"paymentUrl":"https://pse.example"}}`, schemas.Captured},
		"before the channel knows":         {"INITIAL_STATUS", "PSE", `{"psePay":{"paymentUrl":"https://pse.example"}}`, schemas.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := with(t, map[string]any{"transferStatus": tc.word, "paymentMethod": tc.method, "transferDetails": json.RawMessage(tc.details)})
			assert.Equal(t, tc.want, observed(t, query(t, body)).Status)
		})
	}
}

func TestWhatWasTakenIsWhatIsStated(t *testing.T) {
	t.Parallel()
	manual := initiated()
	manual.Capture = schemas.CaptureManual
	for name, tc := range map[string]struct {
		event     schemas.Initiated
		changes   map[string]any
		want      schemas.Status
		captured  int64 // -1: absent
		anomalies []schemas.Anomaly
	}{
		"all":                            {manual, nil, schemas.Captured, 30000, nil},
		"a part":                         {manual, map[string]any{"finalAmount": 15000}, schemas.PartiallyCaptured, 15000, nil},
		"a part as text":                 {manual, map[string]any{"finalAmount": "15000.00"}, schemas.PartiallyCaptured, 15000, nil},
		"a part, no final currency":      {manual, map[string]any{"finalAmount": 15000, "finalCurrency": nil}, schemas.PartiallyCaptured, 15000, nil},
		"another currency is no part":    {manual, map[string]any{"finalAmount": 15000, "finalCurrency": "USD"}, schemas.Captured, 30000, nil},
		"nothing is no part":             {manual, map[string]any{"finalAmount": 0}, schemas.Captured, 30000, nil},
		"more is no part":                {manual, map[string]any{"finalAmount": 40000}, schemas.Captured, 30000, nil},
		"automatic capture has no parts": {initiated(), map[string]any{"finalAmount": 100}, schemas.Captured, 30000, nil},
		"an empty final amount is none":  {manual, map[string]any{"finalAmount": ""}, schemas.Captured, 30000, nil},
		"an unreadable final amount": {
			initiated(), map[string]any{"finalAmount": "3e4"}, schemas.Captured, 30000, []schemas.Anomaly{schemas.UnreadableAmount},
		},
		"an unreadable one may be a part":  {manual, map[string]any{"finalAmount": -1}, schemas.Captured, -1, []schemas.Anomaly{schemas.UnreadableAmount}},
		"no amount states no sum":          {manual, map[string]any{"amount": nil, "finalAmount": nil}, schemas.Captured, -1, nil},
		"an amount without its currency":   {manual, map[string]any{"currency": nil, "finalCurrency": nil}, schemas.Captured, 30000, nil},
		"an authorisation states its own":  {manual, map[string]any{"transferStatus": "AUTHORIZED"}, schemas.Authorized, -1, nil},
		"a refund does not state a sum":    {manual, map[string]any{"transferStatus": "REFUNDED"}, schemas.Refunded, -1, nil},
		"a chargeback does not state sums": {manual, map[string]any{"transferStatus": "CHARGED_BACK"}, schemas.ChargedBack, -1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newReader(t).Read(answerOf(schemas.SourceQuery, http.StatusOK, with(t, tc.changes)), paymentOf(t, tc.event))
			obs := observed(t, o)
			assert.Equal(t, tc.want, obs.Status)
			assert.Equal(t, tc.anomalies, obs.Anomalies)
			assert.Equal(t, &schemas.Money{Value: 30000, Currency: "COP", Exponent: 2}, obs.Amounts.Requested)
			assert.Nil(t, obs.Amounts.Refunded)
			if tc.captured < 0 {
				assert.Nil(t, obs.Amounts.Captured)
				return
			}
			assert.Equal(t, &schemas.Money{Value: tc.captured, Currency: "COP", Exponent: 2}, obs.Amounts.Captured)
		})
	}
}

func TestCurrenciesAreCountedAsLiquidoCountsThem(t *testing.T) {
	t.Parallel()
	for currency, exponent := range map[string]int{
		"BRL": 2, "MXN": 2, "COP": 2, "CLP": 2, "CRC": 2, "PEN": 2, "ARS": 2, "USD": 2, "HNL": 2, "GTQ": 2, "PYG": 0, "UYU": 2, "KWD": 3,
	} {
		o := newReader(t).Read(answerOf(schemas.SourceQuery, http.StatusOK, with(t, map[string]any{"currency": currency})), providers.Payment{})
		assert.Equal(t, &schemas.Money{Value: 30000, Currency: currency, Exponent: exponent}, observed(t, o).Amounts.Requested)
	}
	t.Run("a currency that nobody knows leaves the sums out", func(t *testing.T) {
		t.Parallel()
		o := newReader(t).Read(answerOf(schemas.SourceQuery, http.StatusOK, with(t, map[string]any{"currency": "QQQ"})), providers.Payment{})
		assert.Equal(t, schemas.Amounts{}, observed(t, o).Amounts)
		assert.Contains(t, o.Observation.Anomalies, schemas.UnreadableAmount)
	})
}

func TestThePaymentsOwnAmountMustBeReadable(t *testing.T) {
	t.Parallel()
	for _, amount := range []any{"", "300.5", "3e2", -300, 300.5, true, []int{300}, json.Number("9223372036854775808")} {
		o := query(t, with(t, map[string]any{"amount": amount}))
		assert.Equal(t, providers.Unreadable, o.Kind, "%v", amount)
		assert.Equal(t, providers.CodeUnreadableAmount, o.Code)
	}
	assert.Equal(t, providers.CodeUnreadableAmount, query(t, with(t, map[string]any{"currency": 170})).Code)
	assert.Equal(t, schemas.Captured, observed(t, query(t, with(t, map[string]any{"amount": "30000.00"}))).Status)
}

func TestAnotherAmountCanBeAcceptedButNotAnotherCurrency(t *testing.T) {
	t.Parallel()
	reader := newReader(t, func(s *liquido.Settings) { s.AcceptOtherAmount = true })
	obs := observed(t, reader.Read(answerOf(schemas.SourceQuery, http.StatusOK, with(t, map[string]any{"amount": 25000})), paymentOf(t, initiated())))
	assert.Equal(t, []schemas.Anomaly{schemas.AmountDiffers}, obs.Anomalies)
	assert.Equal(t, int64(25000), obs.Amounts.Requested.Value)
	o := reader.Read(answerOf(schemas.SourceQuery, http.StatusOK, with(t, map[string]any{"currency": "MXN"})), paymentOf(t, initiated()))
	assert.Equal(t, providers.CodeOtherCurrency, o.Code)
}

func TestTimesAreReadInEveryFormAndOnlyForFinalStatuses(t *testing.T) {
	t.Parallel()
	at := time.Date(2022, 3, 2, 5, 16, 48, 0, time.UTC)
	for name, tc := range map[string]struct {
		word string
		text any
		want time.Time
	}{
		"behind GMT":              {"SETTLED", "2022-03-01 21:16:48 GMT-08:00", at},
		"before GMT":              {"SETTLED", "2022-03-02 13:16:48 GMT+08:00", at},
		"UTC":                     {"FAILED", "2022-03-02 05:16:48 UTC", at},
		"GMT":                     {"EXPIRED", "2022-03-02 05:16:48 GMT", at},
		"RFC 3339":                {"REFUNDED", "2022-03-02T05:16:48Z", at},
		"digits as sent":          {"CANCELLED", "2022-03-01 21:16:48.120 GMT-08:00", at.Add(120 * time.Millisecond)},
		"nobody says whose clock": {"SETTLED", "2022-03-01 21:16:48", time.Time{}},
		"a zone by name":          {"SETTLED", "2022-03-01 21:16:48 GMT-8", time.Time{}},
		"no time":                 {"SETTLED", json.RawMessage("null"), time.Time{}},
		"an open payment":         {"IN_PROGRESS", "2022-03-02 05:16:48 UTC", time.Time{}},
		"an authorised payment":   {"AUTHORIZED", "2022-03-02 05:16:48 UTC", time.Time{}},
		"a refund under way":      {"REFUNDING", "2022-03-02 05:16:48 UTC", time.Time{}},
		"an unknown word":         {"ON_HOLD", "2022-03-02 05:16:48 UTC", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := observed(t, query(t, with(t, map[string]any{"transferStatus": tc.word, "finalStatusTime": tc.text})))
			assert.True(t, tc.want.Equal(obs.OccurredAt), "%s", obs.OccurredAt)
		})
	}
}

func TestTheCardIsThatOfACardPayment(t *testing.T) {
	t.Parallel()
	card := observed(t, query(t, []byte(settledCharge))).Card
	assert.Equal(t, &schemas.Card{Brand: "VISA", BIN: "424242", Last4: "4242", Expiry: "2031-09", Token: "00000000-0000-4000-8000-000000000000"}, card)
	assert.Nil(t, observed(t, query(t, with(t, map[string]any{"paymentMethod": "PSE"}))).Card)
	details := json.RawMessage(`{"card":{"cardInfo":{"expirationMonth":13,"expirationYear":29,"bin":"","last4":null,"brand":""}}}`)
	assert.Nil(t, observed(t, query(t, with(t, map[string]any{"transferDetails": details}))).Card, "empty texts count as absent")
}

func TestNumbersWithLeadingZerosLoseNothing(t *testing.T) {
	t.Parallel()
	body := strings.NewReplacer(
		`"expirationMonth":9`, `"expirationMonth": 08`, `"last4":"4242"`, `"last4":0042`, `"amount":30000`, `"amount":0030000`,
		`"transferStatusCode":200`, `"transferStatusCode":0200`,
	).Replace(settledCharge)
	o := query(t, []byte(body))
	obs := observed(t, o)
	assert.Equal(t, schemas.Captured, obs.Status)
	assert.Equal(t, []schemas.Anomaly{schemas.RepairedJSON}, obs.Anomalies)
	assert.Equal(t, "2031-08", obs.Card.Expiry)
	assert.Equal(t, "0042", obs.Card.Last4)
	assert.Equal(t, int64(30000), obs.Amounts.Captured.Value, "base ten")
	raw := providers.Kept(answerOf(schemas.SourceQuery, http.StatusOK, []byte(body)), o, paymentOf(t, initiated()))
	assert.Equal(t, body, raw.Body, "the answer is kept as it came")
}

func TestOnlyNumbersWithLeadingZerosAreRepaired(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a": 06}`:                `{"a": "06"}`,
		`{"a":010,"b":[007 , 08]}`: `{"a":"010","b":["007" , "08"]}`,
		`{"a":-06}`:                `{"a":"-06"}`,
		`{"a":00}`:                 `{"a":"00"}`,
		`{"a":00.50}`:              `{"a":"00.50"}`,
		`{"a":"06 \" 07","b":06}`:  `{"a":"06 \" 07","b":"06"}`,
		`{"a":"x: 06, y"}`:         "", // inside a string
		`{"a":"x\": 06, y"}`:       "",
		`{06: 1}`:                  "", // a name
		`{"a":0}`:                  "",
		`{"a":-0}`:                 "",
		`{"a":0.5}`:                "",
		`{"a":0e1}`:                "",
		`{"a":06x}`:                "",
		`{"a":0x6}`:                "",
		`{"a":+06}`:                "",
		`06`:                       "",
		`{"a":1 "b":2}`:            "", // a missing comma
	} {
		mended, found := liquido.QuoteLeadingZeros([]byte(text))
		assert.Equal(t, want != "", found, text)
		if want == "" {
			want = text
		}
		assert.Equal(t, want, string(mended))
	}
}

func TestTheUsersDocumentIsReadAsItStands(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/documented_colombia_settled/answer.json")
	require.NoError(t, err)
	require.False(t, json.Valid(body))
	obs := observed(t, newReader(t).Read(answerOf(schemas.SourceQuery, http.StatusOK, body), providers.Payment{}))
	assert.Equal(t, schemas.Captured, obs.Status)
	assert.Equal(t, &schemas.Money{Value: 300, Currency: "COP", Exponent: 2}, obs.Amounts.Captured)
	assert.Equal(t, "2022-03-02T05:16:48Z", obs.OccurredAt.Format(time.RFC3339Nano))
}

// FuzzRead holds that nothing makes reading panic, and that a status comes only from a JSON object that speaks of it.
func FuzzRead(f *testing.F) {
	provider := newReader(f)
	for _, fixture := range providertest.Fixtures(f, provider, "testdata") {
		f.Add(fixture.Body, string(fixture.Answer().From), fixture.Answer().Last().HTTPStatus)
	}
	payment := paymentOf(f, initiated())
	f.Fuzz(func(t *testing.T, body []byte, from string, status int) {
		for _, p := range []providers.Payment{payment, {}} {
			answer := answerOf(schemas.Source(from), status, body)
			o := provider.Read(answer, p)
			strict, _ := liquido.QuoteLeadingZeros(body)
			require.NoError(t, providertest.Earned(provider, strict, o))
			if o.Kind != providers.Observed {
				continue
			}
			if p.Known() && answer.From != schemas.SourceInitiation {
				require.True(t, providertest.Names(strict, p), "a status of what is not ours")
			}
			object, _ := providers.ParseBody(strict)
			if schemas.Source(from) == schemas.SourceNotification {
				object = object.Get("data", "chargeDetails")
			}
			if o.Observation.Status != schemas.Unknown {
				require.NotEmpty(t, object.Get("transferStatus").Str(), "a status from nothing")
			}
			require.NotNil(t, providers.Describe(provider, answer, o, p, "").Data)
		}
	})
}

func BenchmarkReadAndDescribe(b *testing.B) {
	provider := newReader(b)
	payment := paymentOf(b, initiated())
	padding := map[string]any{"description": strings.Repeat("a test payment, ", 60)}
	answer := answerOf(schemas.SourceQuery, http.StatusOK, with(b, padding))
	b.SetBytes(int64(len(answer.Pages[0].Body)))
	b.ReportAllocs()
	for b.Loop() {
		o := provider.Read(answer, payment)
		if providers.Describe(provider, answer, o, payment, schemas.Pending).Data == nil {
			b.Fatal(o.Message)
		}
	}
}
