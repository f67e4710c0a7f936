package schemas

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Initiated is the data of a payment initiated event: one attempt to take money at one provider.
type Initiated struct {
	PaymentID          string              `json:"payment_id"`
	Provider           string              `json:"provider"`
	Account            string              `json:"account"`
	Amount             Amount              `json:"amount"`
	InitiatedAt        time.Time           `json:"initiated_at"`
	Reference          Reference           `json:"reference,omitempty"`
	Capture            Capture             `json:"capture"`
	Method             string              `json:"method,omitempty"`
	ReturnURL          string              `json:"return_url,omitempty"`
	InitiationResponse *InitiationResponse `json:"initiation_response,omitempty"`
	Metadata           map[string]string   `json:"metadata,omitempty"`
}

// Amount is what the payment was made for, in minor units as sent to the provider.
type Amount struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"` // ISO 4217
}

// Reference is what a provider knows a payment by. Which names it may hold differs by provider.
type Reference map[string]string

// Capture says who starts the capture of an authorised payment.
type Capture string

// The capture modes.
const (
	CaptureAutomatic Capture = "automatic"
	CaptureManual    Capture = "manual"
)

// Captures lists the capture modes, the default first.
var Captures = []Capture{CaptureAutomatic, CaptureManual}

// InitiationResponse is the provider's synchronous answer to the call that made the payment.
type InitiationResponse struct {
	HTTPStatus int    `json:"http_status"`
	Body       string `json:"body"`
}

// DefaultAccount is the account of an event that names none.
const DefaultAccount = "default"

// Limits of the initiated event.
const (
	MaxPaymentID = 128      // bytes
	MaxMetadata  = 4 * 1024 // bytes of names and values together
)

// FieldError says which field of an event is wrong, how, and what is expected. It does not repeat the value.
type FieldError struct {
	Field   string // path with dots, "" for the whole
	Problem string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// ParseInitiated reads the data of an initiated event. Names compare exactly and unknown ones are ignored; the error is a
// *FieldError, or wraps an *exactjson.Error.
//
// What only a provider can judge (the form of references) is left to it.
func ParseInitiated(data []byte) (Initiated, error) {
	root, err := exactjson.Parse(data)
	if err != nil {
		return Initiated{}, fmt.Errorf("the event's data cannot be read: %w", err)
	}
	if root.Kind() != exactjson.Object {
		return Initiated{}, &FieldError{Problem: "the event's data must be a JSON object"}
	}
	f := fields{root: root}
	event := Initiated{
		PaymentID:   f.text("payment_id", true),
		Provider:    f.text("provider", true),
		Account:     f.text("account", false),
		Amount:      f.amount("amount"),
		InitiatedAt: f.time("initiated_at"),
		Reference:   f.texts("reference"),
		Capture:     Capture(f.text("capture", false)),
		Method:      f.text("method", false),
		ReturnURL:   f.text("return_url", false),
		Metadata:    f.texts("metadata"),
	}
	event.InitiationResponse = f.response("initiation_response")
	f.check("payment_id", len(event.PaymentID) <= MaxPaymentID, fmt.Sprintf("must be at most %d bytes", MaxPaymentID))
	f.check("capture", event.Capture == "" || slices.Contains(Captures, event.Capture), `must be "automatic" or "manual"`)
	size := 0
	for name, value := range event.Metadata {
		size += len(name) + len(value)
	}
	f.check("metadata", size <= MaxMetadata, fmt.Sprintf("must be at most %d bytes", MaxMetadata))
	if f.err != nil {
		return Initiated{}, f.err
	}
	if event.Account == "" {
		event.Account = DefaultAccount
	}
	if event.Capture == "" {
		event.Capture = CaptureAutomatic
	}
	return event, nil
}

// Key names the payment.
func (e Initiated) Key() PaymentKey {
	return PaymentKey{Provider: e.Provider, Account: e.Account, PaymentID: e.PaymentID}
}

// fields reads typed fields of one object and keeps the first complaint.
type fields struct {
	root exactjson.Value
	err  error
}

func (f *fields) check(field string, ok bool, problem string) {
	if f.err == nil && !ok {
		f.err = &FieldError{Field: field, Problem: problem}
	}
}

func (f *fields) text(field string, required bool) string {
	return f.textOf(f.root.Get(strings.Split(field, ".")...), field, required)
}

func (f *fields) textOf(v exactjson.Value, field string, required bool) string {
	f.check(field, !required || v.Present(), "is missing")
	f.check(field, !v.Present() || v.Kind() == exactjson.String, "must be a string")
	f.check(field, !required || strings.TrimSpace(v.Str()) != "", "must not be empty")
	f.clean(field, v.Str())
	return v.Str()
}

// clean refuses what was not UTF-8 (a reader puts U+FFFD in its place) and what other systems cut texts off at.
func (f *fields) clean(field, text string) {
	f.check(field, utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError), "must be UTF-8")
	f.check(field, !strings.ContainsRune(text, 0), "must not hold NUL characters")
}

func (f *fields) amount(field string) Amount {
	v := f.root.Get(field)
	f.check(field, v.Present(), `is missing; give {"value": minor units, "currency": ISO 4217 code}`)
	f.check(field, v.Kind() == exactjson.Object, `must be an object {"value": minor units, "currency": ISO 4217 code}`)
	value := v.Get("value")
	f.check(field+".value", value.Present(), "is missing")
	n, ok := value.Int64()
	f.check(field+".value", ok && value.Kind() == exactjson.Number, "must be an integer in minor units, as a JSON number")
	f.check(field+".value", n >= 0, "must not be negative")
	currency := f.text(field+".currency", true)
	f.check(field+".currency", currencyCode.MatchString(currency), "must be an ISO 4217 code, three capital letters")
	return Amount{Value: n, Currency: currency}
}

func (f *fields) time(field string) time.Time {
	t, err := time.Parse(time.RFC3339, f.text(field, true))
	t = t.UTC()
	// The first and last hours of RFC 3339 lie outside of it in UTC; such a time could not be written again.
	f.check(field, err == nil && t.Year() >= 1 && t.Year() <= 9999, "must be an RFC 3339 time with zone, like 2026-01-31T12:00:00Z")
	return t
}

func (f *fields) texts(field string) map[string]string {
	v := f.root.Get(field)
	if !v.Present() {
		return nil
	}
	f.check(field, v.Kind() == exactjson.Object, "must be an object of strings")
	out := map[string]string{}
	for m := range v.Members() {
		if m.Present() {
			f.clean(field, m.Name())
			out[m.Name()] = f.textOf(m, field+"."+m.Name(), false)
		}
	}
	return out
}

func (f *fields) response(field string) *InitiationResponse {
	v := f.root.Get(field)
	if !v.Present() {
		return nil
	}
	f.check(field, v.Kind() == exactjson.Object, `must be an object {"http_status": integer, "body": string}`)
	status, ok := v.Get("http_status").Int64()
	ok = ok && v.Get("http_status").Kind() == exactjson.Number && status >= 100 && status <= 599
	f.check(field+".http_status", ok, "must be an HTTP status, an integer from 100 to 599")
	f.check(field+".body", v.Get("body").Kind() == exactjson.String, "must be a string, the exact text of the answer")
	return &InitiationResponse{HTTPStatus: int(status), Body: v.Get("body").Str()}
}

// Conflict compares a later initiated event of the same payment with an earlier one. A later event may add identifiers;
// another amount, or another value of an identifier that was given, is a conflict.
func (e Initiated) Conflict(later Initiated) error {
	if later.Amount != e.Amount {
		return &FieldError{Field: "amount", Problem: "differs from that of an earlier initiated event of this payment"}
	}
	return e.Reference.Conflict(later.Reference)
}

// Conflict reports the first identifier that both references hold with different values.
func (r Reference) Conflict(other Reference) error {
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if value, both := other[name]; both && value != r[name] {
			return &FieldError{Field: "reference." + name, Problem: "differs from that of an earlier initiated event of this payment"}
		}
	}
	return nil
}

// Merge adds the identifiers of other that r lacks and reports whether there were any.
func (r Reference) Merge(other Reference) (merged Reference, added bool) {
	merged = maps.Clone(r)
	for name, value := range other {
		if _, has := merged[name]; !has {
			if merged == nil {
				merged = Reference{}
			}
			merged[name] = value
			added = true
		}
	}
	return merged, added
}
