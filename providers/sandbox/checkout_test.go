package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	checkoutTestID  = "pay_mbabizu24mvu3mela5njyhpit4"
	checkoutTestSID = "sid_y3oqhf46pyzuxjbcn2giaqnb44"
)

// checkoutAnswer is what the simulator says to one request.
type checkoutAnswer struct {
	status int
	header http.Header
	body   map[string]any
}

func checkoutGet(t *testing.T, api http.Handler, path, authorization string) checkoutAnswer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	request.Header.Set("Authorization", authorization)
	return checkoutServe(t, api, request)
}

func checkoutServe(t *testing.T, api http.Handler, request *http.Request) checkoutAnswer {
	t.Helper()
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, request)
	answer := checkoutAnswer{status: recorder.Code, header: recorder.Header()}
	if recorder.Body.Len() > 0 {
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer.body))
	}
	return answer
}

func checkoutToken(t *testing.T, api http.Handler, form url.Values) checkoutAnswer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return checkoutServe(t, api, request)
}

// checkoutWith is the simulator with one payment.
func checkoutWith(t *testing.T, reference string, script Script) http.Handler {
	t.Helper()
	store := NewStore()
	require.NoError(t, store.Put(reference, script))
	return Checkout().Handler(store)
}

const checkoutBearer = "Bearer " + checkoutSecretKey

func TestCheckoutAnswersOnlyThoseItKnows(t *testing.T) {
	t.Parallel()
	api := checkoutWith(t, checkoutTestID, Script{Steps: []Step{{Status: "Captured"}}})
	for authorization, want := range map[string]int{
		checkoutBearer: 200, checkoutABCKey: 200, "": 401, checkoutSecretKey: 401, "Bearer " + checkoutABCKey: 401, "Bearer nobody": 401, "Bearer pk_x": 403,
	} {
		answer := checkoutGet(t, api, "/payments/"+checkoutTestID, authorization)
		assert.Equal(t, want, answer.status, authorization)
		assert.NotEmpty(t, answer.header.Get("Cko-Request-Id"))
		assert.NotEmpty(t, answer.header.Get("Cko-Version"))
	}
}

func TestCheckoutIssuesTokensThatExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := checkoutWith(t, checkoutTestID, Script{Steps: []Step{{Status: "Captured"}}})
		form := func() url.Values {
			return url.Values{
				"grant_type": {"client_credentials"}, "client_id": {checkoutClientID}, "client_secret": {checkoutClientSecret}, "scope": {"gateway"},
			}
		}
		answer := checkoutToken(t, api, form())
		require.Equal(t, http.StatusOK, answer.status)
		assert.InDelta(t, checkoutTokenLife.Seconds(), answer.body["expires_in"], 0)
		bearer := "Bearer " + answer.body["access_token"].(string)
		assert.Equal(t, http.StatusOK, checkoutGet(t, api, "/payments/"+checkoutTestID, bearer).status)
		time.Sleep(checkoutTokenLife)
		assert.Equal(t, http.StatusUnauthorized, checkoutGet(t, api, "/payments/"+checkoutTestID, bearer).status)

		for field, problem := range map[string]string{
			"grant_type": "unsupported_grant_type", "client_id": "invalid_client", "client_secret": "invalid_client", "scope": "invalid_scope",
		} {
			wrong := form()
			wrong.Set(field, "x")
			refusal := checkoutToken(t, api, wrong)
			assert.Equal(t, http.StatusBadRequest, refusal.status)
			assert.Equal(t, map[string]any{"error": problem}, refusal.body)
		}
	})
}

func TestCheckoutKnowsAPaymentByEveryName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		script := Script{Amount: Amount{Value: 8000, Currency: "EUR"}, Aliases: []string{checkoutTestSID, "ORD-1"}, Steps: []Step{{Status: "Captured"}}}
		api := checkoutWith(t, checkoutTestID, script)
		byID := checkoutGet(t, api, "/payments/"+checkoutTestID, checkoutBearer)
		bySession := checkoutGet(t, api, "/payments/"+checkoutTestSID, checkoutBearer)
		list := checkoutGet(t, api, "/payments?reference=ORD-1", checkoutBearer)
		require.Equal(t, http.StatusOK, list.status)
		for _, body := range []map[string]any{byID.body, bySession.body, list.body["data"].([]any)[0].(map[string]any)} {
			assert.Equal(t, checkoutTestID, body["id"])
			assert.Equal(t, "ORD-1", body["reference"])
			assert.Equal(t, "Captured", body["status"])
			assert.Equal(t, true, body["approved"])
		}
		assert.Contains(t, bySession.body, "actions")
		assert.NotContains(t, byID.body, "actions")

		time.Sleep(checkoutSessionLife + 1)
		assert.Equal(t, http.StatusNotFound, checkoutGet(t, api, "/payments/"+checkoutTestSID, checkoutBearer).status, "a session lives 15 minutes")
		assert.Equal(t, http.StatusOK, checkoutGet(t, api, "/payments/"+checkoutTestID, checkoutBearer).status)
		assert.Equal(t, http.StatusNotFound, checkoutGet(t, api, "/payments/pay_x", checkoutBearer).status)
	})
}

func TestCheckoutDerivesIDsThatCanBeAskedFor(t *testing.T) {
	t.Parallel()
	api := checkoutWith(t, "ORD-1", Script{Steps: []Step{{Status: "Pending"}}})
	row := checkoutGet(t, api, "/payments?reference=ORD-1", checkoutBearer).body["data"].([]any)[0].(map[string]any)
	id := row["id"].(string)
	assert.Regexp(t, checkoutID, id)
	assert.Equal(t, id, checkoutGet(t, api, "/payments/"+id, checkoutBearer).body["id"])
}

func TestCheckoutListsHavePages(t *testing.T) {
	t.Parallel()
	attempts := []any{map[string]any{"status": "Captured"}, map[string]any{"status": "Pending", "amount": 5}}
	api := checkoutWith(t, "ORD-1", Script{Steps: []Step{{Status: "Declined", Times: 9, Fields: map[string]any{"attempts": attempts}}}})
	page := checkoutGet(t, api, "/payments?reference=ORD-1&limit=2&skip=1", checkoutBearer)
	assert.InDelta(t, 3, page.body["total_count"], 0)
	rows := page.body["data"].([]any)
	require.Len(t, rows, 2)
	assert.Equal(t, true, rows[0].(map[string]any)["approved"])
	assert.NotContains(t, rows[1], "approved")
	assert.InDelta(t, 5, rows[1].(map[string]any)["amount"], 0)
	assert.NotEqual(t, rows[0].(map[string]any)["id"], rows[1].(map[string]any)["id"])

	assert.Empty(t, checkoutGet(t, api, "/payments?reference=ORD-1&skip=7", checkoutBearer).body["data"])
	assert.Empty(t, checkoutGet(t, api, "/payments?reference=nobody", checkoutBearer).body["data"])
	for _, query := range []string{
		"", "?reference=", "?reference=ORD-1&limit=0", "?reference=ORD-1&limit=101", "?reference=ORD-1&skip=-1", "?reference=ORD-1&limit=x",
	} {
		answer := checkoutGet(t, api, "/payments"+query, checkoutBearer)
		assert.Equal(t, http.StatusUnprocessableEntity, answer.status, query)
		assert.Equal(t, "request_invalid", answer.body["error_type"])
	}
}

func TestCheckoutShowsEveryStatusAsTheAPIDoes(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]struct {
		approved any
		balances []any // authorized, captured, refunded, available to capture
		response any
	}{
		"Pending":    {nil, nil, nil},
		"Authorized": {true, []any{1000.0, 0.0, 0.0, 1000.0}, "Y"},
		"Captured":   {true, []any{1000.0, 1000.0, 0.0, 0.0}, "Y"},
		"Declined":   {false, nil, "N"},
		"Refunded":   {true, []any{1000.0, 1000.0, 1000.0, 0.0}, "Y"},
		"Voided":     {true, []any{1000.0, 0.0, 0.0, 0.0}, "Y"},
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			api := checkoutWith(t, checkoutTestID, Script{Aliases: []string{checkoutTestSID}, Steps: []Step{{Status: status}}})
			body := checkoutGet(t, api, "/payments/"+checkoutTestID, checkoutBearer).body
			assert.Equal(t, want.approved, body["approved"])
			assert.Equal(t, want.response, body["3ds"].(map[string]any)["authentication_response"])
			balances, stated := body["balances"].(map[string]any)
			require.Equal(t, want.balances != nil, stated)
			if stated {
				assert.Equal(t, want.balances, []any{
					balances["total_authorized"], balances["total_captured"], balances["total_refunded"], balances["available_to_capture"],
				})
			}
			_, redirect := body["_links"].(map[string]any)["redirect"]
			assert.Equal(t, status == "Pending", redirect)
		})
	}
}
