package providers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// gatekeeper is a provider whose checks come to what a test says.
type gatekeeper struct {
	providers.Provider

	outcome providers.Outcome
	err     error
	asked   atomic.Int32
}

func (g *gatekeeper) Name() string { return "gatekeeper" }

func (g *gatekeeper) Ask(context.Context, providers.Payment) (providers.Answer, error) {
	g.asked.Add(1)
	return providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{{Body: []byte("{}")}}}, g.err
}

func (g *gatekeeper) Verify(providers.Answer, string, bool) error { return nil }

func (g *gatekeeper) Read(providers.Answer, providers.Payment) providers.Outcome { return g.outcome }

var (
	refused = providers.Failure(providers.Refused, providers.CodeUnauthorized, "the provider refused the request with HTTP 401")
	seen    = providers.Outcome{Kind: providers.Observed, Observation: &providers.Observation{Status: schemas.Captured}}
)

func mustCheck(t *testing.T, r *providers.Refusals, g *gatekeeper, account string) providers.Outcome {
	t.Helper()
	_, o, err := r.Check(t.Context(), g, providers.Payment{ID: "p", Account: account})
	require.NoError(t, err)
	return o
}

func TestARefusedAccountIsAskedOnceAMinuteUntilItIsMended(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		share *providers.Share
		every time.Duration
	}{
		"by one instance":                    {nil, time.Minute},
		"by each of four as much less often": {sharing(3, 12), 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &gatekeeper{outcome: refused}
				r := &providers.Refusals{Share: tc.share}
				for range 1000 {
					o := mustCheck(t, r, g, "default")
					assert.Equal(t, providers.Refused, o.Kind)
					assert.Equal(t, providers.CodeUnauthorized, o.Code)
				}
				assert.Equal(t, int32(3), g.asked.Load(), "three in a row say that it is not the payment")
				assert.Equal(t, providers.Refused, mustCheck(t, r, g, "brazil").Kind)
				assert.Equal(t, int32(4), g.asked.Load(), "another account has other credentials")

				g.asked.Store(0)
				for range 3600 {
					time.Sleep(time.Second)
					mustCheck(t, r, g, "default")
				}
				assert.InDelta(t, time.Hour/tc.every, g.asked.Load(), 0)

				g.outcome = seen
				time.Sleep(tc.every)
				for range 10 {
					assert.Equal(t, seen, mustCheck(t, r, g, "default"))
				}
			})
		})
	}
}

func sharing(owned, all int) *providers.Share {
	s := &providers.Share{}
	s.Set(owned, all)
	return s
}

func TestANewShareForgetsNoRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gatekeeper{outcome: refused}
		r := &providers.Refusals{Share: sharing(12, 12)}
		for range 5 {
			mustCheck(t, r, g, "default")
		}
		r.Share.Set(6, 12)
		o := mustCheck(t, r, g, "default")
		assert.Equal(t, providers.CodeUnauthorized, o.Code)
		assert.Contains(t, o.Message, "HTTP 401")
		assert.Equal(t, int32(3), g.asked.Load())
		time.Sleep(2 * time.Minute)
		mustCheck(t, r, g, "default")
		assert.Equal(t, int32(4), g.asked.Load())
	})
}

func TestWhatSaysThatAnAccountIsRefused(t *testing.T) {
	t.Parallel()
	forbidden := providers.Failure(providers.Refused, providers.CodeForbidden, "")
	for name, tc := range map[string]struct {
		run     []providers.Outcome
		refused bool
	}{
		"401 thrice":                      {[]providers.Outcome{refused, refused, refused}, true},
		"401 and 403":                     {[]providers.Outcome{refused, forbidden, refused}, true},
		"one payment among others":        {[]providers.Outcome{refused, refused, seen, refused, refused}, false},
		"a payment that is not found":     {[]providers.Outcome{refused, refused, {Kind: providers.NotFound}, refused}, false},
		"a provider that does not answer": {[]providers.Outcome{refused, refused, {Kind: providers.Unavailable}, refused}, true},
		"requests that are bad":           {[]providers.Outcome{bad, bad, bad, bad, bad}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, r := &gatekeeper{}, &providers.Refusals{}
			for _, o := range tc.run {
				g.outcome = o
				mustCheck(t, r, g, "default")
			}
			g.outcome = seen
			assert.Equal(t, tc.refused, mustCheck(t, r, g, "default").Kind == providers.Refused)
		})
	}
}

var bad = providers.Failure(providers.Refused, providers.CodeBadRequest, "")

func TestAProbeThatTellsNothingIsRepeated(t *testing.T) {
	t.Parallel()
	for name, become := range map[string]func(*gatekeeper){
		"given up":    func(g *gatekeeper) { g.err = errors.New("given up") },
		"unavailable": func(g *gatekeeper) { g.outcome = providers.Outcome{Kind: providers.Unavailable} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, r := &gatekeeper{outcome: refused}, &providers.Refusals{}
				for range 3 {
					mustCheck(t, r, g, "default")
				}
				time.Sleep(time.Minute)
				become(g)
				_, _, _ = r.Check(t.Context(), g, providers.Payment{Account: "default"})
				assert.Equal(t, int32(4), g.asked.Load())
				g.outcome, g.err = seen, nil
				assert.Equal(t, providers.Refused, mustCheck(t, r, g, "default").Kind)
				time.Sleep(time.Minute)
				assert.Equal(t, seen, mustCheck(t, r, g, "default"))
			})
		})
	}
}

func TestWithoutRefusalsEveryCheckIsMade(t *testing.T) {
	t.Parallel()
	g := &gatekeeper{outcome: refused}
	for range 10 {
		mustCheck(t, nil, g, "default")
	}
	assert.Equal(t, int32(10), g.asked.Load())
}
