package pipeline_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
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
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// down is a simulator in memory that is out of order for a while.
type down struct {
	sandbox *sandbox.Server
	trouble http.RoundTripper // instead of an answer; nil while all is well

	mu    sync.Mutex
	times []time.Time
}

func (d *down) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.times = append(d.times, time.Now())
	trouble := d.trouble
	d.mu.Unlock()
	if trouble != nil {
		return trouble.RoundTrip(r)
	}
	recorded := httptest.NewRecorder()
	d.sandbox.ServeHTTP(recorded, r)
	return recorded.Result(), nil
}

func (d *down) become(trouble http.RoundTripper) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trouble = trouble
}

// after says how long after a time a part of the requests since then had come.
func (d *down) after(since time.Time, part float64) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, _ := slices.BinarySearchFunc(d.times, since, time.Time.Compare)
	return d.times[first+int(part*float64(len(d.times)-first-1))].Sub(since)
}

// requests counts those since a time, and the most of them within any second.
func (d *down) requests(since time.Time) (all, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := 0
	for to, at := range d.times {
		if at.Before(since) {
			from = to + 1
			continue
		}
		for at.Sub(d.times[from]) >= time.Second {
			from++
		}
		all, most = all+1, max(most, to-from+1)
	}
	return all, most
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func status(code int) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
}

func hanging(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestAProviderThatIsDownForAnHour lets payments come while their provider is out of order, with the real check handler, the
// real limits, the default schedule, and delays as the tiers make them, in virtual time.
func TestAProviderThatIsDownForAnHour(t *testing.T) {
	t.Parallel()
	const rate, payments = 20, 200
	probes := int(time.Hour / (30 * time.Second)) // of the breaker
	for name, tc := range map[string]struct {
		trouble  http.RoundTripper
		requests int           // at most, in the hour
		most     time.Duration // until when nine of ten payments are caught up with
	}{
		"503":                      {status(http.StatusServiceUnavailable), 20 + probes, 2 * time.Minute},
		"429":                      {status(http.StatusTooManyRequests), 20 + probes, 2 * time.Minute},
		"hanging on every request": {roundTrip(hanging), 20 + 8 + probes, 2 * time.Minute}, // and those that came while the first hung
		"credentials that are not accepted": {
			status(http.StatusUnauthorized), 3 + int(time.Hour/time.Minute), 11 * time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulator := sandbox.Checkout()
			path := filepath.Join(t.TempDir(), "paystatus.yaml")
			require.NoError(t, os.WriteFile(path, []byte(demo.SandboxConfig([]sandbox.Simulator{simulator}, "http://127.0.0.1")), 0o600))
			c, problems := config.Load(path, nil, pipeline.Providers)
			require.NoError(t, config.Err(problems))
			c.Providers["checkout"].Common().Rate = rate
			synctest.Test(t, func(t *testing.T) {
				d := &down{sandbox: sandbox.NewServer(simulator), trouble: tc.trouble}
				connected, err := pipeline.Connect(c, d)
				require.NoError(t, err)
				memory := handlers.NewMemory()
				memory.Assign(0, time.Now())
				h := &handlers.Check{
					Providers: connected, Schedule: c.Schedules.For, Memory: memory, Events: handlers.Events{Source: "/paystatus"},
					Random: rand.Float64, Timeout: 10 * time.Second, Refusals: &providers.Refusals{}, Log: slog.New(slog.DiscardHandler),
				}
				began := time.Now()
				var all sync.WaitGroup
				var checks atomic.Int64
				for i := range payments {
					all.Go(func() {
						time.Sleep(time.Duration(i) * 50 * time.Minute / payments)
						checks.Add(watched(t, h, d.sandbox.Store("checkout"), i))
					})
				}
				time.Sleep(time.Until(began.Add(time.Hour + time.Second/2))) // between two tiers' ticks
				requests, _ := d.requests(began)
				assert.LessOrEqual(t, requests, tc.requests)
				d.become(nil)
				mended := time.Now()
				all.Wait()
				answers, most := d.requests(mended)
				assert.Equal(t, payments, answers, "nothing is lost, nothing is asked twice")
				assert.LessOrEqual(t, most, rate+1, "no stampede")
				assert.Less(t, d.after(mended, 0.9), tc.most)
				assert.Less(t, time.Since(mended), 12*time.Minute, "the trials among them wait as long as the schedule says")
				t.Logf("%d requests in the hour; then 90 %% of %d payments in %v, all in %v, %d within a second at most; %.1f checks of each",
					requests, answers, d.after(mended, 0.9).Round(time.Second), time.Since(mended).Round(time.Second), most, float64(checks.Load())/payments)
			})
		})
	}
}

// watched watches a payment from its first check to its end, and says how many checks that took.
func watched(t *testing.T, h *handlers.Check, store *sandbox.Store, i int) (checks int64) {
	t.Helper()
	id := fmt.Sprintf("pay_%026d", i)
	script := sandbox.Script{Amount: sandbox.Amount{Value: 1000, Currency: "EUR"}, Steps: []sandbox.Step{{Status: "Captured"}}}
	if err := store.Put(id, script); err != nil {
		t.Error(err)
	}
	origin := &watch.Origin{Topic: "payments.initiated", Offset: int64(i), Time: time.Now()}
	event := schemas.Initiated{
		PaymentID: fmt.Sprintf("order-%d", i), Provider: "checkout", Account: schemas.DefaultAccount, InitiatedAt: time.Now(),
		Amount: schemas.Amount{Value: 1000, Currency: "EUR"}, Capture: schemas.CaptureAutomatic,
	}
	check := watch.Check{
		PaymentKey: event.Key(), Kind: watch.KindInitiated, Cause: schemas.CauseInitiated, Origin: origin,
		Context: watch.NewContext(event, schemas.Reference{"payment_id": id}, origin),
	}
	value, err := check.Encode()
	if err != nil {
		t.Error(err)
	}
	said := 0
	for next := value; next != nil; checks++ {
		result, err := h.Handle(t.Context(), handlers.Message{Key: []byte(event.PaymentID), Value: next, Time: time.Now()})
		if err != nil {
			t.Error(err)
			return checks
		}
		result.Done()
		next = nil
		for _, out := range result.Out {
			switch out.To {
			case handlers.ToStatusChanged:
				said++
				assert.Contains(t, string(out.Value), `"status":"captured"`, "the one thing that is ever said")
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
	assert.Equal(t, 1, said)
	return checks
}
