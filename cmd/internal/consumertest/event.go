// Package consumertest has what tests of consumers need: a log with status events in it, stories of payments, databases, and a subscriber
// that forgets acknowledgements as a killed process does.
package consumertest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// Event is a status event in short. What is left out: provider checkout, account default, 100.00 EUR requested, type status_changed.
type Event struct {
	Payment, Provider string
	Type              string
	Status            schemas.Status
	Final             bool
	Requested         int64
	Captured          int64
	Refunded          int64
	Currency          string
	Exponent          int
	Entry             int
	Dispute           *schemas.Dispute
	Corrects          uuid.UUID
	Reason            string // of an unresolved event
	Metadata          map[string]string
	Minute            int // after noon, of the observation
}

// Noon is when stories begin.
var Noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func (e Event) filled() Event {
	if e.Type == "" {
		e.Type = schemas.TypeStatusChanged
	}
	if e.Provider == "" {
		e.Provider = "checkout"
	}
	if e.Requested == 0 {
		e.Requested = 10000
	}
	if e.Currency == "" {
		e.Currency, e.Exponent = "EUR", 2
	}
	if e.Entry == 0 && e.Dispute == nil {
		e.Entry = 1
	}
	return e
}

// Key names the event's payment.
func (e Event) Key() schemas.PaymentKey {
	return schemas.PaymentKey{Provider: e.filled().Provider, Account: "default", PaymentID: e.Payment}
}

// ID is the event's, as the pipeline would give it.
func (e Event) ID() uuid.UUID {
	e = e.filled()
	stated := func(sum int64) int64 {
		if sum == e.Requested {
			return 0
		}
		return sum
	}
	return schemas.EventID(e.Key(), schemas.Facts{
		Status: e.Status, Entry: e.Entry, Dispute: e.Dispute, Final: e.Final, Reason: e.Reason,
		Sums: schemas.Sums{Captured: stated(e.Captured), Refunded: stated(e.Refunded)},
	})
}

// Record is the event as it stands in Kafka, held against its schema.
func (e Event) Record(t testing.TB) ([]consume.Header, []byte) {
	t.Helper()
	e = e.filled()
	observed := Noon.Add(time.Duration(e.Minute) * time.Minute)
	money := func(value int64) *schemas.Money {
		if value == 0 {
			return nil
		}
		return &schemas.Money{Value: value, Currency: e.Currency, Exponent: e.Exponent}
	}
	c := schemas.Change{
		PaymentID: e.Payment, Provider: e.Provider, Account: "default", Status: e.Status, Final: e.Final, Funds: e.Status.Funds(),
		Amounts:    schemas.Amounts{Requested: money(e.Requested), Captured: money(e.Captured), Refunded: money(e.Refunded)},
		ObservedAt: observed, Source: schemas.SourceQuery, Entry: e.Entry, Dispute: e.Dispute, Metadata: e.Metadata,
		Anomalies: []schemas.Anomaly{}, Normalizer: e.Provider + "/1",
	}
	if e.Reason != "" {
		c.Reason = &schemas.Reason{Code: e.Reason}
	}
	if e.Corrects != uuid.Nil {
		c.Corrects = e.Corrects.String()
	}
	value, err := json.Marshal(c)
	require.NoError(t, err)
	schematest.ValidateChange(t, value)
	return []consume.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(e.ID().String())},
		{Key: "ce_type", Value: []byte(e.Type)},
		{Key: "ce_source", Value: []byte("/paystatus")},
		{Key: "ce_subject", Value: []byte(e.Payment)},
		{Key: "ce_time", Value: []byte(observed.Format(time.RFC3339Nano))},
		{Key: "content-type", Value: []byte("application/json")},
	}, value
}

// Decoded is the event as a consumer reads it.
func (e Event) Decoded(t testing.TB) consume.Event {
	t.Helper()
	decoded, err := consume.Decode(e.Record(t))
	require.NoError(t, err)
	return decoded
}

// Correction makes e the correction of another event.
func (e Event) Correction(of Event) Event {
	e.Type, e.Corrects = schemas.TypeStatusCorrected, of.ID()
	return e
}

// Of gives the events of one story, a minute apart. The payments' ids in it are only the ends of theirs; the story's id stands before.
func Of(story string, events ...Event) []Event {
	all := make([]Event, len(events))
	for i, e := range events {
		e.Payment = story + e.Payment
		if e.Minute == 0 {
			e.Minute = i
		}
		all[i] = e
	}
	return all
}

// String names the event in a failing test.
func (e Event) String() string {
	return fmt.Sprintf("%s %s %s", e.Payment, e.filled().Provider, e.Status)
}
