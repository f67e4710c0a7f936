package worldpay

import (
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// situation is what an answer shows besides its word.
type situation struct {
	settleOffered bool // a settle link is there: not all was settled or cancelled
	refundOffered bool // a refund link is there: something was settled, and not all of it refunded
	actionOffered bool // something for the customer to do is there
	history       bool // the payment's events are there
	authorized    bool // the events show an authorisation that succeeded
	sold          bool // the events show a sale that succeeded
	settled       share
	below         bool // of a notification: its amount is below the payment's
}

// share is how much of a payment the events show as settled, or as asked to be.
type share uint8

const (
	nothing share = iota
	part
	whole
)

// meaning is what a word means under a condition.
type meaning struct {
	condition string // for people; empty: always
	holds     func(situation) bool
	status    schemas.Status

	unsure  bool // not final although the status would be
	earlier bool // the status is that of an event before the last one
	timeout bool // the provider itself does not know; the recovery query may
	anomaly schemas.Anomaly
	dispute schemas.DisputeOutcome
}

// entry is one group of words that mean the same.
type entry struct {
	words    []string
	meanings []meaning              // the first whose condition holds
	portion  bool                   // in a notification the amount may be a part of the payment's
	category schemas.ReasonCategory // of words that are a reason by themselves
}

func words(w ...string) []string { return w }

func always(s schemas.Status) []meaning { return []meaning{{status: s}} }

func disputed(s schemas.Status, outcome schemas.DisputeOutcome) []meaning {
	return []meaning{{status: s, dispute: outcome}}
}

const otherwise = "otherwise"

// table is the one decision table. Card Payments and the Payments API write "Sent for Settlement", the APM API and the
// webhooks "sentForSettlement", Payment Queries "settlementRequestSubmitted", replies to create calls their own outcomes;
// words that differ only in case, blanks, hyphens and underscores stand once.
var table = []entry{
	{words: words("Sent for Authorization", "authorizationRequested", "saleRequested"), meanings: always(schemas.Pending)},
	{words: words("pending", "3dsDeviceDataRequired", "3dsChallenged"), meanings: []meaning{
		{condition: "a redirect, challenge or device check is offered", holds: actionOffered, status: schemas.RequiresAction},
		{condition: otherwise, status: schemas.Pending},
	}},

	{words: words("Authorized"), meanings: always(schemas.Authorized)},
	{words: words("authorizationSucceeded"), meanings: []meaning{
		{condition: "a refund link is offered: it was settled automatically", holds: refundOffered, status: schemas.CapturePending},
		{condition: otherwise, status: schemas.Authorized},
	}},
	{words: words("Refused", "authorizationRefused", "saleRefused"), meanings: always(schemas.Declined)},
	{words: words("refusedByIssuer"), meanings: always(schemas.Declined), category: schemas.CategoryIssuer},
	{words: words("3dsAuthenticationFailed"), meanings: always(schemas.Declined), category: schemas.CategoryAuthentication},
	{words: words("fraudHighRisk"), meanings: always(schemas.Declined), category: schemas.CategoryRisk},
	{words: words("Error", "authorizationFailed", "saleFailed"), meanings: always(schemas.Failed)},
	{words: words("3dsUnavailable"), meanings: always(schemas.Failed), category: schemas.CategoryTechnical},
	{words: words("Expired", "requestExpired"), meanings: always(schemas.Expired)},
	{words: words("authorizationTimedOut", "saleTimedOut"), meanings: []meaning{{status: schemas.Unknown, timeout: true}}},

	{
		words: words("Sent for Settlement", "settlementInstructed", "settlementRequested", "settlementRequestSubmitted"), portion: true,
		meanings: []meaning{
			{condition: "a further settle link is offered, or only a part was settled", holds: partlySettled, status: schemas.PartiallyCaptured},
			{condition: otherwise, status: schemas.CapturePending},
		},
	},
	{words: words("saleSucceeded"), meanings: always(schemas.CapturePending)},
	{words: words("settlementRequestSubmissionTimedOut", "settlementTimedOut"), meanings: []meaning{
		{condition: "a part was settled before", holds: partBefore, status: schemas.PartiallyCaptured, earlier: true},
		{condition: otherwise, status: schemas.CapturePending, unsure: true},
	}},
	{words: words("settlementRequestSubmissionFailed"), meanings: []meaning{
		{condition: "a part was settled before", holds: partBefore, status: schemas.PartiallyCaptured, earlier: true},
		{condition: otherwise, status: schemas.Authorized, earlier: true},
	}},
	{words: words("Settled"), portion: true, meanings: []meaning{
		{condition: "a further settle link is offered, or only a part was settled", holds: partlySettled, status: schemas.PartiallyCaptured},
		{condition: otherwise, status: schemas.Captured},
	}},
	{words: words("Settlement failed", "Settlement Rejected", "settlementReversed"), portion: true, meanings: always(schemas.Failed)},

	{
		words: words("Sent for Cancellation", "Send for Cancellation", "Sent for Cancelation", "cancelled", "cancellationRequestSubmitted",
			"sentForReversal"),
		portion: true, meanings: cancellation,
	},
	{words: words("cancelledByCustomer"), portion: true, meanings: cancellation, category: schemas.CategoryCustomer},
	{words: words("cancellationRequested", "cancellationRequestSubmissionFailed", "cancellationRequestSubmissionTimedOut",
		"cancellationFailed", "cancellationTimedOut", "cancelRequested", "cancelFailed"), meanings: []meaning{
		{condition: "a part was settled before", holds: partBefore, status: schemas.PartiallyCaptured, earlier: true},
		{condition: otherwise, status: schemas.Authorized, earlier: true},
	}},
	{words: words("reversalRequestSubmitted"), meanings: []meaning{
		{condition: "the events show a settlement or sale", holds: settledOrSold, status: schemas.RefundPending},
		{condition: "the events show an authorisation and no settlement", holds: authorizedBefore, status: schemas.Voided},
		{condition: "the events show neither", holds: shown, status: schemas.Canceled},
		{condition: "no events are shown", status: schemas.Unknown},
	}},
	{words: words("reversalRequested", "reversalRequestSubmissionFailed", "reversalRequestSubmissionTimedOut", "reversalFailed",
		"reversalTimedOut"), meanings: []meaning{
		{condition: "a part was settled before", holds: partBefore, status: schemas.PartiallyCaptured, earlier: true},
		{condition: "the events show a full settlement or sale", holds: wholeOrSold, status: schemas.CapturePending, earlier: true},
		{condition: "the events show no settlement", holds: shown, status: schemas.Authorized, earlier: true},
		{condition: "no events are shown", status: schemas.Unknown, earlier: true},
	}},

	{
		words:   words("Sent for Refund", "Sent for Partial Refund", "refundRequested", "refundRequestSubmitted"),
		portion: true, meanings: always(schemas.RefundPending),
	},
	{words: words("refundRequestSubmissionTimedOut", "refundTimedOut"), meanings: []meaning{{status: schemas.RefundPending, unsure: true}}},
	{words: words("Refunded"), portion: true, meanings: []meaning{
		{condition: "a further refund link is offered, or only a part was refunded", holds: partlyRefunded, status: schemas.PartiallyRefunded},
		{condition: otherwise, status: schemas.Refunded},
	}},
	{
		words: words("Refund failed", "refundRequestSubmissionFailed", "refundExpired", "refundReversed"), portion: true,
		meanings: always(schemas.RefundFailed),
	},

	{words: words("informationRequested", "disputeInformationRequested", "disputInformationSupplied", "disputeInformationSupplied",
		"disputeFundsHeld", "disputeReserveReleased", "disputeFundsReleased"), meanings: disputed(schemas.Disputed, schemas.DisputeOpen)},
	{words: words("chargedBack", "disputeExpired"), meanings: disputed(schemas.ChargedBack, schemas.DisputeLost)},
	{words: words("chargebackReversed"), meanings: disputed(schemas.Captured, schemas.DisputeWon)},

	{words: words("Unknown", "signedFormReceived", "miscellaneous", "manuallyAmended"), meanings: always(schemas.Unknown)},
}

// cancellation tells a cancellation of all from one of a part, and of what was left after a part was settled.
var cancellation = []meaning{
	{
		condition: "something was settled before, or a refund link is offered",
		holds:     func(s situation) bool { return s.settled != nothing || s.refundOffered },
		status:    schemas.PartiallyCaptured, earlier: true, anomaly: schemas.PartialCancellation,
	},
	{
		condition: "a settle link is still offered, or only a part was cancelled",
		holds:     func(s situation) bool { return s.settleOffered || s.below },
		status:    schemas.Authorized, earlier: true, anomaly: schemas.PartialCancellation,
	},
	{
		condition: "the events show the authorisation before it",
		holds:     func(s situation) bool { return s.authorized || s.sold },
		status:    schemas.Voided,
	},
	{condition: otherwise, status: schemas.Canceled},
}

func actionOffered(s situation) bool { return s.actionOffered }

func refundOffered(s situation) bool { return s.refundOffered }

func authorizedBefore(s situation) bool { return s.authorized }

func shown(s situation) bool { return s.history }

func settledOrSold(s situation) bool { return s.settled != nothing || s.sold }

func wholeOrSold(s situation) bool { return s.settled == whole || s.sold }

func partlyRefunded(s situation) bool { return s.refundOffered || s.below }

func partlySettled(s situation) bool { return s.settleOffered || s.settled == part || s.below }

func partBefore(s situation) bool { return s.settled == part }

// ignored are the words of notifications that say nothing about a payment's state: about tokens, account top-ups and payouts.
var ignored = map[string]bool{
	fold("tokenCreated"): true, fold("topUpAccepted"): true, fold("topUpRejected"): true,
	fold("requested"): true, fold("approved"): true, fold("disbursed"): true,
}

var byWord = func() map[string]*entry {
	m := map[string]*entry{}
	for i := range table {
		for _, w := range table[i].words {
			m[fold(w)] = &table[i]
		}
	}
	return m
}()

// fold makes words comparable: letter case, blanks, hyphens and underscores do not count.
func fold(word string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '_' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
			return -1
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return r
	}, word)
}

// mean says what a word means in a situation.
func mean(word string, s situation) (*entry, meaning) {
	e := byWord[fold(word)]
	if e == nil {
		return &entry{}, meaning{status: schemas.Unknown, anomaly: schemas.UnmappedStatus}
	}
	i := slices.IndexFunc(e.meanings, func(m meaning) bool { return m.holds == nil || m.holds(s) })
	return e, e.meanings[i] // the last of an entry always holds
}

// final says whether checking stops at a meaning. Accounts whose set-up does not report Settled and Refunded never hear
// more than capture_pending and refund_pending.
func (m meaning) final(settledEvents bool) bool {
	switch {
	case m.unsure:
		return false
	case m.status == schemas.CapturePending, m.status == schemas.RefundPending:
		return !settledEvents
	default:
		return m.status.Final()
	}
}

// Mapping lists the decision table: a row for each word and condition.
func (p *Provider) Mapping() []providers.Row {
	var rows []providers.Row
	for _, e := range table {
		for _, word := range e.words {
			for _, m := range e.meanings {
				rows = append(rows, providers.Row{Value: word, Condition: m.condition, Status: m.status})
			}
		}
	}
	return rows
}
