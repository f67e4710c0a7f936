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
	Story     string            // what happens, in a few words
	Reference map[string]string // of the initiated event
	Scripted  string            // the reference that the sandbox's script is set under
	Method    string
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

// Fates makes n payments: the stories below in turn.
func Fates(n int) []Fate {
	fates := make([]Fate, 0, n)
	for i := range n {
		tell := stories[i%len(stories)]
		fates = append(fates, tell(fmt.Sprintf("order-%04d", i+1), i+1))
	}
	return fates
}

func steps(s ...sandbox.Step) []sandbox.Step { return s }

func after(d time.Duration, status string) sandbox.Step {
	return sandbox.Step{Status: status, After: sandbox.Duration(d)}
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

// The stories, so that the first four show each provider once.
var stories = []func(id string, n int) Fate{
	func(id string, n int) Fate {
		return checkoutFate(id, n, "3-D Secure, then captured", 4990, "EUR",
			sandbox.Step{Status: "Pending"}, after(2*time.Second, "Authorized"), after(2*time.Second, "Captured"))
	},
	func(id string, _ int) Fate {
		return antomFate(id, "a card: authorised, then captured", "CARD", 12000, "EUR",
			sandbox.Step{Status: "PROCESSING"}, after(2*time.Second, "SUCCESS"), after(2*time.Second, "SUCCESS CAPTURE"))
	},
	func(id string, _ int) Fate {
		return worldpayFate(id, "not visible at first, then sent for settlement", 2550, "GBP",
			sandbox.Step{Status: sandbox.StatusNotFound}, after(2*time.Second, "Authorized"), after(2*time.Second, "Sent for Settlement"))
	},
	func(id string, _ int) Fate {
		return liquidoFate(id, "a voucher, paid after a while", 30000, "COP",
			sandbox.Step{Status: "IN_PROGRESS"}, after(5*time.Second, "SETTLED"))
	},
	func(id string, n int) Fate {
		return checkoutFate(id, n, "declined by the issuer", 1999, "USD", sandbox.Step{Status: "Pending"}, after(2*time.Second, "Declined"))
	},
	func(id string, _ int) Fate {
		return antomFate(id, "the provider is down for a while, then paid", "ALIPAY_CN", 8800, "EUR",
			sandbox.Step{Status: "PROCESSING"}, sandbox.Step{Fault: sandbox.Fault503, Times: 2, RetryAfter: "1"}, sandbox.Step{Status: "SUCCESS"})
	},
	func(id string, _ int) Fate {
		return worldpayFate(id, "refused", 990, "GBP", sandbox.Step{Status: "Refused"})
	},
	func(id string, _ int) Fate {
		return liquidoFate(id, "never paid: expired", 150000, "COP", sandbox.Step{Status: "IN_PROGRESS"}, after(4*time.Second, "EXPIRED"))
	},
	func(id string, n int) Fate {
		return checkoutFate(id, n, "an HTML error page, then captured", 7500, "EUR",
			sandbox.Step{Fault: sandbox.Fault502HTML, Status: "Captured", Times: 2}, sandbox.Step{Status: "Captured"})
	},
	func(id string, _ int) Fate {
		return antomFate(id, "cancelled", "CARD", 5000, "EUR", sandbox.Step{Status: "PROCESSING"}, after(3*time.Second, "CANCELLED"))
	},
	func(id string, _ int) Fate {
		f := worldpayFate(id, "the provider never hears of it", 4200, "GBP")
		return f
	},
	func(id string, _ int) Fate {
		return liquidoFate(id, "refused for lack of funds", 42000, "COP", sandbox.Step{Status: "IN_PROGRESS"}, after(2*time.Second, "FAILED"))
	},
}

func checkoutFate(id string, n int, story string, value int64, currency string, s ...sandbox.Step) Fate {
	pay := "pay_" + id26(n)
	return Fate{PaymentID: id, Provider: "checkout", Story: story, Reference: map[string]string{"payment_id": pay}, Scripted: pay,
		Script: sandbox.Script{Amount: sandbox.Amount{Value: value, Currency: currency}, Aliases: []string{"sid_" + id26(n)}, Steps: steps(s...)}}
}

func antomFate(id, story, method string, value int64, currency string, s ...sandbox.Step) Fate {
	return Fate{PaymentID: id, Provider: "antom", Story: story, Reference: map[string]string{"payment_request_id": id}, Scripted: id, Method: method,
		Script: sandbox.Script{Amount: sandbox.Amount{Value: value, Currency: currency}, Method: method, Steps: steps(s...)}}
}

func worldpayFate(id, story string, value int64, currency string, s ...sandbox.Step) Fate {
	return Fate{PaymentID: id, Provider: "worldpay", Story: story, Reference: map[string]string{"transaction_reference": id}, Scripted: id,
		Script: sandbox.Script{Amount: sandbox.Amount{Value: value, Currency: currency}, Steps: steps(s...)}}
}

func liquidoFate(id, story string, value int64, currency string, s ...sandbox.Step) Fate {
	return Fate{PaymentID: id, Provider: "liquido", Story: story, Reference: map[string]string{"idempotency_key": id}, Scripted: id,
		Script: sandbox.Script{Amount: sandbox.Amount{Value: value, Currency: currency}, Steps: steps(s...)}}
}
