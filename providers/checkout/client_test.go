package checkout

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// api is what a provider talks to: a handler, called without a network. It remembers what was asked.
type api struct {
	http.Handler

	mu    sync.Mutex
	asked []*http.Request
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.asked = append(a.asked, r.Clone(r.Context()))
	a.mu.Unlock()
	recorder := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

func (a *api) paths() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var paths []string
	for _, r := range a.asked {
		paths = append(paths, r.URL.RequestURI())
	}
	return paths
}

// simulated is a provider in front of the simulator.
func simulated(t *testing.T) (*provider, *sandbox.Store, *api) {
	t.Helper()
	simulator, store := sandbox.Checkout(), sandbox.NewStore()
	a := &api{Handler: simulator.Handler(store)}
	var sections map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(simulator.Config("http://127.0.0.1:1/")), &sections))
	settings, section := defaults(), sections[name]
	require.NoError(t, section.Decode(settings))
	settings.Rate = 0
	return newProvider(settings, providers.Options{RoundTripper: a}), store, a
}

func put(t *testing.T, store *sandbox.Store, reference string, steps []sandbox.Step, aliases ...string) {
	t.Helper()
	require.NoError(t, store.Put(reference, sandbox.Script{Amount: sandbox.Amount{Value: 8000, Currency: "EUR"}, Aliases: aliases, Steps: steps}))
}

// now is a payment initiated just now, as those of the simulator are.
func now(reference schemas.Reference) providers.Payment {
	p := known(reference)
	p.InitiatedAt = time.Now()
	return p
}

func ask(t *testing.T, c *provider, p providers.Payment) providers.Outcome {
	t.Helper()
	_, o, err := providers.Check(t.Context(), c, p)
	require.NoError(t, err)
	return o
}

func TestAPaymentIsAskedForByIDElseSessionElseReference(t *testing.T) {
	t.Parallel()
	captured := []sandbox.Step{{Status: "Captured"}}
	list := "/payments?limit=100&reference=" + order + "&skip=0"
	for name, tc := range map[string]struct {
		scripted  string
		aliases   []string
		reference schemas.Reference
		paths     []string
		kind      providers.Kind
	}{
		"by id": {
			payID,
			[]string{order, sid},
			schemas.Reference{refPayment: payID, refSession: sid, refReference: order},
			[]string{"/payments/" + payID},
			providers.Observed,
		},
		"by session": {
			payID,
			[]string{order, sid},
			schemas.Reference{refSession: sid, refReference: order},
			[]string{"/payments/" + sid},
			providers.Observed,
		},
		"by reference": {
			order, nil, byOrder, []string{list}, providers.Observed,
		},
		"by reference when the session is not known any more": {
			order, nil, schemas.Reference{refSession: sid, refReference: order}, []string{"/payments/" + sid, list}, providers.Observed,
		},
		"by session when the id is not known": {
			order, []string{sid}, schemas.Reference{refPayment: payID, refSession: sid}, []string{"/payments/" + payID, "/payments/" + sid}, providers.Mismatch,
		},
		"not at all": {
			otherID, nil,
			schemas.Reference{refPayment: payID, refSession: sid, refReference: order},
			[]string{"/payments/" + payID, "/payments/" + sid, list},
			providers.NotFound,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, store, a := simulated(t)
			put(t, store, tc.scripted, captured, tc.aliases...)
			o := ask(t, c, now(tc.reference))
			assert.Equal(t, tc.kind, o.Kind, o.Message)
			assert.Equal(t, tc.paths, a.paths())
		})
	}
}

func TestAReferenceIsWrittenSafely(t *testing.T) {
	t.Parallel()
	c, store, a := simulated(t)
	const strange = "ORD 1&limit=1#ü/../+%"
	put(t, store, strange, []sandbox.Step{{Status: "Captured"}})
	assert.Equal(t, schemas.Captured, observe(t, ask(t, c, now(schemas.Reference{refReference: strange}))).Status)
	assert.Equal(t, strange, a.asked[0].URL.Query().Get("reference"))
}

func TestEveryRequestSaysWhoAsks(t *testing.T) {
	t.Parallel()
	c, store, a := simulated(t)
	put(t, store, payID, []sandbox.Step{{Status: "Captured"}}, order)
	for account, want := range map[string]string{"default": "Bearer sk_sbox_", "abc": "sk_test_", "oauth": "Bearer "} {
		p := now(byID)
		p.Account = account
		assert.Equal(t, schemas.Captured, observe(t, ask(t, c, p)).Status, account)
		last := a.asked[len(a.asked)-1]
		assert.True(t, strings.HasPrefix(last.Header.Get("Authorization"), want), account)
		assert.Equal(t, "application/json", last.Header.Get("Accept"))
	}
	p := now(byID)
	p.Account = "nobody"
	o := ask(t, c, p)
	assert.Equal(t, providers.Refused, o.Kind)
	assert.Equal(t, providers.CodeUnauthorized, o.Code)
}

func TestATokenThatIsNotAcceptedIsRenewedOnce(t *testing.T) {
	t.Parallel()
	oauth := func() providers.Payment {
		p := now(byID)
		p.Account = "oauth"
		return p
	}
	t.Run("and the question repeated", func(t *testing.T) {
		t.Parallel()
		c, store, a := simulated(t)
		put(t, store, payID, []sandbox.Step{{Status: "Captured", Fault: sandbox.Fault401}, {Status: "Captured"}}, order)
		assert.Equal(t, schemas.Captured, observe(t, ask(t, c, oauth())).Status)
		assert.Equal(t, []string{"/connect/token", "/payments/" + payID, "/connect/token", "/payments/" + payID}, a.paths())
		ask(t, c, oauth())
		assert.Len(t, a.paths(), 5, "the new token is kept")
	})
	t.Run("and no more", func(t *testing.T) {
		t.Parallel()
		c, store, a := simulated(t)
		put(t, store, payID, []sandbox.Step{{Status: "Captured", Fault: sandbox.Fault401}}, order)
		assert.Equal(t, providers.CodeUnauthorized, ask(t, c, oauth()).Code)
		assert.Len(t, a.paths(), 4)
	})
	t.Run("but a secret key is not", func(t *testing.T) {
		t.Parallel()
		c, store, a := simulated(t)
		put(t, store, payID, []sandbox.Step{{Status: "Captured", Fault: sandbox.Fault401}}, order)
		assert.Equal(t, providers.CodeUnauthorized, ask(t, c, now(byID)).Code)
		assert.Len(t, a.paths(), 1)
	})
}

func TestAllPagesOfALongListAreRead(t *testing.T) {
	t.Parallel()
	c, store, a := simulated(t)
	attempts := make([]any, 0, 230)
	for i := range 230 {
		status := "Declined"
		if i == 217 {
			status = "Captured"
		}
		attempts = append(attempts, map[string]any{"status": status})
	}
	put(t, store, order, []sandbox.Step{{Status: "Declined", Fields: map[string]any{"attempts": attempts}}})
	p := now(byOrder)
	answer, err := c.Ask(t.Context(), p)
	require.NoError(t, err)
	o := c.Read(answer, p)
	assert.Equal(t, schemas.Captured, observe(t, o).Status)
	assert.Empty(t, o.Observation.Anomalies)
	assert.Equal(t, 2, o.Page)
	var skips []string
	for _, r := range a.asked {
		assert.Equal(t, "100", r.URL.Query().Get("limit"))
		skips = append(skips, r.URL.Query().Get("skip"))
	}
	assert.Equal(t, []string{"0", "100", "200"}, skips)
}

// rows serves a list of n rows, each of a size, as often as it is asked.
func rows(n, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		skip, _ := strconv.Atoi(r.URL.Query().Get("skip"))
		data := []any{}
		for i := skip; i < min(n, skip+limit); i++ {
			data = append(data, map[string]any{
				"id": fmt.Sprintf("pay_%026d", i), "reference": order, "amount": 8000, "currency": "EUR", "status": "Declined", "approved": false,
				"description": strings.Repeat("x", size),
			})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"total_count": n, "data": data})
	}
}

func served(handler http.HandlerFunc) (*provider, *api) {
	a := &api{Handler: handler}
	settings := defaults()
	settings.Rate = 0
	settings.Accounts = map[string]Account{"default": {SecretKey: "sk_x"}}
	return newProvider(settings, providers.Options{RoundTripper: a}), a
}

func TestPagesThatWouldBeTooLargeAreMadeSmaller(t *testing.T) {
	t.Parallel()
	c, a := served(rows(60, 6<<10))
	o := ask(t, c, known(byOrder))
	assert.Equal(t, schemas.Declined, observe(t, o).Status)
	assert.Empty(t, o.Observation.Anomalies)
	assert.Equal(t, []string{"100", "25", "25", "25"}, limits(a))

	c, a = served(rows(1, 512<<10))
	assert.Equal(t, providers.CodeTooLarge, ask(t, c, known(byOrder)).Code)
	assert.Equal(t, []string{"100", "25", "6", "1"}, limits(a))
}

func limits(a *api) []string {
	var all []string
	for _, r := range a.asked {
		all = append(all, r.URL.Query().Get("limit"))
	}
	return all
}

func TestAListWithoutEndIsGivenUp(t *testing.T) {
	t.Parallel()
	c, a := served(rows(1_000_000, 1))
	assert.Equal(t, providers.CodeIncompleteList, ask(t, c, known(byOrder)).Code)
	assert.Len(t, a.paths(), maxPages)
}

func TestAListThatBreaksOffIsIncomplete(t *testing.T) {
	t.Parallel()
	whole := rows(150, 1)
	c, a := served(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("skip") != "0" {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		whole(w, r)
	})
	o := ask(t, c, known(byOrder))
	assert.Equal(t, providers.CodeIncompleteList, o.Code)
	assert.Equal(t, 3*time.Second, o.RetryAfter)
	assert.Len(t, a.paths(), 2)
}

func TestARefusedSessionIsNotAskedForElsewhere(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusServiceUnavailable, http.StatusUnprocessableEntity} {
		c, a := served(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		o := ask(t, c, known(schemas.Reference{refSession: sid, refReference: order}))
		assert.NotEqual(t, providers.NotFound, o.Kind)
		assert.Len(t, a.paths(), 1)
	}
}

func TestAContextThatEndsIsTheError(t *testing.T) {
	t.Parallel()
	c, _ := served(rows(1, 1))
	for _, reference := range []schemas.Reference{{refPayment: payID}, {refReference: order}} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Ask(ctx, known(reference))
		require.ErrorIs(t, err, context.Canceled)
		assert.NotContains(t, err.Error(), order)
	}
}
