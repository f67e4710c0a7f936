package webhooks_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/webhooks"
	"github.com/paystatus/paystatus/providers"
)

func TestAVerifiedNotificationIsWrittenAndAnsweredAsItsProviderDemands(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := &written{}
			c := signed(t, name)
			answer := send(newEndpoint(topic), c)
			assert.Equal(t, http.StatusOK, answer.Code)
			if name == "antom" {
				assert.JSONEq(t, `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`, answer.Body.String())
				assert.Equal(t, "application/json", answer.Header().Get("Content-Type"))
			} else {
				assert.Empty(t, answer.Body.String())
			}
			messages := topic.all()
			require.Len(t, messages, 1)
			assert.True(t, bytes.Equal(c.body, messages[0].Payload), "the bytes are not exact")
			assert.Equal(t, "order-1", string(kafka.Key(messages[0])), "the key is the merchant's reference")
		})
	}
}

func TestOnlyAfterKafkaAcknowledgedTheProviderIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		acknowledge := make(chan struct{})
		topic := &written{publish: func(*message.Message) error {
			<-acknowledge
			return nil
		}}
		answered := make(chan int, 1)
		endpoint, c := newEndpoint(topic), signed(t, "liquido")
		go func() { answered <- send(endpoint, c).Code }()
		synctest.Wait()
		assert.Empty(t, answered, "answered before Kafka acknowledged")
		close(acknowledge)
		assert.Equal(t, http.StatusOK, <-answered)
	})
}

func TestWhileKafkaIsUnavailableTheProviderMustSendAgain(t *testing.T) {
	t.Parallel()
	c := signed(t, "worldpay")
	t.Run("it refuses", func(t *testing.T) {
		t.Parallel()
		down := &written{publish: func(*message.Message) error { return errors.New("no leader") }}
		answer := send(newEndpoint(down), c)
		assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
		assert.NotEmpty(t, answer.Header().Get("Retry-After"))
		assert.NotContains(t, answer.Body.String(), "no leader")
	})
	t.Run("it is silent", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			never := make(chan struct{})
			began := time.Now()
			answer := send(newEndpoint(&written{publish: func(*message.Message) error { <-never; return nil }}), c)
			assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
			assert.Less(t, time.Since(began), 10*time.Second, "providers give up after ten seconds")
			close(never)
		})
	})
}

func TestWhatIsNotAuthenticIsRefusedAndNotWritten(t *testing.T) {
	t.Parallel()
	topic := &written{}
	endpoint := newEndpoint(topic)
	for _, name := range names {
		c := signed(t, name)
		c.body = bytes.Replace(c.body, []byte("order-1"), []byte("order-2"), 1)
		if name == "checkout" {
			c.body = append(c.body, ' ')
		}
		assert.Equal(t, http.StatusUnauthorized, send(endpoint, c).Code, name)
		c = signed(t, name)
		c.header = http.Header{"Content-Type": c.header["Content-Type"]}
		assert.Equal(t, http.StatusUnauthorized, send(endpoint, c).Code, name)
	}
	assert.Empty(t, topic.all())
}

func TestRequestsThatAreNoNotification(t *testing.T) {
	t.Parallel()
	topic := &written{}
	endpoint := newEndpoint(topic)
	c := signed(t, "liquido")
	at := func(path string) call { return call{path, c.header, c.body} }
	for name, tc := range map[string]struct {
		call   call
		status int
	}{
		"of an unknown provider":     {at("/notifications/paypal/default"), http.StatusNotFound},
		"of an unknown account":      {at("/notifications/liquido/brazil"), http.StatusNotFound},
		"elsewhere":                  {at("/"), http.StatusNotFound},
		"below an account":           {at("/notifications/liquido/default/x"), http.StatusNotFound},
		"without a body":             {call{c.path, c.header, nil}, http.StatusBadRequest},
		"larger than any":            {call{c.path, c.header, make([]byte, 256<<10+1)}, http.StatusRequestEntityTooLarge},
		"as large as one may be":     {call{c.path, c.header, make([]byte, 256<<10)}, http.StatusUnauthorized},
		"of a path that ends in '/'": {at(c.path + "/"), http.StatusNotFound},
	} {
		assert.Equal(t, tc.status, send(endpoint, tc.call).Code, name)
	}
	get := httptest.NewRecorder()
	endpoint.ServeHTTP(get, httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil))
	assert.Equal(t, http.StatusMethodNotAllowed, get.Code)

	unannounced := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, io.LimitReader(neverEnding{}, 1<<30))
	unannounced.ContentLength = -1
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, unannounced)
	assert.Equal(t, http.StatusRequestEntityTooLarge, answer.Code, "of a length that is not announced")

	broken := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, iotest.TimeoutReader(io.MultiReader(strings.NewReader("{"), neverEnding{})))
	answer = httptest.NewRecorder()
	endpoint.ServeHTTP(answer, broken)
	assert.Equal(t, http.StatusBadRequest, answer.Code, "whose body breaks off")
	assert.Empty(t, topic.all())
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestNoMoreThanABoundedNumberOfRequestsIsHandledAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testBound)
}

func testBound(t *testing.T) {
	t.Helper()
	asked, free := make(chan struct{}, 1024), make(chan struct{})
	topic := &written{publish: func(*message.Message) error {
		asked <- struct{}{}
		<-free
		return nil
	}}
	endpoint, c := newEndpoint(topic), signed(t, "liquido")
	codes := make(chan int, 1024)
	for range 512 {
		go func() { codes <- send(endpoint, c).Code }()
	}
	for range 512 {
		<-asked
	}
	refused := send(endpoint, c)
	assert.Equal(t, http.StatusServiceUnavailable, refused.Code)
	assert.Equal(t, "1", refused.Header().Get("Retry-After"))
	close(free)
	for range 512 {
		assert.Equal(t, http.StatusOK, <-codes)
	}
	assert.Equal(t, http.StatusOK, send(endpoint, c).Code, "there is room again")
}

// panicking is a provider that cannot stand what it is given.
type panicking struct{ providers.Provider }

func (panicking) Read(providers.Answer, providers.Payment) providers.Outcome { panic("unforeseen") }

func TestABodyThatCannotBeHandledTakesNoRoom(t *testing.T) {
	t.Parallel()
	topic := &written{}
	endpoint := newEndpoint(topic, func(o *webhooks.Options) {
		o.Providers = maps.Clone(o.Providers)
		o.Providers["liquido"] = panicking{o.Providers["liquido"]}
	})
	bad, good := signed(t, "liquido"), signed(t, "worldpay")
	for range 600 {
		assert.Panics(t, func() { send(endpoint, bad) }, "the server breaks the connection off, and the provider sends again")
	}
	assert.Equal(t, http.StatusOK, send(endpoint, good).Code)
}

func TestAddressesThatWebhooksMayComeFrom(t *testing.T) {
	t.Parallel()
	networks := func(all ...string) []netip.Prefix {
		var parsed []netip.Prefix
		for _, text := range all {
			parsed = append(parsed, netip.MustParsePrefix(text))
		}
		return parsed
	}
	for name, tc := range map[string]struct {
		allow, proxies []netip.Prefix
		peer           string
		forwarded      []string
		want           int
	}{
		"no list":                            {nil, nil, "198.51.100.9:1", nil, http.StatusOK},
		"on the list":                        {networks("203.0.113.0/24"), nil, "203.0.113.7:1", nil, http.StatusOK},
		"on the list, mapped into IPv6":      {networks("203.0.113.0/24"), nil, "[::ffff:203.0.113.7]:1", nil, http.StatusOK},
		"on the list, IPv6":                  {networks("2001:db8::/32"), nil, "[2001:db8::1]:1", nil, http.StatusOK},
		"not on the list":                    {networks("203.0.113.0/24"), nil, "198.51.100.9:1", nil, http.StatusForbidden},
		"claims to be forwarded":             {networks("203.0.113.0/24"), nil, "198.51.100.9:1", []string{"203.0.113.7"}, http.StatusForbidden},
		"through a trusted proxy":            {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7"}, http.StatusOK},
		"through two":                        {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7, 10.9.9.9"}, http.StatusOK},
		"through two, in two headers":        {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7", "10.9.9.9"}, http.StatusOK},
		"a forged beginning":                 {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7, 198.51.100.9"}, http.StatusForbidden},
		"with its port":                      {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"203.0.113.7:41234, 10.9.9.9"}, http.StatusOK},
		"with its port, IPv6":                {networks("2001:db8::/32"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"[2001:db8::7]:41234"}, http.StatusOK},
		"another with its port":              {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"198.51.100.9:41234"}, http.StatusForbidden},
		"a proxy that does not say":          {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", nil, http.StatusForbidden},
		"a proxy that is on the list itself": {networks("10.0.0.0/8"), networks("10.0.0.0/8"), "10.1.2.3:1", nil, http.StatusOK},
		"forwarded for nobody":               {networks("203.0.113.0/24"), networks("10.0.0.0/8"), "10.1.2.3:1", []string{"unknown"}, http.StatusForbidden},
		"no address at all":                  {networks("203.0.113.0/24"), nil, "@", nil, http.StatusForbidden},
	} {
		endpoint := newEndpoint(&written{}, func(o *webhooks.Options) {
			o.TrustedProxies = tc.proxies
			if tc.allow != nil {
				o.Allow = map[string][]netip.Prefix{"liquido": tc.allow}
			}
		})
		c := signed(t, "liquido")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, bytes.NewReader(c.body))
		r.Header = c.header
		r.RemoteAddr = tc.peer
		for _, f := range tc.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		assert.Equal(t, tc.want, w.Code, name)
	}
}

func TestEveryRequestIsCountedAndAFloodOfForgeriesIsLoggedOnce(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	var log bytes.Buffer
	endpoint := newEndpoint(&written{}, func(o *webhooks.Options) {
		o.Metrics = webhooks.NewMetrics(registry)
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Allow = map[string][]netip.Prefix{"antom": {netip.MustParsePrefix("203.0.113.0/24")}}
	})
	c := signed(t, "liquido")
	send(endpoint, c)
	c.header.Set("Liquido-Signature", "algorithm=HmacSHA256,timestamp=1,signature=00")
	for range 100 {
		send(endpoint, c)
	}
	send(endpoint, call{"/notifications/somebodys-guess/default", nil, []byte("x")})
	send(endpoint, signed(t, "antom"))
	assert.Equal(t, map[string]float64{
		"/unknown": 1, "antom/not_allowed": 1, "liquido/accepted": 1, "liquido/unverified": 100,
	}, counted(t, registry))
	assert.Equal(t, 1, strings.Count(log.String(), "is not authentic"), "%s", log.String())
}

// counted are the requests so far, by provider and result.
func counted(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "paystatus_webhooks_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			counts[m.GetLabel()[0].GetValue()+"/"+m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return counts
}

func TestAnAnswerSaysNothingOfKeysAndReasons(t *testing.T) {
	t.Parallel()
	c := signed(t, "checkout")
	c.header.Set("Authorization", "paystatus-sandbox-checkout-authorization-heade")
	answer := send(newEndpoint(&written{}), c)
	assert.Equal(t, http.StatusUnauthorized, answer.Code)
	assert.Equal(t, "unverified\n", answer.Body.String())
	assert.NotContains(t, fmt.Sprint(answer.Header()), "paystatus-sandbox")
}
