package providers_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

// arrivals notes when requests reach a provider.
type arrivals struct {
	mu    sync.Mutex
	times []time.Time
	now   roundTrip
}

func (a *arrivals) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.times = append(a.times, time.Now())
	now := a.now
	a.mu.Unlock()
	return now(r)
}

// become changes how the provider answers.
func (a *arrivals) become(now roundTrip) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = now
}

// count is how many requests arrived so far.
func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.times)
}

// most is how many requests arrived within any stretch of time, of those after since.
func (a *arrivals) most(within time.Duration, since time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	times := slices.DeleteFunc(slices.Clone(a.times), since.After)
	most, from := 0, 0
	for to := range times {
		for times[to].Sub(times[from]) >= within {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// persist asks about one payment until there is an answer, coming back when it is told to, and counts how often it was put off.
func persist(t *testing.T, transport *providers.Transport) (hops int) {
	t.Helper()
	for {
		page, fault, err := get(t.Context(), t, transport, "default", nowhere)
		if err != nil {
			t.Error(err)
			return hops
		}
		if fault == nil {
			o, answered := providers.ReadHTTP(page)
			if answered {
				return hops
			}
			fault = &o
		}
		wait := fault.RetryAfter
		if wait == 0 {
			wait = 2*time.Second + rand.N(10*time.Second) // the schedule's own backoff
		}
		time.Sleep(wait)
		hops++
	}
}

func TestABacklogDrainsAtTheAccountsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const payments, rate = 1000, 50
		s := limits()
		s.Rate = rate
		a := &arrivals{now: replies(200, "{}")}
		transport := providers.NewTransport(s, providers.Options{RoundTripper: a})
		began := time.Now()
		hops := make([]int, payments)
		var all sync.WaitGroup
		for i := range payments {
			all.Go(func() { hops[i] = persist(t, transport) })
		}
		all.Wait()
		assert.Equal(t, payments, a.count())
		assert.LessOrEqual(t, a.most(time.Second, began), rate+1)
		assert.Less(t, time.Since(began), payments/rate*time.Second*5/4, "little of the rate is left unused")
		total := 0
		for _, n := range hops {
			total += n
		}
		assert.Less(t, total, payments*3/2, "who comes back when told to is seldom put off again")
		assert.LessOrEqual(t, slices.Max(hops), 6)
	})
}

func TestWithoutARateABacklogDrainsAsFastAsTheProviderAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const payments, takes = 20_000, 50 * time.Millisecond
		s := limits()
		s.Rate = 0
		answer := replies(200, "{}")
		transport := providers.NewTransport(s, providers.Options{RoundTripper: roundTrip(func(r *http.Request) (*http.Response, error) {
			time.Sleep(takes)
			return answer(r)
		})})
		began := time.Now()
		var all sync.WaitGroup
		for range payments {
			all.Go(func() { persist(t, transport) })
		}
		all.Wait()
		atBest := payments / time.Duration(s.Concurrency) * takes
		assert.Less(t, time.Since(began), 30*time.Second, "%s would do if nobody were put off", atBest)
	})
}

func TestANewcomerIsNotHeldUpByThoseWhoWereForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := limits()
		s.Rate = 0.1
		transport := providers.NewTransport(s, providers.Options{RoundTripper: replies(200, "{}")})
		for range 1000 { // which would take three hours, and nobody comes back
			mustGet(t, transport, nowhere)
		}
		_, fault := mustGet(t, transport, nowhere)
		require.NotNil(t, fault)
		assert.LessOrEqual(t, fault.RetryAfter, 61*time.Minute)
		time.Sleep(10 * time.Second)
		_, fault = mustGet(t, transport, nowhere)
		assert.Nil(t, fault, "places ahead keep nobody from a turn that is free")
	})
}

func TestAProviderThatIsDownForAnHour(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		down  roundTrip
		until int // requests until the breaker opens
	}{
		"503":                      {replies(http.StatusServiceUnavailable, ""), 20},
		"503 with Retry-After":     {replies(http.StatusServiceUnavailable, "", "Retry-After", "10"), 20},
		"429 with Retry-After":     {replies(http.StatusTooManyRequests, "", "Retry-After", "1"), 20},
		"connections that break":   {breaks, 20},
		"hanging on every request": {hangs, 8 * 50}, // as many as the rate admits before the first is given up
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const payments, rate = 200, 50
				s := limits()
				s.Rate = rate
				a := &arrivals{now: tc.down}
				transport := providers.NewTransport(s, providers.Options{RoundTripper: a})
				var all sync.WaitGroup
				for range payments {
					all.Go(func() { persist(t, transport) })
				}
				time.Sleep(time.Hour)
				asked := a.count()
				assert.LessOrEqual(t, asked, tc.until+int(time.Hour/s.Breaker.Open))
				a.become(replies(200, "{}"))
				mended := time.Now()
				all.Wait()
				assert.Equal(t, asked+payments, a.count(), "nothing is lost, nothing is asked twice")
				assert.LessOrEqual(t, a.most(time.Second, mended), rate+1, "no stampede")
				assert.Less(t, time.Since(mended), 2*time.Minute)
				t.Logf("%d requests in the hour, drained in %v", asked, time.Since(mended))
			})
		})
	}
}

func TestInstancesShareTheRateOfAnAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rate = 40
		s := limits()
		s.Rate = rate
		a := &arrivals{now: replies(200, "{}")}
		shares := []*providers.Share{{}, {}, {}}
		for i, owned := range []int{6, 3, 3} {
			shares[i].Set(owned, 12)
		}
		var all sync.WaitGroup
		begin := func(share *providers.Share, payments int) {
			transport := providers.NewTransport(s, providers.Options{RoundTripper: a, Share: share})
			for range payments {
				all.Go(func() { persist(t, transport) })
			}
		}
		began := time.Now()
		for i, payments := range []int{600, 300, 300} { // as the work is shared
			begin(shares[i], payments)
		}
		time.Sleep(10 * time.Second)
		assert.LessOrEqual(t, a.most(time.Second, began), rate+len(shares))
		shares[2].Set(0, 12) // it stops, and what it still asks goes on at its old pace
		shares[0].Set(12, 12)
		shares[1].Set(0, 12)
		all.Wait()
		assert.Less(t, time.Since(began), 1200/rate*time.Second*5/4)
	})
}

func TestAShareIsAllOfItUntilItIsSet(t *testing.T) {
	t.Parallel()
	var none *providers.Share
	none.Set(1, 2)
	assert.InDelta(t, 1, none.Part(), 0)
	var s providers.Share
	for _, step := range []struct {
		owned, all int
		part       float64
	}{{0, 12, 1}, {3, 12, 0.25}, {0, 12, 0.25}, {12, 12, 1}, {0, 0, 1}, {13, 12, 1}} {
		s.Set(step.owned, step.all)
		assert.InDelta(t, step.part, s.Part(), 0, "%d of %d", step.owned, step.all)
	}
}
