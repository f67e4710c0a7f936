package liquido

import (
	"strings"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// inHundredths are the currencies that Liquido documents, all counted in hundredths: also the Chilean peso, which ISO 4217
// has without decimals.
var inHundredths = map[string]bool{
	"ARS": true, "BRL": true, "CLP": true, "COP": true, "CRC": true, "GTQ": true, "HNL": true, "MXN": true, "PEN": true, "USD": true,
}

// exponent is the number of decimals in which Liquido counts a currency.
func exponent(currency string) (digits int, known bool) {
	if inHundredths[currency] {
		return 2, true
	}
	return schemas.Exponent(currency)
}

// sum is an amount of an answer before it is known to be money.
type sum struct {
	value int64
	state sumState
}

type sumState uint8

const (
	absent sumState = iota
	unreadable
	stated
)

// readSum reads an amount, which is a number on some of Liquido's pages and a string on others.
func readSum(v exactjson.Value) sum {
	if !v.Present() {
		return sum{}
	}
	if n, ok := v.Int64(); ok && n >= 0 {
		return sum{n, stated}
	}
	return sum{state: unreadable}
}

// readCurrency reads a currency code; ok is false for what cannot be one.
func readCurrency(v exactjson.Value) (code string, ok bool) {
	return strings.ToUpper(strings.TrimSpace(v.Str())), !v.Present() || v.Kind() == exactjson.String
}

// money makes an amount that is stated into money; nil where there is none or nobody knows how its currency is counted.
func (s sum) money(currency string) *schemas.Money {
	digits, known := exponent(currency)
	if s.state != stated || !known {
		return nil
	}
	return &schemas.Money{Value: s.value, Currency: currency, Exponent: digits}
}
