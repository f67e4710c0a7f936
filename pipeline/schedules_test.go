package pipeline_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// steady is a provider that says the same whenever it is asked, and notes when that was.
type steady struct {
	providers.Provider

	says  providers.Outcome
	asked []time.Time
}

func (s *steady) Ask(context.Context, providers.Payment) (providers.Answer, error) {
	s.asked = append(s.asked, time.Now())
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{HTTPStatus: 200, Body: []byte("{}"), ReceivedAt: time.Now()}}}, nil
}

func (s *steady) Verify(providers.Answer, string, bool) error { return nil }

func (s *steady) Read(providers.Answer, providers.Payment) providers.Outcome {
	o := s.says
	if o.Observation != nil {
		observation := *o.Observation
		o.Observation = &observation
	}
	return o
}

// TestEveryBuiltInScheduleIsWalkedToItsEnd watches payments of every provider and method that has a schedule of its own, in every
// phase, with the real check handler and delays as the tiers make them, until the watch ends: weeks of virtual time.
func TestEveryBuiltInScheduleIsWalkedToItsEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(demo.SandboxConfig(demo.Simulators(), "http://127.0.0.1")), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	connected, err := pipeline.Connect(c, nil)
	require.NoError(t, err)
	says := func(status schemas.Status) providers.Outcome {
		return providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: status}}
	}
	for _, provider := range slices.Sorted(maps.Keys(connected)) {
		for _, method := range append([]string{""}, slices.Sorted(maps.Keys(c.Schedules[provider].Methods))...) {
			s := c.Schedules.For(provider, method)
			for name, tc := range map[string]struct {
				says   providers.Outcome
				rhythm watch.Rhythm
				ends   time.Duration
				reason string
			}{
				"open":       {says(schemas.Pending), s.Open, s.Open.Deadline, schemas.UnresolvedDeadline},
				"authorized": {says(schemas.Authorized), s.Authorized, s.Authorized.Deadline, schemas.UnresolvedDeadline},
				"refund":     {says(schemas.RefundPending), s.Refund, s.Refund.Deadline, schemas.UnresolvedDeadline},
				"not found": {
					providers.Failure(providers.NotFound, providers.CodeNotFound, "it does not know it"), s.Open, s.NotFoundGrace, schemas.UnresolvedNotFound,
				},
			} {
				t.Run(provider+" "+method+" "+name, func(t *testing.T) {
					t.Parallel()
					began := time.Now()
					synctest.Test(t, func(t *testing.T) {
						told := &steady{Provider: connected[provider], says: tc.says}
						reason := walked(t, told, s, method)
						keepsPace(t, told.asked, s.Jitter, tc.rhythm, tc.ends)
						assert.Equal(t, tc.reason, reason)
						t.Logf("%d requests in %v", len(told.asked), told.asked[len(told.asked)-1].Sub(told.asked[0]))
					})
					t.Logf("took %v", time.Since(began))
				})
			}
		}
	}
}

// walked watches a payment from its first check to the end of the watch, and tells why that ended unresolved.
func walked(t *testing.T, provider *steady, s watch.Schedule, method string) (reason string) {
	t.Helper()
	memory := handlers.NewMemory()
	memory.Assign(0, time.Now())
	h := &handlers.Check{
		Providers: map[string]providers.Provider{provider.Name(): provider}, Schedule: func(string, string) watch.Schedule { return s },
		Memory: memory, Events: handlers.Events{Source: "/paystatus"}, Random: rand.Float64, Timeout: 10 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
	origin := &watch.Origin{Topic: "payments.initiated", Time: time.Now()}
	event := schemas.Initiated{
		PaymentID: "order-1", Provider: provider.Name(), Account: schemas.DefaultAccount, InitiatedAt: time.Now(), Method: method,
		Amount: schemas.Amount{Value: 1000, Currency: "EUR"}, Capture: schemas.CaptureManual,
	}
	check := watch.Check{
		PaymentKey: event.Key(), Kind: watch.KindInitiated, Cause: schemas.CauseInitiated, Origin: origin,
		Context: watch.NewContext(event, schemas.Reference{"reference": "order-1"}, origin),
	}
	next, err := check.Encode()
	require.NoError(t, err)
	for next != nil {
		result, err := h.Handle(t.Context(), handlers.Message{Key: []byte(event.PaymentID), Value: next, Time: time.Now()})
		require.NoError(t, err)
		result.Done()
		next = nil
		for _, out := range result.Out {
			switch out.To {
			case handlers.ToStatusChanged:
				require.Empty(t, reason, "nothing is said after the end")
				reason = unresolved(t, out.Value)
			case handlers.ToDelay:
				next = out.Value
				for _, tier := range delay.Standard.Compose(out.After) {
					time.Sleep(tier.Delay)
				}
			case handlers.ToChecks, handlers.ToDeadLetters, handlers.ToReplays:
				t.Errorf("%s: %s", out.To, out.Value)
			}
		}
	}
	return reason
}

// keepsPace holds the times of all checks against a rhythm: never earlier than planned less jitter, so never more often, never
// later than tiers make it, and one last time when the watch ends.
func keepsPace(t *testing.T, asked []time.Time, jitter float64, rhythm watch.Rhythm, ends time.Duration) {
	t.Helper()
	assert.GreaterOrEqual(t, asked[len(asked)-1].Sub(asked[0]), ends)
	for i, at := range asked[1:] {
		planned, gap, left := rhythm.Planned(i), at.Sub(asked[i]), ends-asked[i].Sub(asked[0])
		least := planned
		if planned >= 5*time.Second {
			least -= time.Duration(jitter * float64(planned))
		}
		assert.Positive(t, left, "check %d comes after the end", i+2)
		assert.GreaterOrEqual(t, gap, min(least, left), "check %d", i+2)
		assert.LessOrEqual(t, gap, composed(min(planned, left)), "check %d", i+2)
	}
}

// composed is how long the tiers make a delay.
func composed(d time.Duration) (total time.Duration) {
	for _, tier := range delay.Standard.Compose(d) {
		total += tier.Delay
	}
	return total
}

// unresolved is why an event says that a watch ended; "" for one that says a status.
func unresolved(t *testing.T, event []byte) string {
	t.Helper()
	var c schemas.Change
	require.NoError(t, json.Unmarshal(event, &c))
	if !c.Final {
		return ""
	}
	require.NotNil(t, c.Reason)
	return c.Reason.Code
}
