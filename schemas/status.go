package schemas

import "slices"

// Status is the one normalised word for what became of a payment, whichever provider it went through.
type Status string

// The statuses. Their meaning, finality and funds stand in Statuses.
const (
	Pending           Status = "pending"
	RequiresAction    Status = "requires_action"
	Authorized        Status = "authorized"
	Verified          Status = "verified"
	CapturePending    Status = "capture_pending"
	PartiallyCaptured Status = "partially_captured"
	Captured          Status = "captured"
	Declined          Status = "declined"
	Failed            Status = "failed"
	Canceled          Status = "canceled"
	Voided            Status = "voided"
	Expired           Status = "expired"
	RefundPending     Status = "refund_pending"
	PartiallyRefunded Status = "partially_refunded"
	Refunded          Status = "refunded"
	RefundFailed      Status = "refund_failed"
	Disputed          Status = "disputed"
	ChargedBack       Status = "charged_back"
	Unknown           Status = "unknown"
)

// Funds says where the money is: what a ledger needs to know.
type Funds string

// The places money can be.
const (
	FundsNone      Funds = "none"
	FundsReserved  Funds = "reserved"
	FundsSettling  Funds = "settling"
	FundsCaptured  Funds = "captured"
	FundsReturned  Funds = "returned"
	FundsContested Funds = "contested"
	FundsUnknown   Funds = "unknown"
)

// StatusInfo is one row of the status table.
type StatusInfo struct {
	Status  Status `json:"status"`
	Final   bool   `json:"final"` // we stop asking by default; a provider's mapping may differ (Worldpay's last words)
	Funds   Funds  `json:"funds"`
	Meaning string `json:"meaning"`

	stage stage
	moves []Status // allowed next statuses
}

// stage orders the statuses along the life of a payment. A move to an earlier stage is a stale read.
type stage uint8

const (
	stageNone stage = iota // unknown
	stageOpen
	stageAuthorized
	stageNegative // never paid: also "later than authorized", so that an old authorisation never revives it
	stageCapturing
	stagePartlyCaptured
	stageCaptured
	stageRefunding
	stagePartlyRefunded
	stageRefunded
	stageDisputed
	stageChargedBack
)

// What can follow, in groups that the table below composes.
var (
	undecided = []Status{Pending, RequiresAction}
	negatives = []Status{Declined, Failed, Canceled, Voided, Expired}
	captures  = []Status{CapturePending, PartiallyCaptured, Captured}
	refunds   = []Status{RefundPending, PartiallyRefunded, Refunded, RefundFailed}
	disputes  = []Status{Disputed, ChargedBack}
)

// Statuses is the one table of statuses and allowed moves; guards, documentation, schemas and tests derive from it.
var Statuses = []StatusInfo{
	{
		Pending, false, FundsNone, "with the provider, undecided", stageOpen,
		slices.Concat([]Status{RequiresAction, Authorized, Verified}, captures, negatives, refunds, disputes, []Status{Unknown}),
	},
	{
		RequiresAction, false, FundsNone, "the customer must act (3DS, redirect, voucher)", stageOpen,
		slices.Concat([]Status{Pending, Authorized, Verified}, captures, negatives, refunds, disputes, []Status{Unknown}),
	},
	{
		Authorized, false, FundsReserved, "reserved, not captured", stageAuthorized,
		slices.Concat(captures, []Status{Failed, Canceled, Voided, Expired}, refunds, disputes, []Status{Unknown}),
	},
	{Verified, true, FundsNone, "card verified, no money moved", stageCaptured, nil},
	{
		CapturePending, false, FundsSettling, "capture accepted, not confirmed", stageCapturing,
		slices.Concat([]Status{PartiallyCaptured, Captured, Failed, Canceled, Voided}, refunds, disputes, []Status{Unknown}),
	},
	{
		PartiallyCaptured, false, FundsCaptured, "part of the amount taken", stagePartlyCaptured,
		slices.Concat([]Status{Captured}, refunds, disputes, []Status{Unknown}),
	},
	{
		Captured, true, FundsCaptured, "taken in full", stageCaptured,
		slices.Concat(refunds, disputes),
	},
	{Declined, true, FundsNone, "refused by issuer, risk or authentication", stageNegative, nil},
	{Failed, true, FundsNone, "could not be processed", stageNegative, nil},
	{Canceled, true, FundsNone, "called off before authorisation", stageNegative, []Status{Voided}},
	{Voided, true, FundsNone, "called off after authorisation", stageNegative, nil},
	{Expired, true, FundsNone, "lapsed", stageNegative, nil},
	{
		RefundPending, false, FundsCaptured, "refund under way", stageRefunding,
		slices.Concat([]Status{PartiallyRefunded, Refunded, RefundFailed}, disputes, []Status{Unknown}),
	},
	{
		PartiallyRefunded, true, FundsCaptured, "part of the money returned", stagePartlyRefunded,
		slices.Concat([]Status{Refunded}, disputes),
	},
	{Refunded, true, FundsReturned, "all of the money returned", stageRefunded, disputes},
	{
		RefundFailed, true, FundsCaptured, "the refund did not happen", stagePartlyRefunded,
		slices.Concat([]Status{PartiallyRefunded, Refunded}, disputes),
	},
	{
		Disputed, false, FundsContested, "the customer contests the payment", stageDisputed,
		slices.Concat([]Status{ChargedBack}, []Status{CapturePending, PartiallyCaptured, Captured}, refunds),
	},
	{
		ChargedBack, true, FundsReturned, "lost to the customer", stageChargedBack,
		slices.Concat([]Status{Disputed}, []Status{CapturePending, PartiallyCaptured, Captured}, refunds),
	},
	{
		Unknown, false, FundsUnknown, "the provider said something that has no mapping, or contradicts itself", stageNone,
		slices.Concat(undecided, []Status{Authorized, Verified}, captures, negatives, refunds, disputes),
	},
}

var statusRows = func() map[Status]*StatusInfo {
	m := make(map[Status]*StatusInfo, len(Statuses))
	for i := range Statuses {
		m[Statuses[i].Status] = &Statuses[i]
	}
	return m
}()

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool { return statusRows[s] != nil }

// Final reports whether checking stops at s by default.
func (s Status) Final() bool { row := statusRows[s]; return row != nil && row.Final }

// Funds says where the money is at s.
func (s Status) Funds() Funds {
	if row := statusRows[s]; row != nil {
		return row.Funds
	}
	return FundsUnknown
}

// Negative reports whether s says that the payment was not made: declined, failed, canceled, voided, expired.
func (s Status) Negative() bool { return slices.Contains(negatives, s) }

// Success reports whether s says that money was reserved or taken, even if it went back later.
func (s Status) Success() bool {
	return s.Valid() && s != Unknown && !s.Negative() && !slices.Contains(undecided, s)
}

// Move classifies the step from one status to another.
type Move uint8

// The classes of moves. Backwards is a stale read and not emitted; Unexpected is emitted with an anomaly.
const (
	MoveSame Move = iota
	MoveAllowed
	MoveBackwards
	MoveUnexpected
)

// Between says what a step between two statuses is. From is what was last said other than unknown ("" when nothing was), and
// fromFinal whether that was said to be final: after a negative that is not final (a reference that can be paid again under)
// anything may follow.
func Between(from Status, fromFinal bool, to Status) Move {
	row, next := statusRows[from], statusRows[to]
	switch {
	case from == to:
		return MoveSame
	case from == "":
		return MoveAllowed
	case row == nil || next == nil: // a status of another version
		return MoveUnexpected
	case to == Unknown && fromFinal:
		return MoveBackwards
	case from.Negative() && !fromFinal:
		return MoveAllowed
	case slices.Contains(row.moves, to):
		return MoveAllowed
	case to != Unknown && next.stage < row.stage:
		return MoveBackwards
	default:
		return MoveUnexpected
	}
}

// Transition is one allowed move, as `paystatus statuses` prints it.
type Transition struct {
	From Status `json:"from"`
	To   Status `json:"to"`
}

// Transitions lists every allowed move in the order of the table.
func Transitions() []Transition {
	var all []Transition
	for _, row := range Statuses {
		for _, to := range row.moves {
			all = append(all, Transition{From: row.Status, To: to})
		}
	}
	return all
}
