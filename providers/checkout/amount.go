package checkout

import (
	"math"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// exponents are the currencies that the provider does not count in hundredths. It counts CLP in hundredths although ISO 4217
// does not. Source: "Format the amount value" and, for CLF, the older "Calculating the value" of the provider's documentation.
var exponents = map[string]int{
	"BIF": 0, "CLF": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

func exponent(currency string) int {
	if digits, listed := exponents[currency]; listed {
		return digits
	}
	return 2
}

func money(value int64, currency string) *schemas.Money {
	if currency == "" {
		return nil
	}
	return &schemas.Money{Value: value, Currency: currency, Exponent: exponent(currency)}
}

// minor reads a sum in minor units: a number, or in some notifications a string of digits.
func minor(v exactjson.Value) (value int64, readable bool) {
	value, readable = v.Int64()
	return value, readable && value >= 0
}

// madeFor is the amount that the payment was made for. Of a partial authorisation, amount is what was authorised.
func (b *body) madeFor() exactjson.Value {
	if b.amountRequested.Present() {
		return b.amountRequested
	}
	return b.amount
}

// raised reports whether the provider itself shows that another sum was authorised than the payment was made for.
func (b *body) raised() bool {
	authorized, stated := minor(b.balances.Get("total_authorized"))
	if amount, ok := minor(b.madeFor()); ok && stated && authorized > 0 && authorized != amount {
		return true
	}
	for action := range b.actions.Items() {
		if strings.EqualFold(action.Get("authorization_type").Str(), "Incremental") {
			return true
		}
	}
	return false
}

// amounts collects the sums that a body states, and the oddities met.
type amounts struct {
	schemas.Amounts

	currency  string
	anomalies []schemas.Anomaly
}

// amountsOf gives the sums of the payment; the event's amount where the body does not say what it was made for.
func (b *body) amountsOf(p providers.Payment, meaning amountMeaning) amounts {
	a := amounts{currency: b.currency}
	if a.currency == "" && p.Known() {
		a.currency = p.Amount.Currency
	}
	if value, ok := minor(b.madeFor()); ok && (meaning == ofPayment || meaning == ofVerification) {
		a.Requested = money(value, a.currency)
	} else if p.Known() {
		a.Requested = money(p.Amount.Value, p.Amount.Currency)
	}
	a.Authorized = a.stated(b, "total_authorized", "Authorization")
	a.Captured = a.stated(b, "total_captured", "Capture")
	a.Refunded = a.stated(b, "total_refunded", "Refund")
	return a
}

// stated gives a sum: the balance, else what the actions of a type add up to if each of them states its amount.
func (a *amounts) stated(b *body, balance, action string) *schemas.Money {
	if v := b.balances.Get(balance); v.Present() {
		value, ok := minor(v)
		if !ok {
			a.unreadable()
			return nil
		}
		return money(value, a.currency)
	}
	var sum int64
	found := false
	for item := range b.actions.Items() {
		if !isAction(item, action) || refusedAction(item) {
			continue
		}
		v := item.Get("amount")
		if !v.Present() {
			return nil
		}
		value, ok := minor(v)
		if !ok || value > math.MaxInt64-sum {
			a.unreadable()
			return nil
		}
		sum, found = sum+value, true
	}
	if !found {
		return nil
	}
	return money(sum, a.currency)
}

func (a *amounts) unreadable() {
	if len(a.anomalies) == 0 {
		a.anomalies = append(a.anomalies, schemas.UnreadableAmount)
	}
}

func isAction(item exactjson.Value, kind string) bool {
	return strings.EqualFold(strings.TrimSpace(item.Get("type").Str()), kind)
}

// refusedAction reports whether an action did not succeed. Codes of success begin with 1 (10000 is "Approved").
func refusedAction(item exactjson.Value) bool {
	if approved, ok := item.Get("approved").Bool(); ok {
		return !approved
	}
	code := item.Get("response_code").Text()
	return code != "" && !approvedCode(code)
}

func approvedCode(code string) bool { return strings.HasPrefix(code, "1") }
