package handlers

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// reading is a provider of which only the name and the version matter.
type reading struct{ providers.Provider }

func (reading) Name() string       { return "liquido" }
func (reading) Normalizer() string { return "liquido/1" }

// statement is a change to captured, with the check that led to it.
func statement() (*watch.Statement, *watch.Check, providers.Payment, time.Time) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	check := &watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "p"}, Cause: schemas.CauseSchedule, Attempt: 2,
		Context: &watch.Context{
			Amount: schemas.Amount{Value: 300, Currency: "COP"}, Metadata: map[string]string{"order": "7"}, CausationID: "initiated-1",
			Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Reference: schemas.Reference{"idempotency_key": "k"},
		},
	}
	payment := providers.Payment{ID: "p", Account: "default", Reference: check.Context.Reference, Amount: &check.Context.Amount}
	r := &watch.Reading{
		From: schemas.SourceQuery,
		Answer: providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{
			HTTPStatus: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"a": "<&>"}`), ReceivedAt: now,
		}}},
		Outcome: providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{
			Status: schemas.Captured, Final: true, ProviderPaymentID: "k", ProviderStatus: map[string]any{"transfer_status": "SETTLED"},
		}},
	}
	s := &watch.Statement{
		Type: schemas.TypeStatusChanged, Previous: schemas.Pending, Reading: r,
		Facts: schemas.Facts{Status: schemas.Captured, Entry: 1, Final: true},
		Trail: watch.Trail{Version: watch.Version, PaymentKey: check.PaymentKey, Place: watch.Place{Epoch: 1, Step: 2}},
	}
	return s, check, payment, now
}

func TestAnEventSaysTheSameInBothModes(t *testing.T) {
	t.Parallel()
	s, check, payment, now := statement()
	c := change(s, check, reading{}, payment, now)
	binary, err := Events{Source: "/paystatus"}.record(s, c, check)
	require.NoError(t, err)
	structured, err := Events{Source: "/paystatus", Structured: true}.record(s, c, check)
	require.NoError(t, err)

	schematest.ValidateChange(t, binary.Value)
	schematest.ValidateStructured(t, structured.Value)
	var envelope struct {
		ID          string          `json:"id"`
		Type        string          `json:"type"`
		Subject     string          `json:"subject"`
		Time        string          `json:"time"`
		DataSchema  string          `json:"dataschema"`
		Traceparent string          `json:"traceparent"`
		CausationID string          `json:"causationid"`
		Data        json.RawMessage `json:"data"`
	}
	require.NoError(t, json.Unmarshal(structured.Value, &envelope))
	assert.JSONEq(t, string(binary.Value), string(envelope.Data))
	m := Message{Headers: binary.Headers}
	for name, value := range map[string]string{
		"ce_specversion": "1.0", "ce_id": envelope.ID, "ce_type": envelope.Type, "ce_source": "/paystatus", "ce_subject": envelope.Subject, "ce_time": envelope.Time,
		"ce_dataschema": envelope.DataSchema, "content-type": "application/json", "traceparent": envelope.Traceparent, "ce_causationid": envelope.CausationID,
	} {
		assert.Equal(t, value, m.header(name), name)
	}
	assert.Equal(t, schemas.EventID(check.PaymentKey, s.Facts).String(), envelope.ID)
	assert.Equal(t, "2026-01-02T03:04:05.6Z", envelope.Time)
	assert.Equal(t, "initiated-1", envelope.CausationID)
	assert.Equal(t, "application/cloudevents+json", Message{Headers: structured.Headers}.header("content-type"))
	assert.Equal(t, "p", string(structured.Key))

	for name, headers := range map[string][]Header{"binary": binary.Headers, "structured": structured.Headers} {
		assert.Equal(t, &s.Trail, TrailOf(Message{Headers: headers}), name)
	}
}

func TestAnEventStatesTheSumsOfTheQueryThatItsFactsAreFrom(t *testing.T) {
	t.Parallel()
	s, check, payment, now := statement()
	money := func(value int64) *schemas.Money { return &schemas.Money{Value: value, Currency: "COP", Exponent: 2} }
	s.Reading.Outcome.Observation.Amounts = schemas.Amounts{Requested: money(300), Captured: money(300)}
	s.Beside = schemas.Amounts{Captured: money(200), Refunded: money(30)}
	assert.Equal(t, schemas.Amounts{Requested: money(300), Captured: money(200), Refunded: money(30)},
		change(s, check, reading{}, payment, now).Amounts)
}

func TestWithoutRawOnlyItsHashAndSizeLeave(t *testing.T) {
	t.Parallel()
	s, check, payment, now := statement()
	c := change(s, check, reading{}, payment, now)
	out, err := Events{Source: "/paystatus", OmitRaw: true}.record(s, c, check)
	require.NoError(t, err)
	schematest.ValidateChange(t, out.Value)
	var data schemas.Change
	require.NoError(t, json.Unmarshal(out.Value, &data))
	assert.Empty(t, data.Raw.Body)
	assert.Equal(t, 12, data.Raw.Size)
	assert.Equal(t, c.Raw.SHA256, data.Raw.SHA256)
	assert.NotContains(t, string(out.Value), "<&>")
}
