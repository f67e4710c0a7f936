package pipeline_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// The load of BenchmarkOneProviderHangs, offered whether the pipelines keep up or not.
const (
	loadPerProvider = 50               // payments a second
	loadFor         = 15 * time.Second // longer than a request may take, so that the breaker has its say, too
	loadEvery       = 20 * time.Millisecond
)

// hangingOne lets the requests to one provider hang.
type hangingOne struct{ provider string }

func (h hangingOne) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/"+h.provider+"/") {
		return hanging(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// BenchmarkOneProviderHangs offers the payments of three providers to a pipeline, and the same beside as many of a fourth that hangs
// on every request to another pipeline, in the same seconds, so that both have the same share of whatever else the machine does. It
// compares throughput and latency of the three: from the initiated event to the status event, on an embedded broker each. Nothing
// but the time-out, the limits and the breaker keeps the fourth from the others: its rate is not limited.
func BenchmarkOneProviderHangs(b *testing.B) {
	var alone, beside []figures
	for b.Loop() {
		a, h := newStretch(b, false), newStretch(b, true)
		a.offer(h)
		alone, beside = append(alone, a.figures()), append(beside, h.figures())
		a.stop()
		h.stop()
	}
	than, with := middle(alone), middle(beside)
	for i := range alone {
		b.Logf("alone %v; beside one that hangs %v", alone[i], beside[i])
	}
	b.Logf("in the middle: throughput %+.1f %%, p50 %+.1f %%, p99 %+.1f %%", 100*(with.perSecond/than.perSecond-1), more(than.p50, with.p50), more(than.p99, with.p99))
	b.ReportMetric(than.perSecond, "alone_payments/s")
	b.ReportMetric(with.perSecond, "beside_payments/s")
	b.ReportMetric(float64(than.p99.Microseconds())/1000, "alone_p99_ms")
	b.ReportMetric(float64(with.p99.Microseconds())/1000, "beside_p99_ms")
}

// figures are what payments of the three providers that are well see.
type figures struct {
	perSecond float64
	p50, p99  time.Duration
}

func (f figures) String() string {
	return fmt.Sprintf("%.1f/s p50 %v p99 %v", f.perSecond, f.p50.Round(100*time.Microsecond), f.p99.Round(100*time.Microsecond))
}

// middle are the medians of each figure.
func middle(all []figures) figures {
	var rates []float64
	var p50s, p99s []time.Duration
	for _, f := range all {
		rates, p50s, p99s = append(rates, f.perSecond), append(p50s, f.p50), append(p99s, f.p99)
	}
	slices.Sort(rates)
	return figures{rates[len(rates)/2], percentile(p50s, 50), percentile(p99s, 50)}
}

// more is by how many percent a time is longer than another.
func more(than, with time.Duration) float64 { return 100 * (with.Seconds()/than.Seconds() - 1) }

func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[len(all)*p/100]
}

// stretch is a stretch of load on a pipeline of its own.
type stretch struct {
	*world

	batches [][]*message.Message
	sent    map[string]time.Time // of the three's payments, by key
	began   time.Time
	stop    func()
}

func newStretch(b *testing.B, hangs bool) *stretch {
	b.Helper()
	s := &stretch{world: newWorld(b, pipelinetest.Embedded(b)), batches: make([][]*message.Message, loadFor/loadEvery), sent: map[string]time.Time{}}
	served := []string{"checkout", "antom", "worldpay"}
	if hangs {
		providers, err := pipeline.Connect(s.Config, hangingOne{"liquido"})
		require.NoError(b, err)
		s.options.Providers = providers
		served = append(served, "liquido")
	}
	total := int(loadFor.Seconds() * loadPerProvider)
	for i := range total {
		for _, provider := range served {
			at := i * len(s.batches) / total
			s.batches[at] = append(s.batches[at], s.payment(provider, fmt.Sprintf("%s-%d", provider, i)))
		}
	}
	s.stop = s.start()
	return s
}

// offer gives the load to both pipelines in the same seconds, by turns which comes first.
func (s *stretch) offer(other *stretch) {
	s.T.Helper()
	s.began, other.began = time.Now(), time.Now()
	ticker := time.NewTicker(loadEvery)
	defer ticker.Stop()
	for i := range s.batches {
		<-ticker.C
		both := []*stretch{s, other}
		if i%2 == 1 {
			slices.Reverse(both)
		}
		for _, to := range both {
			to.publish(i)
		}
	}
}

func (s *stretch) publish(i int) {
	s.T.Helper()
	now := time.Now()
	for _, m := range s.batches[i] {
		if id := m.Metadata.Get("id"); !strings.HasPrefix(id, "liquido") {
			s.sent[id] = now
		}
		m.Metadata.Set("id", "")
	}
	require.NoError(s.T, s.Writer.Publish(s.Topics.Initiated, s.batches[i]...))
}

// figures waits until all payments of the three have ended.
func (s *stretch) figures() figures {
	s.T.Helper()
	s.Eventually(func() bool { return s.Count(s.Topics.StatusChanged) >= len(s.sent) }, "the payments of the three are known")
	var latencies []time.Duration
	var last time.Time
	for _, r := range s.Records(s.Topics.StatusChanged) {
		if at, ok := s.sent[string(r.Key)]; ok {
			latencies = append(latencies, r.Time.Sub(at))
		}
		if r.Time.After(last) {
			last = r.Time
		}
	}
	require.Len(s.T, latencies, len(s.sent))
	return figures{float64(len(latencies)) / last.Sub(s.began).Seconds(), percentile(latencies, 50), percentile(latencies, 99)}
}

// payment scripts a payment that is captured, and makes its initiated event.
func (w *world) payment(provider, id string) *message.Message {
	w.T.Helper()
	reference, scripted := map[string]func(string) (map[string]any, string){
		"checkout": payID, "antom": named("payment_request_id"), "worldpay": named("transaction_reference"), "liquido": named("idempotency_key"),
	}[provider](id)
	status := map[string]string{"checkout": "Captured", "antom": "SUCCESS CAPTURE", "worldpay": "Sent for Settlement", "liquido": "SETTLED"}[provider]
	script := sandbox.Script{Amount: sandbox.Amount{Value: 1000, Currency: "EUR"}, Steps: []sandbox.Step{{Status: status}}}
	if scripted != id {
		script.Aliases = []string{id}
	}
	require.NoError(w.T, w.Sandbox.Store(provider).Put(scripted, script))
	data, err := json.Marshal(initiated(id, provider, 1000, "EUR", reference))
	require.NoError(w.T, err)
	m := message.NewMessage("", data)
	kafka.SetKey(m, []byte(id))
	m.Metadata.Set("id", id)
	return m
}
