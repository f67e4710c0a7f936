package pipeline_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// spy carries requests and keeps what must not be seen anywhere else: credentials, tokens, signatures.
type spy struct {
	mu    sync.Mutex
	kept  map[string]string // what it is, by the text
	kinds map[string]bool
}

// keep remembers a text, if it is long enough to be told from others.
func (s *spy) keep(what, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(text) { // of a PEM
		if line = strings.TrimSpace(line); len(line) >= 8 && !strings.HasPrefix(line, "-----") {
			s.kept[line], s.kinds[what] = what, true
		}
	}
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	host := strings.Split(r.URL.Path, "/")[1]
	for _, name := range []string{"Authorization", "X-Api-Key", "Signature"} {
		value := r.Header.Get(name)
		s.keep(host+" "+name, value)
		for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ' ' || r == ',' }) {
			part = strings.TrimPrefix(part, "signature=")
			if !strings.Contains(part, "=") || strings.HasSuffix(part, "=") { // no algorithm=…, no keyVersion=…
				s.keep(host+" part of "+name, part)
			}
		}
	}
	if user, word, basic := r.BasicAuth(); basic {
		s.keep(host+" user", user)
		s.keep(host+" password", word)
	}
	if r.Body != nil && strings.HasSuffix(r.URL.Path, "/token") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		s.keep(host+" client_secret", form.Get("client_secret"))
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var issued struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(body, &issued) == nil {
		s.keep(host+" token", issued.AccessToken)
	}
	return answer, err
}

// found names what of it stands in a text, however that is wrapped.
func (s *spy) found(text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for kept, what := range s.kept {
		for _, form := range []string{kept, base64.StdEncoding.EncodeToString([]byte(kept)), url.QueryEscape(kept)} {
			if strings.Contains(text, strings.TrimRight(form, "=")) {
				all = append(all, what)
				break
			}
		}
	}
	return all
}

// transcript is what was logged.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// cardNumber is a test number of the card schemes.
const cardNumber = "4111111111111111"

func TestSecretsAndCardNumbersAreInRequestsAndNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	secrets, log, registry := &spy{kept: map[string]string{}, kinds: map[string]bool{}}, &transcript{}, prometheus.NewRegistry()
	w.options.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.options.Kafka.Logger = w.options.Log
	w.options.Metrics = pipeline.NewMetrics(registry)
	for name, settings := range w.Config.Providers {
		for _, secret := range providertest.Secrets(settings) {
			secrets.keep("a secret of "+name, secret)
		}
	}
	var err error
	w.options.Providers, err = pipeline.Connect(w.Config, secrets)
	require.NoError(t, err)
	schedule := quick
	schedule.Unreadable = watch.Backoff{Initial: time.Second, Max: time.Second, Limit: 1}
	w.options.Schedule = func(string, string) watch.Schedule { return schedule }
	w.webhooks(nil)

	noted := map[string]any{"x_note": "paid with " + cardNumber}
	payments := w.payEverywhere(noted)
	stop := w.start()
	w.Eventually(func() bool {
		ended := map[string]bool{}
		for _, e := range w.Events() {
			ended[e.Data.PaymentID] = ended[e.Data.PaymentID] || e.Data.Final
		}
		for _, id := range payments {
			if !ended[id] {
				return false
			}
		}
		return true
	}, "every payment ends")
	for provider, kind := range map[string]string{"checkout": "payment_captured", "antom": "PAYMENT_RESULT", "worldpay": "settled", "liquido": "CHARGE_SUCCEEDED"} {
		_ = w.Sandbox.Store(provider).Notify(provider+"-good", sandbox.Notify{Type: kind, Fields: noted})
	}
	w.Eventually(func() bool { return w.Count(w.Topics.Notified) >= 4 }, "notifications")
	w.heard()
	w.Eventually(func() bool { return len(w.deadLetters()) >= 11 }, "dead letters of what is foreign and of what cannot be read")
	stop()

	assert.NotEmpty(t, log.String())
	assert.Empty(t, secrets.found(log.String()), "in the log")
	assert.NotContains(t, log.String(), cardNumber)
	scraped := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(scraped, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	assert.Contains(t, scraped.Body.String(), "paystatus_check_seconds")
	assert.Empty(t, secrets.found(scraped.Body.String()), "in the metrics")
	assert.NotContains(t, scraped.Body.String(), cardNumber)

	topics := []string{w.Topics.StatusChanged, w.Topics.DeadLetters(), w.Topics.Replays()}
	for _, topic := range w.Topics.Consumed() {
		if topic != w.Topics.Initiated && topic != w.Topics.Notified { // what others wrote
			topics = append(topics, topic)
		}
	}
	masked := 0
	for _, topic := range topics {
		for _, r := range w.Records(topic) {
			text := recordText(r)
			assert.Empty(t, secrets.found(text), "in a record of %s", topic)
			assert.NotContains(t, text, cardNumber, "in a record of %s", topic)
			masked += strings.Count(text, "411111******1111")
		}
	}
	assert.GreaterOrEqual(t, masked, 6*2+5, "two events of each good payment, and dead letters with answers")
	for _, what := range []string{
		"checkout token", "checkout Authorization", "liquido token", "liquido X-Api-Key", "worldpay password", "antom part of Signature",
		"a secret of checkout", "a secret of antom", "a secret of worldpay", "a secret of liquido",
	} {
		assert.True(t, secrets.kinds[what], "no %s was there to be found", what)
	}
}

// recordText is all that a record says, what is in base64 decoded, too.
func recordText(r kafka.Record) string {
	var b strings.Builder
	b.Write(r.Key)
	b.WriteByte('\n')
	b.Write(r.Value)
	for _, h := range r.Headers {
		b.WriteString("\n" + h.Key + ": ")
		b.Write(h.Value)
		if plain, err := base64.StdEncoding.DecodeString(string(h.Value)); err == nil {
			b.Write(plain)
		}
	}
	var check struct {
		Evidence struct {
			Body []byte `json:"body"`
		} `json:"evidence"`
	}
	if json.Unmarshal(r.Value, &check) == nil {
		b.Write(check.Evidence.Body)
	}
	return b.String()
}

// payEverywhere initiates payments of every provider: one with trouble on its way to a good end, one whose answer is another
// payment's, and one whose answer cannot be read. The first end.
func (w *world) payEverywhere(noted map[string]any) (ending []string) {
	w.T.Helper()
	const value, currency = 4000, "EUR"
	put := func(provider, id, account string, reference map[string]any, scripted string, steps ...sandbox.Step) {
		script := sandbox.Script{Amount: sandbox.Amount{Value: value, Currency: currency}, Steps: steps}
		if scripted != id {
			script.Aliases = []string{id}
		}
		require.NoError(w.T, w.Sandbox.Store(provider).Put(scripted, script))
		event := initiated(id, provider, value, currency, reference)
		event["account"] = account
		w.Initiate(event)
	}
	for _, p := range []struct {
		provider, account, open, final string
		reference                      func(id string) (map[string]any, string)
	}{
		{"checkout", "default", "Pending", "Captured", payID},
		{"checkout", "oauth", "Pending", "Captured", payID},
		{"checkout", "abc", "Pending", "Captured", payID},
		{"antom", "default", "PROCESSING", "SUCCESS CAPTURE", named("payment_request_id")},
		{"worldpay", "default", "Authorized", "Sent for Settlement", named("transaction_reference")},
		{"liquido", "default", "IN_PROGRESS", "SETTLED", named("idempotency_key")},
	} {
		name := p.provider
		if p.account != "default" {
			name = p.account
		}
		good := name + "-good"
		reference, scripted := p.reference(good)
		put(p.provider, good, p.account, reference, scripted,
			sandbox.Step{Status: p.open, Fault: sandbox.Fault503}, sandbox.Step{Fault: sandbox.Fault401}, sandbox.Step{Fault: sandbox.FaultRedirect},
			sandbox.Step{Status: p.open, Fields: noted}, sandbox.Step{Status: p.final, Fields: noted})
		ending = append(ending, good)
		reference, scripted = p.reference(name + "-other")
		put(p.provider, name+"-other", p.account, reference, scripted, sandbox.Step{Status: p.final, Fault: sandbox.FaultWrongPayment, Fields: noted})
		reference, scripted = p.reference(name + "-cut")
		put(p.provider, name+"-cut", p.account, reference, scripted, sandbox.Step{Status: p.final, Fault: sandbox.FaultCutJSON, Fields: noted})
	}
	return ending
}

func named(reference string) func(string) (map[string]any, string) {
	return func(id string) (map[string]any, string) { return map[string]any{reference: id}, id }
}

// payID gives a payment an id of Checkout.com's form.
func payID(id string) (map[string]any, string) {
	pay := "pay_" + (strings.ReplaceAll(id, "-", "") + strings.Repeat("a", 26))[:26]
	return map[string]any{"payment_id": pay}, pay
}
