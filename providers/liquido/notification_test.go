package liquido_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/schemas"
)

// callback is a callback about settledCharge with other fields.
func callback(t testing.TB, eventType string, changes map[string]any) providers.Answer {
	t.Helper()
	body := fmt.Appendf(nil, `{"eventType":%q,"data":{"chargeDetails":%s}}`, eventType, with(t, changes))
	return answerOf(schemas.SourceNotification, 0, body)
}

func refundOf(changes map[string]any) map[string]any {
	fields := map[string]any{"idempotencyKey": "refund-1"}
	maps.Copy(fields, changes)
	return fields
}

func TestTheStatusOfACallbackDecidesUnlessItsTypeSaysTheOpposite(t *testing.T) {
	t.Parallel()
	odd := []schemas.Anomaly{schemas.ContradictoryAnswer}
	words := []string{"INITIAL_STATUS", "IN_PROGRESS", "AUTHORIZED", "SETTLED", "FAILED", "CANCELLED", "EXPIRED", "REFUNDING", "REFUNDED", "CHARGED_BACK"}
	for event, want := range map[string][]schemas.Status{ // by words
		"CHARGE_SUCCEEDED": {
			schemas.Pending, schemas.Pending, schemas.Authorized, schemas.Captured, schemas.Unknown, schemas.Unknown, schemas.Unknown,
			schemas.RefundPending, schemas.Refunded, schemas.ChargedBack,
		},
		"CHARGE_FAILED": {
			schemas.Pending, schemas.Pending, schemas.Unknown, schemas.Unknown, schemas.Failed, schemas.Canceled, schemas.Expired, schemas.Unknown,
			schemas.Unknown, schemas.Unknown,
		},
		"CHARGE_CHARGED_BACK": {
			schemas.Unknown, schemas.Unknown, schemas.Unknown, schemas.Unknown, schemas.Unknown, schemas.Unknown, schemas.Unknown, schemas.Unknown,
			schemas.Unknown, schemas.ChargedBack,
		},
		"CHARGE_REFUND_SUCCEEDED": {
			schemas.RefundPending, schemas.RefundPending, schemas.Unknown, schemas.Refunded, schemas.Unknown, schemas.Unknown, schemas.Unknown,
			schemas.RefundPending, schemas.Refunded, schemas.Unknown,
		},
		"CHARGE_REFUND_FAILED": {
			schemas.RefundPending, schemas.RefundPending, schemas.Unknown, schemas.Unknown, schemas.RefundFailed, schemas.Unknown, schemas.Unknown,
			schemas.RefundPending, schemas.Unknown, schemas.Unknown,
		},
	} {
		for i, word := range words {
			t.Run(event+" with "+word, func(t *testing.T) {
				t.Parallel()
				code := 200
				if word == "FAILED" {
					code = 500
				}
				fields := map[string]any{"transferStatus": word, "transferStatusCode": code, "paymentMethod": "PSE"}
				obs := observed(t, newReader(t).Read(callback(t, event, fields), paymentOf(t, initiated())))
				assert.Equal(t, want[i], obs.Status)
				if word == "INITIAL_STATUS" || word == "IN_PROGRESS" {
					assert.Equal(t, odd, obs.Anomalies, "no callback is sent for an open charge or refund")
				}
				assert.Equal(t, map[string]any{"event_type": event, "transfer_status": word, "transfer_status_code": int64(code)}, obs.ProviderStatus)
			})
		}
	}
}

func TestARefundsCallbackIsAboutTheChargeItRefersTo(t *testing.T) {
	t.Parallel()
	payment := paymentOf(t, initiated())
	o := newReader(t).Read(callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(nil)), payment)
	assert.Equal(t, schemas.Refunded, observed(t, o).Status, "SETTLED means that the refund was done")
	assert.Equal(t, "order-7001", o.MerchantReference)
	assert.Equal(t, schemas.Reference{"idempotency_key": "order-7001"}, o.About)
	assert.Equal(t, int64(30000), o.Observation.Amounts.Refunded.Value)
	assert.Nil(t, o.Observation.Amounts.Captured)
	assert.False(t, o.Observation.Partial)

	o = newReader(t).Read(callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(map[string]any{"referenceId": "order-7002"})), payment)
	assert.Equal(t, providers.CodeOtherPayment, o.Code)
	assert.Equal(t, schemas.Reference{"idempotency_key": "order-7002"}, o.About)

	o = newReader(t).Read(callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(map[string]any{"currency": "MXN"})), payment)
	assert.Equal(t, providers.CodeOtherCurrency, o.Code)
}

func TestPartsOnlyAskForACheck(t *testing.T) {
	t.Parallel()
	manual := initiated()
	manual.Capture = schemas.CaptureManual
	lenient := newReader(t, func(s *liquido.Settings) { s.AcceptOtherAmount = true })
	for name, tc := range map[string]struct {
		provider providers.Provider
		answer   providers.Answer
		payment  providers.Payment
		want     schemas.Status
	}{
		"a part refunded": {
			newReader(t), callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(map[string]any{"amount": 10000})), paymentOf(t, initiated()),
			schemas.PartiallyRefunded,
		},
		"a part captured": {
			newReader(t), callback(t, "CHARGE_SUCCEEDED", map[string]any{"finalAmount": 10000}), paymentOf(t, manual), schemas.PartiallyCaptured,
		},
		"a refund without the payment it is compared with": {
			newReader(t), callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(nil)), providers.Payment{}, schemas.Refunded,
		},
		"a refund without an amount": {
			newReader(t), callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(map[string]any{"amount": nil})), paymentOf(t, initiated()), schemas.Refunded,
		},
		"a refund of a charge that may be of another amount": {
			lenient, callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(map[string]any{"amount": 40000})), paymentOf(t, initiated()), schemas.Refunded,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obs := observed(t, tc.provider.Read(tc.answer, tc.payment))
			assert.Equal(t, tc.want, obs.Status)
			assert.True(t, obs.Partial)
			assert.Nil(t, obs.Amounts.Refunded, "the total stays absent")
			assert.Nil(t, obs.Amounts.Captured, "the total stays absent")
		})
	}
	whole := observed(t, newReader(t).Read(callback(t, "CHARGE_SUCCEEDED", map[string]any{"transferStatus": "REFUNDED"}), providers.Payment{}))
	assert.False(t, whole.Partial, "a charge that says it is refunded needs no comparison")
	obs := observed(t, newReader(t).Read(callback(t, "CHARGE_REFUND_SUCCEEDED", refundOf(map[string]any{"amount": "x"})), paymentOf(t, initiated())))
	assert.Contains(t, obs.Anomalies, schemas.UnreadableAmount)
	assert.True(t, obs.Partial)
}

func TestAChargebackIsALostDispute(t *testing.T) {
	t.Parallel()
	o := newReader(t).Read(callback(t, "CHARGE_CHARGED_BACK", map[string]any{"transferStatus": "CHARGED_BACK"}), providers.Payment{})
	assert.Equal(t, &schemas.Dispute{ID: "order-7001", Outcome: schemas.DisputeLost}, observed(t, o).Dispute)
	nameless := map[string]any{"transferStatus": "CHARGED_BACK", "idempotencyKey": nil, "referenceId": nil}
	o = newReader(t).Read(callback(t, "CHARGE_CHARGED_BACK", nameless), paymentOf(t, initiated()))
	assert.Equal(t, "order-7001", observed(t, o).Dispute.ID, "of the payment it was matched to")
	o = newReader(t).Read(answerOf(schemas.SourceQuery, 200, with(t, map[string]any{"transferStatus": "CHARGED_BACK"})), providers.Payment{})
	assert.Nil(t, observed(t, o).Dispute, "a query speaks of no dispute")
}

func TestNotificationsThatAreNoStatusOrCannotBeRead(t *testing.T) {
	t.Parallel()
	payment := paymentOf(t, initiated())
	for name, tc := range map[string]struct {
		body    string
		payment providers.Payment
		kind    providers.Kind
		code    string
		about   string
	}{
		"an unknown type": {
			`{"eventType":"CHARGE_UPDATED","data":{"chargeDetails":` + settledCharge + `}}`, payment,
			providers.NoStatus, providers.CodeUnknownType, "order-7001",
		},
		"no type": {
			`{"data":{"chargeDetails":` + settledCharge + `}}`, payment,
			providers.NoStatus, providers.CodeUnknownType, "order-7001",
		},
		"a payment link": {
			`{"eventType":"CHARGE_SUCCEEDED","data":{"linkId":"x","paymentStatus":"SETTLED"}}`, payment, providers.NoStatus, providers.CodeIgnoredType, "",
		},
		"a refund that names nothing": {
			`{"eventType":"CHARGE_REFUND_SUCCEEDED","data":{"chargeDetails":{"idempotencyKey":"refund-1","transferStatus":"SETTLED"}}}`,
			providers.Payment{},
			providers.NoStatus, providers.CodeIgnoredType, "",
		},
		"no charge":     {`{"eventType":"CHARGE_SUCCEEDED","data":{}}`, payment, providers.Unreadable, providers.CodeUnexpectedContent, ""},
		"nothing known": {`{"a":1}`, payment, providers.Unreadable, providers.CodeUnexpectedContent, ""},
		"not JSON":      {`eventType=CHARGE_SUCCEEDED`, payment, providers.Unreadable, providers.CodeNotJSON, ""},
		"an unreadable amount": {
			`{"eventType":"CHARGE_SUCCEEDED","data":{"chargeDetails":{"idempotencyKey":"order-7001","amount":"x","transferStatus":"SETTLED"}}}`, payment,
			providers.Unreadable, providers.CodeUnreadableAmount, "order-7001",
		},
		"another payment": {
			`{"eventType":"CHARGE_SUCCEEDED","data":{"chargeDetails":{"idempotencyKey":"order-7002","transferStatus":"SETTLED"}}}`, payment,
			providers.Mismatch, providers.CodeOtherPayment, "order-7002",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newReader(t).Read(answerOf(schemas.SourceNotification, 200, []byte(tc.body)), tc.payment)
			assert.Equal(t, tc.kind, o.Kind, o.Message)
			assert.Equal(t, tc.code, o.Code)
			assert.Equal(t, tc.about, o.MerchantReference)
			assert.Equal(t, tc.about, o.About["idempotency_key"])
		})
	}
	t.Run("a refund that names nothing is evidence for the payment it was matched to", func(t *testing.T) {
		t.Parallel()
		nameless := refundOf(map[string]any{"referenceId": nil})
		obs := observed(t, newReader(t).Read(callback(t, "CHARGE_REFUND_SUCCEEDED", nameless), payment))
		assert.Equal(t, schemas.Refunded, obs.Status)
	})
	t.Run("a body that is not whole", func(t *testing.T) {
		t.Parallel()
		answer := callback(t, "CHARGE_SUCCEEDED", nil)
		answer.Pages[0].TooLarge = true
		o := newReader(t).Read(answer, payment)
		require.Equal(t, providers.CodeTooLarge, o.Code)
	})
}
