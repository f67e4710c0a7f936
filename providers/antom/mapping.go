package antom

import (
	"slices"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// row is one line of a decision table. The first row whose value is the answer's word and whose condition holds decides.
type row struct {
	value     string // paymentStatus, resultStatus of pay and PAYMENT_RESULT, or the type of a notification
	condition string
	when      func(*facts) bool // nil: always
	status    schemas.Status

	anomaly schemas.Anomaly
	at      func(*facts) time.Time       // when the status came about; nil: not stated
	why     func(*facts) *schemas.Reason // nil: nothing to explain
	partial bool                         // the sum is not stated: the row only asks for a check
	dispute schemas.DisputeOutcome
}

// The words that are not Antom's own.
const (
	anyRow       = "transactions"  // the rows of transactions[], whatever paymentStatus says
	anythingElse = "anything else" // a word without a row
)

// inquiryRows are about paymentStatus.
var inquiryRows = slices.Concat(
	[]row{{
		value: anyRow, condition: "a row that is not FAIL or CANCELLED has an unknown type or status",
		when: func(f *facts) bool { return f.rows.strange }, status: schemas.Unknown, anomaly: schemas.UnmappedStatus,
	}},
	successRows,
	undecided("PROCESSING", "a code of success or refusal", func(f *facts) bool { return f.code.group == codeSuccess || f.code.group.refusal() }),
	undecided("PENDING", "a code of refusal", func(f *facts) bool { return f.code.group.refusal() }),
	[]row{contradiction("FAIL", "a successful or open CAPTURE or REFUND row", (*facts).moneyMoves)},
	refusals("FAIL", ""),
	[]row{
		{
			value: "CANCELLED", condition: "a successful VOID or CANCEL row",
			when: (*facts).calledOff, status: schemas.Voided, at: voidedAt, why: refusalReason,
		},
		contradiction("CANCELLED", "a successful or open CAPTURE or REFUND row", (*facts).moneyMoves),
		{value: "CANCELLED", status: schemas.Canceled, why: refusalReason},
	},
)

// successRows are about paymentStatus SUCCESS, which stays when money is captured and refunded: the rows of transactions[]
// say the rest.
var successRows = []row{
	contradiction("SUCCESS", "a code other than SUCCESS", (*facts).otherCode),
	contradiction("SUCCESS", "a successful CAPTURE row beside a successful VOID or CANCEL row",
		func(f *facts) bool { return f.calledOff() && f.rows.captures.succeeded > 0 }),
	{
		value: "SUCCESS", condition: "a successful VOID or CANCEL row",
		when: (*facts).calledOff, status: schemas.Voided, at: voidedAt,
	},
	{
		value: "SUCCESS", condition: "a successful CAPTURE or REFUND row whose amount cannot be read or compared",
		when: (*facts).unmeasurable, status: schemas.Unknown, anomaly: schemas.UnreadableAmount,
	},
	{
		value: "SUCCESS", condition: "successful REFUND rows give back all that was captured",
		when: (*facts).returned, status: schemas.Refunded, at: refundedAt,
	},
	{
		value: "SUCCESS", condition: "an open REFUND row",
		when: func(f *facts) bool { return f.rows.refunds.open > 0 }, status: schemas.RefundPending,
		at: func(f *facts) time.Time { return f.rows.refunds.openAt },
	},
	{
		value: "SUCCESS", condition: "successful REFUND rows give back a part",
		when: func(f *facts) bool { return f.rows.refunds.succeeded > 0 }, status: schemas.PartiallyRefunded, at: refundedAt,
	},
	{
		value: "SUCCESS", condition: "captured in full, and only refused REFUND rows",
		when: func(f *facts) bool { return f.taken() && f.rows.refunds.failed > 0 }, status: schemas.RefundFailed,
		at:  func(f *facts) time.Time { return f.rows.refunds.failedAt },
		why: func(f *facts) *schemas.Reason { return reasonOf(f.rows.refunds.failure) },
	},
	{
		value: "SUCCESS", condition: "successful CAPTURE rows take all",
		when: func(f *facts) bool { return f.rows.captures.succeeded > 0 && f.taken() }, status: schemas.Captured, at: capturedAt,
	},
	{
		value: "SUCCESS", condition: "successful CAPTURE rows take a part",
		when: func(f *facts) bool { return f.rows.captures.succeeded > 0 }, status: schemas.PartiallyCaptured, at: capturedAt,
	},
	{
		value: "SUCCESS", condition: "an open CAPTURE row",
		when: func(f *facts) bool { return f.rows.captures.open > 0 }, status: schemas.CapturePending,
		at: func(f *facts) time.Time { return f.rows.captures.openAt },
	},
	{
		value: "SUCCESS", condition: "the newest refused CAPTURE row says AUTH_EXPIRED",
		when:   func(f *facts) bool { return word(f.rows.captures.failure.Get("resultCode")) == "AUTH_EXPIRED" },
		status: schemas.Expired, why: captureReason,
		at: func(f *facts) time.Time { return f.rows.captures.failedAt },
	},
	{
		value: "SUCCESS", condition: "only refused CAPTURE rows",
		when: func(f *facts) bool { return f.rows.captures.failed > 0 }, status: schemas.Authorized, at: paidAt, why: captureReason,
	},
	{value: "SUCCESS", condition: "card-like, amount 0", when: (*facts).verifies, status: schemas.Verified, at: paidAt},
	{value: "SUCCESS", condition: "card-like", when: (*facts).authorizes, status: schemas.Authorized, at: paidAt},
	{value: "SUCCESS", condition: "another method", status: schemas.Captured, at: paidAt},
}

// replyRows are about resultStatus in pay's answer and in PAYMENT_RESULT, where it is the payment's.
var replyRows = slices.Concat(
	[]row{
		contradiction("S", inReply+"a code other than SUCCESS", (*facts).otherCode),
		{value: "S", condition: inReply + "card-like, amount 0", when: (*facts).verifies, status: schemas.Verified, at: paidAt},
		{value: "S", condition: inReply + "card-like", when: (*facts).authorizes, status: schemas.Authorized, at: paidAt},
		{value: "S", condition: inReply + "another method", status: schemas.Captured, at: paidAt},
		{
			value: "U", condition: inReply + "PAYMENT_IN_PROCESS, and something for the customer to do",
			when: func(f *facts) bool { return f.inProcess() && f.needsCustomer() }, status: schemas.RequiresAction,
		},
		{value: "U", condition: inReply + "PAYMENT_IN_PROCESS", when: (*facts).inProcess, status: schemas.Pending},
	},
	refusals("F", inReply),
)

// inReply is how the condition of a row about pay's answer and PAYMENT_RESULT begins.
const inReply = "pay or PAYMENT_RESULT: "

// undecided are the rows of a paymentStatus that is not an end.
func undecided(value, code string, contradicts func(*facts) bool) []row {
	rows := []row{
		contradiction(value, code, contradicts),
		contradiction(value, "a successful or open CAPTURE or REFUND row", (*facts).moneyMoves),
	}
	if value == "PROCESSING" { // PENDING: the customer has done what there was to do
		rows = append(rows, row{
			value: value, condition: "something for the customer to do", when: (*facts).needsCustomer, status: schemas.RequiresAction,
		})
	}
	return append(rows, row{value: value, status: schemas.Pending})
}

// refusals are the rows of a word that says that the payment was not made: its code says how.
func refusals(value, prefix string) []row {
	coded := func(condition string, g outcomeGroup, status schemas.Status) row {
		return row{
			value: value, condition: prefix + condition, when: func(f *facts) bool { return f.code.group == g },
			status: status, why: (*facts).reason,
		}
	}
	return []row{
		contradiction(value, prefix+"a code of success or in process", func(f *facts) bool { return f.code.group == codeSuccess || f.code.group == codeOpen }),
		coded("refused by issuer, customer's account, risk or authentication", codeDeclined, schemas.Declined),
		coded("ORDER_IS_CLOSED or AUTH_EXPIRED", codeExpired, schemas.Expired),
		coded("ORDER_IS_CANCELED or AUTH_CANCELLED", codeCanceled, schemas.Canceled),
		{value: value, condition: prefix + "another code or none", status: schemas.Failed, why: (*facts).reason},
	}
}

// contradiction is a row for an answer whose parts say different things.
func contradiction(value, condition string, when func(*facts) bool) row {
	return row{value: value, condition: condition, when: when, status: schemas.Unknown, anomaly: schemas.ContradictoryAnswer}
}

func (f *facts) otherCode() bool { return f.code.group != codeAbsent && f.code.group != codeSuccess }

func (f *facts) inProcess() bool {
	return word(f.body.Get("result", "resultCode")) == "PAYMENT_IN_PROCESS"
}
func (f *facts) calledOff() bool  { return f.rows.voids.succeeded > 0 }
func (f *facts) moneyMoves() bool { return f.rows.captures.moves() || f.rows.refunds.moves() }
func (f *facts) verifies() bool   { return f.authorizes() && f.stated != nil && f.stated.Value == 0 }

func paidAt(f *facts) time.Time     { return readTime(f.body.Get("paymentTime")) }
func capturedAt(f *facts) time.Time { return f.rows.captures.succeededAt }
func refundedAt(f *facts) time.Time { return f.rows.refunds.succeededAt }
func voidedAt(f *facts) time.Time   { return f.rows.voids.succeededAt }
func movedAt(f *facts) time.Time    { return f.movedAt }

func captureReason(f *facts) *schemas.Reason { return reasonOf(f.rows.captures.failure) }

// refusalReason explains where the code is one of refusal: a payment that was called off may still carry that of its success.
func refusalReason(f *facts) *schemas.Reason {
	if !f.code.group.refusal() && f.code.group != codeUnlisted {
		return nil
	}
	return f.reason()
}

// elseRow is for every word without a row.
var elseRow = row{value: anythingElse, status: schemas.Unknown, anomaly: schemas.UnmappedStatus}

// decisions are the rows of each value, in order.
type decisions map[string][]row

// The one mapping, by where a word may stand: Read decides by these, and Mapping prints them.
var (
	inquiries     = decisionsOf(inquiryRows)
	replies       = decisionsOf(replyRows)
	notifications = decisionsOf(slices.Concat(notificationRows, disputeRows))
)

func decisionsOf(rows []row) decisions {
	d := decisions{}
	for _, r := range rows {
		d[r.value] = append(d[r.value], r)
	}
	return d
}

// decide finds the row of a word.
func (d decisions) decide(f *facts, value string) row {
	for _, key := range [...]string{anyRow, value} {
		for _, r := range d[key] {
			if r.when == nil || r.when(f) {
				return r
			}
		}
	}
	return elseRow
}

// Mapping is the decision table from Antom's words to statuses.
func (p *provider) Mapping() []providers.Row {
	all := slices.Concat(inquiryRows, replyRows, notificationRows, disputeRows, []row{elseRow})
	rows := make([]providers.Row, len(all))
	for i, r := range all {
		rows[i] = providers.Row{Value: r.value, Condition: r.condition, Status: r.status}
	}
	return rows
}
