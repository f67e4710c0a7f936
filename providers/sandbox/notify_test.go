package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/antom"
	"github.com/paystatus/paystatus/providers/checkout"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/sandbox"
	access "github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

var all = map[string]func() sandbox.Simulator{
	"checkout": sandbox.Checkout, "antom": sandbox.Antom, "worldpay": sandbox.Worldpay, "liquido": sandbox.Liquido,
}

var definitions = map[string]providers.Definition{
	"checkout": checkout.Definition, "antom": antom.Definition, "worldpay": access.Definition, "liquido": liquido.Definition,
}

// connected is the provider with the configuration that a simulator gives.
func connected(t *testing.T, simulator sandbox.Simulator) providers.Provider {
	t.Helper()
	definition := definitions[simulator.Name()]
	settings := definition.Settings()
	var sections map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(simulator.Config("http://127.0.0.1:1/"+simulator.Name())), &sections))
	text, err := yaml.Marshal(sections[simulator.Name()])
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, settings))
	provider, err := definition.New(settings, providers.Options{})
	require.NoError(t, err)
	return provider
}

// merchant keeps what it is sent.
type merchant struct {
	*httptest.Server

	mu     sync.Mutex
	got    []providers.Answer
	answer func(n int, w http.ResponseWriter) // to the nth request, from 1
}

func newMerchant(t *testing.T) *merchant {
	t.Helper()
	m := &merchant{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		header := r.Header.Clone()
		header.Set("Paystatus-Path", r.URL.RequestURI())
		m.mu.Lock()
		defer m.mu.Unlock()
		m.got = append(m.got, providers.Answer{
			From: schemas.SourceNotification, Pages: []providers.Page{{HTTPStatus: http.StatusOK, Header: header, Body: body, ReceivedAt: time.Now()}},
		})
		if m.answer != nil {
			m.answer(len(m.got), w)
			return
		}
		_, _ = io.WriteString(w, antom.Definition.Webhook.Acknowledgement)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *merchant) received() []providers.Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]providers.Answer(nil), m.got...)
}

func (m *merchant) eventually(t *testing.T, n int) []providers.Answer {
	t.Helper()
	require.Eventually(t, func() bool { return len(m.received()) >= n }, time.Minute, 5*time.Millisecond)
	return m.received()
}

func newNotifying(t *testing.T, provider, target string) (*sandbox.Server, *sandbox.Store, sandbox.Notifier) {
	t.Helper()
	simulator := all[provider]()
	server := sandbox.NewServer(simulator)
	t.Cleanup(server.Close)
	require.NoError(t, server.NotifyURL(target))
	notifier, ok := simulator.(sandbox.Notifier)
	require.True(t, ok)
	store := server.Store(provider)
	return server, store, notifier
}

var usd = sandbox.Amount{Value: 1000, Currency: "USD"}

func TestEveryTypeOfNotificationIsOneThatItsProviderKnowsAndVerifies(t *testing.T) {
	t.Parallel()
	for name := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t)
			_, store, notifier := newNotifying(t, name, m.URL)
			provider := connected(t, notifier)
			require.NoError(t, store.Put("order-1", sandbox.Script{Amount: usd, Steps: []sandbox.Step{{Status: notifier.NotificationTypes()[0].Status}}}))
			for i, kind := range notifier.NotificationTypes() {
				require.NoError(t, store.Notify("order-1", sandbox.Notify{Type: kind.Type}), kind.Type)
				got := m.eventually(t, i+1)[i]
				assert.Equal(t, "/notifications/"+name+"/default", got.Last().Header.Get("Paystatus-Path"))
				require.NoError(t, provider.Verify(got, "default", true), kind.Type)
				o := provider.Read(got, providers.Payment{Account: "default"})
				known := o.Kind == providers.Observed || o.Kind == providers.NoStatus && o.Code == providers.CodeIgnoredType
				assert.True(t, known, "%s: %s %s: %s", kind.Type, o.Kind, o.Code, o.Message)
				assert.True(t, json.Valid(got.Last().Body), kind.Type)
			}
		})
	}
}

func TestStepsNotifyWhenTheyBegin(t *testing.T) {
	t.Parallel()
	for name, status := range map[string][2]string{
		"checkout": {"Pending", "Captured"}, "antom": {"PENDING", "SUCCESS"}, "worldpay": {"Authorized", "Sent for Settlement"},
		"liquido": {"IN_PROGRESS", "SETTLED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t)
			_, store, notifier := newNotifying(t, name, m.URL+"/hooks")
			provider := connected(t, notifier)
			require.NoError(t, store.Put("order-1", sandbox.Script{Amount: usd, NotifyURL: m.URL + "/elsewhere?x=1", Steps: []sandbox.Step{
				{Status: status[0], Notify: &sandbox.Notify{}},
				{Status: status[1], After: sandbox.Duration(30 * time.Millisecond), Notify: &sandbox.Notify{}},
			}}))
			got := m.eventually(t, 2)
			for _, answer := range got {
				assert.Equal(t, "/elsewhere?x=1", answer.Last().Header.Get("Paystatus-Path"))
				require.NoError(t, provider.Verify(answer, "default", true))
			}
			first := provider.Read(got[0], providers.Payment{}).Observation.Status
			last := provider.Read(got[1], providers.Payment{}).Observation.Status
			if schemas.Between(first, false, last) != schemas.MoveAllowed { // they overtook each other
				first, last = last, first
			}
			assert.Equal(t, schemas.MoveAllowed, schemas.Between(first, false, last), "nobody asked in between: %s, then %s", first, last)
		})
	}
}

func TestNotificationsComeTwiceLateOutOfOrderAndWronglySigned(t *testing.T) {
	t.Parallel()
	m := newMerchant(t)
	m.answer = func(int, http.ResponseWriter) {}
	_, store, notifier := newNotifying(t, "checkout", m.URL)
	provider := connected(t, notifier)
	require.NoError(t, store.Put("order-1", sandbox.Script{Amount: usd, Steps: []sandbox.Step{
		{Status: "Authorized", Notify: &sandbox.Notify{After: sandbox.Duration(2 * time.Second), Times: 2}},
		{Status: "Captured", After: sandbox.Duration(time.Millisecond), Notify: &sandbox.Notify{}},
		{Status: "Refunded", After: sandbox.Duration(time.Millisecond), Notify: &sandbox.Notify{Fault: sandbox.FaultBadSignature}},
		{Status: "Voided", After: sandbox.Duration(time.Millisecond), Notify: &sandbox.Notify{Fault: sandbox.FaultNoSignature}},
	}}))
	got := m.eventually(t, 5)
	said := map[schemas.Status]providers.Answer{}
	for _, answer := range got {
		said[provider.Read(answer, providers.Payment{}).Observation.Status] = answer
	}
	require.Len(t, said, 4)
	assert.Equal(t, got[3].Last().Body, got[4].Last().Body, "late, and twice the same")
	captured, authorized := provider.Read(said[schemas.Captured], providers.Payment{}), provider.Read(got[4], providers.Payment{})
	assert.Equal(t, schemas.Authorized, authorized.Observation.Status)
	assert.True(t, authorized.Observation.OccurredAt.Before(captured.Observation.OccurredAt), "what is late says when it happened")
	for status, answer := range said {
		right := status == schemas.Captured || status == schemas.Authorized
		assert.Equal(t, right, provider.Verify(answer, "default", true) == nil, status)
		assert.Equal(t, status != schemas.Voided, answer.Last().Header.Get("Cko-Signature") != "", status)
	}
}

func TestWhatIsNotAcknowledgedIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(http.ResponseWriter){
		"liquido": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"antom":   func(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok") }, // which is not the body that it wants
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t)
			m.answer = func(n int, w http.ResponseWriter) {
				if n == 1 {
					refuse(w)
					return
				}
				_, _ = io.WriteString(w, antom.Definition.Webhook.Acknowledgement)
			}
			_, store, notifier := newNotifying(t, name, m.URL)
			step := sandbox.Step{Status: notifier.NotificationTypes()[0].Status, Notify: &sandbox.Notify{}}
			require.NoError(t, store.Put("order-1", sandbox.Script{Amount: usd, Steps: []sandbox.Step{step}}))
			got := m.eventually(t, 2)
			assert.Equal(t, got[0].Last().Body, got[1].Last().Body)
			assert.Never(t, func() bool { return len(m.received()) > 2 }, 50*time.Millisecond, 10*time.Millisecond)
		})
	}
}

func TestNotificationsOnDemandOverHTTP(t *testing.T) {
	t.Parallel()
	m := newMerchant(t)
	server, store, _ := newNotifying(t, "worldpay", m.URL)
	require.NoError(t, store.Put("order-1", sandbox.Script{Amount: usd, Steps: []sandbox.Step{{Status: "Authorized"}}}))
	ask := func(path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body)))
		return w
	}
	assert.Equal(t, http.StatusAccepted, ask("/_notify/worldpay/order-1", "").Code)
	assert.Equal(t, http.StatusAccepted, ask("/_notify/worldpay/order-1", `{"type":"chargedBack","fields":{"date":"2026-02-03"}}`).Code)
	got := m.eventually(t, 2)
	bodies := string(got[0].Last().Body) + string(got[1].Last().Body)
	assert.Contains(t, bodies, `"type":"authorized"`)
	assert.Contains(t, bodies, `"date":"2026-02-03"`)
	for path, why := range map[string]string{
		"/_notify/worldpay/order-2": `no payment is scripted as "order-2"`, "/_notify/paypal/order-1": "no such provider",
	} {
		w := ask(path, "")
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, w.Code)
		assert.Contains(t, w.Body.String(), why)
	}
	assert.Contains(t, ask("/_notify/worldpay/order-1", `{"type":"painted"}`).Body.String(), `sends no notification of type "painted"`)
	assert.Contains(t, ask("/_notify/worldpay/order-1", `{"kind":"x"}`).Body.String(), "unknown field")
}

func TestScriptsWhoseNotificationsCannotBeSentAreRefused(t *testing.T) {
	t.Parallel()
	silent := sandbox.NewServer(sandbox.Checkout()).Store("checkout")
	_, store, _ := newNotifying(t, "checkout", "http://127.0.0.1:1")
	one := func(status string, n sandbox.Notify) sandbox.Script {
		return sandbox.Script{Steps: []sandbox.Step{{Status: status, Notify: &n}}}
	}
	nowhere := one("Captured", sandbox.Notify{})
	require.ErrorContains(t, silent.Put("x", nowhere), "step 1: there is no URL to notify")
	nowhere.NotifyURL = "ftp://x"
	require.ErrorContains(t, silent.Put("x", nowhere), "need a URL")
	require.ErrorContains(t, store.Put("x", one("Captured", sandbox.Notify{Type: "captured"})), `sends no notification of type "captured"`)
	require.ErrorContains(t, store.Put("x", one("Mystified", sandbox.Notify{})), `goes with the status "Mystified"; name a type`)
	require.ErrorContains(t, store.Put("x", one("Captured", sandbox.Notify{Fault: sandbox.Fault503})), "fault is bad_signature or no_signature")
	require.ErrorContains(t, sandbox.NewServer().NotifyURL("127.0.0.1:1"), "need a URL")
	require.ErrorContains(t, sandbox.NewStore().Put("x", one("Captured", sandbox.Notify{})), "sends no notifications")
}
