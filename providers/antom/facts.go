package antom

import (
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// facts are what an answer says about a payment, as the mapping asks for it.
type facts struct {
	body    exactjson.Value
	payment providers.Payment

	code    paymentCode // of what became of the payment
	codeAs  string      // as sent
	message string

	stated *schemas.Amount // paymentAmount
	card   bool            // SUCCESS says no more than authorised
	rows   transactions

	moved     *schemas.Amount // captureAmount or refundAmount of a notification
	movedAt   time.Time       // captureTime or refundTime
	movedSum  bool            // moved is the whole payment, so that it is the sum, too
	anomalies []schemas.Anomaly
}

// newFacts reads what answers of all kinds have in common. Codes say which members hold the code and its message.
func newFacts(body exactjson.Value, p providers.Payment, code, message exactjson.Value) *facts {
	return &facts{
		body: body, payment: p, code: lookUp(word(code)), codeAs: code.Text(), message: message.Text(),
		card: cardLike(body, p), rows: readTransactions(body.Get("transactions")),
	}
}

// requested is what the payment is for: as the answer says, else as the initiated event does. Nil when neither is known.
func (f *facts) requested() *schemas.Amount {
	if f.stated != nil {
		return f.stated
	}
	return f.payment.Amount
}

// authorizes reports whether money was reserved first and is captured apart.
func (f *facts) authorizes() bool { return f.card || f.rows.captures.any() }

// unmeasurable reports whether it cannot be told if all or a part was captured or refunded.
func (f *facts) unmeasurable() bool {
	for _, m := range []*movement{&f.rows.captures, &f.rows.refunds} {
		requested := f.requested()
		if m.succeeded > 0 && (m.total.unknown || requested == nil || requested.Currency != m.total.currency) {
			return true
		}
	}
	return false
}

// taken reports whether the payment was captured in full. It holds only where the sums can be measured.
func (f *facts) taken() bool {
	if f.rows.captures.succeeded > 0 {
		return f.rows.captures.total.value >= f.requested().Value
	}
	return !f.authorizes()
}

// returned reports whether all that was captured was refunded. It holds only where the sums can be measured.
func (f *facts) returned() bool {
	refunds, captures := &f.rows.refunds, &f.rows.captures
	switch {
	case refunds.succeeded == 0:
		return false
	case captures.succeeded == 0:
		return refunds.total.value >= f.requested().Value
	default:
		return refunds.total.value >= captures.total.value
	}
}

// measure reads the amount of a capture or refund notification.
func (f *facts) measure(amount exactjson.Value, at exactjson.Value) {
	moved, ok := readAmount(amount)
	if !ok {
		f.anomalies = append(f.anomalies, schemas.UnreadableAmount)
	}
	f.moved, f.movedAt = moved, readTime(at)
	requested := f.payment.Amount
	f.movedSum = moved != nil && requested != nil && moved.Currency == requested.Currency && moved.Value >= requested.Value
}

// needsCustomer reports whether the answer holds something that the customer is to do: a page to go to, a code to scan.
func (f *facts) needsCustomer() bool {
	for _, path := range [][]string{
		{"redirectActionForm", "redirectUrl"}, {"normalUrl"}, {"schemeUrl"}, {"applinkUrl"}, {"orderCodeForm", "codeDetails"}, {"paymentActionForm"},
	} {
		if filled(f.body.Get(path...)) {
			return true
		}
	}
	return false
}

// reason explains by the payment's code. Without a code there is none.
func (f *facts) reason() *schemas.Reason {
	if f.code.group == codeAbsent {
		return nil
	}
	message := f.message
	if message == "" {
		message = detailsOf(f.body).text("refusalReasonRaw")
	}
	return &schemas.Reason{Code: f.codeAs, Message: message, Category: f.code.category}
}

// reasonOf explains by the result of a row of transactions, or of a notification about one.
func reasonOf(result exactjson.Value) *schemas.Reason {
	code := lookUp(word(result.Get("resultCode")))
	if code.group == codeAbsent || code.group == codeSuccess {
		return nil
	}
	return &schemas.Reason{Code: result.Get("resultCode").Text(), Message: result.Get("resultMessage").Text(), Category: code.category}
}
