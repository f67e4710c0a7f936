package worldpay_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

// page is an answer of one page.
func page(request, body string) providers.Answer {
	return pages(providers.Page{Request: request, HTTPStatus: 200, Body: []byte(body)})
}

func pages(all ...providers.Page) providers.Answer {
	return providers.Answer{From: schemas.SourceQuery, Pages: all}
}

func event(body string) providers.Answer {
	return providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{{HTTPStatus: 200, Body: []byte(body)}}}
}

// word is an answer to the events link.
func word(text string) string {
	return `{"lastEvent":` + strconv.Quote(text) + `,"_links":{}}`
}

func observed(t *testing.T, o providers.Outcome) *providers.Observation {
	t.Helper()
	require.Equal(t, providers.Observed, o.Kind, "%s: %s", o.Code, o.Message)
	return o.Observation
}

func TestWordsAreTheSameWithoutRegardToCaseBlanksHyphensAndUnderscores(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"events_link": liveLink})
	for _, row := range provider.Mapping() {
		plain := provider.Read(page("link", word(row.Value)), payment)
		for _, written := range []string{
			strings.ToUpper(row.Value), strings.ToLower(row.Value), strings.ReplaceAll(row.Value, " ", "_"), strings.ReplaceAll(row.Value, " ", "-"),
			strings.ReplaceAll(row.Value, " ", ""), " " + row.Value + "\t",
		} {
			o := observed(t, provider.Read(page("link", word(written)), payment))
			assert.Equal(t, plain.Observation.Status, o.Status, "%q", written)
			assert.NotContains(t, o.Anomalies, schemas.UnmappedStatus, "%q", written)
			assert.Equal(t, map[string]any{"last_event": written}, o.ProviderStatus)
		}
	}
	for _, other := range []string{"Authorized.", "not Authorized", "Authorised", "Authorizedé", "Ａuthorized", "(Authorized)"} {
		o := observed(t, provider.Read(page("link", word(other)), payment))
		assert.Equal(t, schemas.Unknown, o.Status, "%q", other)
		assert.Contains(t, o.Anomalies, schemas.UnmappedStatus, "%q", other)
	}
}

func TestPendingWordsAreFinalWhereAnAccountNeverHearsMore(t *testing.T) {
	t.Parallel()
	settings := worldpay.Definition.Settings().(*worldpay.Settings)
	settings.Accounts = map[string]worldpay.Account{"default": {}, "settling": {SettledEvents: true}}
	provider := create(t, settings)
	for _, c := range []struct {
		word              string
		status            schemas.Status
		usually, settling bool
	}{
		{"Sent for Settlement", schemas.CapturePending, true, false},
		{"settlementRequested", schemas.CapturePending, true, false},
		{"saleSucceeded", schemas.CapturePending, true, false},
		{"Sent for Refund", schemas.RefundPending, true, false},
		{"refundRequestSubmitted", schemas.RefundPending, true, false},
		{"settlementRequestSubmissionTimedOut", schemas.CapturePending, false, false},
		{"refundRequestSubmissionTimedOut", schemas.RefundPending, false, false},
		{"Settled", schemas.Captured, true, true},
		{"Refunded", schemas.Refunded, true, true},
		{"Settlement failed", schemas.Failed, true, true},
		{"Authorized", schemas.Authorized, false, false},
		{"authorizationTimedOut", schemas.Unknown, false, false},
	} {
		for account, final := range map[string]bool{"": c.usually, "default": c.usually, "settling": c.settling, "not configured": c.usually} {
			payment := paid(t, provider, schemas.Reference{"events_link": liveLink})
			payment.Account = account
			o := observed(t, provider.Read(page("link", word(c.word)), payment))
			assert.Equal(t, c.status, o.Status, c.word)
			assert.Equal(t, final, o.Final, "%s at %q", c.word, account)
		}
	}
}

func TestANegativeFoundByAReusableReferenceMayBePaidAgain(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	body := `{"eventId":"1","eventTimestamp":"2026-01-05T14:18:13.407","eventDetails":{"classification":"payment","type":"refused","paymentId":"` +
		paymentID + `","transactionReference":"` + reference + `"}}`
	for _, c := range []struct {
		name   string
		ref    schemas.Reference
		answer providers.Answer
		again  bool
	}{
		{"recovered by reference alone", schemas.Reference{"transaction_reference": reference}, page("recovery", word("Refused")), true},
		{"notified, by reference alone", schemas.Reference{"transaction_reference": reference}, event(body), true},
		{"with an entity", schemas.Reference{"transaction_reference": reference, "entity": "default"}, page("recovery", word("Expired")), true},
		{"with a payment id", schemas.Reference{"transaction_reference": reference, "payment_id": paymentID}, page("recovery", word("Refused")), false},
		{"with a link", schemas.Reference{"transaction_reference": reference, "events_link": liveLink}, page("link", word("Refused")), false},
		{"not negative", schemas.Reference{"transaction_reference": reference}, page("recovery", word("Authorized")), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.again, observed(t, provider.Read(c.answer, paid(t, provider, c.ref))).PayableAgain)
		})
	}
	t.Run("without a payment", func(t *testing.T) {
		t.Parallel()
		assert.False(t, observed(t, provider.Read(page("recovery", word("Refused")), providers.Payment{})).PayableAgain)
	})
}

func TestOtherAmountsCanBeAccepted(t *testing.T) {
	t.Parallel()
	settings := worldpay.Definition.Settings().(*worldpay.Settings)
	settings.AcceptOtherAmount = true
	provider := create(t, settings)
	payment := paid(t, provider, schemas.Reference{"transaction_reference": reference})
	row := `{"transactionReference":"` + reference + `","paymentId":"p","lastEvent":"authorizationSucceeded","value":{"currency":"GBP","amount":700}}`
	for name, answer := range map[string]providers.Answer{
		"of a payment": page("payment", row),
		"in a list":    page("list", `{"_embedded":{"payments":[`+row+`]}}`),
		"by the link":  page("link", `{"lastEvent":"Authorized","value":{"currency":"GBP","amount":700}}`),
		"notified": event(`{"eventDetails":{"type":"authorized","transactionReference":"` + reference +
			`","amount":{"value":700,"currencyCode":"GBP"}}}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := observed(t, provider.Read(answer, payment))
			assert.Equal(t, []schemas.Anomaly{schemas.AmountDiffers}, o.Anomalies)
			assert.Equal(t, &schemas.Money{Value: 700, Currency: "GBP", Exponent: 2}, o.Amounts.Requested)
		})
	}
}

func TestAnAmountBesideAPartialStatusOfALinkIsNotThePayments(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"events_link": liveLink})
	body := `{"lastEvent":"Sent for Settlement","value":{"currency":"GBP","amount":500},"_links":{"payments:partialSettle":"/payments/settlements/partials/x"}}`
	o := observed(t, provider.Read(page("link", body), payment))
	assert.Equal(t, schemas.PartiallyCaptured, o.Status)
	assert.Equal(t, int64(1200), o.Amounts.Requested.Value)
	assert.Nil(t, o.Amounts.Captured)

	o2 := provider.Read(page("link", `{"lastEvent":"Sent for Settlement","value":{"currency":"GBP","amount":500}}`), payment)
	assert.Equal(t, providers.CodeOtherAmount, o2.Code)
}

func TestACardVerificationHasNoAmountToCompare(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"payment_id": paymentID})
	payment.Amount = &schemas.Amount{Value: 0, Currency: "GBP"}
	body := `{"paymentId":"` + paymentID + `","lastEvent":"authorizationSucceeded","value":{"currency":"GBP","amount":100}}`
	assert.Equal(t, schemas.Authorized, observed(t, provider.Read(page("payment", body), payment)).Status)
}

func TestAnAuthorisationOfAPartMayBeOfLess(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"transaction_reference": reference})
	read := func(amounts string) providers.Outcome {
		answer := page("", `{"outcome":"authorized","paymentId":"p","value":{"currency":"GBP","amount":700},"amounts":`+amounts+`}`)
		answer.From = schemas.SourceInitiation
		return provider.Read(answer, payment)
	}
	o := observed(t, read(`{"totalAuthorized":700,"currency":"GBP","partialAuthorization":true}`))
	assert.Equal(t, int64(1200), o.Amounts.Requested.Value)
	assert.Equal(t, int64(700), o.Amounts.Authorized.Value)
	assert.Equal(t, providers.CodeOtherAmount, read(`{"totalAuthorized":700,"currency":"GBP","partialAuthorization":false}`).Code)
	assert.Equal(t, providers.CodeOtherCurrency, read(`{"totalAuthorized":700,"currency":"EUR","partialAuthorization":true}`).Code)
}

func TestThePaymentsAmountMustBeAWholeNumberWithACurrency(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, value := range []string{
		`{"currency":"GBP","amount":-1}`, `{"currency":"GBP","amount":1.5}`, `{"currency":"GBP"}`, `{"amount":1}`,
		`{"currency":"","amount":1}`, `12`, `{"currency":"GBP","amount":1e3}`,
	} {
		o := provider.Read(page("payment", `{"paymentId":"p","lastEvent":"authorizationSucceeded","value":`+value+`}`), providers.Payment{})
		assert.Equal(t, providers.CodeUnreadableAmount, o.Code, value)
	}
}

func TestDetailsThatSayNothingAreAbsent(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	read := func(more string) *providers.Observation {
		return observed(t, provider.Read(page("payment", `{"paymentId":"p","lastEvent":"authorizationSucceeded",`+more+`}`), providers.Payment{}))
	}
	assert.Nil(t, read(`"paymentInstrument":{"type":"card/plain"}`).Card)
	assert.Nil(t, read(`"paymentInstrument":{"card":{"countryCode":"N/A","brand":"","expiryDate":{"month":13,"year":2030}}}`).Card)
	o := read(`"riskFactors":[{"type":"avs","risk":"notChecked","detail":"address"},{"type":"avs","risk":"notMatched","detail":"postcode"}]`)
	assert.Empty(t, o.AVS, "one code cannot say both")
	assert.Empty(t, o.CVV)
}

func TestALinkThatOffersNothingIsNotOffered(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, links := range []string{
		`{"payments:settle":null}`, `{"payments:settle":{}}`, `{"payments:settle":""}`, `[]`,
		`{"curies":[{"name":"payments:settle","href":"x"}]}`,
	} {
		o := observed(t, provider.Read(page("link", `{"lastEvent":"Settled","_links":`+links+`}`), providers.Payment{}))
		assert.Equal(t, schemas.Captured, o.Status, links)
	}
	for _, rel := range []string{"payments:settle", "cardPayments:settle", "cardPayments:partialSettle", "settle"} {
		o := observed(t, provider.Read(page("link", `{"lastEvent":"Settled","_links":{"`+rel+`":"/payments/settlements/full/x"}}`), providers.Payment{}))
		assert.Equal(t, schemas.PartiallyCaptured, o.Status, rel)
	}
}

func TestTheRecoverySettlesWhatPaymentQueriesDoesNotKnow(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"transaction_reference": reference})
	list := providers.Page{Request: "list", HTTPStatus: 200, Body: []byte(`{"_embedded":{"payments":[{"transactionReference":"` + reference +
		`","lastEvent":"authorizationTimedOut"}]}}`)}
	for _, c := range []struct {
		name     string
		recovery providers.Page
		status   schemas.Status
		page     int
	}{
		{"it knows", providers.Page{HTTPStatus: 200, Body: []byte(word("Authorized"))}, schemas.Authorized, 1},
		{"it knows nothing", providers.Page{HTTPStatus: 404}, schemas.Unknown, 0},
		{"it fails", providers.Page{HTTPStatus: 503}, schemas.Unknown, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.recovery.Request = "recovery"
			o := provider.Read(pages(list, c.recovery), payment)
			assert.Equal(t, c.status, observed(t, o).Status)
			assert.Equal(t, c.page, o.Page)
		})
	}
}

func TestAListThatBreaksOffCountsOnlyWithASuccess(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"transaction_reference": reference})
	list := func(word string) providers.Page {
		body := `{"_links":{"next":{"href":"/paymentQueries/payments?x=2"}},"_embedded":{"payments":[{"transactionReference":"` +
			reference + `","lastEvent":"` + word + `"}]}}`
		return providers.Page{Request: "list", HTTPStatus: 200, Body: []byte(body)}
	}
	fault := providers.Failure(providers.Unavailable, providers.CodeTimeout, "too late")
	failed := providers.Page{Request: "list", HTTPStatus: 503}
	for _, c := range []struct {
		name   string
		answer providers.Answer
		status schemas.Status // when observed
		code   string
	}{
		{"a success, then a time-out", providers.Answer{Pages: []providers.Page{list("authorizationSucceeded")}, Fault: &fault}, schemas.Authorized, ""},
		{"a refusal, then a time-out", providers.Answer{Pages: []providers.Page{list("authorizationRefused")}, Fault: &fault}, "", providers.CodeTimeout},
		{"a success, then 503", pages(list("authorizationSucceeded"), failed), schemas.Authorized, ""},
		{"a refusal, then 503", pages(list("authorizationRefused"), failed), "", "http_503"},
		{"a refusal, then 404", pages(list("authorizationRefused"), providers.Page{Request: "list", HTTPStatus: 404}), "", providers.CodeIncompleteList},
		{"a refusal, then nothing more", pages(list("authorizationRefused")), "", providers.CodeIncompleteList},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := provider.Read(c.answer, payment)
			if c.code != "" {
				assert.Equal(t, providers.Unavailable, o.Kind)
				assert.Equal(t, c.code, o.Code)
				return
			}
			assert.Equal(t, c.status, observed(t, o).Status)
			assert.Equal(t, []schemas.Anomaly{schemas.IncompleteList}, o.Observation.Anomalies)
		})
	}
}

func TestAFaultAfterNotFoundIsTheOutcome(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	fault := providers.Failure(providers.Unavailable, providers.CodeTimeout, "too late")
	o := provider.Read(providers.Answer{Pages: []providers.Page{{Request: "link", HTTPStatus: 404}}, Fault: &fault}, paid(t, provider,
		schemas.Reference{"events_link": liveLink}))
	assert.Equal(t, providers.CodeTimeout, o.Code)
	assert.Negative(t, o.Page, "the page that came says nothing of it")
}

func TestEntityIsNotConfiguredIsRefusedWhateverTheHTTPStatus(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, status := range []int{400, 403, 404, 409} {
		refused := providers.Page{Request: "recovery", HTTPStatus: status, Body: []byte(`{"errorName":"entityIsNotConfigured"}`)}
		o := provider.Read(pages(refused), providers.Payment{})
		assert.Equal(t, providers.Refused, o.Kind, "%d", status)
		assert.Contains(t, o.Message, "entityIsNotConfigured")
	}
}

func TestAnExponentIsThatOfISO4217(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for currency, exponent := range map[string]int{"GBP": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "CLP": 0, "XYZ": 2} {
		body := `{"paymentId":"p","lastEvent":"authorizationSucceeded","value":{"currency":"` + currency + `","amount":5}}`
		o := observed(t, provider.Read(page("payment", body), providers.Payment{}))
		assert.Equal(t, exponent, o.Amounts.Requested.Exponent, currency)
	}
}

// FuzzRead feeds anything: no panic, and a status only from a JSON object.
