package book_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

type event = consumertest.Event

var (
	taken     = event{Status: schemas.Captured, Final: true}
	settling  = event{Provider: "worldpay", Status: schemas.CapturePending, Final: true}
	contested = event{Status: schemas.Disputed, Dispute: &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeOpen}}
	won       = event{Status: schemas.Captured, Final: true, Dispute: &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeWon}}
	lost      = event{Status: schemas.ChargedBack, Final: true, Dispute: &schemas.Dispute{ID: "d1", Outcome: schemas.DisputeLost}}
)

func worldpay(e event) event {
	e.Provider = "worldpay"
	return e
}

// told is an event and what it posts: "account +1 account -1", each transaction after its part; nothing for "".
type told struct {
	event
	posts string
}

// stories are what becomes of payments of 100.00 EUR, where nothing else is said, and the postings.
var stories = []struct {
	name     string
	events   []told
	question book.Question
}{
	{"what is undecided, reserved, refused or only verified is not ours", []told{
		{event{Status: schemas.Pending}, ""}, {event{Status: schemas.RequiresAction}, ""}, {event{Status: schemas.Authorized}, ""}, {event{Status: schemas.Voided, Final: true}, ""},
	}, ""},
	{"a declined payment", []told{{event{Status: schemas.Declined, Final: true}, ""}}, ""},
	{"a verified card", []told{{event{Status: schemas.Verified, Final: true}, ""}}, ""},

	{"captured: owed by the provider", []told{{taken, "booking: receivable:checkout:default +10000 sales -10000"}}, ""},
	{"captured with a sum of its own", []told{{event{Status: schemas.Captured, Captured: 9000, Final: true}, "booking: receivable:checkout:default +9000 sales -9000"}}, ""},
	{"settling: the requested amount in clearing", []told{{settling, "booking: clearing:worldpay:default +10000 sales -10000"}}, ""},
	{"captured after settling: from clearing to receivable", []told{
		{settling, "booking: clearing:worldpay:default +10000 sales -10000"},
		{worldpay(taken), "booking: receivable:worldpay:default +10000 clearing:worldpay:default -10000"},
	}, ""},
	{"captured less than was settling: the rest was no sale", []told{
		{settling, "booking: clearing:worldpay:default +10000 sales -10000"},
		{event{Provider: "worldpay", Status: schemas.Captured, Captured: 9500, Final: true}, "booking: receivable:worldpay:default +9500 sales +500 clearing:worldpay:default -10000"},
	}, ""},
	{"settling that fails is taken back", []told{
		{worldpay(event{Status: schemas.CapturePending}), "booking: clearing:worldpay:default +10000 sales -10000"},
		{worldpay(event{Status: schemas.Failed, Final: true}), "booking: sales +10000 clearing:worldpay:default -10000"},
	}, ""},

	{"partial captures as differences", []told{
		{event{Status: schemas.PartiallyCaptured, Captured: 3000}, "booking: receivable:checkout:default +3000 sales -3000"},
		{event{Type: schemas.TypeAmountsChanged, Status: schemas.PartiallyCaptured, Captured: 7000}, "booking: receivable:checkout:default +4000 sales -4000"},
		{event{Status: schemas.Captured, Captured: 10000, Final: true}, "booking: receivable:checkout:default +3000 sales -3000"},
	}, ""},
	{"a partial capture without a sum waits for one", []told{
		{event{Status: schemas.PartiallyCaptured}, ""},
	}, book.CapturedSum},
	{"and is posted when it comes", []told{
		{event{Status: schemas.PartiallyCaptured}, ""},
		{event{Type: schemas.TypeAmountsChanged, Status: schemas.PartiallyCaptured, Captured: 7000}, "booking: receivable:checkout:default +7000 sales -7000"},
	}, ""},

	{"a refund", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{event{Status: schemas.RefundPending}, ""},
		{event{Status: schemas.Refunded, Final: true}, "booking: refunds +10000 receivable:checkout:default -10000"},
	}, ""},
	{"partial refunds as differences", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{event{Status: schemas.PartiallyRefunded, Refunded: 2500, Final: true}, "booking: refunds +2500 receivable:checkout:default -2500"},
		{event{Type: schemas.TypeAmountsChanged, Status: schemas.PartiallyRefunded, Refunded: 6000, Final: true}, "booking: refunds +3500 receivable:checkout:default -3500"},
		{event{Status: schemas.Refunded, Refunded: 10000, Final: true}, "booking: refunds +4000 receivable:checkout:default -4000"},
	}, ""},
	{"a partial refund of a partial capture", []told{
		{event{Status: schemas.PartiallyCaptured, Captured: 3000}, "booking: receivable:checkout:default +3000 sales -3000"},
		{event{Status: schemas.PartiallyRefunded, Refunded: 1000, Final: true}, "booking: refunds +1000 receivable:checkout:default -1000"},
	}, ""},
	{"a full refund of a partial capture gives back what was captured", []told{
		{event{Status: schemas.PartiallyCaptured, Captured: 3000}, "booking: receivable:checkout:default +3000 sales -3000"},
		{event{Status: schemas.Refunded, Final: true}, "booking: refunds +3000 receivable:checkout:default -3000"},
	}, ""},
	{"a refund whose payment was never seen captured posts both", []told{
		{event{Status: schemas.Refunded, Final: true}, "booking: refunds +10000 sales -10000"},
	}, ""},
	{"a partial refund without a sum is asked about", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{event{Status: schemas.PartiallyRefunded, Final: true}, ""},
	}, book.RefundedSum},
	{"a refund under way that is the provider's last word is asked about", []told{
		{settling, "booking: clearing:worldpay:default +10000 sales -10000"},
		{worldpay(event{Status: schemas.RefundPending, Final: true}), "booking: receivable:worldpay:default +10000 clearing:worldpay:default -10000"},
	}, book.RefundUnderWay},
	{"a refund that failed", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{event{Status: schemas.RefundPending}, ""},
		{event{Status: schemas.RefundFailed, Final: true}, ""},
	}, ""},
	{"more refunded than captured is posted and asked about", []told{
		{event{Status: schemas.PartiallyCaptured, Captured: 3000}, "booking: receivable:checkout:default +3000 sales -3000"},
		{event{Status: schemas.PartiallyRefunded, Refunded: 4000, Final: true}, "booking: refunds +4000 receivable:checkout:default -4000"},
	}, book.RefundedTooMuch},

	{"a dispute: contested", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{contested, "booking: contested:checkout:default +10000 receivable:checkout:default -10000"},
	}, ""},
	{"a dispute that is won", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{contested, "booking: contested:checkout:default +10000 receivable:checkout:default -10000"},
		{won, "booking: receivable:checkout:default +10000 contested:checkout:default -10000"},
	}, ""},
	{"a dispute that is lost: charged back", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{contested, "booking: contested:checkout:default +10000 receivable:checkout:default -10000"},
		{lost, "booking: chargebacks +10000 contested:checkout:default -10000"},
	}, ""},
	{"a chargeback that is reversed", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{lost, "booking: chargebacks +10000 receivable:checkout:default -10000"},
		{won, "booking: receivable:checkout:default +10000 chargebacks -10000"},
	}, ""},
	{"a chargeback of what a partial refund left", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{event{Status: schemas.PartiallyRefunded, Refunded: 2500, Final: true}, "booking: refunds +2500 receivable:checkout:default -2500"},
		{lost, "booking: chargebacks +7500 receivable:checkout:default -7500"},
	}, ""},

	{"a correction reverses and posts anew", []told{
		{event{Status: schemas.Captured, Captured: 9000, Final: true}, "booking: receivable:checkout:default +9000 sales -9000"},
		{
			event{Status: schemas.CapturePending, Final: true}.Correction(event{Payment: "p", Status: schemas.Captured, Captured: 9000, Final: true}),
			"reversal: sales +9000 receivable:checkout:default -9000 booking: clearing:checkout:default +10000 sales -10000",
		},
	}, ""},
	{"a correction to a payment that was not made only reverses", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"},
		{event{Status: schemas.Declined, Final: true}.Correction(event{Payment: "p", Status: schemas.Captured, Final: true}), "reversal: sales +10000 receivable:checkout:default -10000"},
	}, ""},
	{"a correction from nothing only posts", []told{
		{event{Status: schemas.Declined, Final: true}, ""},
		{taken.Correction(event{Payment: "p", Status: schemas.Declined, Final: true}), "booking: receivable:checkout:default +10000 sales -10000"},
	}, ""},

	{"an unknown status keeps what is posted and is asked about", []told{
		{worldpay(event{Status: schemas.CapturePending}), "booking: clearing:worldpay:default +10000 sales -10000"},
		{worldpay(event{Status: schemas.Unknown}), ""},
	}, book.StatusUnknown},
	{"an unresolved end keeps what is posted and is asked about", []told{
		{worldpay(event{Status: schemas.CapturePending}), "booking: clearing:worldpay:default +10000 sales -10000"},
		{worldpay(event{Type: schemas.TypeStatusUnresolved, Status: schemas.CapturePending, Reason: schemas.UnresolvedDeadline, Final: true}), ""},
	}, book.Unresolved},
	{"an unresolved end of a payment of which nothing was ever said posts nothing and is asked about", []told{
		{worldpay(event{Type: schemas.TypeStatusUnresolved, Status: schemas.Unknown, Reason: schemas.UnresolvedDeadline, Final: true}), ""},
	}, book.Unresolved},
	{"a late answer posts nothing", []told{
		{taken, "booking: receivable:checkout:default +10000 sales -10000"}, {event{Status: schemas.Authorized}, ""}, {taken, ""},
	}, ""},

	{"yen have no decimals", []told{
		{event{Status: schemas.Captured, Requested: 5000, Currency: "JPY", Final: true}, "booking: receivable:checkout:default +5000JPY0 sales -5000JPY0"},
	}, ""},
	{"pesos as the provider counts them", []told{
		{event{Provider: "liquido", Status: schemas.Captured, Requested: 300000, Currency: "CLP", Exponent: 2, Final: true}, "booking: receivable:liquido:default +300000CLP2 sales -300000CLP2"},
	}, ""},
}

func TestWhatIsPosted(t *testing.T) {
	t.Parallel()
	for _, tt := range stories {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var known consume.Known
			var posted []book.Line
			for _, s := range tt.events {
				e := consumertest.Of("p", s.event)[0].Decoded(t)
				next, delta := known.Next(e)
				known = next
				var all []book.Transaction
				if wanted, _, told := book.PositionOf(e.Key(), delta.After); delta.News() && told {
					var err error
					all, err = book.Transactions(posted, wanted, delta.Verdict == consume.Correction)
					require.NoError(t, err)
					posted = wanted
				}
				assert.Equal(t, s.posts, text(all), "%s", s.event)
			}
			_, question, _ := book.PositionOf(schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "p"}, known.View)
			assert.Equal(t, tt.question, question)
		})
	}
}

func text(all []book.Transaction) string {
	var words []string
	for _, t := range all {
		words = append(words, string(t.Part)+":")
		for _, l := range t.Lines {
			unit := ""
			if l.Currency != "EUR" {
				unit = fmt.Sprintf("%s%d", l.Currency, l.Exponent)
			}
			words = append(words, l.Account, fmt.Sprintf("%+d", l.Amount)+unit)
		}
	}
	return strings.Join(words, " ")
}

func TestWhateverBecomesOfAPaymentItsTransactionsBalanceAndLeadToItsPosition(t *testing.T) {
	t.Parallel()
	view := rapid.Custom(func(t *rapid.T) consume.View {
		status := schemas.Statuses[rapid.IntRange(0, len(schemas.Statuses)-1).Draw(t, "status")].Status
		return consume.View{
			Status: status, Funds: status.Funds(), Final: rapid.Bool().Draw(t, "final"), Requested: rapid.Int64Range(0, 1<<60).Draw(t, "requested"),
			Sums:     schemas.Sums{Captured: rapid.Int64Range(0, 1<<60).Draw(t, "captured"), Refunded: rapid.Int64Range(0, 1<<60).Draw(t, "refunded")},
			Currency: rapid.SampledFrom([]string{"EUR", "JPY"}).Draw(t, "currency"), Exponent: rapid.IntRange(0, 3).Draw(t, "exponent"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		key := schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "p"}
		sums := map[string]int64{}
		var posted []book.Line
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			wanted, _, told := book.PositionOf(key, view.Draw(t, "view"))
			if !told {
				continue
			}
			all, err := book.Transactions(posted, wanted, rapid.Bool().Draw(t, "correction"))
			if err != nil {
				t.Fatal(err)
			}
			for _, transaction := range all {
				balance := map[book.Unit]int64{}
				for _, l := range transaction.Lines {
					balance[l.Unit] += l.Amount
					sums[fmt.Sprint(l.Account, l.Unit)] += l.Amount
				}
				for unit, sum := range balance {
					if sum != 0 {
						t.Fatalf("%v: off by %d", unit, sum)
					}
				}
			}
			posted = wanted
			for _, l := range wanted {
				sums[fmt.Sprint(l.Account, l.Unit)] -= l.Amount
			}
			for place, sum := range sums {
				if sum != 0 {
					t.Fatalf("%s: off by %d from the position", place, sum)
				}
			}
			for _, l := range wanted {
				sums[fmt.Sprint(l.Account, l.Unit)] += l.Amount
			}
		}
	})
}

func TestAnUnbalancedTransactionIsRefused(t *testing.T) {
	t.Parallel()
	unit := book.Unit{Currency: "EUR", Exponent: 2}
	_, err := book.Transactions(nil, []book.Line{{Account: "sales", Unit: unit, Amount: -1}}, false)
	require.ErrorContains(t, err, "add up to -1 EUR")
	_, err = book.Transactions(nil, []book.Line{
		{Account: "receivable", Unit: unit, Amount: 1}, {Account: "sales", Unit: book.Unit{Currency: "EUR", Exponent: 3}, Amount: -1},
	}, false)
	require.ErrorContains(t, err, "not to zero", "units are never added")
}
