package worldpay_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

// recorder is a server that answers by path and remembers what it was asked, as it stood on the wire.
type recorder struct {
	*httptest.Server
	answers map[string]string // by request target; what is not there is 404

	mu      sync.Mutex
	targets []string
	headers []http.Header
}

func record(t *testing.T, answers map[string]string) *recorder {
	t.Helper()
	r := &recorder{answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		r.targets = append(r.targets, request.RequestURI)
		r.headers = append(r.headers, request.Header)
		r.mu.Unlock()
		body, ok := answers[request.RequestURI]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.targets...)
}

func (r *recorder) provider(t *testing.T) providers.Provider {
	t.Helper()
	settings := sandboxSettings(t, r.URL)
	account := settings.Accounts["default"]
	account.Entity = "branch 2"
	settings.Accounts["default"] = account
	return create(t, settings)
}

func check(t *testing.T, provider providers.Provider, p providers.Payment) (providers.Answer, providers.Outcome) {
	t.Helper()
	answer, outcome, err := providers.Check(t.Context(), provider, p)
	require.NoError(t, err)
	return answer, outcome
}

func TestLinksAreFollowedByteForByte(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"/payments/events/eyJrIjoiazNhYjYzMiJ9",
		"/payments/events/eyJrIjoiazNhYjYzMiIsImxpbmtWZXJzaW9uIjoiNS4wLjAifQ==.sN:g8wd64+cwOkX:y:/+=",
		"/api/payments/eyJrIjoxfQ%3D%3D.sN%3ag8wd64%2B%2fx",
		"/api/payments/a%252Fb",
		"/apmPayments/3Ihrz_xFV1nTRAHhJABserDF09eNdqnSHh2H8qlv7QIZ4iW8JjMy1wo4b2GozzFtfnOUMIZGm4eSqTixJe1tGDzD3",
		"/payments/events/x?",
		"/payments/events/x?a=b%20c&d=e+f%2B",
		"/payments/events/{x}|^`[y]'(z)*!$&,;=@~",
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			server := record(t, map[string]string{target: word("Authorized")})
			provider := server.provider(t)
			for _, link := range []string{server.URL + target, target} {
				_, outcome := check(t, provider, paid(t, provider, schemas.Reference{"events_link": link}))
				assert.Equal(t, providers.Observed, outcome.Kind, outcome.Message)
			}
			assert.Equal(t, []string{target, target}, server.asked())
		})
	}
}

func TestEachFamilyHasItsHeaders(t *testing.T) {
	t.Parallel()
	const (
		v7      = "application/vnd.worldpay.payments-v7+json"
		queries = "application/vnd.worldpay.payment-queries-v1.hal+json"
	)
	for _, c := range []struct {
		name, target string
		want         map[string]string
	}{
		{"Card Payments", "/payments/events/x", map[string]string{"Accept": v7, "Content-Type": v7, "Wp-Api-Version": ""}},
		{"Payments API", "/api/payments/x", map[string]string{"Wp-Api-Version": "2024-06-01", "Accept": "application/json"}},
		{"Payment Queries", "/paymentQueries/payments/x", map[string]string{"Accept": queries, "Content-Type": "", "Wp-Api-Version": ""}},
		{"APM", "/apmPayments/x", map[string]string{"Wp-Api-Version": "2024-07-01", "Accept": "application/json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := record(t, map[string]string{c.target: `{"lastEvent":"Authorized","paymentId":"x"}`})
			provider := server.provider(t)
			_, outcome := check(t, provider, paid(t, provider, schemas.Reference{"events_link": c.target}))
			require.Equal(t, providers.Observed, outcome.Kind, outcome.Message)
			for name, value := range c.want {
				assert.Equal(t, value, server.headers[0].Get(name), name)
			}
			request := http.Request{Header: server.headers[0]}
			username, password, ok := request.BasicAuth()
			assert.True(t, ok)
			assert.Equal(t, "sandbox-worldpay", username)
			assert.Equal(t, "sandbox-worldpay-password", password)
		})
	}
	t.Run("media types are settings", func(t *testing.T) {
		t.Parallel()
		server := record(t, nil)
		settings := sandboxSettings(t, server.URL)
		settings.MediaTypes = worldpay.MediaTypes{EventsAccept: "a/v6.hal+json", EventsContentType: "a/v6+json", PaymentQueries: "a/q"}
		provider := create(t, settings)
		check(t, provider, paid(t, provider, schemas.Reference{"events_link": "/payments/events/x", "payment_id": "pay1"}))
		assert.Equal(t, "a/v6.hal+json", server.headers[0].Get("Accept"))
		assert.Equal(t, "a/v6+json", server.headers[0].Get("Content-Type"))
		assert.Equal(t, "a/q", server.headers[1].Get("Accept"))
	})
}

func TestTheNextQuestionIsAskedOnlyWhereThePaymentWasNotFound(t *testing.T) {
	t.Parallel()
	const (
		link     = "/payments/events/abc"
		byID     = "/paymentQueries/payments/pay1"
		byRef    = "/paymentQueries/payments?transactionReference=Memory265-13%2F08%2F1876"
		recovery = "/payments/events?transactionRef=Memory265-13%2F08%2F1876&entity=branch+2"
		empty    = `{"_embedded":{"payments":[]}}`
	)
	all := schemas.Reference{"events_link": link, "payment_id": "pay1", "transaction_reference": reference}
	row := func(word string) string {
		return `{"paymentId":"pay1","transactionReference":"` + reference + `","lastEvent":"` + word + `","value":{"currency":"GBP","amount":1200}}`
	}
	for _, c := range []struct {
		name    string
		ref     schemas.Reference
		answers map[string]string
		asked   []string
		kind    providers.Kind
		status  schemas.Status
	}{
		{"the link knows", all, map[string]string{link: word("Authorized")}, []string{link}, providers.Observed, schemas.Authorized},
		{
			"Payment Queries knows the id", all,
			map[string]string{byID: row("authorizationSucceeded")},
			[]string{link, byID},
			providers.Observed,
			schemas.Authorized,
		},
		{
			"Payment Queries knows the reference", all,
			map[string]string{byID: "", byRef: `{"_embedded":{"payments":[` + row("saleSucceeded") + `]}}`},
			[]string{link, byID, byRef},
			providers.Observed, schemas.CapturePending,
		},
		{
			"the recovery knows", all,
			map[string]string{byRef: empty, recovery: word("Send for Cancellation")},
			[]string{link, byID, byRef, recovery},
			providers.Observed, schemas.Canceled,
		},
		{"nobody knows", all, map[string]string{byRef: empty}, []string{link, byID, byRef, recovery}, providers.NotFound, ""},
		{
			"the event's entity outranks the account's",
			schemas.Reference{"transaction_reference": reference, "entity": "branch3"},
			map[string]string{"/payments/events?transactionRef=Memory265-13%2F08%2F1876&entity=branch3": word("Authorized")},
			[]string{byRef, "/payments/events?transactionRef=Memory265-13%2F08%2F1876&entity=branch3"},
			providers.Observed, schemas.Authorized,
		},
		{"what cannot be read is no reason to go on", all, map[string]string{link: "<html>"}, []string{link}, providers.Unreadable, ""},
		{"another payment is no reason to go on", all, map[string]string{byID: `{"paymentId":"pay2","lastEvent":"authorizationSucceeded"}`}, []string{
			link,
			byID,
		}, providers.Mismatch, ""},
		{
			"other payments with the same reference are no reason to recover one of them",
			schemas.Reference{"transaction_reference": reference},
			map[string]string{byRef: `{"_embedded":{"payments":[{"transactionReference":"` + reference +
				`","lastEvent":"saleSucceeded","value":{"currency":"GBP","amount":1}}]}}`, recovery: word("Sent for Settlement")},
			[]string{byRef},
			providers.NotFound, "",
		},
		{
			"an authorisation that timed out is recovered at once", all,
			map[string]string{byID: row("authorizationTimedOut"), recovery: word("Authorized")},
			[]string{link, byID, recovery},
			providers.Observed, schemas.Authorized,
		},
		{
			"a recovery that knows nothing leaves what was known", all,
			map[string]string{byID: row("authorizationTimedOut")},
			[]string{link, byID, recovery},
			providers.Observed, schemas.Unknown,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := record(t, c.answers)
			provider := server.provider(t)
			_, outcome := check(t, provider, paid(t, provider, c.ref))
			assert.Equal(t, c.asked, server.asked())
			require.Equal(t, c.kind, outcome.Kind, outcome.Message)
			if c.status != "" {
				assert.Equal(t, c.status, outcome.Observation.Status)
			}
		})
	}
}

func TestAListIsFollowedToItsEndOnTheSameHost(t *testing.T) {
	t.Parallel()
	const first = "/paymentQueries/payments?transactionReference=r-1"
	row := func(id, word string) string {
		return `{"paymentId":"` + id + `","transactionReference":"r-1","lastEvent":"` + word + `","value":{"currency":"GBP","amount":1200}}`
	}
	list := func(next, rows string) string {
		return `{"_links":{"next":` + next + `},"_embedded":{"payments":[` + rows + `]}}`
	}
	foreign := record(t, nil)
	t.Cleanup(func() { assert.Empty(t, foreign.asked(), "a foreign host must see no request") })
	for _, c := range []struct {
		name  string
		first string
		asked int
		kind  providers.Kind
		code  string
	}{
		{
			"relative next", list(`{"href":"/paymentQueries/payments?transactionReference=r-1&paymentId=a%2Fb"}`, row("p1", "authorizationRefused")), 2,
			providers.Observed, "",
		},
		{
			"next as text", list(`"/paymentQueries/payments?transactionReference=r-1&paymentId=a%2Fb"`, row("p1", "authorizationRefused")), 2,
			providers.Observed, "",
		},
		{
			"next on another host", list(`{"href":"`+foreign.URL+`/paymentQueries/payments?x=1"}`, row("p1", "authorizationRefused")), 1,
			providers.Unavailable, providers.CodeIncompleteList,
		},
		{
			"next on another host, after a success", list(`{"href":"`+foreign.URL+`/paymentQueries/payments?x=1"}`, row("p1", "authorizationSucceeded")), 1,
			providers.Observed, "",
		},
		{
			"next of another kind", list(`{"href":"/payments/events/x"}`, row("p1", "authorizationRefused")), 1, providers.Unavailable,
			providers.CodeIncompleteList,
		},
		{"next is the same again", list(`{"href":"`+first+`"}`, row("p1", "authorizationRefused")), 1, providers.Unavailable, providers.CodeIncompleteList},
		{"next is null", list(`null`, row("p1", "authorizationRefused")), 1, providers.Observed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := record(t, map[string]string{
				first: c.first,
				"/paymentQueries/payments?transactionReference=r-1&paymentId=a%2Fb": `{"_embedded":{"payments":[` + row("p2", "authorizationSucceeded") + `]}}`,
			})
			provider := server.provider(t)
			answer, outcome := check(t, provider, paid(t, provider, schemas.Reference{"transaction_reference": "r-1"}))
			assert.Len(t, server.asked(), c.asked)
			require.Equal(t, c.kind, outcome.Kind, outcome.Message)
			assert.Equal(t, c.code, outcome.Code)
			if c.asked == 2 {
				assert.Equal(t, schemas.Authorized, outcome.Observation.Status)
				assert.Equal(t, 1, outcome.Page, "the page with the chosen row is kept")
				assert.Len(t, answer.Pages, 2)
			}
		})
	}
	t.Run("a list without end is given up", func(t *testing.T) {
		t.Parallel()
		n := 0
		endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n++
			_, _ = fmt.Fprint(w, list(fmt.Sprintf(`{"href":"/paymentQueries/payments?page=%d"}`, n), row("p1", "authorizationRefused")))
		}))
		t.Cleanup(endless.Close)
		provider := create(t, sandboxSettings(t, endless.URL))
		_, outcome := check(t, provider, paid(t, provider, schemas.Reference{"transaction_reference": "r-1"}))
		assert.Equal(t, providers.CodeIncompleteList, outcome.Code)
		assert.Equal(t, 10, n)
	})
}

func TestAForeignHostNeverSeesARequest(t *testing.T) {
	t.Parallel()
	foreign := record(t, map[string]string{"/payments/events/x": word("Settled")})
	server := record(t, nil)
	provider := server.provider(t)
	u, err := url.Parse(foreign.URL)
	require.NoError(t, err)
	links := []string{
		foreign.URL + "/payments/events/x", "//" + u.Host + "/payments/events/x", "http://127.0.0.1@" + u.Host + "/payments/events/x",
		`http:\\` + u.Host + "/payments/events/x", "http://localhost:" + u.Port() + "/payments/events/x",
	}
	for _, c := range foreignLinks {
		links = append(links, c.link)
	}
	for _, link := range links {
		// As if it had come past Identify: from the log of another version, or made up.
		payment := paid(t, provider, schemas.Reference{"transaction_reference": "r-1"})
		payment.Reference = schemas.Reference{"events_link": link, "transaction_reference": "r-1"}
		_, outcome := check(t, provider, payment)
		assert.Equal(t, providers.Refused, outcome.Kind, "%q", link)
		assert.NotContains(t, outcome.Message, u.Host)
	}
	assert.Empty(t, foreign.asked())
	assert.Empty(t, server.asked())
}

func TestAnAccountThatIsNotConfiguredIsRefusedWithoutARequest(t *testing.T) {
	t.Parallel()
	server := record(t, nil)
	provider := server.provider(t)
	payment := paid(t, provider, schemas.Reference{"payment_id": "pay1"})
	payment.Account = "another"
	_, outcome := check(t, provider, payment)
	assert.Equal(t, providers.Refused, outcome.Kind)
	assert.Empty(t, server.asked())
}

// simulated is the simulator behind HTTP, below its own prefix.
func simulated(t *testing.T) (*sandbox.Server, string) {
	t.Helper()
	simulator := sandbox.NewServer(sandbox.Worldpay())
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)
	return simulator, server.URL + "/worldpay"
}

func TestTheSimulatorIsAskedThroughEveryFamily(t *testing.T) {
	t.Parallel()
	simulator, base := simulated(t)
	provider := create(t, sandboxSettings(t, base))
	script := func(ref, status string, aliases ...string) {
		require.NoError(t, simulator.Store("worldpay").Put(ref, sandbox.Script{
			Amount: sandbox.Amount{Value: 1200, Currency: "GBP"}, Aliases: aliases, Steps: []sandbox.Step{{Status: status}},
		}))
	}
	script("order/1#?", "Sent for Settlement", paymentID)
	script("order-cancelled", "Sent for Cancellation", "payC")
	script("order-refused", "Refused", "payR")
	for _, c := range []struct {
		name   string
		ref    schemas.Reference
		status schemas.Status
	}{
		{"Card Payments", schemas.Reference{"events_link": sandbox.WorldpayEventsLink(base, "order/1#?")}, schemas.CapturePending},
		{"Payments API", schemas.Reference{"events_link": sandbox.WorldpaySelfLink(base, "order/1#?")}, schemas.CapturePending},
		{"Payment Queries by id", schemas.Reference{"payment_id": paymentID}, schemas.CapturePending},
		{"Payment Queries by reference", schemas.Reference{"transaction_reference": "order/1#?"}, schemas.CapturePending},
		{"APM", schemas.Reference{"events_link": base + "/apmPayments/" + paymentID}, schemas.CapturePending},
		{"a cancellation by link", schemas.Reference{"events_link": sandbox.WorldpayEventsLink(base, "order-cancelled")}, schemas.Canceled},
		{"a cancellation with its events", schemas.Reference{"payment_id": "payC"}, schemas.Voided},
		{"a refusal with its events", schemas.Reference{"payment_id": "payR"}, schemas.Declined},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, outcome := check(t, provider, paid(t, provider, c.ref))
			assert.Equal(t, c.status, observed(t, outcome).Status)
		})
	}
}

func TestThroughARoundTripperThatCallsTheHandler(t *testing.T) {
	t.Parallel()
	store := sandbox.NewStore()
	handler := sandbox.Worldpay().Handler(store)
	require.NoError(t, store.Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 1200, Currency: "GBP"},
		Steps:  []sandbox.Step{{Status: "Authorized"}},
	}))
	round := roundTripper(func(r *http.Request) (*http.Response, error) {
		recorded := httptest.NewRecorder()
		handler.ServeHTTP(recorded, r)
		return recorded.Result(), nil
	})
	provider, err := worldpay.Definition.New(sandboxSettings(t, "https://sandbox.invalid"), providers.Options{RoundTripper: round})
	require.NoError(t, err)
	_, outcome := check(t, provider, paid(t, provider, schemas.Reference{"events_link": sandbox.WorldpaySelfLink("https://sandbox.invalid", "order-1")}))
	assert.Equal(t, schemas.Authorized, observed(t, outcome).Status)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
