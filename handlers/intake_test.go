package handlers

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// plain is a provider with one account and references of one name.
type plain struct{ providers.Provider }

func (plain) Accounts() []string { return []string{schemas.DefaultAccount} }

func (plain) Identify(e schemas.Initiated) (schemas.Reference, error) {
	if e.Reference["key"] == "" {
		return nil, &schemas.FieldError{Field: "reference.key", Problem: "is missing"}
	}
	return schemas.Reference{"key": e.Reference["key"]}, nil
}

func newIntake() *Intake {
	return &Intake{Providers: map[string]providers.Provider{"liquido": plain{}}, Types: []string{schemas.TypeInitiated}}
}

const goodEvent = `{"payment_id":"p","provider":"liquido","amount":{"value":1,"currency":"EUR"},"initiated_at":"2026-01-01T00:00:00Z",` +
	`"reference":{"key":"k","unknown":"x"},"metadata":{"order":"7"},"initiation_response":{"http_status":201,"body":"{}"}}`

func TestIntakeAsksForTheFirstCheck(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	result, err := newIntake().Handle(t.Context(), Message{
		Topic: "in", Partition: 3, Offset: 7, Time: at, Key: []byte("any key"), Value: []byte(goodEvent),
		Headers: []Header{{Key: "traceparent", Value: []byte("00-trace")}},
	})
	require.NoError(t, err)
	require.Len(t, result.Out, 1)
	assert.Equal(t, ToChecks, result.Out[0].To)
	assert.Equal(t, "p", string(result.Out[0].Key), "what we produce is keyed by payment_id")
	check, err := watch.DecodeCheck(result.Out[0].Value)
	require.NoError(t, err)
	assert.Equal(t, watch.KindInitiated, check.Kind)
	assert.Equal(t, &watch.Origin{Topic: "in", Partition: 3, Offset: 7, Time: at}, check.Origin)
	assert.Equal(t, schemas.Reference{"key": "k"}, check.Context.Reference)
	assert.Equal(t, map[string]string{"order": "7"}, check.Context.Metadata)
	assert.Equal(t, "00-trace", check.Context.Traceparent)
	assert.Equal(t, schemas.SourceInitiation, check.Evidence.From, "the provider's synchronous answer travels along")
}

func TestIntakeCountsWhatItReads(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	h := newIntake()
	h.Count = func(event string) { counts[event]++ }
	for _, m := range []Message{
		{Value: []byte(goodEvent)},
		{Value: []byte(`{}`)},
		{Value: []byte(`nope`)},
		{Value: nil, Headers: []Header{{Key: "ce_type", Value: []byte("order.placed")}}},
	} {
		_, err := h.Handle(t.Context(), m)
		require.NoError(t, err)
	}
	assert.Equal(t, map[string]int{"accepted": 1, "invalid_event": 1, "not_json": 1, "ignored": 1}, counts)
}

func TestADeadLetterGivenUpAgainNamesItsLastReasonOnly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := deadLetter(Message{Topic: "a", Value: []byte("x"), Headers: []Header{{Key: "h", Value: []byte("1")}}}, NameIntake, CodeNotJSON, "first", now, nil)
	again := deadLetter(Message{Topic: "b", Value: first.Value, Headers: first.Headers}, NameIntake, CodeEmpty, "again", now, nil)
	reasons := 0
	for _, h := range again.Headers {
		if h.Key == HeaderReason {
			reasons++
			assert.Equal(t, "empty", string(h.Value))
		}
	}
	assert.Equal(t, 1, reasons)
	assert.Equal(t, Header{Key: "h", Value: []byte("1")}, again.Headers[0])
}

func TestEveryReasonIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[watch.Code]bool{}
	for _, r := range Reasons {
		assert.False(t, seen[r.Code], "%s stands twice", r.Code)
		seen[r.Code] = true
		assert.NotEmpty(t, r.Meaning, r.Code)
		assert.NotEmpty(t, r.Remedy, r.Code)
	}
}

// FuzzIntake holds that whatever comes in is a check for a payment that the data names, an event that is none of ours, or a
// dead letter with the exact bytes; never an error, never a panic.
func FuzzIntake(f *testing.F) {
	f.Add([]byte(goodEvent), "", "")
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/x","type":"payment.initiated","data":`+goodEvent+`}`), "", "application/cloudevents+json")
	f.Add([]byte(goodEvent), "payment.initiated", "")
	f.Add([]byte{}, "", "")
	h := newIntake()
	f.Fuzz(func(t *testing.T, value []byte, eventType, contentType string) {
		m := Message{Topic: "in", Value: value}
		if eventType != "" {
			m.Headers = append(m.Headers, Header{Key: "ce_type", Value: []byte(eventType)})
		}
		if contentType != "" {
			m.Headers = append(m.Headers, Header{Key: "content-type", Value: []byte(contentType)})
		}
		result, err := h.Handle(t.Context(), m)
		if err != nil || len(result.Out) > 1 {
			t.Fatalf("%d records, error %v", len(result.Out), err)
		}
		for _, out := range result.Out {
			switch out.To {
			case ToDeadLetters:
				if string(out.Value) != string(value) {
					t.Fatal("the dead letter does not hold the exact bytes")
				}
			case ToChecks:
				check, err := watch.DecodeCheck(out.Value)
				if err != nil || check.PaymentID == "" || check.Provider != "liquido" || check.Context == nil {
					t.Fatalf("not a check: %v", errors.Join(err, json.Unmarshal(out.Value, &struct{}{})))
				}
				if claimed := About(NameIntake, m, nil); claimed.PaymentID != check.PaymentID || string(out.Key) != check.PaymentID {
					t.Fatalf("a check of %q for an event of %q", check.PaymentID, claimed.PaymentID)
				}
			default:
				t.Fatalf("a record for %s", out.To)
			}
		}
	})
}
