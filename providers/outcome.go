package providers

import (
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// Kind is what a check can come to. Only Observed is a status of the payment.
type Kind string

// The kinds of outcome.
const (
	Observed    Kind = "observed"    // a readable answer about this payment
	NotFound    Kind = "not_found"   // the provider does not know the payment (yet)
	Unavailable Kind = "unavailable" // could not ask: time-out, 5xx, throttled
	Unreadable  Kind = "unreadable"  // an answer came but cannot be read
	Refused     Kind = "refused"     // our request was refused: credentials, configuration
	Mismatch    Kind = "mismatch"    // the answer is about another payment
	NoStatus    Kind = "no_status"   // a notification that says nothing about the payment's state
)

// The reason codes that providers share. A provider may add its own.
const (
	CodeNotFound          = "not_found"
	CodeReferenceExpired  = "reference_expired"
	CodeUnauthorized      = "unauthorized"
	CodeForbidden         = "forbidden"
	CodeBadRequest        = "bad_request"
	CodeRateLimited       = "rate_limited"
	CodeTimeout           = "timeout"
	CodeConnection        = "connection"
	CodeTLS               = "tls"
	CodeRedirect          = "redirect"
	CodeBreakerOpen       = "breaker_open"
	CodeBusy              = "busy" // our own limits
	CodeIncompleteList    = "incomplete_list"
	CodeEmpty             = "empty"
	CodeNotJSON           = "not_json"
	CodeTruncated         = "truncated"
	CodeTooLarge          = "too_large"
	CodeDuplicateName     = "duplicate_name"
	CodeTooDeep           = "too_deep"
	CodeBadSignature      = "bad_signature"
	CodeUnexpectedContent = "unexpected_content"
	CodeUnreadableAmount  = "unreadable_amount"
	CodeOtherPayment      = "other_payment"
	CodeOtherAccount      = "other_account"
	CodeOtherCurrency     = "other_currency"
	CodeOtherAmount       = "other_amount"
	CodeIgnoredType       = "ignored_type" // no_status: a known notification type without a status meaning
	CodeUnknownType       = "unknown_type" // no_status: a notification type we do not know
)

// Outcome is what a check came to.
type Outcome struct {
	Kind       Kind
	Code       string        // a stable word; empty when observed
	Message    string        // a sentence for people, without secrets and without the body
	RetryAfter time.Duration // unavailable only: how long the provider asks us to wait; 0: it does not say

	PayableAgain bool // not found, by a reference that a customer can pay (again) under: may still come for a while

	Observation *Observation // observed only

	// Learned are identifiers that name this very payment from now on. An answer teaches them when it was asked for by an
	// identifier of this payment alone (a session), never by a reference that several payments may share.
	Learned schemas.Reference
	Page    int // the page of the answer that is kept as raw

	// Whom it is about, as far as it says.
	MerchantReference string            // the payment_id, where Options.PaymentID leads to; of notifications, and of queries by a payment's id
	About             schemas.Reference // of a notification: all identifiers of the payment that it states
}

// Observation is an answer, normalised.
type Observation struct {
	Status            schemas.Status
	Final             bool // by the provider's mapping; PayableAgain may defer it
	PayableAgain      bool // a negative found by a reference that a customer can pay again under: not final for a while
	ProviderPaymentID string
	ProviderStatus    map[string]any
	Amounts           schemas.Amounts
	Reason            *schemas.Reason
	ThreeDS           *schemas.ThreeDS
	AVS, CVV          string
	Card              *schemas.Card
	OccurredAt        time.Time // zero when not stated
	Anomalies         []schemas.Anomaly

	// Of a notification.
	Dispute *schemas.Dispute // what it says about a dispute; ID as the provider names it, or what is stable in its notifications
	// DisputeUnnamed says that the provider gives disputes no id: that of Dispute is of the notification, and the dispute is named by
	// its first one.
	DisputeUnnamed bool
	Partial        bool // a partial capture or refund whose total it does not state: it only asks for a check
}

// Failure makes an outcome that is not a status.
func Failure(kind Kind, code, message string) Outcome {
	return Outcome{Kind: kind, Code: code, Message: message}
}

// Reason is the outcome's code and message as an event carries them.
func (o Outcome) Reason() *schemas.Reason {
	return &schemas.Reason{Code: o.Code, Message: o.Message}
}
