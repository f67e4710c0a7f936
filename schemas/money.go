package schemas

import "github.com/Rhymond/go-money"

// Exponent is the number of decimal digits of a currency's minor unit by ISO 4217. Providers count some currencies
// otherwise; their own tables come first. Source: the currency table of Rhymond/go-money, held against known values in a
// test.
func Exponent(currency string) (digits int, known bool) {
	c := money.GetCurrency(currency)
	if c == nil {
		return 0, false
	}
	return c.Fraction, true
}
