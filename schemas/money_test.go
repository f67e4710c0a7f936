package schemas_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/schemas"
)

// The figures are those of ISO 4217's list one, not of a library.
func TestExponentsAreThoseOfISO4217(t *testing.T) {
	t.Parallel()
	byDigits := map[int][]string{
		0: {"CLP", "KRW", "JPY", "ISK", "UGX", "BIF", "DJF", "GNF", "KMF", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"},
		2: {
			"EUR", "USD", "GBP", "COP", "IDR", "VES", "SLE", "BRL", "MXN", "PEN", "ARS", "CRC", "CNY", "HKD", "SGD", "MYR", "THB", "PHP", "TWD",
			"HUF", "CZK", "PLN", "AED", "SAR", "EGP", "ZAR", "NGN", "INR", "PKR", "LKR", "MGA", "MRU", "UAH", "TRY", "CHF", "SEK", "NOK", "DKK",
		},
		3: {"BHD", "KWD", "TND", "JOD", "OMR", "IQD", "LYD"},
	}
	for want, currencies := range byDigits {
		for _, currency := range currencies {
			digits, known := schemas.Exponent(currency)
			assert.True(t, known, currency)
			assert.Equal(t, want, digits, currency)
		}
	}
}

func TestACurrencyThatIsNotOneHasNoExponent(t *testing.T) {
	t.Parallel()
	for _, currency := range []string{"", "XQQ", "EURO", "€"} {
		_, known := schemas.Exponent(currency)
		assert.False(t, known, currency)
	}
}
