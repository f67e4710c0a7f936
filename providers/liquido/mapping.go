package liquido

import (
	"slices"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The words of transferStatus.
const (
	initial     = "INITIAL_STATUS"
	inProgress  = "IN_PROGRESS"
	authorized  = "AUTHORIZED"
	settled     = "SETTLED"
	failed      = "FAILED"
	rejected    = "REJECTED" // known from Liquido's pay-outs
	cancelled   = "CANCELLED"
	expired     = "EXPIRED"
	refunding   = "REFUNDING"
	refunded    = "REFUNDED"
	chargedBack = "CHARGED_BACK"
)

// The eventTypes of callbacks.
const (
	succeeded         = "CHARGE_SUCCEEDED"
	chargeFailed      = "CHARGE_FAILED"
	chargeChargedBack = "CHARGE_CHARGED_BACK"
	refundSucceeded   = "CHARGE_REFUND_SUCCEEDED"
	refundFailed      = "CHARGE_REFUND_FAILED"
)

// anyWord stands in the mapping for whatever the status is.
const anyWord = "*"

// row is a line of the mapping with its condition in Go; the first that holds decides.
type row struct {
	providers.Row

	of            subject
	holds         func(*charge) bool
	contradictory bool // the answer contradicts itself, and nothing says which half is right
}

// subject is what the fields of an answer speak of.
type subject uint8

const (
	ofEither subject = iota
	ofCharge
	ofRefund
)

func always(*charge) bool { return true }

func badCode(c *charge) bool { return c.codeStated && c.code != codeGood }

// manualCapture is all that tells an authorised charge that was called off from one that was never authorised: an answer does
// not say whether AUTHORIZED came before, and what was said before does not count here.
func manualCapture(c *charge) bool { return c.payment.Capture == schemas.CaptureManual }

func refundBelow(c *charge) bool { order, ok := c.refundAgainst(); return ok && order < 0 }
func refundAbove(c *charge) bool { order, ok := c.refundAgainst(); return ok && order > 0 }

// The conditions that several rows share, in words.
const (
	failingCode  = "transferStatusCode is not 200"
	byIssuer     = "card, and transferErrorMsg or a 2xxx code says that issuer, risk or authentication refused"
	asRefund     = "callback of a refund"
	asRefundPart = "callback of a refund, amount below the payment's"
	asRefundOver = "callback of a refund, amount above the payment's"
	manually     = "capture is manual"
	otherwise    = "otherwise"
)

// mapping is the one table from Liquido's words to statuses.
var mapping = []row{
	either("callback whose eventType says the opposite", schemas.Unknown, (*charge).contradictsEvent).contradiction(),

	charges(initial, failingCode, schemas.Unknown, badCode).contradiction(),
	charges(initial, otherwise, schemas.Pending, always),
	charges(inProgress, "there is something for the payer to do, and transferStatusCode is 200 or absent", schemas.RequiresAction,
		func(c *charge) bool { return !badCode(c) && c.actionable() }),
	charges(inProgress, otherwise, schemas.Pending, always),
	charges(authorized, failingCode, schemas.Unknown, badCode).contradiction(),
	charges(authorized, otherwise, schemas.Authorized, always),
	charges(settled, "capture is manual and finalAmount below amount in the same currency", schemas.PartiallyCaptured, (*charge).partlyCaptured),
	charges(settled, otherwise, schemas.Captured, always),
	charges(failed, byIssuer, schemas.Declined, func(c *charge) bool { return c.isCard() && c.refused() }),
	charges(failed, otherwise, schemas.Failed, always),
	charges(rejected, byIssuer, schemas.Declined, func(c *charge) bool { return c.isCard() && c.refused() }),
	charges(rejected, otherwise, schemas.Failed, always),
	charges(cancelled, manually, schemas.Voided, manualCapture),
	charges(cancelled, otherwise, schemas.Canceled, always),
	charges(expired, "", schemas.Expired, always),
	charges(refunding, failingCode, schemas.Unknown, badCode).contradiction(),
	charges(refunding, otherwise, schemas.RefundPending, always),
	charges(refunded, failingCode, schemas.Unknown, badCode).contradiction(),
	charges(refunded, otherwise, schemas.Refunded, always),
	charges(chargedBack, failingCode, schemas.Unknown, badCode).contradiction(),
	charges(chargedBack, otherwise, schemas.ChargedBack, always),

	refunds(settled, asRefundPart, schemas.PartiallyRefunded, refundBelow),
	refunds(settled, asRefundOver, schemas.Unknown, refundAbove).contradiction(),
	refunds(settled, asRefund, schemas.Refunded, always),
	refunds(refunded, asRefundPart, schemas.PartiallyRefunded, refundBelow),
	refunds(refunded, asRefundOver, schemas.Unknown, refundAbove).contradiction(),
	refunds(refunded, asRefund, schemas.Refunded, always),
	refunds(initial, asRefund, schemas.RefundPending, always),
	refunds(inProgress, asRefund, schemas.RefundPending, always),
	refunds(refunding, asRefund, schemas.RefundPending, always),
	refunds(failed, asRefund, schemas.RefundFailed, always),
	refunds(rejected, asRefund, schemas.RefundFailed, always),

	either("no other row, or no status at all", schemas.Unknown, always),
}

func charges(word, condition string, status schemas.Status, holds func(*charge) bool) row {
	return row{Row: providers.Row{Value: word, Condition: condition, Status: status}, of: ofCharge, holds: holds}
}

func refunds(word, condition string, status schemas.Status, holds func(*charge) bool) row {
	r := charges(word, condition, status, holds)
	r.of = ofRefund
	return r
}

func either(condition string, status schemas.Status, holds func(*charge) bool) row {
	return row{Row: providers.Row{Value: anyWord, Condition: condition, Status: status}, of: ofEither, holds: holds}
}

func (r row) contradiction() row { r.contradictory = true; return r }

// Mapping is the decision table; the first row that holds decides, and "*" is every word.
func (p *Provider) Mapping() []providers.Row {
	rows := make([]providers.Row, len(mapping))
	for i, r := range mapping {
		rows[i] = r.Row
	}
	return rows
}

// decide finds the row that holds.
func (c *charge) decide() *row {
	of := ofCharge
	if c.ofRefund() {
		of = ofRefund
	}
	for i := range mapping {
		r := &mapping[i]
		if (r.Value == c.word || r.Value == anyWord) && (r.of == of || r.of == ofEither) && r.holds(c) {
			return r
		}
	}
	return &mapping[len(mapping)-1] // which always holds
}

// opposites are the statuses that say the opposite of an eventType. An open status does not: Liquido documents
// CHARGE_SUCCEEDED with IN_PROGRESS, and the status decides.
var opposites = map[string][]string{
	succeeded:         {failed, rejected, cancelled, expired},
	chargeFailed:      {authorized, settled, refunding, refunded, chargedBack},
	chargeChargedBack: {initial, inProgress, authorized, settled, failed, rejected, cancelled, expired, refunding, refunded},
	refundSucceeded:   {failed, rejected},
	refundFailed:      {settled, refunded},
}

func (c *charge) contradictsEvent() bool { return slices.Contains(opposites[c.event], c.word) }

// isOdd reports whether parts of the answer contradict each other in a way in which the status decides.
func (c *charge) isOdd() bool {
	switch c.word {
	case initial, inProgress:
		return c.event != "" || badCode(c)
	case refunding:
		return c.ofRefund()
	case settled:
		return badCode(c)
	case failed, rejected:
		return c.codeStated && c.code == codeGood
	}
	return false
}
