package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Each of Worldpay's APIs has its own words. The lists pair what Card Payments and Payment Queries say of the same state.
var worldpayPairs = [][2]string{
	{"Sent for Authorization", "authorizationRequested"},
	{"Authorized", "authorizationSucceeded"},
	{"Refused", "authorizationRefused"},
	{"Error", "authorizationFailed"},
	{"Sent for Settlement", "settlementRequestSubmitted"},
	{"Sent for Cancellation", "cancellationRequestSubmitted"},
	{"Sent for Refund", "refundRequestSubmitted"},
	{"Settlement failed", "settlementRequestSubmissionFailed"},
	{"Refund failed", "refundRequestSubmissionFailed"},
	{"Settled", "settlementRequestSubmitted"},
	{"Refunded", "refundRequestSubmitted"},
	{"Expired", "authorizationSucceeded"}, // Payment Queries has no word for it
}

const (
	worldpayEvents      = 0
	worldpayQueryEvents = 1
)

func worldpayFold(word string) string { return strings.ToLower(strings.ReplaceAll(word, " ", "")) }

// worldpayWord is a payment's status in the words of one API.
func worldpayWord(p Payment, api int) string {
	if p.Step.Fault == FaultUnknownStatus {
		return "somethingNew"
	}
	for _, pair := range worldpayPairs {
		if worldpayFold(p.Status) == worldpayFold(pair[1-api]) {
			return pair[api]
		}
		if worldpayFold(p.Status) == worldpayFold(pair[api]) {
			break
		}
	}
	return p.Status
}

// worldpayCamel is a word as the APM API writes it.
func worldpayCamel(word string) string {
	if word == "Sent for Cancellation" {
		return "cancelled"
	}
	var camel strings.Builder
	for i, part := range strings.Fields(word) {
		first := strings.ToUpper(part[:1])
		if i == 0 {
			first = strings.ToLower(part[:1])
		}
		camel.WriteString(first + part[1:])
	}
	return camel.String()
}

// worldpayActions are the paths of what can be done with a payment.
var worldpayActions = map[string]string{
	"cancel": "/payments/authorizations/cancellations/", "settle": "/payments/settlements/full/",
	"partialSettle": "/payments/settlements/partials/", "refund": "/payments/settlements/refunds/full/",
	"partialRefund": "/payments/settlements/refunds/partials/", "reverse": "/payments/authorizations/reversals/",
	"events": "/payments/events/",
}

// worldpayRelations are the links that are offered in a state.
func worldpayRelations(word string) []string {
	switch word {
	case "Authorized":
		return []string{"cancel", "settle", "partialSettle"}
	case "Sent for Settlement", "Settled":
		return []string{"refund", "partialRefund", "reverse", "events"}
	case "Refused", "Error", "Expired":
		return nil
	default:
		return []string{"events"}
	}
}

// worldpayHistory are the events that lead to a word of Payment Queries.
func worldpayHistory(word string, p Payment, value map[string]any) []map[string]any {
	var events []map[string]any
	add := func(name, command string, at time.Time, more map[string]any) {
		event := map[string]any{"eventName": name, "timestamp": at.UTC().Format(time.RFC3339Nano), "commandId": "cmd" + command + strings.Repeat("0", 21)}
		maps.Copy(event, more)
		events = append(events, event)
	}
	stage, _, _ := strings.Cut(word, "Request")
	if stage == "authorization" || !strings.Contains(word, "Request") {
		if word != "authorizationRequested" {
			add("authorizationRequested", "A", p.Created, nil)
		}
		add(word, "A", p.Since, map[string]map[string]any{
			"authorizationRefused": {"outcome": "refused", "code": "5", "description": "Do not honour"},
			"authorizationFailed":  {"error": map[string]any{"name": "internalErrorOccurred", "message": "Payment failed to be authorized"}},
		}[word])
		return events
	}
	add("authorizationRequested", "A", p.Created, nil)
	add("authorizationSucceeded", "A", p.Created, map[string]any{"outcome": "authorized"})
	settle := map[string]any{"type": "fullSettlement", "value": value}
	switch stage {
	case "settlement":
		add("settlementRequested", "B", p.Since, settle)
	case "refund":
		add("settlementRequested", "B", p.Created, settle)
		add("settlementRequestSubmitted", "B", p.Created, nil)
		add("refundRequested", "C", p.Since, map[string]any{"type": "fullRefund", "value": value})
	default:
		add(stage+"Requested", "B", p.Since, nil)
	}
	if !strings.HasSuffix(word, "Requested") {
		add(word, "C", p.Since, nil)
		if stage != "refund" {
			events[len(events)-1]["commandId"] = events[len(events)-2]["commandId"]
		}
	}
	return events
}

// worldpayLinkData is what the simulator's link data stands for. To clients it is opaque.
type worldpayLinkData struct {
	Reference string `json:"k"`
	State     string `json:"v"` // every action gives new link data
}

// worldpayLink writes link data with the characters that make clients stumble, and a check sum over them.
func worldpayLink(reference, state string) string {
	data := base64.RawURLEncoding.EncodeToString(worldpayText(worldpayLinkData{reference, state}))
	return data + "==.sN:" + strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(data))), 36) + "+X="
}

// worldpayUnlink reads link data, escaped or not.
func worldpayUnlink(text string) (worldpayLinkData, bool) {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return worldpayLinkData{}, false
	}
	data, _, _ := strings.Cut(plain, "==")
	decoded, err := base64.RawURLEncoding.DecodeString(data)
	var l worldpayLinkData
	if err != nil || json.Unmarshal(decoded, &l) != nil || l.Reference == "" {
		return worldpayLinkData{}, false
	}
	return l, true
}
