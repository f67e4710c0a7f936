package liquido

import (
	"cmp"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// charge is what an answer says, as far as its meaning depends on it: of a charge, or of a refund in a refund's callback.
type charge struct {
	body    exactjson.Value
	payment providers.Payment
	event   string // a callback's eventType in capitals; "" elsewhere

	key, reference string // idempotencyKey, referenceId
	word           string // transferStatus in capitals; "" when it is not a text
	code           int64  // transferStatusCode
	codeStated     bool
	message        string
	method         string // in capitals; the event's where the answer names none
	currency       string // the event's where the answer names none
	amount, final  sum    // amount, finalAmount
	anyAmount      bool   // the configuration accepts a charge of another amount than the event's
}

// codeGood is the transferStatusCode of everything that did not fail: paid, open, cancelled and charged back alike.
const codeGood = 200

// readCharge reads the fields of a charge. The fault says why the answer cannot be read.
func (p *Provider) readCharge(body exactjson.Value, payment providers.Payment, event string) (*charge, *providers.Outcome) {
	c := &charge{
		body: body, payment: payment, event: event, anyAmount: p.settings.AcceptOtherAmount,
		word: upper(body.Get("transferStatus")), message: strings.TrimSpace(body.Get("transferErrorMsg").Str()),
		method: cmp.Or(upper(body.Get("paymentMethod")), strings.ToUpper(strings.TrimSpace(payment.Method))),
		amount: readSum(body.Get("amount")), final: readSum(body.Get("finalAmount")),
	}
	if final := body.Get("finalAmount"); final.Kind() == exactjson.String && strings.TrimSpace(final.Str()) == "" {
		c.final = sum{}
	}
	c.code, c.codeStated = body.Get("transferStatusCode").Int64()
	var keyReadable, referenceReadable, currencyReadable bool
	c.key, keyReadable = identifier(body.Get("idempotencyKey"))
	c.reference, referenceReadable = identifier(body.Get("referenceId"))
	c.currency, currencyReadable = readCurrency(body.Get("currency"))
	switch {
	case !keyReadable || !referenceReadable:
		o := providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "an identifier in the answer is neither text nor number")
		return nil, &o
	case !currencyReadable, c.amount.state == unreadable && !c.ofRefund():
		o := providers.Failure(providers.Unreadable, providers.CodeUnreadableAmount, "the amount in the answer cannot be read")
		return nil, &o
	}
	if c.currency == "" && payment.Known() {
		c.currency = payment.Amount.Currency
	}
	return c, nil
}

// upper is a word as words are compared: without regard to letter case and blanks around.
func upper(v exactjson.Value) string { return strings.ToUpper(strings.TrimSpace(v.Str())) }

func identifier(v exactjson.Value) (id string, readable bool) {
	return v.Text(), !v.Present() || v.Kind() == exactjson.String || v.Kind() == exactjson.Number
}

// ofRefund reports whether the fields speak of a refund: then the key is the refund's own and the reference names the charge.
func (c *charge) ofRefund() bool { return c.event == refundSucceeded || c.event == refundFailed }

// id is the idempotency key of the charge that the answer is about; "" where it names none.
func (c *charge) id() string {
	if c.ofRefund() {
		return c.reference
	}
	return cmp.Or(c.key, c.reference)
}

// stated are the identifiers of the charge in the answer.
func (c *charge) stated() []string {
	ids := []string{c.reference}
	if !c.ofRefund() {
		ids = append(ids, c.key)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// mismatch says that the answer is about another payment, currency or amount than the initiated event's; nil where it is not, or
// the configuration accepts it.
func (c *charge) mismatch() *providers.Outcome {
	if !c.payment.Known() {
		return nil
	}
	var code string
	switch {
	case slices.ContainsFunc(c.stated(), func(id string) bool { return id != c.payment.Reference[referenceKey] }):
		code = providers.CodeOtherPayment
	case c.currency != c.payment.Amount.Currency:
		code = providers.CodeOtherCurrency
	case c.otherAmount() && !c.anyAmount:
		code = providers.CodeOtherAmount
	default:
		return nil
	}
	o := providers.Failure(providers.Mismatch, code, "the answer and the initiated event differ: "+strings.ReplaceAll(code, "_", " "))
	return &o
}

// otherAmount reports whether the charge was made for another amount than the initiated event names. A refund's is its own.
func (c *charge) otherAmount() bool {
	return c.payment.Known() && !c.ofRefund() && c.amount.state == stated && c.amount.value != c.payment.Amount.Value
}

// isCard reports whether the payment was made by card.
func (c *charge) isCard() bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(c.method, "CREDITCARD", "CARD"), "_"), "CARD")
}

// partlyCaptured reports whether less was taken than the charge was made for. Outside of manual capture finalAmount is no
// evidence: it is the amount after an exchange of currencies, and some answers fill it without any meaning.
func (c *charge) partlyCaptured() bool {
	finalCurrency, _ := readCurrency(c.body.Get("finalCurrency"))
	return c.payment.Capture == schemas.CaptureManual && c.amount.state == stated && c.final.state == stated &&
		c.final.value > 0 && c.final.value < c.amount.value && (finalCurrency == "" || finalCurrency == c.currency)
}

// refundAgainst compares a refund's amount with the payment's: below it -1, equal 0, above 1. Ok is false where one of the
// two is not known, as where the charge may have been made for another amount than the event's.
func (c *charge) refundAgainst() (order int, ok bool) {
	if c.amount.state != stated || !c.payment.Known() || c.anyAmount {
		return 0, false
	}
	return cmp.Compare(c.amount.value, c.payment.Amount.Value), true
}

// providerStatus are the provider's own words.
func (c *charge) providerStatus(eventType exactjson.Value) map[string]any {
	words := make(map[string]any, 3)
	keep(words, "transfer_status", c.body.Get("transferStatus"))
	keep(words, "transfer_status_code", c.body.Get("transferStatusCode"))
	keep(words, "event_type", eventType)
	return words
}

func keep(words map[string]any, name string, v exactjson.Value) {
	switch v.Kind() { //nolint:exhaustive // an object or a list is no word
	case exactjson.Null:
		words[name] = nil
	case exactjson.Number:
		if n, whole := v.Int64(); whole {
			words[name] = n
		} else {
			words[name] = v.Text()
		}
	case exactjson.String, exactjson.Bool:
		words[name] = v.Text()
	}
}
