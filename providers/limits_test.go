package providers_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

// patient is a provider whose behaviour a test changes; it counts the requests that arrive.
type patient struct {
	asked atomic.Int32
	now   roundTrip
}

func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	return p.now(r)
}

func breaks(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") }

// breaker makes a transport whose breaker opens after three failures for half a minute.
func breaker(p *patient) *providers.Transport {
	s := limits()
	s.Breaker = providers.BreakerSettings{Failures: 3, Open: 30 * time.Second}
	return providers.NewTransport(s, providers.Options{RoundTripper: p})
}

func TestABreakerOpensAfterFailuresInARowAndClosesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{now: breaks}
		transport := breaker(p)
		ask := func() string {
			_, fault := mustGet(t, transport, nowhere)
			if fault == nil {
				return "answered"
			}
			return fault.Code
		}
		for range 3 {
			assert.Equal(t, providers.CodeConnection, ask())
		}
		_, fault := mustGet(t, transport, nowhere)
		require.NotNil(t, fault)
		assert.Equal(t, providers.Unavailable, fault.Kind)
		assert.Equal(t, providers.CodeBreakerOpen, fault.Code)
		assert.Equal(t, 30*time.Second, fault.RetryAfter)
		assert.Equal(t, int32(3), p.asked.Load(), "the provider is left alone")

		time.Sleep(29 * time.Second)
		_, fault = mustGet(t, transport, nowhere)
		assert.Equal(t, 2*time.Second, fault.RetryAfter, "behind the one before")

		time.Sleep(time.Second)
		assert.Equal(t, providers.CodeConnection, ask(), "one request is the trial")
		assert.Equal(t, providers.CodeBreakerOpen, ask(), "it failed")
		assert.Equal(t, int32(4), p.asked.Load())

		time.Sleep(30 * time.Second)
		p.now = replies(200, "{}")
		assert.Equal(t, "answered", ask())
		p.now = breaks
		for range 3 {
			assert.Equal(t, providers.CodeConnection, ask(), "it is closed and counts anew")
		}
		assert.Equal(t, providers.CodeBreakerOpen, ask())
	})
}

func TestNobodyWaitsForATurnWhileTheBreakerIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := limits()
		s.Rate, s.Breaker.Failures = 1, 1
		transport := providers.NewTransport(s, providers.Options{RoundTripper: roundTrip(breaks)})
		mustGet(t, transport, nowhere)
		began := time.Now()
		_, fault := mustGet(t, transport, nowhere)
		assert.Equal(t, providers.CodeBreakerOpen, fault.Code)
		assert.Zero(t, time.Since(began))
	})
}

func TestOnlyOneRequestIsTheTrial(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &patient{now: breaks}
		transport := breaker(p)
		for range 3 {
			mustGet(t, transport, nowhere)
		}
		time.Sleep(30 * time.Second)
		p.now = hangs
		var all sync.WaitGroup
		var refused atomic.Int32
		for range 10 {
			all.Go(func() {
				if _, fault := mustGet(t, transport, nowhere); fault.Code == providers.CodeBreakerOpen {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(9), refused.Load())
		assert.Equal(t, int32(4), p.asked.Load())
	})
}

func TestWhatCountsAsAFailureOfTheProvider(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		now   roundTrip
		opens bool
	}{
		"503":       {replies(503, ""), true},
		"500":       {replies(500, ""), true},
		"time-outs": {hangs, true},
		"resets":    {breaks, true},
		"429":       {replies(429, ""), true},
		"401":       {replies(401, ""), false},
		"404":       {replies(404, ""), false},
		"302":       {replies(302, ""), false},
		"200":       {replies(200, "<html>"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &patient{now: tc.now}
				transport := breaker(p)
				for range 3 {
					mustGet(t, transport, nowhere)
				}
				_, fault := mustGet(t, transport, nowhere)
				assert.Equal(t, tc.opens, fault != nil && fault.Code == providers.CodeBreakerOpen)
			})
		})
	}
	t.Run("not failures with a success between", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &patient{}
			transport := breaker(p)
			for _, now := range []roundTrip{breaks, breaks, replies(200, ""), breaks, breaks, breaks} {
				p.now = now
				mustGet(t, transport, nowhere)
			}
			assert.Equal(t, int32(6), p.asked.Load())
			_, fault := mustGet(t, transport, nowhere)
			assert.Equal(t, providers.CodeBreakerOpen, fault.Code)
		})
	})
}

func TestWhomABreakerStops(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		now    roundTrip
		others bool // other accounts, too
	}{
		"errors stop the account that gets them":                 {replies(503, ""), false},
		"throttling stops the account that is throttled":         {replies(429, ""), false},
		"a provider that does not answer is asked by nobody":     {breaks, true},
		"neither is one that hangs, whichever account finds out": {hangs, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &patient{now: tc.now}
				transport := breaker(p)
				for range 3 {
					mustGet(t, transport, nowhere)
				}
				_, fault := mustGet(t, transport, nowhere)
				require.Equal(t, providers.CodeBreakerOpen, fault.Code)
				_, fault, err := get(t.Context(), t, transport, "brazil", nowhere)
				require.NoError(t, err)
				assert.Equal(t, tc.others, fault != nil && fault.Code == providers.CodeBreakerOpen)

				time.Sleep(30 * time.Second)
				p.now = replies(200, "")
				for _, account := range []string{"default", "brazil", "default", "brazil"} {
					_, fault, err = get(t.Context(), t, transport, account, nowhere)
					require.NoError(t, err)
					assert.Nil(t, fault, account)
				}
			})
		})
	}
}

func TestAGivenUpRequestSaysNothingAboutTheProvider(t *testing.T) {
	t.Parallel()
	giveUp := func(t *testing.T, transport *providers.Transport) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := get(ctx, t, transport, "default", nowhere)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	t.Run("it is no failure", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &patient{now: hangs}
			transport := breaker(p)
			for range 5 {
				giveUp(t, transport)
			}
			p.now = replies(200, "")
			_, fault := mustGet(t, transport, nowhere)
			assert.Nil(t, fault)
		})
	})
	t.Run("it does not interrupt a row of failures", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &patient{now: breaks}
			transport := breaker(p)
			mustGet(t, transport, nowhere)
			mustGet(t, transport, nowhere)
			p.now = hangs
			giveUp(t, transport)
			p.now = breaks
			mustGet(t, transport, nowhere)
			_, fault := mustGet(t, transport, nowhere)
			assert.Equal(t, providers.CodeBreakerOpen, fault.Code)
		})
	})
	t.Run("as the trial it is repeated later", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &patient{now: breaks}
			transport := breaker(p)
			for range 3 {
				mustGet(t, transport, nowhere)
			}
			time.Sleep(30 * time.Second)
			p.now = hangs
			giveUp(t, transport)
			p.now = replies(200, "")
			_, fault := mustGet(t, transport, nowhere)
			require.NotNil(t, fault)
			assert.Equal(t, providers.CodeBreakerOpen, fault.Code)
			time.Sleep(30 * time.Second)
			_, fault = mustGet(t, transport, nowhere)
			assert.Nil(t, fault)
		})
	})
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := limits()
		s.Concurrency = 2
		release := make(chan struct{})
		p := &patient{now: func(r *http.Request) (*http.Response, error) {
			<-release
			return replies(200, "")(r)
		}}
		transport := providers.NewTransport(s, providers.Options{RoundTripper: p})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				_, fault := mustGet(t, transport, nowhere)
				assert.Nil(t, fault)
			})
		}
		synctest.Wait()

		began := time.Now()
		_, fault := mustGet(t, transport, nowhere)
		require.NotNil(t, fault)
		assert.Equal(t, providers.Unavailable, fault.Kind)
		assert.Equal(t, providers.CodeBusy, fault.Code)
		assert.Equal(t, time.Second, fault.RetryAfter)
		assert.Equal(t, time.Second, time.Since(began), "it waits a little for its turn")
		assert.Equal(t, int32(2), p.asked.Load())

		all.Go(func() { mustGet(t, transport, nowhere) })
		all.Go(func() { mustGet(t, transport, nowhere) })
		synctest.Wait()
		began = time.Now()
		_, fault = mustGet(t, transport, nowhere)
		require.NotNil(t, fault)
		assert.Equal(t, providers.CodeBusy, fault.Code)
		assert.Zero(t, time.Since(began), "no more wait than can be in flight")
		time.Sleep(2 * time.Second) // until they gave up

		all.Go(func() {
			_, fault := mustGet(t, transport, nowhere)
			assert.Nil(t, fault, "a turn that comes in time is taken")
		})
		synctest.Wait()
		close(release)
		all.Wait()
	})
}

func TestTheRateOfAnAccountIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := limits()
		s.Rate = 10
		p := &patient{now: replies(200, "")}
		transport := providers.NewTransport(s, providers.Options{RoundTripper: p})
		began := time.Now()
		for range 11 {
			_, fault := mustGet(t, transport, nowhere)
			require.Nil(t, fault)
		}
		assert.Equal(t, time.Second, time.Since(began))

		var all sync.WaitGroup
		var busy atomic.Int32
		for range 100 {
			all.Go(func() {
				if _, fault := mustGet(t, transport, nowhere); fault != nil && fault.Code == providers.CodeBusy {
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		_, fault, err := get(t.Context(), t, transport, "brazil", nowhere)
		require.NoError(t, err)
		assert.Nil(t, fault, "another account has its own rate")
		all.Wait()
		assert.InDelta(t, 90, busy.Load(), 1, "who would wait longer than a second is put off")
	})
}

func TestWaitingForATurnEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*providers.Settings){
		"the rate":           func(s *providers.Settings) { s.Rate = 2 },
		"requests in flight": func(s *providers.Settings) { s.Concurrency = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := limits()
				change(&s)
				transport := providers.NewTransport(s, providers.Options{RoundTripper: roundTrip(hangs)})
				first, err := providers.NewRequest(t.Context(), http.MethodGet, nowhere, "/", nil)
				require.NoError(t, err)
				go func() { _, _, _ = transport.Do(t.Context(), "default", first) }()
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				_, fault, err := get(ctx, t, transport, "default", nowhere)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Nil(t, fault)
			})
		})
	}
}
