package antom

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// tx is a row of transactions.
func tx(kind, status string, value any) object {
	return object{"transactionType": kind, "transactionStatus": status, "transactionAmount": euros(value), "transactionTime": "2024-03-19T12:00:00Z"}
}

func TestStatusFromTransactions(t *testing.T) {
	t.Parallel()
	type rows = []object
	expired := object{"transactionResult": resultOf("F", "AUTH_EXPIRED")}
	at := func(time string) object { return object{"transactionTime": time} }
	for name, tc := range map[string]struct {
		wallet bool
		rows   any
		want   schemas.Status
	}{
		"null is none":           {false, nil, schemas.Authorized},
		"an empty list is none":  {false, rows{}, schemas.Authorized},
		"no list cannot be read": {false, object{}, schemas.Unknown},
		"the authorisation itself says nothing new": {
			false, rows{tx("AUTHORIZATION", "SUCCESS", "8000"), tx("PAYMENT", "SUCCESS", "8000")}, schemas.Authorized,
		},
		"words in other letters": {false, rows{tx(" capture", "Success ", "8000")}, schemas.Captured},
		"captured in two parts":  {false, rows{tx("CAPTURE", "SUCCESS", "5000"), tx("CAPTURE", "SUCCESS", 3000)}, schemas.Captured},
		"captured in part, the rest under way": {
			false, rows{tx("CAPTURE", "SUCCESS", "5000"), tx("CAPTURE", "PROCESSING", "3000")}, schemas.PartiallyCaptured,
		},
		"captured in part, the rest refused": {
			false, rows{tx("CAPTURE", "SUCCESS", "5000"), tx("CAPTURE", "FAIL", "3000")}, schemas.PartiallyCaptured,
		},
		"a capture under way after one refused": {false, rows{tx("CAPTURE", "FAIL", "8000"), tx("CAPTURE", "PENDING", "8000")}, schemas.CapturePending},
		"a capture that was cancelled":          {false, rows{tx("CAPTURE", "CANCELLED", "8000")}, schemas.Authorized},
		"a capture too late":                    {false, rows{tx("CAPTURE", "FAIL", "8000").with(expired)}, schemas.Expired},
		"a capture too late, then under way": {
			false, rows{tx("CAPTURE", "FAIL", "8000").with(expired), tx("CAPTURE", "PROCESSING", "8000")}, schemas.CapturePending,
		},
		"refused for another reason after too late": {
			false, rows{tx("CAPTURE", "FAIL", "8000").with(expired), tx("CAPTURE", "FAIL", "8000").with(at("2024-03-20T12:00:00Z"))}, schemas.Authorized,
		},
		"a void under way":                  {false, rows{tx("VOID", "PROCESSING", "8000")}, schemas.Authorized},
		"a void refused":                    {false, rows{tx("VOID", "FAIL", "8000")}, schemas.Authorized},
		"called off":                        {false, rows{tx("CANCEL", "SUCCESS", "8000")}, schemas.Voided},
		"a wallet called off":               {true, rows{tx("CANCEL", "SUCCESS", "8000")}, schemas.Voided},
		"refunded without a capture row":    {false, rows{tx("REFUND", "SUCCESS", "8000")}, schemas.Refunded},
		"all of a partial capture refunded": {false, rows{tx("CAPTURE", "SUCCESS", "5000"), tx("REFUND", "SUCCESS", "5000")}, schemas.Refunded},
		"a part of a partial capture refunded": {
			false, rows{tx("CAPTURE", "SUCCESS", "5000"), tx("REFUND", "SUCCESS", "100")}, schemas.PartiallyRefunded,
		},
		"a part refunded, the rest under way":       {true, rows{tx("REFUND", "SUCCESS", "5000"), tx("REFUND", "PROCESSING", "3000")}, schemas.RefundPending},
		"all refunded, another refund still open":   {true, rows{tx("REFUND", "SUCCESS", "8000"), tx("REFUND", "PROCESSING", "8000")}, schemas.Refunded},
		"a refund after one refused":                {true, rows{tx("REFUND", "FAIL", "8000"), tx("REFUND", "SUCCESS", "8000")}, schemas.Refunded},
		"a refund refused":                          {true, rows{tx("REFUND", "FAIL", "8000")}, schemas.RefundFailed},
		"a refund of what is not captured, refused": {false, rows{tx("REFUND", "FAIL", "8000")}, schemas.Authorized},
		"a refund of a partial capture, refused":    {false, rows{tx("CAPTURE", "SUCCESS", "5000"), tx("REFUND", "FAIL", "5000")}, schemas.PartiallyCaptured},
		"a wallet with a capture under way":         {true, rows{tx("CAPTURE", "PROCESSING", "8000")}, schemas.CapturePending},
		"a capture without amount":                  {false, rows{tx("CAPTURE", "SUCCESS", "8000").with(object{"transactionAmount": nil})}, schemas.Unknown},
		"a refund in another currency": {
			true, rows{tx("REFUND", "SUCCESS", "8000").with(object{"transactionAmount": object{"currency": "USD", "value": "8000"}})}, schemas.Unknown,
		},
		"more than can be counted": {
			true, rows{tx("REFUND", "SUCCESS", "9223372036854775807"), tx("REFUND", "SUCCESS", "1")}, schemas.Unknown,
		},
		"an unknown status":                {false, rows{tx("CAPTURE", "SETTLED", "8000")}, schemas.Unknown},
		"no status":                        {false, rows{tx("CAPTURE", "", "8000")}, schemas.Unknown},
		"an unknown type":                  {true, rows{tx("REVERSAL", "SUCCESS", "8000")}, schemas.Unknown},
		"an unknown type that was refused": {true, rows{tx("REVERSAL", "FAIL", "8000")}, schemas.Captured},
		"captured and called off":          {false, rows{tx("CAPTURE", "SUCCESS", "8000"), tx("CANCEL", "SUCCESS", "8000")}, schemas.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method := "CARD"
			if tc.wallet {
				method = "TNG"
			}
			body := success.with(object{"paymentMethodType": method})
			body["transactions"] = tc.rows
			obs := observed(t, query(t, body, payment()))
			assert.Equal(t, tc.want, obs.Status)
			if tc.want == schemas.Unknown {
				assert.NotEmpty(t, obs.Anomalies)
				assert.Nil(t, obs.Amounts.Captured, "nothing is claimed")
				return
			}
			assert.Empty(t, obs.Anomalies)
		})
	}
}

func TestSumsAndTimesAreThoseOfTheRowsThatCount(t *testing.T) {
	t.Parallel()
	body := success.with(object{"paymentMethodType": "CARD", "paymentTime": "2024-03-18T12:00:00Z", "transactions": []object{
		tx("CAPTURE", "SUCCESS", "3000").with(object{"transactionTime": "2024-03-18T12:00:03.5+08:30"}),
		tx("CAPTURE", "SUCCESS", "2000").with(object{"transactionTime": "2024-03-18T12:00:02+0830"}),
		tx("CAPTURE", "FAIL", "9000").with(object{"transactionTime": "2024-03-20T12:00:00Z"}),
	}})
	obs := observed(t, query(t, body, payment()))
	euro := func(value int64) *schemas.Money { return &schemas.Money{Value: value, Currency: "EUR", Exponent: 2} }
	assert.Equal(t, schemas.PartiallyCaptured, obs.Status)
	assert.Equal(t, schemas.Amounts{Requested: euro(8000), Authorized: euro(8000), Captured: euro(5000)}, obs.Amounts)
	assert.Equal(t, time.Date(2024, 3, 18, 3, 30, 3, 500_000_000, time.UTC), obs.OccurredAt)
}

func TestAWalletsAmountsAreNotThoseOfACard(t *testing.T) {
	t.Parallel()
	eight := &schemas.Money{Value: 8000, Currency: "EUR", Exponent: 2}
	for name, tc := range map[string]struct {
		row  object
		want schemas.Amounts
	}{
		"called off: the money is back":             {tx("CANCEL", "SUCCESS", "8000"), schemas.Amounts{Requested: eight}},
		"a capture under way: it was only reserved": {tx("CAPTURE", "PROCESSING", "8000"), schemas.Amounts{Requested: eight, Authorized: eight}},
		"a refund under way: it is captured":        {tx("REFUND", "PROCESSING", "8000"), schemas.Amounts{Requested: eight, Captured: eight}},
	} {
		body := success.with(object{"paymentMethodType": "TNG", "transactions": []object{tc.row}})
		assert.Equal(t, tc.want, observed(t, query(t, body, payment())).Amounts, name)
	}
}

func TestTimesThatCannotBeReadAreAbsent(t *testing.T) {
	t.Parallel()
	for _, text := range []any{"", "yesterday", 1710763254, nil, "9999-12-31T23:59:59-08:00", "0000-12-31T00:00:00Z"} {
		obs := observed(t, query(t, success.with(object{"paymentTime": text}), payment()))
		assert.Equal(t, schemas.Captured, obs.Status)
		assert.Zero(t, obs.OccurredAt, "%v", text)
	}
	fixed := success.with(object{"paymentTime": "2024-03-18T12:00:00Z", "paymentStatus": "FAIL"})
	assert.Zero(t, observed(t, query(t, fixed, payment())).OccurredAt, "only a success has a time")
}

func TestAmountsCountAsAntomCountsThem(t *testing.T) {
	t.Parallel()
	for currency, digits := range map[string]int{
		"EUR": 2, "USD": 2, "IDR": 2, "COP": 2, "JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "PYG": 0, "RWF": 0, "UGX": 0, "XAF": 0, "XOF": 0,
		"BIF": 0, "GNF": 0, "BHD": 3, "KWD": 3, "OMR": 3, "JOD": 3, "TND": 3, "ZZZ": 2,
	} {
		p := payment(func(p *providers.Payment) { p.Amount = &schemas.Amount{Value: 120, Currency: currency} })
		body := success.with(object{"paymentAmount": object{"currency": currency, "value": "120"}})
		want := &schemas.Money{Value: 120, Currency: currency, Exponent: digits}
		assert.Equal(t, want, observed(t, query(t, body, p)).Amounts.Captured)
	}
}
