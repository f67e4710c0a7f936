package book

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// The chart of accounts. Those of a provider stand once for each of its accounts: "receivable:checkout:default".
const (
	Clearing    = "clearing"    // asset: accepted for capture, not confirmed by the provider
	Receivable  = "receivable"  // asset: taken from the customer, owed to us by the provider
	Contested   = "contested"   // asset: taken, but the customer contests it
	Sales       = "sales"       // income: what customers paid
	Refunds     = "refunds"     // against income: what went back to customers
	Chargebacks = "chargebacks" // expense: lost to customers in disputes
)

// Unit is what amounts are counted in: 10^-Exponent of a currency, as the provider counts it. Amounts of different units are never added.
type Unit struct {
	Currency string `json:"currency"` // ISO 4217
	Exponent int    `json:"exponent"`
}

// Line is one side of a posting: so many units on an account, debits above zero, credits below.
type Line struct {
	Account string `json:"account"`
	Unit
	Amount int64 `json:"amount"`
}

// Question is something about a payment that its events leave open and that is worth money: a person or a statement of the provider
// has to answer it.
type Question string

// The questions.
const (
	NoQuestion      Question = ""
	CapturedSum     Question = "captured_sum_not_stated"     // part was captured, and nobody said how much: nothing is posted
	RefundedSum     Question = "refunded_sum_not_stated"     // part was refunded, and nobody said how much: it stands as captured
	RefundUnderWay  Question = "refund_not_confirmed"        // the provider's last word is that a refund is under way: it stands as captured
	RefundedTooMuch Question = "refunded_more_than_captured" // posted as stated
	NoAmount        Question = "amount_not_stated"           // taken, and not a single amount is known: nothing is posted
	StatusUnknown   Question = "status_unknown"              // contradictory, or without a mapping: what was posted stays
	Unresolved      Question = "unresolved"                  // nobody could say how it ended: what was posted stays
)

// PositionOf is what the books have to say about a payment of which v is known: lines that add up to zero. Money that is only reserved is
// not ours, and nothing is posted of it. Of an unknown status nothing can be told (told is false): what was posted stays.
func PositionOf(k schemas.PaymentKey, v consume.View) (lines []Line, q Question, told bool) {
	if v.Status == schemas.Unknown || v.Funds == schemas.FundsUnknown {
		return nil, StatusUnknown, false
	}
	if v.Unresolved != "" {
		defer func() { q = cmp.Or(q, Unresolved) }()
	}
	if v.Status == "" { // checking ended, and nothing was ever said
		return nil, NoQuestion, true
	}
	if v.Funds == schemas.FundsNone || v.Funds == schemas.FundsReserved {
		return nil, NoQuestion, true
	}
	taken, q := takenOf(v)
	if taken == 0 {
		return nil, q, true
	}
	back, q := backOf(v, taken)
	rest := taken - back
	if rest < 0 {
		q = RefundedTooMuch
	}
	unit, own := Unit{v.Currency, v.Exponent}, ":"+k.Provider+":"+k.Account
	line := func(account string, amount int64) {
		if amount != 0 {
			lines = append(lines, Line{account, unit, amount})
		}
	}
	switch {
	case v.Funds == schemas.FundsSettling:
		line(Clearing+own, rest)
	case v.Funds == schemas.FundsContested:
		line(Contested+own, rest)
	case v.Status == schemas.ChargedBack:
		line(Chargebacks, rest)
	default:
		line(Receivable+own, rest)
	}
	line(Refunds, back)
	line(Sales, -taken)
	return lines, q, true
}

// takenOf is how much was captured, or will be: as stated, else all that was requested, unless only a part was taken.
func takenOf(v consume.View) (int64, Question) {
	switch {
	case v.Captured != 0:
		return v.Captured, NoQuestion
	case v.Status == schemas.PartiallyCaptured:
		return 0, CapturedSum
	case v.Requested == 0:
		return 0, NoAmount
	default:
		return v.Requested, NoQuestion
	}
}

// backOf is how much was refunded: as stated, else all when the status says all.
func backOf(v consume.View, taken int64) (int64, Question) {
	switch {
	case v.Status == schemas.Refunded && v.Refunded == 0:
		return taken, NoQuestion
	case v.Status == schemas.PartiallyRefunded && v.Refunded == 0:
		return 0, RefundedSum
	case v.Status == schemas.RefundPending && v.Final:
		return v.Refunded, RefundUnderWay
	default:
		return v.Refunded, NoQuestion
	}
}

// Difference are the lines that lead from what is posted to what should be, in a fixed order, none of them zero.
func Difference(posted, wanted []Line) []Line {
	type place struct {
		account string
		unit    Unit
	}
	sums := map[place]int64{}
	for _, l := range wanted {
		sums[place{l.Account, l.Unit}] += l.Amount
	}
	for _, l := range posted {
		sums[place{l.Account, l.Unit}] -= l.Amount
	}
	var lines []Line
	for p, amount := range sums {
		if amount != 0 {
			lines = append(lines, Line{p.account, p.unit, amount})
		}
	}
	slices.SortFunc(lines, func(a, b Line) int { // debits first, as books are written
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Exponent, b.Exponent),
			cmp.Compare(sign(b.Amount), sign(a.Amount)), cmp.Compare(a.Account, b.Account))
	})
	return lines
}

func sign(n int64) int { return cmp.Compare(n, 0) }

// balanced tells whether lines add up to zero in every unit.
func balanced(lines []Line) error {
	sums := map[Unit]int64{}
	for _, l := range lines {
		sums[l.Unit] += l.Amount
	}
	for unit, sum := range sums {
		if sum != 0 {
			return fmt.Errorf("the lines add up to %d %s with %d decimals, not to zero", sum, unit.Currency, unit.Exponent)
		}
	}
	return nil
}

// Part tells the transactions of one event apart.
type Part string

// The parts.
const (
	Booking  Part = "booking"
	Reversal Part = "reversal" // takes back, line by line, what a correction says was wrong
)

// Transaction is what an event posts at once: lines that add up to zero in every unit.
type Transaction struct {
	Part  Part
	Lines []Line
}

// Transactions lead from what is posted to what should be: by the difference, or, for a correction, by taking back what was posted and
// posting anew, so that the books show both. An event that moves no money gives none.
func Transactions(posted, wanted []Line, correction bool) ([]Transaction, error) {
	var all []Transaction
	add := func(part Part, lines []Line) {
		if len(lines) > 0 {
			all = append(all, Transaction{part, lines})
		}
	}
	switch difference := Difference(posted, wanted); {
	case len(difference) == 0:
	case correction:
		add(Reversal, Difference(posted, nil))
		add(Booking, Difference(nil, wanted))
	default:
		add(Booking, difference)
	}
	for _, t := range all {
		if err := balanced(t.Lines); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Part, err)
		}
	}
	return all, nil
}
