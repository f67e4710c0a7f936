package webhooks_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/webhooks"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// side is both sides of webhooks: providers that sign, and those same providers as we know them.
type side struct {
	known   map[string]providers.Provider
	signing map[string]sandbox.Notifier
}

// sides makes them once: keys take a while.
var sides = sync.OnceValue(func() side {
	dir, err := os.MkdirTemp("", "webhooks-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	simulators := demo.Simulators()
	path := filepath.Join(dir, "paystatus.yaml")
	if err := os.WriteFile(path, []byte(demo.SandboxConfig(simulators, "http://127.0.0.1:1")), 0o600); err != nil {
		panic(err)
	}
	c, problems := config.Load(path, nil, pipeline.Providers)
	if err := config.Err(problems); err != nil {
		panic(err)
	}
	known, err := pipeline.Connect(c, nil)
	if err != nil {
		panic(err)
	}
	s := side{known: known, signing: map[string]sandbox.Notifier{}}
	for _, simulator := range simulators {
		s.signing[simulator.Name()] = simulator.(sandbox.Notifier)
	}
	return s
})

// names are the providers.
var names = pipeline.ProviderNames()

// written is a topic in memory.
type written struct {
	mu       sync.Mutex
	messages []*message.Message
	publish  func(*message.Message) error // nil: works
}

func (w *written) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		if w.publish != nil {
			if err := w.publish(m); err != nil {
				return err
			}
		}
		w.mu.Lock()
		w.messages = append(w.messages, m)
		w.mu.Unlock()
	}
	return nil
}

func (w *written) Close() error { return nil }

func (w *written) all() []*message.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*message.Message(nil), w.messages...)
}

func newEndpoint(topic *written, change ...func(*webhooks.Options)) *webhooks.Endpoint {
	o := webhooks.Options{
		Providers: sides().known, Webhooks: pipeline.Webhooks(), Publisher: topic, Topic: "payments.notified", Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	return webhooks.New(o)
}

var payment = sandbox.Payment{
	Reference: "order-1", Script: sandbox.Script{Amount: sandbox.Amount{Value: 1000, Currency: "EUR"}},
	Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
}

// call is a request as a provider sends it.
type call struct {
	path   string
	header http.Header
	body   []byte
}

// signed is a provider's call about the payment, signed now.
func signed(t testing.TB, provider string) call {
	t.Helper()
	n := sides().signing[provider]
	return signedOf(t, provider, n.NotificationTypes()[0].Type, n.Signer(), time.Now())
}

func signedOf(t testing.TB, provider, kind string, sign sandbox.Signer, at time.Time) call {
	t.Helper()
	path := "/notifications/" + provider + "/default"
	header, body, err := sandbox.Notify{Type: kind}.Request(sides().signing[provider], sign, payment, path, at)
	require.NoError(t, err)
	return call{path, header, body}
}

// send makes the call.
func send(e http.Handler, c call) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, c.path, bytes.NewReader(c.body))
	maps.Copy(r.Header, c.header)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}
