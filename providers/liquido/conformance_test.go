package liquido_test

import (
	"testing"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// settledCharge is the answer to a query of a charge that was paid, as strict JSON.
const settledCharge = `{"transferStatusCode":200,"transferErrorMsg":null,"idempotencyKey":"order-7001","referenceId":"order-7001",
"paymentMethod":"CARD","amount":30000,"currency":"COP","country":"CO","finalAmount":30000,"finalCurrency":"COP",
"createTime":"2026-01-02 02:59:00 UTC","scheduledTime":"2026-01-02 02:59:01 UTC","finalStatusTime":"2026-01-02 03:00:00 UTC",
"payer":{"name":"Test Payer","document":{"documentId":"1","type":"CC"}},
"transferDetails":{"card":{"cardInfo":{"cardHolderName":"Test Payer","expirationMonth":9,"expirationYear":2031,"bin":"424242","last4":"4242",
"brand":"VISA"},"cardId":"00000000-0000-4000-8000-000000000000"}},
"transferStatus":"SETTLED","description":"test","callbackUrl":"https://merchant.example/callbacks","subMerchantId":null}`

func initiated() schemas.Initiated {
	return schemas.Initiated{
		PaymentID: "payment-1", Provider: "liquido", Account: "default", Amount: schemas.Amount{Value: 30000, Currency: "COP"},
		InitiatedAt: time.Date(2026, 1, 2, 2, 59, 0, 0, time.UTC), Reference: schemas.Reference{"idempotency_key": "order-7001"},
		Capture: schemas.CaptureAutomatic, Method: "card",
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Run(t, providertest.Subject{
		Definition: liquido.Definition,
		Simulator:  sandbox.Liquido(),
		Spoil: func(s providers.ProviderSettings) {
			settings := s.(*liquido.Settings)
			for name, account := range settings.Accounts {
				account.ClientSecret, account.APIKey = "wrong-secret", "wrong-key"
				settings.Accounts[name] = account
			}
		},
		Event:      initiated(),
		Scripted:   "order-7001",
		Script:     sandbox.Script{Amount: sandbox.Amount{Value: 30000, Currency: "COP"}, Steps: []sandbox.Step{{Status: "SETTLED"}}},
		Good:       []byte(settledCharge),
		Request:    "charge",
		GoodStatus: schemas.Captured,
		StatusName: "transferStatus",
		Identity: []providertest.Swap{
			{Old: `"idempotencyKey":"order-7001"`, New: `"idempotencyKey":"order-7002"`, Code: providers.CodeOtherPayment},
			{Old: `"referenceId":"order-7001"`, New: `"referenceId":"order-7002"`, Code: providers.CodeOtherPayment},
			{Old: `"currency":"COP"`, New: `"currency":"MXN"`, Code: providers.CodeOtherCurrency},
			{Old: `"amount":30000`, New: `"amount":300`, Code: providers.CodeOtherAmount},
		},
		TokenPath: "/oauth2/token",
	})
}
