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

// said is a status that the provider gives in so many answers before the next step begins. Answers are counted rather than
// seconds, so that a story is the same however busy the machine is.
func said(status string, answers int) sandbox.Step {
	return sandbox.Step{Status: status, Times: answers}
}

func fault(name string, answers int) sandbox.Step { return sandbox.Step{Fault: name, Times: answers} }

// The stories, so that the first four show each provider once.
var stories = []story{
	{"checkout", "3-D Secure, then captured", "", 4990, "EUR", []sandbox.Step{
		said("Pending", 2), said("Authorized", 2), said("Captured", 1),
	}},
	{"antom", "a card: authorised, then captured", "CARD", 12000, "EUR", []sandbox.Step{
		said("PROCESSING", 2), said("SUCCESS", 2), said("SUCCESS CAPTURE", 1),
	}},
	{"worldpay", "not visible at first, then settling", "", 2550, "GBP", []sandbox.Step{
		said(sandbox.StatusNotFound, 2), // a check by the merchant's reference asks in two places
		said("Authorized", 2), said("Sent for Settlement", 1),
	}},
	{"liquido", "a voucher, paid after a while", "CASH", 3000000, "COP", []sandbox.Step{
		said("IN_PROGRESS", 4), said("SETTLED", 1),
	}},
	{"checkout", "3-D Secure failed: declined", "", 1999, "USD", []sandbox.Step{
		said("Pending", 2), said("Declined", 1),
	}},
	{"antom", "a wallet; the provider is down, then paid", "ALIPAY_CN", 8800, "EUR", []sandbox.Step{
		said("PROCESSING", 1), {Fault: sandbox.Fault503, Times: 2, RetryAfter: "1"}, said("SUCCESS", 1),
	}},
	{"worldpay", "refused, and not paid again in time", "", 990, "GBP", []sandbox.Step{
		said("Refused", 1),
	}},
	{"liquido", "a bank transfer that nobody paid", "PSE", 15000000, "COP", []sandbox.Step{
		said("IN_PROGRESS", 3), said("EXPIRED", 1),
	}},
	{"checkout", "error pages in HTML, then captured", "", 7500, "EUR", []sandbox.Step{
		fault(sandbox.Fault502HTML, 1), fault(sandbox.FaultHTML, 1), said("Captured", 1),
	}},
	{"antom", "cancelled by the customer", "CARD", 5000, "EUR", []sandbox.Step{
		said("PROCESSING", 3), said("CANCELLED", 1),
	}},
	{"worldpay", "the provider never hears of it", "", 4200, "GBP", nil},
	{"liquido", "a card, refused by the issuer", "CARD", 4200000, "COP", []sandbox.Step{
		said("IN_PROGRESS", 2), said("FAILED", 1),
	}},
	{"checkout", "captured, then partly refunded", "", 10000, "EUR", []sandbox.Step{
		said("Authorized", 2), said("Refund Pending", 1),
		{Status: "Partially Refunded", Fields: map[string]any{"balances": map[string]any{
			"total_authorized": 10000, "total_captured": 10000, "total_refunded": 2500, "available_to_refund": 7500,
		}}},
	}},
	{"liquido", "a voucher, paid at once; asked every 7 s", "PAY_CASH", 2500000, "COP", []sandbox.Step{
		said("IN_PROGRESS", 1), {Status: "SETTLED", After: sandbox.Duration(time.Second)},
	}},
	{"liquido", "the same; a webhook tells, and asks", "PAY_CASH", 2500000, "COP", []sandbox.Step{
		said("IN_PROGRESS", 1), {Status: "SETTLED", After: sandbox.Duration(time.Second), Notify: &sandbox.Notify{Times: 2}},
	}},
	{"worldpay", "settling; a webhook tells before queries do", "", 3100, "GBP", []sandbox.Step{
		said("Authorized", 2), {Status: "Authorized", Times: 2, Notify: &sandbox.Notify{Type: "sentForSettlement"}}, said("Sent for Settlement", 1),
	}},
	{"antom", "answers with a forged signature, then paid", "GCASH", 250000, "PHP", []sandbox.Step{
		said("PROCESSING", 1), {Status: "FAIL", Fault: sandbox.FaultBadSignature, Times: 2}, said("SUCCESS", 1),
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
