package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestAnIdentifierThatAnAnswerTaughtIsUsedFromThenOnButIsNotAnInitiatedEvents(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := schemas.Initiated{PaymentID: "p", Provider: "checkout", Account: "default", Amount: schemas.Amount{Value: 1, Currency: "EUR"}, InitiatedAt: now}
	first := NewContext(event, schemas.Reference{"session_id": "sid"}, &Origin{Topic: "t", Offset: 1, Time: now})
	var lane Lane
	taken := lane.Take(Check{PaymentKey: event.Key(), Kind: KindInitiated, Context: first, Origin: first.Earliest}, now)
	answer := providers.Outcome{
		Kind: providers.Observed, Learned: schemas.Reference{"payment_id": "pay"},
		Observation: &providers.Observation{Status: schemas.Pending, ProviderPaymentID: "pay"},
	}
	decision := Decide(&Question{
		Check: taken.Check, Lane: lane, Query: Reading{From: schemas.SourceQuery, Outcome: answer}, Now: now,
		Schedule: Schedule{Open: Rhythm{Every: time.Minute, Deadline: time.Hour}},
	})

	require.NotNil(t, decision.Next)
	assert.Equal(t, schemas.Reference{"session_id": "sid", "payment_id": "pay"}, decision.Next.Check.Context.Known())
	assert.Equal(t, schemas.Reference{"session_id": "sid"}, decision.Next.Check.Context.Reference)

	later := NewContext(event, schemas.Reference{"payment_id": "another"}, &Origin{Topic: "t", Offset: 2, Time: now})
	lane = decision.Lane
	again := lane.Take(Check{PaymentKey: event.Key(), Kind: KindInitiated, Context: later, Origin: later.Earliest}, now)
	assert.Equal(t, Ask, again.Verdict, "what an answer taught contradicts no initiated event")
	assert.Equal(t, "another", again.Check.Context.Known()["payment_id"], "what an event gives comes first")
}
