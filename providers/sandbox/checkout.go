package sandbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// The credentials that the simulated Checkout.com accepts.
const (
	checkoutSecretKey    = "sk_sbox_paystatussandboxcheckoutaa2"          //nolint:gosec // opens nothing but the simulator
	checkoutABCKey       = "sk_test_paystatu-sand-boxa-bcab-checkoutabcd" //nolint:gosec // the same
	checkoutClientID     = "ack_paystatussandboxcheckout"
	checkoutClientSecret = "paystatus-sandbox-checkout-client-secret"
	checkoutSignatureKey = "paystatus-sandbox-checkout-signature-key"
	checkoutAuthValue    = "paystatus-sandbox-checkout-authorization-header"
)

const (
	checkoutSessionLife = 15 * time.Minute
	checkoutTokenLife   = time.Hour
	checkoutMaxLimit    = 100
)

var checkoutID = regexp.MustCompile(`^(pay|sid)_\w{26}$`)

// Checkout simulates the API of Checkout.com: payments by id, by session while it lives, and by reference with pages; secret keys
// of both generations, and OAuth tokens at /connect/token.
//
// A script is set under a payment id, a session id or a merchant reference, with the others as aliases. A payment id that no
// script names is derived from the reference. With a sid_ alias the payment goes through 3-D Secure. The field "attempts" of
// a step is a list of further payments with the same reference: objects whose members replace those of the first.
func Checkout() Simulator { return checkout{} }

type checkout struct{}

func (checkout) Name() string { return "checkout" }

func (checkout) Config(baseURL string) string {
	return fmt.Sprintf(`checkout:
  base_url: %s
  accounts:
    default:
      secret_key: %s
      notifications: {signature_key: %s, authorization: %s}
    oauth: {client_id: %s, client_secret: %s}
    abc: {secret_key: %s}
`, baseURL, checkoutSecretKey, checkoutSignatureKey, checkoutAuthValue, checkoutClientID, checkoutClientSecret, checkoutABCKey)
}

func (checkout) Handler(store *Store) http.Handler {
	api := &checkoutAPI{store: store, tokens: map[string]time.Time{}, references: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /connect/token", api.token)
	mux.HandleFunc("GET /payments/{id}", api.authorized(api.payment))
	mux.HandleFunc("GET /payments", api.authorized(api.list))
	return mux
}

type checkoutAPI struct {
	store *Store

	mu         sync.Mutex
	tokens     map[string]time.Time // issued, until when they are good
	references map[string]string    // of payment ids that were derived
}

// token issues an access token for client credentials with the scope "gateway".
func (api *checkoutAPI) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	problem := ""
	switch {
	case r.PostFormValue("grant_type") != "client_credentials":
		problem = "unsupported_grant_type"
	case id != checkoutClientID || secret != checkoutClientSecret:
		problem = "invalid_client"
	case !slices.Contains(strings.Fields(r.PostFormValue("scope")), "gateway"):
		problem = "invalid_scope"
	}
	if problem != "" {
		checkoutJSON(w, http.StatusBadRequest, map[string]any{"error": problem})
		return
	}
	token := uuid.NewString()
	api.mu.Lock()
	api.tokens[token] = time.Now().Add(checkoutTokenLife)
	api.mu.Unlock()
	checkoutJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(checkoutTokenLife / time.Second), "scope": "gateway",
	})
}

// authorized lets through who may ask about payments.
func (api *checkoutAPI) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cko-Request-Id", uuid.NewString())
		w.Header().Set("Cko-Version", "3.31.4")
		given := r.Header.Get("Authorization")
		bearer, isBearer := strings.CutPrefix(given, "Bearer ")
		api.mu.Lock()
		until := api.tokens[bearer]
		api.mu.Unlock()
		switch {
		case given == checkoutABCKey, isBearer && bearer == checkoutSecretKey, isBearer && time.Now().Before(until):
			next(w, r)
		case strings.HasPrefix(bearer, "pk_"):
			w.WriteHeader(http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}

// payment answers by payment id or session id.
func (api *checkoutAPI) payment(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	p, known := api.store.Peek(api.referenceOf(id))
	session := strings.HasPrefix(id, "sid_")
	if !checkoutID.MatchString(id) || !known || session && time.Since(p.Created) > checkoutSessionLife {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	p, _ = api.store.Answer(p.Reference)
	if p.Status == StatusNotFound {
		Respond(w, r, p, http.StatusNotFound, nil)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	Respond(w, r, p, http.StatusOK, checkoutBytes(api.body(p, session)))
}

// list answers with one page of the payments that carry a reference.
func (api *checkoutAPI) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, limitOK := checkoutNumber(query, "limit", 10)
	skip, skipOK := checkoutNumber(query, "skip", 0)
	if query.Get("reference") == "" || !limitOK || limit < 1 || limit > checkoutMaxLimit || !skipOK || skip < 0 {
		checkoutJSON(w, http.StatusUnprocessableEntity, map[string]any{
			"request_id": w.Header().Get("Cko-Request-Id"), "error_type": "request_invalid", "error_codes": []string{"query_invalid"},
		})
		return
	}
	p, known := api.store.Answer(query.Get("reference"))
	rows := []map[string]any{}
	if known && p.Status != StatusNotFound {
		rows = api.rows(p)
	}
	page := rows[min(skip, len(rows)):min(skip+limit, len(rows))]
	envelope := map[string]any{"total_count": len(rows), "skip": skip, "limit": limit, "data": page}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	Respond(w, r, p, http.StatusOK, checkoutBytes(envelope))
}

func checkoutNumber(query url.Values, name string, missing int) (int, bool) {
	text := query.Get(name)
	if text == "" {
		return missing, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// rows are a scripted payment and the other attempts under its reference.
func (api *checkoutAPI) rows(p Payment) []map[string]any {
	first := api.body(p, false)
	attempts, _ := p.Step.Fields["attempts"].([]any)
	rows := make([]map[string]any, 0, 1+len(attempts))
	rows = append(rows, first)
	for i, attempt := range attempts {
		members, _ := attempt.(map[string]any)
		row := maps.Clone(first)
		row["id"] = checkoutDerived("pay_", fmt.Sprintf("%s/%d", p.Reference, i))
		if status, ok := members["status"].(string); ok {
			checkoutApproval(row, status)
		}
		maps.Copy(row, members)
		rows = append(rows, row)
	}
	return rows
}

// body is the payment as the API shows it; by session with the actions.
func (api *checkoutAPI) body(p Payment, session bool) map[string]any {
	id, sid, reference := api.names(p)
	amount, status := p.Script.Amount, p.Status
	switch p.Step.Fault {
	case FaultWrongPayment:
		id, reference = checkoutDerived("pay_", "another payment"), "another-"+reference
	case FaultWrongAmount:
		amount.Value++
	case FaultUnknownStatus:
		status = "Mystified"
	}
	self := "https://api.sandbox.checkout.com/payments/" + id
	links := map[string]any{"self": checkoutLink(self), "actions": checkoutLink(self + "/actions")}
	body := map[string]any{
		"id": id, "requested_on": p.Created.UTC().Format("2006-01-02T15:04:05.0000000Z"), "payment_type": "Regular", "reference": reference,
		"amount": amount.Value, "currency": amount.Currency, "risk": map[string]any{"flagged": false}, "_links": links,
		"source": map[string]any{
			"id": checkoutDerived("src_", p.Reference), "type": "card", "expiry_month": 12, "expiry_year": 2030, "scheme": "Visa", "last4": "4242",
			"bin": "424242", "card_type": "Credit", "issuer_country": "GB", "avs_check": "S", "cvv_check": "Y",
		},
	}
	checkoutApproval(body, status)
	if sid != "" {
		body["3ds"] = checkoutAuthentication(status)
		if status == "Pending" {
			links["redirect"] = checkoutLink("https://api.sandbox.checkout.com/sessions-interceptor/" + sid)
		}
	}
	if session && status != "Pending" {
		body["actions"] = checkoutActions(id, status)
	}
	for name, value := range p.Step.Fields {
		if name != "attempts" {
			body[name] = value
		}
	}
	return body
}

// names are the ids and the reference of a scripted payment.
func (api *checkoutAPI) names(p Payment) (id, sid, reference string) {
	id, sid, reference = checkoutNames(p)
	if !slices.Contains(append([]string{p.Reference}, p.Script.Aliases...), id) {
		api.mu.Lock()
		api.references[id] = p.Reference
		api.mu.Unlock()
	}
	return id, sid, reference
}

// referenceOf finds the script of a payment id that was derived.
func (api *checkoutAPI) referenceOf(id string) string {
	api.mu.Lock()
	defer api.mu.Unlock()
	if reference, derived := api.references[id]; derived {
		return reference
	}
	return id
}

// checkoutApproval sets the status, the flag that comes with it and the sums.
func checkoutApproval(body map[string]any, status string) {
	amount := body["amount"]
	balances := map[string]any{
		"total_authorized": amount, "total_voided": 0, "available_to_void": 0, "total_captured": amount, "available_to_capture": 0,
		"total_refunded": 0, "available_to_refund": amount,
	}
	body["status"], body["approved"] = status, true
	switch status {
	case "Pending", "Authentication Requested":
		delete(body, "approved")
		balances = nil
	case "Declined", "Rejected", "Retry Scheduled":
		body["approved"] = false
		balances = nil
	case "Authorized":
		balances["total_captured"], balances["available_to_refund"] = 0, 0
		balances["available_to_capture"], balances["available_to_void"] = amount, amount
	case "Voided":
		balances["total_captured"], balances["available_to_refund"], balances["total_voided"] = 0, 0, amount
	case "Refunded":
		balances["total_refunded"], balances["available_to_refund"] = amount, 0
	case "Captured":
	default:
		balances = nil // partial sums and other statuses: the script's fields say what they are
	}
	delete(body, "balances")
	if balances != nil {
		body["balances"] = balances
	}
}

func checkoutAuthentication(status string) map[string]any {
	result := map[string]any{"downgraded": false, "enrolled": "Y", "version": "2.2.0"}
	switch status {
	case "Pending", "Authentication Requested":
	case "Declined":
		result["authentication_response"] = "N"
	default:
		result["authentication_response"], result["cryptogram"], result["xid"] = "Y", "AAABAVIREQAAAAAAAAAAAAAAAAA=", "4f1c7d3a-52b0-4c57-9a36-0d6f5b1e8c24"
	}
	return result
}

// checkoutActions are what was done to a payment, the newest first.
func checkoutActions(id, status string) []map[string]any {
	done := func(kind, id string) map[string]any {
		return map[string]any{"id": id, "type": kind, "response_code": "10000", "response_summary": "Approved"}
	}
	actions := []map[string]any{}
	if status == "Captured" {
		actions = append(actions, done("Capture", checkoutDerived("act_", id)))
	}
	if status == "Captured" || status == "Authorized" {
		actions = append(actions, done("Authorization", "act_"+strings.TrimPrefix(id, "pay_")))
	}
	return actions
}

// checkoutDerived makes an id from a text, always the same.
func checkoutDerived(prefix, text string) string {
	sum := sha256.Sum256([]byte(prefix + text))
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}

func checkoutLink(href string) map[string]any { return map[string]any{"href": href} }

func checkoutJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(checkoutBytes(body))
}

// checkoutBytes writes a body. Scripts come from JSON, so what is in them can be written as JSON.
func checkoutBytes(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("sandbox: a script's fields cannot be written as JSON: %v", err))
	}
	return text
}
