package worldpay_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestANotificationSaysWhomItIsAbout(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	o := provider.Read(event(`{"eventDetails":{"type":"settled","transactionReference":"r-1","paymentId":"p-1","merchant":{"entity":"default"}}}`),
		providers.Payment{})
	assert.Equal(t, "r-1", o.MerchantReference)
	assert.Equal(t, schemas.Reference{"transaction_reference": "r-1", "payment_id": "p-1", "entity": "default"}, o.About)
	o = provider.Read(event(`{"eventDetails":{"classification":"payout","type":"approved","transactionReference":"r-1"}}`), providers.Payment{})
	assert.Equal(t, providers.NoStatus, o.Kind)
	assert.Equal(t, "r-1", o.MerchantReference, "also where it says nothing of the payment's state")
}

func TestANotificationOfAPartOnlyAsksForACheck(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	payment := paid(t, provider, schemas.Reference{"transaction_reference": reference})
	read := func(details string, p providers.Payment) *providers.Observation {
		return observed(t, provider.Read(event(`{"eventDetails":{"transactionReference":"`+reference+`",`+details+`}}`), p))
	}
	for _, c := range []struct {
		name, details string
		known, part   bool
		status        schemas.Status
	}{
		{"below the payment's amount", `"type":"settled","amount":{"value":500,"currencyCode":"GBP"}`, true, true, schemas.PartiallyCaptured},
		{"the whole amount in one part", `"type":"settled","reference":"p-1","amount":{"value":1200,"currencyCode":"GBP"}`, true, false, schemas.Captured},
		{"a partial reference, no amount", `"type":"refunded","reference":"p-1"`, true, true, schemas.PartiallyRefunded},
		{
			"a partial reference, no payment known", `"type":"refunded","reference":"p-1","amount":{"value":1200,"currencyCode":"GBP"}`, false, true,
			schemas.PartiallyRefunded,
		},
		{"no partial reference, no payment known", `"type":"refunded","amount":{"value":1200,"currencyCode":"GBP"}`, false, false, schemas.Refunded},
		{"a word that says so", `"type":"Sent for Partial Refund"`, true, true, schemas.RefundPending},
		{"a refund under way", `"type":"sentForRefund","amount":{"value":500,"currencyCode":"GBP"}`, true, true, schemas.RefundPending},
		{"an amount that cannot be read", `"type":"settled","amount":{"value":"x","currencyCode":"GBP"}`, true, true, schemas.Captured},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := payment
			if !c.known {
				p = providers.Payment{}
			}
			o := read(c.details, p)
			assert.Equal(t, c.status, o.Status)
			assert.Equal(t, c.part, o.Partial)
			if c.part {
				assert.Nil(t, o.Amounts.Captured)
				assert.Nil(t, o.Amounts.Refunded)
			}
		})
	}
}

func TestADisputeIsNamedByItsNotification(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for kind, outcome := range map[string]schemas.DisputeOutcome{
		"informationRequested": schemas.DisputeOpen, "chargedBack": schemas.DisputeLost, "chargebackReversed": schemas.DisputeWon,
	} {
		details := `"eventTimestamp":"2026-02-01T00:00:00","eventDetails":{"date":"2026-01-02","classification":"chargeback","transactionReference":"r-1","type":"` + kind + `"}}`
		o := observed(t, provider.Read(event(`{"eventId":"e-1",`+details), providers.Payment{}))
		assert.Equal(t, &schemas.Dispute{ID: "e-1", Outcome: outcome}, o.Dispute, "the date is the payment's and the same for every dispute")
		assert.True(t, o.DisputeUnnamed)
		o = observed(t, provider.Read(event(`{`+details), providers.Payment{}))
		assert.Equal(t, "2026-02-01T00:00:00", o.Dispute.ID, "an event without an id")
	}
}

func TestEventTimesWithoutZoneAreUTC(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for written, want := range map[string]string{
		"2018-06-13T14:18:13.407":         "2018-06-13T14:18:13.407Z",
		"2018-06-13T14:18:13.407123456":   "2018-06-13T14:18:13.407123456Z",
		"2018-06-13T14:18:13":             "2018-06-13T14:18:13Z",
		"2018-06-13T14:18:13.5+02:00":     "2018-06-13T12:18:13.5Z",
		"2018-06-13T14:18:13.407123Z":     "2018-06-13T14:18:13.407123Z",
		"2018-06-13T14:18:13.407123+0000": "2018-06-13T14:18:13.407123Z",
		"yesterday":                       "0001-01-01T00:00:00Z",
	} {
		o := observed(t, provider.Read(event(`{"eventTimestamp":"`+written+`","eventDetails":{"type":"settled","transactionReference":"r"}}`),
			providers.Payment{}))
		text, err := o.OccurredAt.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, want, string(text), written)
	}
}
