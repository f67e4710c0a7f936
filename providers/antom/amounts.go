package antom

import (
	"math"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// readAmount reads {"currency": "EUR", "value": "8000"}. Value is digits only, minor units, as text or as a number: "80.00"
// would be major units and is nothing we read. Nil and ok: there is none.
func readAmount(v exactjson.Value) (a *schemas.Amount, ok bool) {
	if !v.Present() {
		return nil, true
	}
	value, currency := v.Get("value"), v.Get("currency").Str()
	n, readable := value.Int64()
	if !readable || !allIn(value.Text(), '0', '9') || len(currency) != 3 || !allIn(currency, 'A', 'Z') {
		return nil, false
	}
	return &schemas.Amount{Value: n, Currency: currency}, true
}

func allIn(text string, first, last byte) bool {
	for i := range len(text) {
		if text[i] < first || text[i] > last {
			return false
		}
	}
	return text != ""
}

// money counts an amount as Antom does: by ISO 4217, and with two digits where that does not know the currency.
func money(a *schemas.Amount) *schemas.Money {
	if a == nil {
		return nil
	}
	exponent, known := schemas.Exponent(a.Currency)
	if !known {
		exponent = 2
	}
	return &schemas.Money{Value: a.Value, Currency: a.Currency, Exponent: exponent}
}

// total is a sum of amounts in one currency. It is unknown once a part of it cannot be read.
type total struct {
	value    int64
	currency string
	unknown  bool
}

func (t *total) add(a *schemas.Amount) {
	switch {
	case a == nil || t.currency != "" && t.currency != a.Currency || t.value > math.MaxInt64-a.Value:
		t.unknown = true
	default:
		t.value, t.currency = t.value+a.Value, a.Currency
	}
}

// amount is the sum; nil when it is unknown or empty.
func (t *total) amount() *schemas.Amount {
	if t.unknown || t.currency == "" {
		return nil
	}
	return &schemas.Amount{Value: t.value, Currency: t.currency}
}
