package book_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/schemas"
)

func TestEachChangeIsPostedOnce(t *testing.T) {
	t.Parallel()
	for name, database := range consumertest.Databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testEachChangeIsPostedOnce(t, nil, database)
		})
	}
}

// testEachChangeIsPostedOnce tells every story of many payments at once, with repeats, and with a process that dies between the database and
// Kafka again and again. Then everything is read again by a new group.
func testEachChangeIsPostedOnce(t *testing.T, brokers []string, database string) {
	t.Helper()
	log, want, asked := consumertest.NewLog(t, brokers...), map[string]string{}, map[string]book.Question{}
	for i := range 5 {
		for j, story := range stories {
			id := fmt.Sprintf("%d-%d", i, j)
			var events []event
			for _, s := range story.events {
				events = append(events, s.event)
				want[id] = join(want[id], s.posts)
			}
			log.Tell(id, events)
			if story.question != "" {
				asked[id] = story.question
			}
		}
	}
	service := consumertest.NewService(t, log, database, book.Name, book.Migrations, book.Effect)
	var balances []book.Balance
	service.Survives(func() {
		t.Helper()
		journal := journalOf(t, service.DB)
		for id, posts := range want {
			assert.Equal(t, posts, journal[id], "payment %s", id)
		}
		questions := map[string]book.Question{}
		require.NoError(t, book.Questions(t.Context(), service.DB, func(o book.Open) error {
			questions[o.PaymentID] = o.Question
			return nil
		}))
		assert.Equal(t, asked, questions)
		balance, err := book.TrialBalance(t.Context(), service.DB)
		require.NoError(t, err)
		assert.True(t, balance.Balanced())
		assert.Len(t, balance.Totals, 3, "EUR, JPY and CLP")
		balances = append(balances, balance)
	})
	assert.Equal(t, balances[0], balances[1])
}

// journalOf is what was posted of each payment, in the words of the stories.
func journalOf(t *testing.T, db *store.DB) map[string]string {
	t.Helper()
	type key struct {
		payment string
		number  int64
	}
	transactions, order := map[key]*book.Transaction{}, []key{}
	require.NoError(t, book.Entries(t.Context(), db, "", func(e book.Entry) error {
		k := key{e.PaymentID, e.Number}
		if transactions[k] == nil {
			transactions[k] = &book.Transaction{Part: e.Part}
			order = append(order, k)
		}
		transactions[k].Lines = append(transactions[k].Lines, e.Line)
		return nil
	}))
	journal := map[string]string{}
	for _, k := range order {
		journal[k.payment] = join(journal[k.payment], text([]book.Transaction{*transactions[k]}))
	}
	return journal
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

func TestAnotherExponentIsRefusedLoudly(t *testing.T) {
	t.Parallel()
	log := consumertest.NewLog(t)
	log.Write(consumertest.Of("p",
		event{Status: schemas.CapturePending, Requested: 5000, Currency: "CLP", Exponent: 2},
		event{Status: schemas.Captured, Requested: 5000, Currency: "CLP", Exponent: 0},
	)...)
	service := consumertest.NewService(t, log, consumertest.SQLite(t), book.Name, book.Migrations, book.Effect)
	assert.Equal(t, int64(1), service.TakeAll("g").Refused)
	require.NoError(t, service.DB.Refused(t.Context(), func(r store.Refused) error {
		assert.Contains(t, r.Reason, "was counted in CLP with 2 decimals, and this event counts in CLP with 0")
		return nil
	}))
	assert.Equal(t, "booking: clearing:checkout:default +5000CLP2 sales -5000CLP2", journalOf(t, service.DB)["p"], "the first stands")
}

func TestTheDatabaseItselfRefuses(t *testing.T) {
	t.Parallel()
	for name, database := range consumertest.Databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(t.Context(), database, book.Name, book.Migrations)
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			transaction := func(id string) string {
				return fmt.Sprintf(`INSERT INTO transactions (transaction_id, event_id, part, payment_id, provider, account, status, observed_at)
					VALUES ('%s', '%s', 'booking', 'p', 'checkout', 'default', 'captured', '2026-01-31 12:00:00')`, id, id)
			}
			line := func(id string, n, exponent int, currency string, amount int) string {
				return fmt.Sprintf(`INSERT INTO entries (transaction_id, line, account, currency, exponent, amount) VALUES ('%s', %d, 'sales', '%s', %d, %d)`,
					id, n, currency, exponent, amount)
			}
			do := func(statements ...string) error {
				return db.InTx(t.Context(), func(tx *store.Tx) error {
					for _, s := range statements {
						if _, err := tx.ExecContext(t.Context(), s); err != nil {
							return err
						}
					}
					return nil
				})
			}
			require.NoError(t, do(transaction("good"), line("good", 1, 2, "EUR", 5), line("good", 2, 2, "EUR", -3), line("good", 3, 2, "EUR", -2)))
			require.ErrorContains(t, do(transaction("a"), line("a", 1, 2, "EUR", 5), line("a", 2, 2, "EUR", -4)), "commit", "it does not add up")
			require.Error(t, do(transaction("b"), line("b", 1, 2, "EUR", 5), line("b", 2, 2, "USD", -5)), "currencies are not added")
			require.Error(t, do(transaction("c"), line("c", 1, 2, "CLP", 5), line("c", 2, 0, "CLP", -5)), "nor are exponents")
			require.Error(t, do(line("good", 4, 2, "EUR", 1)), "nothing can be added to a transaction that makes it untrue")
			require.Error(t, do(transaction("d"), line("d", 1, 2, "EUR", 0)), "a line of nothing")
			require.Error(t, do(transaction("good")), "an id is used once")
			require.ErrorContains(t, do("UPDATE entries SET amount = 6 WHERE line = 1"), "never changed")
			require.ErrorContains(t, do("DELETE FROM entries"), "reversal")

			balance, err := book.TrialBalance(t.Context(), db)
			require.NoError(t, err)
			assert.True(t, balance.Balanced())
			assert.Equal(t, []book.Total{{Unit: book.Unit{Currency: "EUR", Exponent: 2}, Debits: 5, Credits: 5}}, balance.Totals)
		})
	}
}
