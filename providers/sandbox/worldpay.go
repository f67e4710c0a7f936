package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// The credentials that the simulated Worldpay accepts.
const (
	worldpayUsername = "sandbox-worldpay"
	worldpayPassword = "sandbox-worldpay-password"
	worldpayEntity   = "default"
)

// WorldpayHTML404 is a name in Step.Fields that makes a payment's 404 an HTML page, as Worldpay's gateway sends it at times.
const WorldpayHTML404 = "html_404"

// worldpay simulates the queries of Access Worldpay: the events link of Card Payments and its recovery by reference, the
// Payments API and the APM API by link, and Payment Queries by id and by reference. A payment's reference is its
// transactionReference, an alias that begins with "pay" its paymentId. Status words may be those of any of the APIs; each
// answers in its own.
type worldpay struct{}

// Worldpay simulates Access Worldpay as it is documented.
func Worldpay() Simulator { return worldpay{} }

// Name is "worldpay".
func (worldpay) Name() string { return "worldpay" }

// Config is the section of a configuration that fits this simulator.
func (worldpay) Config(baseURL string) string {
	return fmt.Sprintf(`worldpay:
  base_url: %s
  accounts:
    default:
      username: %s
      password: %s
      entity: %s
      notifications: {keys: {"1": %q}}
`, baseURL, worldpayUsername, worldpayPassword, worldpayEntity, worldpayNotificationKey)
}

// Handler serves the API. It reads escaped paths itself, because a link counts to the byte.
func (worldpay) Handler(store *Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Wp-Correlationid", rand.Text())
		w.Header().Set("Content-Type", "application/json")
		path := r.URL.EscapedPath()
		username, password, _ := r.BasicAuth()
		switch {
		case username != worldpayUsername || password != worldpayPassword:
			worldpayError(w, http.StatusUnauthorized, "accessDenied", "Access to the requested resource has been denied")
			return
		case r.Method != http.MethodGet:
			worldpayError(w, http.StatusMethodNotAllowed, "methodNotAllowed", "Requested method is not allowed")
			return
		}
		q := worldpayQuery{w: w, r: r, store: store}
		if link, ok := strings.CutPrefix(path, "/payments/events/"); ok && q.accepts(worldpayCardPayments, "Accept", "Content-Type") {
			q.byLink(link, worldpayLink, q.cardPayment)
		} else if path == "/payments/events" && q.accepts(worldpayCardPayments, "Accept", "Content-Type") {
			q.recover()
		} else if link, ok := strings.CutPrefix(path, "/api/payments/"); ok && q.accepts(regexp.MustCompile(`^2024-06-01$`), "WP-Api-Version") {
			q.byLink(link, worldpayEscapedLink, q.orchestrated)
		} else if id, ok := strings.CutPrefix(path, "/apmPayments/"); ok && q.accepts(regexp.MustCompile(`^20(23-06|24-07)-01$`), "WP-Api-Version") {
			q.answer(id, "paymentNotFound", q.alternative)
		} else if id, ok := strings.CutPrefix(path, "/paymentQueries/payments/"); ok && q.accepts(worldpayPaymentQueries, "Accept") {
			q.answer(id, "paymentNotFound", q.queried)
		} else if path == "/paymentQueries/payments" && q.accepts(worldpayPaymentQueries, "Accept") {
			q.list()
		} else if !q.refused {
			worldpayError(w, http.StatusNotFound, "endpointNotFound", "Requested endpoint could not be found")
		}
	})
}

var (
	worldpayCardPayments   = regexp.MustCompile(`^application/vnd\.worldpay\.payments-v[567](\.hal)?\+json$`)
	worldpayPaymentQueries = regexp.MustCompile(`^application/vnd\.worldpay\.payment-queries-v1\.hal\+json$`)
)

// worldpayQuery is one request.
type worldpayQuery struct {
	w       http.ResponseWriter
	r       *http.Request
	store   *Store
	refused bool
}

// accepts enforces the headers that select a version.
func (q *worldpayQuery) accepts(form *regexp.Regexp, headers ...string) bool {
	for _, name := range headers {
		status, problem := http.StatusUnsupportedMediaType, "headerHasInvalidValue"
		switch value := q.r.Header.Get(name); {
		case form.MatchString(value):
			continue
		case value == "":
			status, problem = http.StatusNotAcceptable, "headerIsMissing"
		}
		q.refused = true
		q.w.WriteHeader(status)
		_, _ = q.w.Write(worldpayText(map[string]any{"errorName": problem, "message": "The header is not as required", "headerName": name}))
		return false
	}
	return true
}

// byLink answers for the payment whose link this is, byte for byte; a script may also use the link itself as a reference.
func (q *worldpayQuery) byLink(link string, written func(reference, state string) string, describe func(Payment) map[string]any) {
	reference := link
	if l, ok := worldpayUnlink(link); ok {
		if reference = l.Reference; written(l.Reference, l.State) != link {
			reference = ""
		}
	}
	q.answer(reference, "endpointNotFound", describe)
}

func (q *worldpayQuery) answer(reference, unknown string, describe func(Payment) map[string]any) {
	p, ok := q.store.Answer(reference)
	if !ok || p.Status == StatusNotFound {
		q.notFound(p, unknown)
		return
	}
	Respond(q.w, q.r, p, http.StatusOK, worldpayText(withFields(describe(p), p)))
}

func (q *worldpayQuery) notFound(p Payment, name string) {
	body := worldpayText(map[string]any{"errorName": name, "message": "Not found"})
	if p.Step.Fields[WorldpayHTML404] == true {
		q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body = []byte("<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n")
	}
	Respond(q.w, q.r, p, http.StatusNotFound, body)
}

func withFields(answer map[string]any, p Payment) map[string]any {
	maps.Copy(answer, p.Step.Fields)
	delete(answer, WorldpayHTML404)
	return answer
}

// recover is the query by reference and entity, for authorisations that timed out. It spells one word in a way of its own.
func (q *worldpayQuery) recover() {
	reference, entity := q.r.URL.Query().Get("transactionRef"), q.r.URL.Query().Get("entity")
	switch {
	case reference == "" || entity == "":
		worldpayError(q.w, http.StatusBadRequest, "bodyDoesNotMatchSchema", "transactionRef and entity are required")
	case entity != worldpayEntity:
		worldpayError(q.w, http.StatusBadRequest, "entityIsNotConfigured", "Entity is not configured to use this resource")
	default:
		q.answer(reference, "endpointNotFound", func(p Payment) map[string]any {
			answer := q.cardPayment(p)
			if answer["lastEvent"] == "Sent for Cancellation" {
				answer["lastEvent"] = "Send for Cancellation"
			}
			return answer
		})
	}
}

// list is the query by reference; who matches nothing gets an empty list.
func (q *worldpayQuery) list() {
	reference := q.r.URL.Query().Get("transactionReference")
	if reference == "" {
		worldpayError(q.w, http.StatusBadRequest, "invalidTransactionReference", "transactionReference is required")
		return
	}
	rows := []map[string]any{}
	p, ok := q.store.Answer(reference)
	if ok && p.Status != StatusNotFound {
		row := withFields(q.queried(p), p)
		delete(row, "events") // a list is a summary
		rows = append(rows, row)
	}
	Respond(q.w, q.r, p, http.StatusOK, worldpayText(map[string]any{
		"_embedded": map[string]any{"payments": rows},
		"_links":    map[string]any{"self": map[string]any{"href": q.r.URL.RequestURI()}},
	}))
}

// base is where the simulator is reached, for the links in its answers.
func (q *worldpayQuery) base() string {
	scheme := "http"
	if q.r.TLS != nil {
		scheme = "https"
	}
	prefix := ""
	if strings.HasPrefix(q.r.RequestURI, "/worldpay/") {
		prefix = "/worldpay"
	}
	return scheme + "://" + q.r.Host + prefix
}

// cardPayment is the answer of Card Payments, whose version names the links.
func (q *worldpayQuery) cardPayment(p Payment) map[string]any {
	word := worldpayWord(p, worldpayEvents)
	prefix := "payments:"
	if strings.Contains(q.r.Header.Get("Accept"), "-v7") {
		prefix = "cardPayments:"
	}
	links := map[string]any{"curies": []any{map[string]any{
		"name": strings.TrimSuffix(prefix, ":"), "href": q.base() + "/rels/" + strings.ToLower(strings.TrimSuffix(prefix, ":")) + "/{rel}", "templated": true,
	}}}
	for _, rel := range worldpayRelations(word) {
		links[prefix+rel] = map[string]any{"href": q.base() + worldpayActions[rel] + worldpayLink(p.Reference, word)}
	}
	return map[string]any{"lastEvent": word, "_links": links}
}

// orchestrated is the answer of the Payments API.
func (q *worldpayQuery) orchestrated(p Payment) map[string]any {
	word := worldpayWord(p, worldpayEvents)
	link := worldpayEscapedLink(p.Reference, word)
	actions := map[string]any{}
	for _, rel := range worldpayRelations(word) {
		if name, ok := map[string]string{
			"cancel": "cancelPayment", "settle": "settlePayment", "partialSettle": "partiallySettlePayment",
			"refund": "refundPayment", "partialRefund": "partiallyRefundPayment", "reverse": "reversePayment",
		}[rel]; ok {
			actions[name] = map[string]any{"href": q.base() + "/api/payments/" + link + "/" + rel, "method": "POST"}
		}
	}
	return map[string]any{
		"lastEvent": word, "_links": map[string]any{"self": map[string]any{"href": q.base() + "/api/payments/" + link}},
		"_actions": actions,
	}
}

// alternative is the answer of the APM API.
func (q *worldpayQuery) alternative(p Payment) map[string]any {
	word := worldpayCamel(worldpayWord(p, worldpayEvents))
	id := worldpayPaymentID(p)
	return map[string]any{
		"paymentId": id, "lastEvent": word,
		"_links": map[string]any{"self": map[string]any{"href": q.base() + "/apmPayments/" + id}}, "_actions": map[string]any{},
	}
}

// queried is the answer of Payment Queries.
func (q *worldpayQuery) queried(p Payment) map[string]any {
	word := worldpayWord(p, worldpayQueryEvents)
	id, reference, amount := worldpayPaymentID(p), p.Reference, p.Script.Amount.Value
	switch p.Step.Fault {
	case FaultWrongPayment:
		id, reference = "payAnother000000000000000", "another-"+reference
	case FaultWrongAmount:
		amount++
	}
	value := map[string]any{"currency": p.Script.Amount.Currency, "amount": amount}
	links := map[string]any{"self": map[string]any{"href": "/paymentQueries/payments/" + id}}
	for _, rel := range worldpayRelations(worldpayWord(p, worldpayEvents)) {
		links["cardPayments:"+rel] = map[string]any{"href": q.base() + worldpayActions[rel] + worldpayLink(p.Reference, word)}
	}
	return map[string]any{
		"timestamp": p.Created.UTC().Format(time.RFC3339Nano), "paymentId": id, "transactionReference": reference,
		"transactionType": "oneTime", "authorizationType": "authorization", "entity": worldpayEntity, "lastEvent": word,
		"paymentInstrument": map[string]any{"type": "card/plain+masked", "card": map[string]any{
			"number": map[string]any{"last4Digits": "1111", "cardBin": "444433"}, "brand": "visa", "fundingType": "credit",
			"expiryDate": map[string]any{"month": 5, "year": 2035}, "countryCode": "GB",
		}},
		"value": value, "events": worldpayHistory(word, p, value), "_links": links,
	}
}

// worldpayPaymentID is the id of a payment: its alias of that form, or the reference where it is one itself.
func worldpayPaymentID(p Payment) string {
	for _, alias := range append(p.Script.Aliases, p.Reference) {
		if strings.HasPrefix(alias, "pay") {
			return alias
		}
	}
	return "pay" + strings.Repeat("0", 22)
}

func worldpayError(w http.ResponseWriter, status int, name, message string) {
	w.WriteHeader(status)
	_, _ = w.Write(worldpayText(map[string]any{"errorName": name, "message": message}))
}

// worldpayText writes what the simulator has made itself, or a script has brought as JSON: it can always be written.
func worldpayText(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("sandbox: write an answer: %w", err))
	}
	return text
}

// WorldpayEventsLink is the events link that Card Payments would have given for a payment of the simulator at baseURL.
func WorldpayEventsLink(baseURL, reference string) string {
	return baseURL + "/payments/events/" + worldpayLink(reference, "created")
}

// WorldpaySelfLink is the self link that the Payments API would have given for a payment of the simulator at baseURL.
func WorldpaySelfLink(baseURL, reference string) string {
	return baseURL + "/api/payments/" + worldpayEscapedLink(reference, "created")
}

// worldpayEscapedLink is link data as the Payments API writes it.
func worldpayEscapedLink(reference, state string) string {
	return url.QueryEscape(worldpayLink(reference, state))
}
