package book

import (
	"context"
	"fmt"
	"time"

	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/schemas"
)

// Balance is a trial balance.
type Balance struct {
	Accounts []AccountBalance `json:"accounts"`
	Totals   []Total          `json:"totals"`
	// Unbalanced are the transactions whose lines do not add up to zero. The database refuses them: somebody went around it.
	Unbalanced []string `json:"unbalanced"`
}

// AccountBalance is what stands on an account.
type AccountBalance struct {
	Account string `json:"account"`
	Unit

	Debits  int64 `json:"debits"`
	Credits int64 `json:"credits"`
	Balance int64 `json:"balance"` // debits less credits
}

// Total is the sum over all accounts in one unit.
type Total struct {
	Unit

	Debits  int64 `json:"debits"`
	Credits int64 `json:"credits"`
}

// Balanced tells whether all adds up.
func (b Balance) Balanced() bool {
	for _, t := range b.Totals {
		if t.Debits != t.Credits {
			return false
		}
	}
	return len(b.Unbalanced) == 0
}

// TrialBalance adds up the books.
func TrialBalance(ctx context.Context, db *store.DB) (Balance, error) {
	b := Balance{Accounts: []AccountBalance{}, Totals: []Total{}, Unbalanced: []string{}}
	err := db.InTx(ctx, func(tx *store.Tx) error {
		if err := b.accounts(ctx, tx); err != nil {
			return err
		}
		return b.check(ctx, tx)
	})
	if err != nil {
		return b, fmt.Errorf("trial balance: %w", err)
	}
	totals := map[Unit]int{}
	for _, a := range b.Accounts {
		i, ok := totals[a.Unit]
		if !ok {
			i = len(b.Totals)
			totals[a.Unit], b.Totals = i, append(b.Totals, Total{Unit: a.Unit})
		}
		b.Totals[i].Debits += a.Debits
		b.Totals[i].Credits += a.Credits
	}
	return b, nil
}

func (b *Balance) accounts(ctx context.Context, tx *store.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT account, currency, exponent,
			CAST(SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END) AS BIGINT)
		FROM entries GROUP BY account, currency, exponent ORDER BY currency, exponent, account`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a AccountBalance
		if err := rows.Scan(&a.Account, &a.Currency, &a.Exponent, &a.Debits, &a.Credits); err != nil {
			return err
		}
		a.Balance = a.Debits - a.Credits
		b.Accounts = append(b.Accounts, a)
	}
	return rows.Err()
}

func (b *Balance) check(ctx context.Context, tx *store.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT transaction_id FROM
		(SELECT transaction_id FROM entries GROUP BY transaction_id, currency, exponent HAVING SUM(amount) <> 0) AS unbalanced ORDER BY transaction_id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		b.Unbalanced = append(b.Unbalanced, id)
	}
	return rows.Err()
}

// Entry is a line of the journal.
type Entry struct {
	Number          int64          `json:"number"` // of the transaction, in the order of posting
	TransactionID   string         `json:"transaction_id"`
	PaymentID       string         `json:"payment_id"`
	Provider        string         `json:"provider"`
	ProviderAccount string         `json:"provider_account"`
	Part            Part           `json:"part"`
	Status          schemas.Status `json:"status"` // that led to it
	ObservedAt      time.Time      `json:"observed_at"`
	Line
}

// Entries gives the journal of a payment, or of all for "", as it was posted.
func Entries(ctx context.Context, db *store.DB, paymentID string, each func(Entry) error) error {
	rows, err := db.QueryContext(ctx, `SELECT t.number, t.transaction_id, t.payment_id, t.provider, t.account, t.part, t.status, t.observed_at,
			e.account, e.currency, e.exponent, e.amount
		FROM transactions t JOIN entries e ON e.transaction_id = t.transaction_id
		WHERE $1 = '' OR t.payment_id = $1 ORDER BY t.number, e.line`, paymentID)
	if err != nil {
		return fmt.Errorf("list entries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Number, &e.TransactionID, &e.PaymentID, &e.Provider, &e.ProviderAccount, &e.Part, &e.Status, &e.ObservedAt,
			&e.Account, &e.Currency, &e.Exponent, &e.Amount); err != nil {
			return fmt.Errorf("list entries: %w", err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Open is a payment with a question.
type Open struct {
	schemas.PaymentKey

	Status   schemas.Status `json:"status"`
	Question Question       `json:"question"`
}

// Questions gives the payments that a person or a provider's statement has to decide about.
func Questions(ctx context.Context, db *store.DB, each func(Open) error) error {
	rows, err := db.QueryContext(ctx, `SELECT payment_id, provider, account, status, question FROM payments
		WHERE question <> '' ORDER BY question, payment_id, provider, account`)
	if err != nil {
		return fmt.Errorf("list questions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var o Open
		if err := rows.Scan(&o.PaymentID, &o.Provider, &o.Account, &o.Status, &o.Question); err != nil {
			return fmt.Errorf("list questions: %w", err)
		}
		if err := each(o); err != nil {
			return err
		}
	}
	return rows.Err()
}
