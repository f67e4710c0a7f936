package checkout

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func notified(kind string, data ...string) providers.Answer {
	body := `{"id":"evt_1","type":"` + kind + `","timestamp":"2026-01-02T03:05:00.1234567Z","data":{` + strings.Join(data, ",") + `}}`
	return providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page("", 0, body)}}
}

const ourData = `"id":"` + payID + `","reference":"` + order + `","currency":"EUR"`

func TestANotificationAboutAPartOnlyAsks(t *testing.T) {
	t.Parallel()
	p := known(byID)
	for name, tc := range map[string]struct {
		kind, data string
		want       schemas.Status
		partial    bool
	}{
		"all captured":    {"payment_captured", `"amount":8000`, schemas.Captured, false},
		"a part captured": {"payment_captured", `"amount":7999`, schemas.PartiallyCaptured, true},
		"the last part captured": {
			"payment_captured", `"amount":1,"balances":{"total_authorized":8000,"total_captured":8000}`, schemas.Captured, false,
		},
		"a part captured, the total is stated": {
			"payment_captured", `"amount":1,"balances":{"total_authorized":8000,"total_captured":7000}`, schemas.PartiallyCaptured, false,
		},
		"captured, of what is not said": {"payment_captured", `"response_code":"10000"`, schemas.Captured, false},
		"all refunded":                  {"payment_refunded", `"amount":8000`, schemas.Refunded, false},
		"a part refunded":               {"payment_refunded", `"amount":100`, schemas.PartiallyRefunded, true},
		"what was captured is refunded": {
			"payment_refunded", `"amount":100,"balances":{"total_captured":100,"total_refunded":100}`, schemas.Refunded, false,
		},
		"all voided":    {"payment_voided", `"amount":8000`, schemas.Voided, false},
		"a part voided": {"payment_voided", `"amount":100`, schemas.Authorized, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := observe(t, reader().Read(notified(tc.kind, ourData, tc.data), p))
			assert.Equal(t, tc.want, o.Status)
			assert.Equal(t, tc.partial, o.Partial)
			if tc.partial {
				assert.Nil(t, o.Amounts.Captured, "the total is not stated")
				assert.Nil(t, o.Amounts.Refunded, "the total is not stated")
			}
		})
	}
	o := observe(t, reader().Read(notified("payment_captured", ourData, `"amount":100`), providers.Payment{}))
	assert.Equal(t, schemas.Captured, o.Status, "without a payment a part cannot be told from the whole")
	assert.Nil(t, o.Amounts.Captured)
	assert.Nil(t, o.Amounts.Requested)
}

func TestANotificationSaysWhomItIsAbout(t *testing.T) {
	t.Parallel()
	session := `"session_id":"` + sid + `"`
	for name, tc := range map[string]struct {
		kind, data string
		want       schemas.Reference
	}{
		"a payment event": {"payment_approved", ourData, schemas.Reference{refPayment: payID, refReference: order}},
		"an authentication event": {
			"authentication_started", `"payment_id":"` + payID + `",` + session, schemas.Reference{refPayment: payID, refSession: sid},
		},
		"a failed authentication": {
			"payment_authentication_failed", `"id":"` + payID + `","3ds":{"authentication_id":"` + sid + `"}`,
			schemas.Reference{refPayment: payID, refSession: sid},
		},
		"a dispute": {
			"dispute_received", `"id":"dsp_1","payment_id":"` + payID + `","payment_reference":"` + order + `"`,
			schemas.Reference{refPayment: payID, refReference: order},
		},
		"one that is ignored":          {"payment_capture_declined", ourData, schemas.Reference{refPayment: payID, refReference: order}},
		"one of an unknown type":       {"payment_teleported", ourData, schemas.Reference{refPayment: payID, refReference: order}},
		"ids that cannot be asked by":  {"payment_teleported", `"id":"act_` + payID[4:] + `","session_id":"3ds_` + sid[4:] + `"`, schemas.Reference{}},
		"nothing, but data of its own": {"card_created", `"id":"crd_1"`, schemas.Reference{}},
	} {
		o := reader().Read(notified(tc.kind, tc.data), providers.Payment{})
		assert.Equal(t, tc.want, o.About, name)
		assert.Equal(t, tc.want[refReference], o.MerchantReference, name)
	}
}

func TestANotificationAboutAnotherPaymentIsAMismatch(t *testing.T) {
	t.Parallel()
	p := known(schemas.Reference{refPayment: payID, refReference: order, refSession: sid})
	for name, tc := range map[string]struct{ kind, data, code string }{
		"another id":        {"payment_captured", `"id":"` + otherID + `"`, providers.CodeOtherPayment},
		"another reference": {"payment_captured", `"id":"` + payID + `","reference":"ORD-1002"`, providers.CodeOtherPayment},
		"another session": {
			"authentication_failed", `"payment_id":"` + payID + `","session_id":"sid_dszjr3brue6epfvlvyq4lv6okm"`, providers.CodeOtherPayment,
		},
		"another currency":              {"payment_captured", `"id":"` + payID + `","amount":8000,"currency":"USD"`, providers.CodeOtherCurrency},
		"another amount":                {"payment_approved", `"id":"` + payID + `","amount":7999`, providers.CodeOtherAmount},
		"another amount, as text":       {"authentication_approved", `"payment_id":"` + payID + `","amount":"7999"`, providers.CodeOtherAmount},
		"a capture of more":             {"payment_captured", `"id":"` + payID + `","amount":8001`, providers.CodeOtherAmount},
		"a dispute of another payment":  {"dispute_received", `"id":"dsp_1","payment_id":"` + otherID + `"`, providers.CodeOtherPayment},
		"a dispute of another order":    {"dispute_received", `"id":"dsp_1","payment_reference":"ORD-1002"`, providers.CodeOtherPayment},
		"a verified card and an amount": {"card_verified", `"id":"` + payID + `","amount":100`, providers.CodeOtherAmount},
	} {
		o := reader().Read(notified(tc.kind, tc.data), p)
		assert.Equal(t, providers.Mismatch, o.Kind, name)
		assert.Equal(t, tc.code, o.Code, name)
	}
	o := reader().Read(notified("dispute_received", `"id":"dsp_1","payment_id":"`+payID+`","amount":1,"currency":"USD"`), p)
	assert.Equal(t, schemas.Disputed, observe(t, o).Status, "a dispute's amount and currency are its own")
}

func TestWhatSaysNothingAboutThePaymentsStateHasNoStatus(t *testing.T) {
	t.Parallel()
	p := known(byID)
	for _, kind := range ignoredTypes {
		o := reader().Read(notified(kind, ourData), p)
		assert.Equal(t, providers.NoStatus, o.Kind, kind)
		assert.Equal(t, providers.CodeIgnoredType, o.Code, kind)
	}
	o := reader().Read(notified("payment_teleported", ourData), p)
	assert.Equal(t, providers.NoStatus, o.Kind)
	assert.Equal(t, providers.CodeUnknownType, o.Code)

	anonymous := notified("payment_captured", `"amount":8000`)
	assert.Equal(t, providers.NoStatus, reader().Read(anonymous, providers.Payment{}).Kind, "it names no payment")
	assert.Equal(t, schemas.Captured, observe(t, reader().Read(anonymous, p)).Status, "it was matched from outside")
}

func TestNotificationsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no type":        `{"id":"evt_1","data":{` + ourData + `}}`,
		"a blank type":   `{"type":" ","data":{` + ourData + `}}`,
		"a type of 17":   `{"type":17,"data":{` + ourData + `}}`,
		"no data":        `{"type":"payment_captured"}`,
		"data of 17":     `{"type":"payment_captured","data":17}`,
		"nothing known":  `{"a":1}`,
		"no JSON":        `payment_captured`,
		"half of it":     `{"type":"payment_captured","data":{`,
		"an amount of x": `{"type":"payment_approved","data":{` + ourData + `,"amount":"x"}}`,
	} {
		answer := providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page("", 0, body)}}
		assert.Equal(t, providers.Unreadable, reader().Read(answer, known(byID)).Kind, name)
	}
}

func TestDisputesAreNamedAndDecided(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]schemas.DisputeOutcome{
		"dispute_received": schemas.DisputeOpen, "dispute_evidence_required": schemas.DisputeOpen, "dispute_won": schemas.DisputeWon,
		"dispute_canceled": schemas.DisputeWon, "dispute_lost": schemas.DisputeLost, "dispute_expired": schemas.DisputeLost,
	} {
		o := observe(t, reader().Read(notified(kind, `"id":"dsp_1","payment_id":"`+payID+`"`), known(byID)))
		assert.Equal(t, &schemas.Dispute{ID: "dsp_1", Outcome: want}, o.Dispute, kind)
		assert.False(t, o.DisputeUnnamed)
		assert.Equal(t, payID, o.ProviderPaymentID)
	}
	o := observe(t, reader().Read(notified("payment_chargeback", ourData), known(byID)))
	assert.Equal(t, &schemas.Dispute{ID: "evt_1", Outcome: schemas.DisputeLost}, o.Dispute)
	assert.True(t, o.DisputeUnnamed, "the event's own id stands for the dispute's")
}

func TestANegativeNotificationByReferenceAloneIsNotFinal(t *testing.T) {
	t.Parallel()
	declined := notified("payment_authentication_failed", ourData, `"3ds":{"authentication_id":"`+sid+`"}`)
	for name, tc := range map[string]struct {
		p     providers.Payment
		again bool
	}{
		"a payment known by id":        {known(byID), false},
		"a payment known by session":   {known(bySession), false},
		"a payment known by reference": {known(byOrder), true},
		"no payment known":             {providers.Payment{}, false},
	} {
		assert.Equal(t, tc.again, observe(t, reader().Read(declined, tc.p)).PayableAgain, name)
	}
}

func TestANotificationHappenedWhenItWasProcessed(t *testing.T) {
	t.Parallel()
	p := known(byID)
	o := observe(t, reader().Read(notified("payment_captured", ourData, `"processed_on":"2026-01-02T04:04:00+01:00"`), p))
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), o.OccurredAt)
	o = observe(t, reader().Read(notified("payment_captured", ourData), p))
	assert.Equal(t, time.Date(2026, 1, 2, 3, 5, 0, 123456700, time.UTC), o.OccurredAt, "the notification's own time, with all digits")
	abc := notified("payment_captured", ourData)
	abc.Pages[0].Body = []byte(strings.Replace(string(abc.Pages[0].Body), "timestamp", "created_on", 1))
	o = observe(t, reader().Read(abc, p))
	assert.Equal(t, time.Date(2026, 1, 2, 3, 5, 0, 123456700, time.UTC), o.OccurredAt)
	require.Equal(t, map[string]any{"type": "payment_captured"}, o.ProviderStatus)
}
