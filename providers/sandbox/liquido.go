package sandbox

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The credentials that the simulated Liquido accepts.
const (
	liquidoClientID     = "sandbox-liquido-client"
	liquidoClientSecret = "sandbox-liquido-client-secret"
	liquidoAPIKey       = "sandbox-liquido-api-key"
)

// LiquidoAPI simulates Liquido's pay-in API: the token endpoint and the query of a charge by its idempotency key, which is the
// reference of the script. Status words are those of transferStatus, and Script.Method is a paymentMethod ("CARD" by default).
//
// Step.Fields replace fields of the answer at the top level, with one exception: "expirationMonth" is no such field; its text
// is written into the card as it stands, without quotes, so that "06" makes the answer that Liquido's documentation shows and
// that is not JSON.
type LiquidoAPI struct {
	// TokenLife is how long an access token is valid, in whole seconds. Default: an hour.
	TokenLife time.Duration

	mu       sync.Mutex
	tokens   map[string]time.Time // when each ends
	requests int
}

// Liquido simulates Liquido as it is documented.
func Liquido() Simulator { return &LiquidoAPI{} }

// Name is "liquido".
func (l *LiquidoAPI) Name() string { return "liquido" }

// TokenRequests counts the requests to the token endpoint.
func (l *LiquidoAPI) TokenRequests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}

// RevokeTokens ends every access token before its time.
func (l *LiquidoAPI) RevokeTokens() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.tokens)
}

// Config is the section of a configuration that fits this simulator.
func (l *LiquidoAPI) Config(baseURL string) string {
	return fmt.Sprintf(`liquido:
  base_url: %s
  token_url: %s/oauth2/token
  accounts:
    default: {client_id: %s, client_secret: %s, api_key: %s}
`, baseURL, baseURL, liquidoClientID, liquidoClientSecret, liquidoAPIKey)
}

// Handler serves the API.
func (l *LiquidoAPI) Handler(store *Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", l.issue)
	mux.HandleFunc("GET /v1/payments/charges/{key}", func(w http.ResponseWriter, r *http.Request) { l.charge(w, r, store) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		liquidoJSON(w, http.StatusForbidden, map[string]any{"message": "Missing Authentication Token"})
	})
	return mux
}

// issue gives an access token for client credentials in the form.
func (l *LiquidoAPI) issue(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.requests++
	l.mu.Unlock()
	refuse := func(code string) { liquidoJSON(w, http.StatusBadRequest, map[string]any{"error": code}) }
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	switch {
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil:
		refuse("invalid_request")
	case r.PostForm.Get("grant_type") != "client_credentials":
		refuse("unsupported_grant_type")
	case r.PostForm.Get("client_id") != liquidoClientID || r.PostForm.Get("client_secret") != liquidoClientSecret:
		refuse("invalid_client")
	default:
		life := l.TokenLife
		if life == 0 {
			life = time.Hour
		}
		token := rand.Text()
		l.mu.Lock()
		if l.tokens == nil {
			l.tokens = map[string]time.Time{}
		}
		l.tokens[token] = time.Now().Add(life)
		l.mu.Unlock()
		liquidoJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": int(life / time.Second), "token_type": "Bearer"})
	}
}

// charge answers the query of a charge.
func (l *LiquidoAPI) charge(w http.ResponseWriter, r *http.Request, store *Store) {
	switch {
	case !l.authorized(r):
		liquidoJSON(w, http.StatusUnauthorized, map[string]any{"message": "Unauthorized"})
		return
	case r.Header.Get("X-Api-Key") != liquidoAPIKey:
		liquidoJSON(w, http.StatusForbidden, map[string]any{"message": "Forbidden"})
		return
	}
	key := r.PathValue("key")
	p, ok := store.Answer(key)
	w.Header().Set("Content-Type", "application/json")
	if !ok || p.Status == StatusNotFound {
		body := liquidoText(map[string]any{
			"timestamp": time.Now().UTC().Format(time.RFC3339), "status": http.StatusNotFound, "error": "Not Found",
			"path": "/v1/payments/charges/" + key,
		})
		Respond(w, r, p, http.StatusNotFound, body)
		return
	}
	Respond(w, r, p, http.StatusOK, LiquidoCharge(p))
}

func (l *LiquidoAPI) authorized(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	l.mu.Lock()
	defer l.mu.Unlock()
	end, issued := l.tokens[token]
	return strings.EqualFold(scheme, "bearer") && issued && time.Now().Before(end)
}

// LiquidoCharge is a payment as Liquido describes it, in the answer to a query and in chargeDetails of a callback.
func LiquidoCharge(p Payment) []byte {
	key, amount, status := p.Reference, p.Script.Amount.Value, p.Status
	switch p.Step.Fault {
	case FaultWrongPayment:
		key = "another-" + key
	case FaultWrongAmount:
		amount++
	case FaultUnknownStatus:
		status = "SOMETHING_NEW"
	}
	method := p.Script.Method
	if method == "" {
		method = "CARD"
	}
	answer := map[string]any{
		"transferStatusCode": 200, "transferErrorMsg": nil, "idempotencyKey": key, "referenceId": key, "paymentMethod": method,
		"amount": amount, "currency": p.Script.Amount.Currency, "finalAmount": amount, "finalCurrency": p.Script.Amount.Currency,
		"createTime": liquidoTime(p.Created), "scheduledTime": liquidoTime(p.Created), "finalStatusTime": nil,
		"payer":           map[string]any{"name": "Sandbox Payer", "email": "payer@example.com", "document": nil},
		"transferDetails": liquidoDetails(method, status), "transferStatus": status, "description": "sandbox",
		"callbackUrl": "https://merchant.example/callbacks", "subMerchantId": nil,
	}
	if country, known := liquidoCountries[p.Script.Amount.Currency]; known {
		answer["country"] = country
	}
	switch status {
	case "SETTLED", "FAILED", "CANCELLED", "EXPIRED", "REFUNDED", "CHARGED_BACK":
		answer["finalStatusTime"] = liquidoTime(p.Since)
	}
	if status == "FAILED" {
		answer["transferStatusCode"], answer["transferErrorMsg"] = 2001, "The card was declined by the issuer"
	}
	month := "6"
	for name, value := range p.Step.Fields {
		if name == "expirationMonth" {
			month = fmt.Sprint(value)
			continue
		}
		answer[name] = value
	}
	return bytes.ReplaceAll(liquidoText(answer), []byte(liquidoMonth), []byte(month))
}

// liquidoMonth stands where the month of a card's expiry is written.
const liquidoMonth = `"{{expirationMonth}}"`

var liquidoCountries = map[string]string{
	"ARS": "AR", "BRL": "BR", "CLP": "CL", "COP": "CO", "CRC": "CR", "GTQ": "GT", "HNL": "HN", "MXN": "MX", "PEN": "PE", "USD": "EC",
}

// liquidoDetails are the details of a payment's method, with what the payer needs once the charge is with its channel.
func liquidoDetails(method, status string) map[string]any {
	switch {
	case strings.Contains(method, "CARD"):
		return map[string]any{"card": map[string]any{
			"cardInfo": map[string]any{
				"cardHolderName": "Sandbox Payer", "expirationMonth": strings.Trim(liquidoMonth, `"`), "expirationYear": 2031, "bin": "424242",
				"last4": "4242", "brand": "VISA",
			},
			"cardToken": map[string]any{"token": "card_00000000-0000-4000-8000-000000000000", "type": "CARD"},
		}}
	case status == "INITIAL_STATUS":
		return map[string]any{}
	}
	switch method {
	case "PSE":
		return map[string]any{"psePay": map[string]any{"paymentUrl": "https://pse.example/pay", "ticketId": "1"}}
	case "CASH":
		return map[string]any{"cashPay": map[string]any{"businessAgreementCode": "111111", "paymentIntentionIdentifier": "222222"}}
	case "PAY_CASH":
		return map[string]any{"payCash": map[string]any{"referenceNumber": "1264207400046", "recurring": false}}
	case "PIX_STATIC_QR", "PIX_DYNAMIC_QR":
		return map[string]any{"pix": map[string]any{"qrCode": "00020101021226sandbox", "qrCodeType": "DYNAMIC"}}
	case "BOLETO":
		return map[string]any{"boleto": map[string]any{"digitalLine": "00190.00009 01234.567004 00000.000000 1 00000000000000"}}
	}
	return map[string]any{}
}

// liquidoTime writes a time as Liquido does: to the second, with the offset from GMT.
func liquidoTime(t time.Time) string {
	return t.In(time.FixedZone("", -8*60*60)).Format("2006-01-02 15:04:05 GMT-07:00")
}

func liquidoJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(liquidoText(body))
}

// liquidoText writes what the simulator has made itself, or a script has brought as JSON: it can always be written.
func liquidoText(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("sandbox: write an answer: %w", err))
	}
	return text
}
