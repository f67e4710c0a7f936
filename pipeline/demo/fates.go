package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers/sandbox"
)

// Fate is one payment of the demo and what becomes of it.
type Fate struct {
	PaymentID string
	Provider  string
	Story     string            // what happens at the provider, in a few words
	Reference map[string]string // of the initiated event
	Scripted  string            // the reference that the sandbox's script is set under
	Method    string            // of the initiated event
	Script    sandbox.Script
}

// event is the initiated event's data.
func (f Fate) event(now time.Time) map[string]any {
	e := map[string]any{
		"payment_id": f.PaymentID, "provider": f.Provider, "initiated_at": now.UTC().Format(time.RFC3339),
		"amount":    map[string]any{"value": f.Script.Amount.Value, "currency": f.Script.Amount.Currency},
		"reference": f.Reference,
	}
	if f.Method != "" {
		e["method"] = f.Method
	}
	return e
}

// Fates makes n payments: the stories in turn.
func Fates(n int) []Fate {
	fates := make([]Fate, 0, n)
	for i := range n {
		story := stories[i%len(stories)]
		fates = append(fates, story.fate(fmt.Sprintf("order-%04d", i+1), i+1))
	}
	return fates
}

// EveryFate is the number of payments that shows every story once.
var EveryFate = len(stories)

// story is what becomes of a payment.
type story struct {
	provider string
	words    string
	method   string // in the sandbox's words; empty: the sandbox's default
	value    int64
	currency string
	steps    []sandbox.Step // none: the provider never hears of it
}

func at(status string) sandbox.Step { return sandbox.Step{Status: status} }

func after(d time.Duration, status string) sandbox.Step {
	return sandbox.Step{Status: status, After: sandbox.Duration(d)}
}

func fault(name string, times int) sandbox.Step { return sandbox.Step{Fault: name, Times: times} }

// The stories, so that the first four show each provider once.
var stories = []story{
	{"checkout", "3-D Secure, then captured", "", 4990, "EUR", []sandbox.Step{
		at("Pending"), after(2*time.Second, "Authorized"), after(2*time.Second, "Captured"),
	}},
	{"antom", "a card: authorised, then captured", "CARD", 12000, "EUR", []sandbox.Step{
		at("PROCESSING"), after(2*time.Second, "SUCCESS"), after(2*time.Second, "SUCCESS CAPTURE"),
	}},
	{"worldpay", "not visible at first, then settling", "", 2550, "GBP", []sandbox.Step{
		at(sandbox.StatusNotFound), after(2*time.Second, "Authorized"), after(2*time.Second, "Sent for Settlement"),
	}},
	{"liquido", "a voucher, paid after a while", "CASH", 3000000, "COP", []sandbox.Step{
		at("IN_PROGRESS"), after(5*time.Second, "SETTLED"),
	}},
	{"checkout", "3-D Secure failed: declined", "", 1999, "USD", []sandbox.Step{
		at("Pending"), after(2*time.Second, "Declined"),
	}},
	{"antom", "a wallet; the provider is down, then paid", "ALIPAY_CN", 8800, "EUR", []sandbox.Step{
		at("PROCESSING"), {Fault: sandbox.Fault503, Times: 2, RetryAfter: "1"}, at("SUCCESS"),
	}},
	{"worldpay", "refused, and not paid again in time", "", 990, "GBP", []sandbox.Step{
		at("Refused"),
	}},
	{"liquido", "a bank transfer that nobody paid", "PSE", 15000000, "COP", []sandbox.Step{
		at("IN_PROGRESS"), after(4*time.Second, "EXPIRED"),
	}},
	{"checkout", "error pages in HTML, then captured", "", 7500, "EUR", []sandbox.Step{
		fault(sandbox.Fault502HTML, 1), fault(sandbox.FaultHTML, 1), at("Captured"),
	}},
	{"antom", "cancelled by the customer", "CARD", 5000, "EUR", []sandbox.Step{
		at("PROCESSING"), after(3*time.Second, "CANCELLED"),
	}},
	{"worldpay", "the provider never hears of it", "", 4200, "GBP", nil},
	{"liquido", "a card, refused by the issuer", "CARD", 4200000, "COP", []sandbox.Step{
		at("IN_PROGRESS"), after(2*time.Second, "FAILED"),
	}},
	{"checkout", "captured, then partly refunded", "", 10000, "EUR", []sandbox.Step{
		at("Authorized"), after(2*time.Second, "Refund Pending"),
		{Status: "Partially Refunded", After: sandbox.Duration(2 * time.Second), Fields: map[string]any{"balances": map[string]any{
			"total_authorized": 10000, "total_captured": 10000, "total_refunded": 2500, "available_to_refund": 7500,
		}}},
	}},
	{"antom", "answers with a forged signature, then paid", "GCASH", 250000, "PHP", []sandbox.Step{
		at("PROCESSING"), {Status: "FAIL", Fault: sandbox.FaultBadSignature, Times: 2}, at("SUCCESS"),
	}},
}

// fate is the story of the n-th payment.
func (s story) fate(id string, n int) Fate {
	f := Fate{
		PaymentID: id, Provider: s.provider, Story: s.words, Scripted: id, Method: strings.ToLower(s.method),
		Script: sandbox.Script{Amount: sandbox.Amount{Value: s.value, Currency: s.currency}, Method: s.method, Steps: s.steps},
	}
	switch s.provider {
	case "checkout":
		f.Scripted = "pay_" + id26(n)
		f.Reference = map[string]string{"payment_id": f.Scripted}
		f.Script.Aliases = []string{"sid_" + id26(n)}
	case "antom":
		f.Reference = map[string]string{"payment_request_id": id}
	case "worldpay":
		f.Reference = map[string]string{"transaction_reference": id}
	case "liquido":
		f.Reference = map[string]string{"idempotency_key": id}
	}
	return f
}

// id26 makes the 26 characters of a Checkout.com id.
func id26(n int) string {
	const digits = "abcdefghijklmnopqrstuvwxyz"
	text := []byte(strings.Repeat("a", 26))
	for i := 25; n > 0; i-- {
		text[i] = digits[n%26]
		n /= 26
	}
	return string(text)
}
