package providers

import (
	"context"
	"net/http"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// Provider asks one payment service provider about payments and reads what it says. It is safe for concurrent use.
type Provider interface {
	// Name is the provider's name in events and configuration: "checkout".
	Name() string

	// Normalizer is the version of its mapping, "checkout/1". It goes up whenever Read would say something else.
	Normalizer() string

	// Accounts are the names of the configured accounts.
	Accounts() []string

	// Identify checks the identifiers of an initiated event and completes them from its return URL and initiation
	// response. The error is a *schemas.FieldError that says which field is wrong and why.
	Identify(schemas.Initiated) (schemas.Reference, error)

	// Ask makes the requests of one check and returns what came back, interpreting no more than is needed to know which
	// request comes next. What went wrong on the way stands in the answer; the error is ctx's, when that ended first.
	Ask(ctx context.Context, p Payment) (Answer, error)

	// Verify checks that an answer is authentic, with the keys of the account. Required says whether an answer without a
	// signature is accepted where the provider signs. An error makes the answer unreadable, bad_signature.
	Verify(a Answer, account string, required bool) error

	// Read says what an answer means for a payment. It is pure: the same answer about the same payment is always the same
	// outcome, whatever was said before and whatever time it is.
	Read(a Answer, p Payment) Outcome

	// Mapping is the decision table from the provider's words to statuses.
	Mapping() []Row
}

// Payment is what the initiated events say about the payment that is asked about.
type Payment struct {
	ID          string            // the merchant's id; empty when only an answer is known
	Account     string            // schemas.DefaultAccount when empty
	Reference   schemas.Reference // as Identify completed it
	Amount      *schemas.Amount   // nil when no initiated event is known: identity and amount cannot be checked
	InitiatedAt time.Time
	Capture     schemas.Capture
	Method      string
}

// PaymentOf is the payment of an initiated event whose reference a provider has completed.
func PaymentOf(e schemas.Initiated, ref schemas.Reference) Payment {
	return Payment{
		ID: e.PaymentID, Account: e.Account, Reference: ref, Amount: &e.Amount, InitiatedAt: e.InitiatedAt,
		Capture: e.Capture, Method: e.Method,
	}
}

// Known reports whether an initiated event is known.
func (p Payment) Known() bool { return p.Amount != nil }

// Identifiers are the values by which the merchant and the provider know the payment.
func (p Payment) Identifiers() []string {
	ids := []string{p.ID}
	for _, value := range p.Reference {
		ids = append(ids, value)
	}
	return ids
}

// Answer is what came back from a provider, byte for byte.
type Answer struct {
	From  schemas.Source // query, notification or initiation
	Pages []Page         // in the order received; most answers have one
	Fault *Outcome       // what ended the asking: nothing, or not everything, could be had; nil when all came
}

// Page is one HTTP answer (or the body of a notification).
type Page struct {
	Request    string // which request of the provider's this answers, in the provider's terms: "payment", "list", "recovery"
	HTTPStatus int
	Header     http.Header
	Body       []byte
	ReceivedAt time.Time
	Cut        bool // the body ended before its announced length
	TooLarge   bool // the body was larger than allowed and is not whole
	Masked     bool // card numbers in the body were masked on the way
}

// Last is the page received last; the zero Page when there is none.
func (a Answer) Last() Page {
	if len(a.Pages) == 0 {
		return Page{}
	}
	return a.Pages[len(a.Pages)-1]
}

// Row is one line of a provider's decision table.
type Row struct {
	Value     string         `json:"value"`     // the provider's word
	Condition string         `json:"condition"` // when this row holds; empty: always
	Status    schemas.Status `json:"status"`
}
