package schemas

import (
	"cmp"
	"time"
)

// The types of events, as they stand in a CloudEvent's type.
const (
	TypeInitiated        = "payment.initiated"
	TypeStatusChanged    = "payment.status_changed"
	TypeAmountsChanged   = "payment.amounts_changed"
	TypeStatusUnresolved = "payment.status_unresolved"
	TypeStatusCorrected  = "payment.status_corrected"
)

// ChangeTypes lists the types of status events. All have the same data, a Change.
var ChangeTypes = []string{TypeStatusChanged, TypeAmountsChanged, TypeStatusUnresolved, TypeStatusCorrected}

// Change is the data of a status event: what became of a payment, and the provider's words for it.
type Change struct {
	PaymentID string `json:"payment_id"` // the merchant's id; empty only where no payment was given (normalize)
	Provider  string `json:"provider"`
	Account   string `json:"account"`

	ProviderPaymentID string    `json:"provider_payment_id,omitempty"` // the provider's id once known
	Reference         Reference `json:"reference,omitempty"`           // what the provider was asked by

	Status         Status  `json:"status"`
	PreviousStatus *Status `json:"previous_status"` // nil when nothing was reported before
	Final          bool    `json:"final"`           // checking has ended; refunds and disputes may still follow
	Funds          Funds   `json:"funds"`

	ProviderStatus map[string]any `json:"provider_status,omitempty"` // the provider's own words, untouched

	Amounts Amounts  `json:"amounts"`
	Reason  *Reason  `json:"reason,omitempty"` // of a refusal, a failure or an unresolved end
	ThreeDS *ThreeDS `json:"three_ds,omitempty"`
	AVS     string   `json:"avs,omitempty"` // the provider's code
	CVV     string   `json:"cvv,omitempty"` // the provider's code
	Card    *Card    `json:"card,omitempty"`

	OccurredAt time.Time `json:"occurred_at,omitzero"` // when the provider says this status came about
	ObservedAt time.Time `json:"observed_at"`          // when the answer was received

	Source  Source   `json:"source"`
	Entry   int      `json:"entry,omitempty"` // for the how-many-eth time this status with these sums was reached, from 1
	Dispute *Dispute `json:"dispute,omitempty"`

	Corrects string `json:"corrects,omitempty"` // of a payment.status_corrected: the id of the event that was wrong

	Cause    Cause  `json:"cause,omitempty"`
	Attempt  int    `json:"attempt,omitempty"` // which check it was, from 1
	ReplayID string `json:"replay_id,omitempty"`

	Anomalies  []Anomaly         `json:"anomalies"`
	Raw        *Raw              `json:"raw,omitempty"`
	Normalizer string            `json:"normalizer"` // version of the mapping, "checkout/1"
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// Amounts are the sums of a payment. Each is what the provider states; what it does not state is absent, never computed.
type Amounts struct {
	Requested  *Money `json:"requested,omitempty"`
	Authorized *Money `json:"authorized,omitempty"`
	Captured   *Money `json:"captured,omitempty"`
	Refunded   *Money `json:"refunded,omitempty"`
}

// Or gives what a states, and what b states where a does not.
func (a Amounts) Or(b Amounts) Amounts {
	return Amounts{
		Requested: cmp.Or(a.Requested, b.Requested), Authorized: cmp.Or(a.Authorized, b.Authorized),
		Captured: cmp.Or(a.Captured, b.Captured), Refunded: cmp.Or(a.Refunded, b.Refunded),
	}
}

// Money is an amount as the provider counts it: Value × 10^-Exponent units of Currency.
type Money struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"` // ISO 4217
	Exponent int    `json:"exponent"`
}

// Reason explains a refusal, a failure or an unresolved end.
type Reason struct {
	Code     string         `json:"code"`
	Message  string         `json:"message,omitempty"`
	Category ReasonCategory `json:"category,omitempty"`
}

// ReasonCategory groups reasons over all providers.
type ReasonCategory string

// The categories.
const (
	CategoryIssuer         ReasonCategory = "issuer"
	CategoryFunds          ReasonCategory = "funds"
	CategoryRisk           ReasonCategory = "risk"
	CategoryAuthentication ReasonCategory = "authentication"
	CategoryCustomer       ReasonCategory = "customer"
	CategoryMerchant       ReasonCategory = "merchant"
	CategoryTechnical      ReasonCategory = "technical"
	CategoryExpired        ReasonCategory = "expired"
	CategoryOther          ReasonCategory = "other"
)

// Categories lists every category.
var Categories = []ReasonCategory{
	CategoryIssuer, CategoryFunds, CategoryRisk, CategoryAuthentication, CategoryCustomer,
	CategoryMerchant, CategoryTechnical, CategoryExpired, CategoryOther,
}

// ThreeDS is the result of 3-D Secure, in the provider's codes.
type ThreeDS struct {
	Version        string `json:"version,omitempty"`
	Enrolled       string `json:"enrolled,omitempty"`
	Authentication string `json:"authentication,omitempty"`
	ECI            string `json:"eci,omitempty"`
	CAVV           string `json:"cavv,omitempty"`
	XID            string `json:"xid,omitempty"`
	Challenged     *bool  `json:"challenged,omitempty"`
}

// Card describes the card without naming it. Codes are text: leading zeros count.
type Card struct {
	Brand   string `json:"brand,omitempty"`
	BIN     string `json:"bin,omitempty"`
	Last4   string `json:"last4,omitempty"`
	Funding string `json:"funding,omitempty"`
	Issuer  string `json:"issuer,omitempty"`
	Country string `json:"country,omitempty"`
	Region  string `json:"region,omitempty"`
	Expiry  string `json:"expiry,omitempty"` // YYYY-MM
	Token   string `json:"token,omitempty"`
}

// Source says where an observation came from.
type Source string

// The sources.
const (
	SourceQuery           Source = "query"
	SourceNotification    Source = "notification"
	SourceInitiation      Source = "initiation"
	SourceRenormalization Source = "renormalization"
)

// Sources lists every source.
var Sources = []Source{SourceQuery, SourceNotification, SourceInitiation, SourceRenormalization}

// Cause says why a check ran.
type Cause string

// The causes.
const (
	CauseInitiated    Cause = "initiated"    // a payment initiated event, for the first time or again
	CauseSchedule     Cause = "schedule"     // its time had come
	CauseNotification Cause = "notification" // the provider said that something happened
	CauseBackfill     Cause = "backfill"
	CauseManual       Cause = "manual"
	CauseRedrive      Cause = "redrive" // a dead letter given back

	CauseRenormalization Cause = "renormalization" // an old answer was read again
)

// Causes lists every cause.
var Causes = []Cause{CauseInitiated, CauseSchedule, CauseNotification, CauseBackfill, CauseManual, CauseRedrive, CauseRenormalization}

// Dispute names the dispute that an event speaks of and what came of it.
type Dispute struct {
	ID      string         `json:"id"`
	Outcome DisputeOutcome `json:"outcome"`
}

// DisputeOutcome is what a dispute has come to.
type DisputeOutcome string

// The outcomes.
const (
	DisputeOpen DisputeOutcome = "open"
	DisputeWon  DisputeOutcome = "won" // by the merchant: also cancelled and reversed ones
	DisputeLost DisputeOutcome = "lost"
)

// DisputeOutcomes lists every outcome.
var DisputeOutcomes = []DisputeOutcome{DisputeOpen, DisputeWon, DisputeLost}

// Raw is the provider's answer, byte for byte.
type Raw struct {
	MediaType  string    `json:"media_type,omitempty"`
	Encoding   string    `json:"encoding"`       // "utf-8", or "base64" when the bytes are not UTF-8
	Body       string    `json:"body,omitempty"` // absent when the configuration keeps bodies off the bus
	Size       int       `json:"size"`           // bytes
	SHA256     string    `json:"sha256"`         // lower-case hex, of the bytes in Body
	Masked     bool      `json:"masked,omitempty"`
	HTTPStatus int       `json:"http_status,omitempty"`
	ReceivedAt time.Time `json:"received_at"`
}
