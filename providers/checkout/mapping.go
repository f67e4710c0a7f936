package checkout

import (
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// row is one line of the decision table. Of the rows with the same value the first whose condition holds decides.
type row struct {
	value     string // a status of the API, or a type of notification
	condition string // what when checks, in words; without when it always holds
	when      func(*body, providers.Payment) bool
	status    schemas.Status
	anomaly   schemas.Anomaly

	amount  amountMeaning          // what "amount" is beside this word
	states  sum                    // of a notification: the sum that its amount is, or is a part of
	dispute schemas.DisputeOutcome // of a notification about a dispute
	part    bool                   // of a notification about a part of the payment
}

// amountMeaning tells what the member "amount" is the amount of.
type amountMeaning uint8

const (
	ofPayment      amountMeaning = iota // what the payment was made for
	ofVerification                      // the same, but 0 verifies a card whatever the payment is for
	ofPart                              // one capture, refund or void
	ofOther                             // a dispute, or an increment of the authorisation
)

// sum names one of the sums of a payment.
type sum uint8

const (
	noSum sum = iota
	sumAuthorized
	sumCaptured
	sumRefunded
)

// The conditions on approved. It is absent on payments that wait, and false on ones that will be retried: alone it says
// nothing.
const (
	ifNotRefused  = "approved is true or absent"
	ifNotApproved = "approved is false or absent"
	ifElse        = "otherwise"
	ifContradicts = "approved says otherwise"
	ifAction      = "a redirect link, a 3DS challenge (response C), or 3DS enrolled Y without a response"
	ifSession     = "with a session id, or what makes Pending requires_action"
	ifNoCapture   = ifNotRefused + "; nothing is left to capture, and nothing was voided"
	ifNoRefund    = ifNotRefused + "; the newest action is a refused refund"
	ifPart        = "its amount is below the payment's, or the balances say so"
	ifLapsed      = "response_code 20152: not completed in time"
)

func notRefused(b *body, _ providers.Payment) bool {
	approved, ok := b.approved.Bool()
	return !b.approved.Present() || ok && approved
}

func notApproved(b *body, _ providers.Payment) bool {
	approved, ok := b.approved.Bool()
	return !b.approved.Present() || ok && !approved
}

func needsAction(b *body, _ providers.Payment) bool { return b.asksCustomer() }

func hasSession(b *body, _ providers.Payment) bool { return b.session() != "" || b.asksCustomer() }

func lapsed(b *body, _ providers.Payment) bool { return b.responseCode == "20152" }

// nothingToCapture tells an authorisation whose capture is under way from one that waits for it.
func nothingToCapture(b *body, p providers.Payment) bool {
	total, ok := minor(b.balances.Get("total_authorized"))
	left, leftOK := minor(b.balances.Get("available_to_capture"))
	voided, voidedOK := minor(b.balances.Get("total_voided"))
	return ok && leftOK && voidedOK && total > 0 && left == 0 && voided == 0 && notRefused(b, p)
}

func newestRefundRefused(b *body, p providers.Payment) bool {
	for item := range b.actions.Items() {
		return isAction(item, "Refund") && refusedAction(item) && notRefused(b, p)
	}
	return false
}

// partCaptured, partRefunded and partVoided tell a notification about a part from one about the whole. The balances say it
// where they are there, else the amount; one that cannot be read may be a part.
func partCaptured(b *body, p providers.Payment) bool {
	return b.part(p, "total_captured", "total_authorized")
}

func partRefunded(b *body, p providers.Payment) bool {
	return b.part(p, "total_refunded", "total_captured")
}

func partVoided(b *body, p providers.Payment) bool {
	return b.part(p, "total_voided", "total_authorized")
}

func (b *body) part(p providers.Payment, of, all string) bool {
	part, partOK := minor(b.balances.Get(of))
	whole, wholeOK := minor(b.balances.Get(all))
	if partOK && wholeOK {
		return part < whole
	}
	amount, ok := minor(b.amount)
	return b.amount.Present() && (!ok || p.Known() && amount < p.Amount.Value)
}

// statusRows are the statuses of payments. Sources: the provider's guide for querying payments; its OpenAPI description;
// checkout-sdk-go payments/payments.go, checkout-sdk-java PaymentStatus.java, checkout-sdk-net PaymentStatus.cs.
var statusRows = slices.Concat(
	[]row{
		{value: "Pending", condition: ifAction, when: needsAction, status: schemas.RequiresAction},
		{value: "Pending", condition: ifElse, status: schemas.Pending},
		{value: "Authentication Requested", condition: ifAction, when: needsAction, status: schemas.RequiresAction},
		{value: "Authentication Requested", condition: ifElse, status: schemas.Pending},
		{value: "Active", status: schemas.Pending},
		{value: "Requested", status: schemas.Pending},
		{value: "Accepted", status: schemas.Pending},
		{value: "Retry Scheduled", status: schemas.Pending},
		{value: "Authorized", condition: ifNoCapture, when: nothingToCapture, status: schemas.CapturePending},
		{value: "Captured", condition: ifNoRefund, when: newestRefundRefused, status: schemas.RefundFailed},
	},
	approved("Authorized", schemas.Authorized),
	[]row{
		{value: "Card Verified", condition: ifNotRefused, when: notRefused, status: schemas.Verified, amount: ofVerification},
		{value: "Card Verified", condition: ifContradicts, status: schemas.Unknown, anomaly: schemas.ContradictoryApproval, amount: ofVerification},
	},
	approved("Partially Captured", schemas.PartiallyCaptured),
	approved("Captured", schemas.Captured),
	approved("Paid", schemas.Captured),
	[]row{
		{value: "Declined", condition: ifNotApproved, when: notApproved, status: schemas.Declined},
		{value: "Declined", condition: ifContradicts, status: schemas.Unknown, anomaly: schemas.ContradictoryApproval},
		{value: "Rejected", condition: ifNotApproved, when: notApproved, status: schemas.Declined},
		{value: "Rejected", condition: ifContradicts, status: schemas.Unknown, anomaly: schemas.ContradictoryApproval},
		{value: "Canceled", status: schemas.Canceled},
		{value: "Cancelled", status: schemas.Canceled},
		{value: "Expired", status: schemas.Expired},
		{value: "Returned", status: schemas.Failed},
	},
	approved("Voided", schemas.Voided),
	approved("Refund Pending", schemas.RefundPending),
	approved("Refunded Pending", schemas.RefundPending),
	approved("Partially Refunded", schemas.PartiallyRefunded),
	approved("Refunded", schemas.Refunded),
)

// approved are the rows of a status that an approval must have come before.
func approved(value string, s schemas.Status) []row {
	return []row{
		{value: value, condition: ifNotRefused, when: notRefused, status: s},
		{value: value, condition: ifContradicts, status: schemas.Unknown, anomaly: schemas.ContradictoryApproval},
	}
}

// otherWord decides when no row of the table does.
var otherWord = row{value: "any other word", condition: "also null, empty or missing", status: schemas.Unknown, anomaly: schemas.UnmappedStatus}

// eventRows are the types of notifications that say something about the payment's state. Sources: "Event types" of the
// provider's documentation; the types that its plugins and SDKs subscribe to.
var eventRows = slices.Concat(
	[]row{
		{value: "payment_pending", condition: ifAction, when: needsAction, status: schemas.RequiresAction},
		{value: "payment_pending", condition: ifElse, status: schemas.Pending},
		{value: "authentication_started", condition: ifSession, when: hasSession, status: schemas.RequiresAction},
		{value: "authentication_started", condition: ifElse, status: schemas.Pending},
		{value: "authentication_approved", status: schemas.Pending},
		{value: "authentication_attempted", status: schemas.Pending},
		{value: "authentication_failed", status: schemas.Declined},
		{value: "authentication_expired", status: schemas.Expired},
		{value: "payment_authentication_failed", condition: ifLapsed, when: lapsed, status: schemas.Expired},
		{value: "payment_authentication_failed", condition: ifElse, status: schemas.Declined},
		{value: "payment_approved", status: schemas.Authorized, states: sumAuthorized},
		{value: "payment_authorization_incremented", status: schemas.Authorized, amount: ofOther},
		{value: "card_verified", status: schemas.Verified, amount: ofVerification},
		{value: "card_verification_declined", status: schemas.Declined, amount: ofVerification},
		{value: "payment_declined", status: schemas.Declined},
		{value: "payment_retry_scheduled", status: schemas.Pending},
		{value: "payment_canceled", status: schemas.Canceled},
		{value: "payment_expired", status: schemas.Expired},
		{value: "payment_capture_pending", status: schemas.CapturePending, amount: ofPart},
		{value: "payment_captured", condition: ifPart, when: partCaptured, status: schemas.PartiallyCaptured, amount: ofPart, states: sumCaptured, part: true},
		{value: "payment_captured", condition: ifElse, status: schemas.Captured, amount: ofPart, states: sumCaptured},
		{value: "payment_paid", status: schemas.Captured, states: sumCaptured},
		{
			value: "payment_voided", condition: ifPart, when: partVoided, status: schemas.Authorized, anomaly: schemas.PartialCancellation,
			amount: ofPart, part: true,
		},
		{value: "payment_voided", condition: ifElse, status: schemas.Voided, amount: ofPart},
		{value: "payment_refund_pending", status: schemas.RefundPending, amount: ofPart},
		{value: "payment_refunded", condition: ifPart, when: partRefunded, status: schemas.PartiallyRefunded, amount: ofPart, states: sumRefunded, part: true},
		{value: "payment_refunded", condition: ifElse, status: schemas.Refunded, amount: ofPart, states: sumRefunded},
		{value: "payment_refund_declined", status: schemas.RefundFailed, amount: ofPart},
		{value: "payment_returned", status: schemas.Failed},
	},
	disputes(schemas.DisputeOpen, schemas.Disputed, "dispute_received", "dispute_resolved", "dispute_evidence_required", "dispute_evidence_submitted",
		"dispute_evidence_acknowledged_by_scheme", "dispute_arbitration_sent_to_scheme", "dispute_arbitration_evidence_submitted",
		"request_for_information_received", "payment_retrieval"),
	disputes(schemas.DisputeWon, schemas.Captured, "dispute_won", "dispute_canceled", "dispute_arbitration_won"),
	disputes(schemas.DisputeLost, schemas.ChargedBack, "dispute_lost", "dispute_accepted", "dispute_expired", "dispute_arbitration_lost", "payment_chargeback"),
)

func disputes(outcome schemas.DisputeOutcome, s schemas.Status, types ...string) []row {
	rows := make([]row, 0, len(types))
	for _, value := range types {
		rows = append(rows, row{value: value, status: s, amount: ofOther, dispute: outcome})
	}
	return rows
}

// ignoredTypes are the types of notifications that are about the payment but change nothing: what was refused leaves it as it
// was.
var ignoredTypes = []string{
	"payment_capture_declined", "payment_void_declined", "payment_authorization_increment_declined", "payment_risk_matched",
	"payment_optimized", "payment_compliance_review", "fraud_reported",
}

// words finds the rows of a word.
type words map[string][]row

func index(rows []row) words {
	w := words{}
	for _, r := range rows {
		key := folded(r.value)
		w[key] = append(w[key], r)
	}
	return w
}

var (
	statuses = index(statusRows)
	events   = index(eventRows)
)

// folded is a word without regard to letter case and surrounding blanks.
func folded(word string) string { return strings.ToLower(strings.TrimSpace(word)) }

// pick gives the row that decides. Ok is false for a word without a row.
func (w words) pick(word string, b *body, p providers.Payment) (r row, ok bool) {
	for _, r := range w[folded(word)] {
		if r.when == nil || r.when(b, p) {
			return r, true
		}
	}
	return otherWord, false
}

// statusOf gives the row for the status of a payment.
func statusOf(b *body, p providers.Payment) row {
	if b.status.Kind() != exactjson.String {
		return otherWord
	}
	r, _ := statuses.pick(b.status.Str(), b, p)
	return r
}

// Mapping is the decision table: the statuses of payments, then the types of notifications.
func (c *provider) Mapping() []providers.Row {
	table := slices.Concat(statusRows, []row{otherWord}, eventRows)
	rows := make([]providers.Row, 0, len(table))
	for _, r := range table {
		rows = append(rows, providers.Row{Value: r.value, Condition: r.condition, Status: r.status})
	}
	return rows
}
