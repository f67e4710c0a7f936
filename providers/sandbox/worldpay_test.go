package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers/sandbox"
)

const (
	worldpayV7      = "application/vnd.worldpay.payments-v7+json"
	worldpayQueries = "application/vnd.worldpay.payment-queries-v1.hal+json"
)

type worldpayAnswer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

// worldpay serves the simulator with one payment, and asks it.
func worldpay(t *testing.T, steps ...sandbox.Step) (ask func(target string, headers map[string]string) worldpayAnswer, base string) {
	t.Helper()
	server := sandbox.NewServer(sandbox.Worldpay())
	require.NoError(t, server.Store("worldpay").Put("order/1", sandbox.Script{
		Amount:  sandbox.Amount{Value: 1200, Currency: "GBP"},
		Aliases: []string{"pay1"}, Steps: steps,
	}))
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	base = listening.URL + "/worldpay"
	return func(target string, headers map[string]string) worldpayAnswer {
		if !strings.HasPrefix(target, "http") {
			target = base + target
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		require.NoError(t, err)
		request.SetBasicAuth("sandbox-worldpay", "sandbox-worldpay-password")
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		answer := worldpayAnswer{status: response.StatusCode, header: response.Header, text: string(text)}
		_ = json.Unmarshal(text, &answer.json)
		return answer
	}, base
}

var (
	worldpayCards  = map[string]string{"Accept": worldpayV7, "Content-Type": worldpayV7}
	worldpayLookup = map[string]string{"Accept": worldpayQueries}
)

func TestWorldpayEnforcesCredentialsAndVersions(t *testing.T) {
	t.Parallel()
	ask, _ := worldpay(t, sandbox.Step{Status: "Authorized"})
	for _, c := range []struct {
		name, target string
		headers      map[string]string
		status       int
		problem      string
	}{
		{"wrong credentials", "/payments/events/x", map[string]string{"Authorization": "Basic eDp5"}, http.StatusUnauthorized, "accessDenied"},
		{"no version", "/payments/events/x", map[string]string{"Accept": worldpayV7}, http.StatusNotAcceptable, "headerIsMissing"},
		{
			"a wrong version", "/payments/events/x",
			map[string]string{"Accept": "application/json", "Content-Type": worldpayV7},
			http.StatusUnsupportedMediaType, "headerHasInvalidValue",
		},
		{"no API version", "/api/payments/x", nil, http.StatusNotAcceptable, "headerIsMissing"},
		{
			"a wrong API version", "/apmPayments/x",
			map[string]string{"WP-Api-Version": "2020-01-01"},
			http.StatusUnsupportedMediaType,
			"headerHasInvalidValue",
		},
		{
			"a wrong media type of Payment Queries", "/paymentQueries/payments/pay1",
			map[string]string{"Accept": worldpayV7},
			http.StatusUnsupportedMediaType,
			"headerHasInvalidValue",
		},
		{"an unknown link", "/payments/events/x", worldpayCards, http.StatusNotFound, "endpointNotFound"},
		{"an unknown id", "/paymentQueries/payments/x", worldpayLookup, http.StatusNotFound, "paymentNotFound"},
		{"an unknown path", "/elsewhere", nil, http.StatusNotFound, "endpointNotFound"},
		{"a recovery without entity", "/payments/events?transactionRef=order/1", worldpayCards, http.StatusBadRequest, "bodyDoesNotMatchSchema"},
		{
			"a recovery with the parameter's other name", "/payments/events?transactionReference=order/1&entity=default", worldpayCards, http.StatusBadRequest,
			"bodyDoesNotMatchSchema",
		},
		{"a recovery for another entity", "/payments/events?transactionRef=order/1&entity=x", worldpayCards, http.StatusBadRequest, "entityIsNotConfigured"},
		{"a list without reference", "/paymentQueries/payments", worldpayLookup, http.StatusBadRequest, "invalidTransactionReference"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := ask(c.target, c.headers)
			assert.Equal(t, c.status, answer.status)
			assert.Equal(t, c.problem, answer.json["errorName"])
			assert.NotEmpty(t, answer.header.Get("Wp-Correlationid"))
		})
	}
}

func TestWorldpayAnswersEachFamilyInItsOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ script, cards, queries, recovery, apm string }{
		{"Authorized", "Authorized", "authorizationSucceeded", "Authorized", "authorized"},
		{"settlementRequestSubmitted", "Sent for Settlement", "settlementRequestSubmitted", "Sent for Settlement", "sentForSettlement"},
		{"Sent for Cancellation", "Sent for Cancellation", "cancellationRequestSubmitted", "Send for Cancellation", "cancelled"},
		{"Settlement failed", "Settlement failed", "settlementRequestSubmissionFailed", "Settlement failed", "settlementFailed"},
		{"saleSucceeded", "saleSucceeded", "saleSucceeded", "saleSucceeded", "saleSucceeded"},
	} {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			ask, base := worldpay(t, sandbox.Step{Status: c.script})
			assert.Equal(t, c.cards, ask(sandbox.WorldpayEventsLink(base, "order/1"), worldpayCards).json["lastEvent"])
			assert.Equal(t, c.cards, ask(sandbox.WorldpaySelfLink(base, "order/1"), map[string]string{"WP-Api-Version": "2024-06-01"}).json["lastEvent"])
			assert.Equal(t, c.recovery, ask("/payments/events?transactionRef=order%2F1&entity=default", worldpayCards).json["lastEvent"])
			assert.Equal(t, c.apm, ask("/apmPayments/pay1", map[string]string{"WP-Api-Version": "2024-07-01"}).json["lastEvent"])
			detail := ask("/paymentQueries/payments/pay1", worldpayLookup).json
			assert.Equal(t, c.queries, detail["lastEvent"])
			events := detail["events"].([]any)
			assert.Equal(t, c.queries, events[len(events)-1].(map[string]any)["eventName"])
			rows := ask("/paymentQueries/payments?transactionReference=order%2F1", worldpayLookup).json["_embedded"].(map[string]any)["payments"].([]any)
			require.Len(t, rows, 1)
			assert.Equal(t, c.queries, rows[0].(map[string]any)["lastEvent"])
			assert.NotContains(t, rows[0], "events")
		})
	}
}

func TestWorldpayLinksCountToTheByte(t *testing.T) {
	t.Parallel()
	ask, base := worldpay(t, sandbox.Step{Status: "Authorized"})
	version := map[string]string{"WP-Api-Version": "2024-06-01"}
	escaped := sandbox.WorldpaySelfLink(base, "order/1")
	plain, err := url.QueryUnescape(escaped)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, ask(escaped, version).status)
	assert.Equal(t, http.StatusNotFound, ask(plain, version).status, "decoded")
	assert.Equal(t, http.StatusNotFound, ask(strings.ReplaceAll(escaped, "%", "%25"), version).status, "encoded twice")
	assert.Equal(t, http.StatusNotFound, ask(sandbox.WorldpayEventsLink(base, "order/1")+"x", worldpayCards).status, "changed")
}

func TestWorldpayOffersTheLinksOfAStateAndNewLinkData(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status string
		links  []string
	}{
		{"Authorized", []string{"cancel", "settle", "partialSettle"}},
		{"Sent for Settlement", []string{"refund", "partialRefund", "reverse", "events"}},
		{"Sent for Refund", []string{"events"}},
		{"Refused", nil},
	} {
		t.Run(c.status, func(t *testing.T) {
			t.Parallel()
			ask, base := worldpay(t, sandbox.Step{Status: c.status})
			link := sandbox.WorldpayEventsLink(base, "order/1")
			for media, prefix := range map[string]string{"v7+json": "cardPayments:", "v6.hal+json": "payments:"} {
				accept := "application/vnd.worldpay.payments-" + media
				links := ask(link, map[string]string{"Accept": accept, "Content-Type": accept}).json["_links"].(map[string]any)
				delete(links, "curies")
				assert.Len(t, links, len(c.links))
				for _, name := range c.links {
					offered, ok := links[prefix+name].(map[string]any)
					require.True(t, ok, "%s in %v", prefix+name, links)
					assert.True(t, strings.HasPrefix(offered["href"].(string), base+"/payments/"))
					if name == "events" {
						assert.NotEqual(t, link, offered["href"])
						assert.Equal(t, http.StatusOK, ask(offered["href"].(string), worldpayCards).status)
					}
				}
			}
		})
	}
}

func TestWorldpayMisbehavesAsTheScriptSays(t *testing.T) {
	t.Parallel()
	query := func(t *testing.T, step sandbox.Step) worldpayAnswer {
		t.Helper()
		ask, _ := worldpay(t, step)
		return ask("/paymentQueries/payments/pay1", worldpayLookup)
	}
	for _, c := range []struct {
		name  string
		step  sandbox.Step
		check func(*assert.Assertions, worldpayAnswer)
	}{
		{"another payment", sandbox.Step{Status: "Authorized", Fault: sandbox.FaultWrongPayment}, func(assert *assert.Assertions, a worldpayAnswer) {
			assert.NotEqual("pay1", a.json["paymentId"])
			assert.NotEqual("order/1", a.json["transactionReference"])
		}},
		{"another amount", sandbox.Step{Status: "Authorized", Fault: sandbox.FaultWrongAmount}, func(assert *assert.Assertions, a worldpayAnswer) {
			assert.InDelta(1201, a.json["value"].(map[string]any)["amount"], 0)
		}},
		{"an unknown word", sandbox.Step{Status: "Authorized", Fault: sandbox.FaultUnknownStatus}, func(assert *assert.Assertions, a worldpayAnswer) {
			assert.Equal("somethingNew", a.json["lastEvent"])
		}},
		{"a field of the script's own", sandbox.Step{Status: "Authorized", Fields: map[string]any{"lastEvent": nil}}, func(assert *assert.Assertions,
			a worldpayAnswer,
		) {
			assert.Contains(a.json, "lastEvent")
			assert.Nil(a.json["lastEvent"])
		}},
		{"not found", sandbox.Step{Status: sandbox.StatusNotFound}, func(assert *assert.Assertions, a worldpayAnswer) {
			assert.Equal(http.StatusNotFound, a.status)
			assert.Equal("paymentNotFound", a.json["errorName"])
		}},
		{
			"not found, as HTML",
			sandbox.Step{Status: sandbox.StatusNotFound, Fields: map[string]any{sandbox.WorldpayHTML404: true}},
			func(assert *assert.Assertions, a worldpayAnswer) {
				assert.Equal(http.StatusNotFound, a.status)
				assert.Contains(a.header.Get("Content-Type"), "text/html")
				assert.Contains(a.text, "<html>")
			},
		},
		{"a gateway's page", sandbox.Step{Status: "Authorized", Fault: sandbox.Fault502HTML}, func(assert *assert.Assertions, a worldpayAnswer) {
			assert.Equal(http.StatusBadGateway, a.status)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(assert.New(t), query(t, c.step))
		})
	}
	t.Run("a list of what is not found is empty", func(t *testing.T) {
		t.Parallel()
		ask, _ := worldpay(t, sandbox.Step{Status: sandbox.StatusNotFound})
		answer := ask("/paymentQueries/payments?transactionReference=order%2F1", worldpayLookup)
		assert.Equal(t, http.StatusOK, answer.status)
		assert.Empty(t, answer.json["_embedded"].(map[string]any)["payments"])
	})
}
