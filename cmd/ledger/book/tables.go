package book

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"github.com/paystatus/paystatus/cmd/internal/consumer"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// Name is the consumer's: of its memory in the database and of its commands.
const Name = "ledger"

// Migrations are those of the tables.
//
//go:embed migrations
var Migrations embed.FS

// Effect posts what a change comes to, in the transaction that remembers the event.
func Effect(ctx context.Context, tx *store.Tx, e consume.Event, d consume.Delta) error {
	if b, a := d.Before, d.After; b.Currency != "" && (b.Currency != a.Currency || b.Exponent != a.Exponent) {
		return consumer.RefusedError{Reason: fmt.Sprintf("the payment was counted in %s with %d decimals, and this event counts in %s with %d",
			b.Currency, b.Exponent, a.Currency, a.Exponent)}
	}
	k := e.Key()
	wanted, question, told := PositionOf(k, d.After)
	if told {
		posted, err := posted(ctx, tx, k)
		if err != nil {
			return fmt.Errorf("what is posted of payment %s: %w", k.PaymentID, err)
		}
		transactions, err := Transactions(posted, wanted, d.Verdict == consume.Correction)
		if err != nil {
			return fmt.Errorf("post payment %s: %w", k.PaymentID, err)
		}
		for _, t := range transactions {
			if err := post(ctx, tx, t, e, d.After.Status); err != nil {
				return fmt.Errorf("post payment %s: %w", k.PaymentID, err)
			}
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO payments (payment_id, provider, account, status, question) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (payment_id, provider, account) DO UPDATE SET status = excluded.status, question = excluded.question`,
		k.PaymentID, k.Provider, k.Account, string(d.After.Status), string(question))
	if err != nil {
		return fmt.Errorf("keep payment %s: %w", k.PaymentID, err)
	}
	return nil
}

// posted is the sum of all that was posted of a payment.
func posted(ctx context.Context, tx *store.Tx, k schemas.PaymentKey) ([]Line, error) {
	rows, err := tx.QueryContext(ctx, `SELECT e.account, e.currency, e.exponent, CAST(SUM(e.amount) AS BIGINT)
		FROM transactions t JOIN entries e ON e.transaction_id = t.transaction_id
		WHERE t.payment_id = $1 AND t.provider = $2 AND t.account = $3
		GROUP BY e.account, e.currency, e.exponent HAVING SUM(e.amount) <> 0`, k.PaymentID, k.Provider, k.Account)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var lines []Line
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.Account, &l.Currency, &l.Exponent, &l.Amount); err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, rows.Err()
}

// post writes a transaction. Its id follows from the event, so that nothing can be posted twice.
func post(ctx context.Context, tx *store.Tx, t Transaction, e consume.Event, status schemas.Status) error {
	k, id := e.Key(), e.ID.String()
	if t.Part != Booking {
		id += "/" + string(t.Part)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO transactions (transaction_id, event_id, part, payment_id, provider, account, status, observed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, e.ID.String(), string(t.Part), k.PaymentID, k.Provider, k.Account, string(status), e.Change.ObservedAt.UTC())
	if err != nil {
		return fmt.Errorf("transaction %s: %w", id, err)
	}
	rows, args := make([]string, len(t.Lines)), []any{id}
	for i, l := range t.Lines {
		n := len(args)
		rows[i] = fmt.Sprintf("($1, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5)
		args = append(args, i+1, l.Account, l.Currency, l.Exponent, l.Amount)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO entries (transaction_id, line, account, currency, exponent, amount) VALUES "+strings.Join(rows, ", "), args...)
	if err != nil {
		return fmt.Errorf("entries of transaction %s: %w", id, err)
	}
	return nil
}
