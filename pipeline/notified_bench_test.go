package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/webhooks"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// listener serves an endpoint on a port of its own, as the service does.
func (w *world) listener() (url string) {
	w.T.Helper()
	endpoint := webhooks.New(webhooks.Options{
		Providers: w.options.Providers, Webhooks: pipeline.Webhooks(), Publisher: w.Writer, Topic: w.Topics.Notified, Log: w.options.Log,
	})
	listener, err := (&net.ListenConfig{}).Listen(w.T.Context(), "tcp", "127.0.0.1:0")
	require.NoError(w.T, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- endpoint.Serve(ctx, listener, time.Second) }()
	w.T.Cleanup(func() {
		cancel()
		require.NoError(w.T, <-ended)
	})
	return "http://" + listener.Addr().String()
}

// caller posts webhooks, on connections that it keeps.
var caller = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxConnsPerHost: 512}}

func post(ctx context.Context, url string, header http.Header, body []byte) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = header
	answer, err := caller.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// BenchmarkFromWebhookToStatusEvent posts webhooks at 500 a second about payments that are polled every ten minutes, and tells how
// long after a webhook a consumer has its status event.
func BenchmarkFromWebhookToStatusEvent(b *testing.B) {
	const rate = 500
	w := newWorld(b, pipelinetest.Embedded(b))
	w.options.Schedule = func(string, string) watch.Schedule { return seldom }
	stop := w.start()
	defer stop()
	url := w.listener() + "/notifications/liquido/default"
	payments := max(b.N, rate)
	for i := range payments {
		w.Scripted(fmt.Sprintf("p-%d", i), sandbox.Step{Status: "IN_PROGRESS"})
	}
	var all sync.WaitGroup
	for part := range 8 { // the batches of one writer at a time would take minutes
		all.Go(func() {
			for i := part; i < payments; i += 8 {
				id := fmt.Sprintf("p-%d", i)
				w.Initiate(initiated(id, "liquido", 300, "COP", map[string]any{"idempotency_key": id}))
			}
		})
	}
	all.Wait()
	for w.Count(w.Topics.StatusChanged) < payments {
		time.Sleep(20 * time.Millisecond)
	}

	sent, arrived := make([]time.Time, payments), w.arrivals(b, payments)
	b.ResetTimer()
	ticker := time.NewTicker(time.Second / rate)
	defer ticker.Stop()
	for i := range payments {
		<-ticker.C
		sent[i] = time.Now()
		all.Go(func() {
			body, signature := sandbox.LiquidoCallback("CHARGE_SUCCEEDED", sandbox.Payment{
				Reference: fmt.Sprintf("p-%d", i), Status: "SETTLED", Script: sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}},
			}, time.Now())
			status, err := post(b.Context(), url, http.Header{"Liquido-Signature": {signature}}, body)
			assert.NoError(b, err) //nolint:testifylint // not the benchmark's goroutine
			assert.Equal(b, http.StatusOK, status)
		})
	}
	all.Wait()
	took := make([]time.Duration, 0, payments)
	for i, at := range arrived() {
		took = append(took, at.Sub(sent[i]))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
}

// arrivals consumes the status events from now on, one of each payment, and gives the times when they came.
func (w *world) arrivals(b *testing.B, payments int) (wait func() []time.Time) {
	b.Helper()
	consumer, err := kafka.NewSubscriber(w.Kafka, kafka.SubscriberOptions{Group: w.options.Group + ".consumer", Lanes: kafka.LaneFree, Start: kafka.Latest})
	require.NoError(b, err)
	b.Cleanup(func() { _ = consumer.Close() })
	events, err := consumer.Subscribe(b.Context(), w.Topics.StatusChanged)
	require.NoError(b, err)
	for !consumer.Ready() {
		time.Sleep(10 * time.Millisecond)
	}
	times, done := make([]time.Time, payments), make(chan struct{})
	go func() {
		defer close(done)
		for range payments {
			msg := <-events
			record, _ := kafka.RecordOf(msg.Context())
			var i int
			if _, err := fmt.Sscanf(string(record.Key), "p-%d", &i); err == nil {
				times[i] = time.Now()
			}
			msg.Ack()
		}
	}()
	return func() []time.Time {
		<-done
		return times
	}
}

// TestAFloodOfForgeriesCostsNoMemoryAndDelaysNoPayment posts what nobody signed while payments go on. It runs alone, because it measures the
// memory of the whole process.
func TestAFloodOfForgeriesCostsNoMemoryAndDelaysNoPayment(t *testing.T) {
	if testing.Short() {
		t.Skip("a flood takes a while")
	}
	w := newWorld(t, pipelinetest.Embedded(t))
	stop := w.start()
	defer stop()
	base := w.listener()
	forgeries := map[string]http.Header{
		"/notifications/liquido/default":  {"Liquido-Signature": {"algorithm=HmacSHA256,timestamp=1,signature=00"}},
		"/notifications/worldpay/default": {"Event-Signature": {"1/SHA256/00"}},
		"/notifications/checkout/default": {"Cko-Signature": {"00"}},
		"/notifications/paypal/default":   {},
	}
	garbage := bytes.Repeat([]byte("garbage "), 512)
	flood := func(n int) {
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for i := range n / 16 / len(forgeries) {
					for path, header := range forgeries {
						status, err := post(t.Context(), base+path, header.Clone(), garbage)
						if !assert.NoError(t, err, i) || !assert.Contains(t, []int{http.StatusUnauthorized, http.StatusNotFound}, status) { //nolint:testifylint // not the test's goroutine
							return
						}
					}
				}
			})
		}
		all.Wait()
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	flood(640) // connections and buffers
	before := heap()
	reported, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for waits := true; waits; {
			flood(640)
			select {
			case <-reported:
				waits = false
			default:
			}
		}
		flood(1920)
	}()
	end := sync.OnceFunc(func() {
		close(reported)
		<-done
	})
	defer end()
	w.Scripted("p", sandbox.Step{Status: "SETTLED"})
	w.Initiate(initiated("p", "liquido", 300, "COP", map[string]any{"idempotency_key": "p"}))
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 1 }, "the payment is reported while the flood goes on")
	end()
	assert.Less(t, heap()-before, int64(5<<20), "more than 2,560 forgeries of 4 KiB each stay in memory")
	assert.Zero(t, w.Count(w.Topics.Notified))
	assert.Empty(t, w.deadLetters())
}
