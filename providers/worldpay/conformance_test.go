package worldpay_test

import (
	"testing"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

// queried is what Payment Queries answers about a payment that was sent for settlement.
const queried = `{"timestamp":"2026-01-02T03:01:10.164Z","paymentId":"payVGX28GOT7iDY5qanttPWF0","transactionReference":"order-7001",
"transactionType":"oneTime","authorizationType":"authorization","entity":"default","lastEvent":"settlementRequestSubmitted",
"paymentInstrument":{"type":"card/plain+masked","card":{"number":{"last4Digits":"1111","cardBin":"444433"},"brand":"visa"}},
"value":{"currency":"GBP","amount":1200},
"events":[{"eventName":"authorizationRequested","timestamp":"2026-01-02T03:01:10.164Z"},
{"eventName":"authorizationSucceeded","timestamp":"2026-01-02T03:01:11.229Z"},
{"eventName":"settlementRequested","timestamp":"2026-01-02T03:01:12Z","type":"fullSettlement","commandId":"cmd1"},
{"eventName":"settlementRequestSubmitted","timestamp":"2026-01-02T03:01:13Z","commandId":"cmd1"}],
"_links":{"self":{"href":"/paymentQueries/payments/payVGX28GOT7iDY5qanttPWF0"}}}`

func TestConformance(t *testing.T) {
	t.Parallel()
	// Without a transaction reference Payment Queries is all that is asked: the recovery query finds nothing in other ways.
	providertest.Run(t, providertest.Subject{
		Definition: worldpay.Definition,
		Simulator:  sandbox.Worldpay(),
		Spoil: func(s providers.ProviderSettings) {
			settings := s.(*worldpay.Settings)
			for name, account := range settings.Accounts {
				account.Password = "wrong-password"
				settings.Accounts[name] = account
			}
		},
		Event:    initiated(schemas.Reference{"payment_id": paymentID, "entity": "default"}),
		Scripted: "order-7001",
		Script: sandbox.Script{
			Amount: sandbox.Amount{Value: 1200, Currency: "GBP"}, Aliases: []string{paymentID},
			Steps: []sandbox.Step{{Status: "Sent for Settlement"}},
		},
		Good: []byte(queried), Request: "payment", GoodStatus: schemas.CapturePending, StatusName: "lastEvent",
		Identity: []providertest.Swap{
			{Old: `"paymentId":"payV`, New: `"paymentId":"payW`, Code: providers.CodeOtherPayment},
			{Old: `"entity":"default"`, New: `"entity":"branch2"`, Code: providers.CodeOtherAccount},
			{Old: `"currency":"GBP"`, New: `"currency":"EUR"`, Code: providers.CodeOtherCurrency},
			{Old: `"amount":1200`, New: `"amount":12`, Code: providers.CodeOtherAmount},
		},
		Empty: providers.NotFound,
	})
}
