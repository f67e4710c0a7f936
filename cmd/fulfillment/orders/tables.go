package orders

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paystatus/paystatus/cmd/internal/consumer"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// Name is the consumer's: of its memory in the database and of its commands.
const Name = "fulfillment"

// Migrations are those of the tables.
//
//go:embed migrations
var Migrations embed.FS

// Fulfillment decides about orders and writes what it decides into the database.
type Fulfillment struct {
	Policy Policy
	// MetadataField is the field of the payments' metadata that names the order; empty: the payment_id is the order.
	MetadataField string
}

// ParseOrderFrom reads where an order's name stands: "payment_id" or "metadata.FIELD".
func ParseOrderFrom(text string) (metadataField string, err error) {
	if text == "payment_id" {
		return "", nil
	}
	field, ok := strings.CutPrefix(text, "metadata.")
	if !ok || field == "" {
		return "", fmt.Errorf("an order is named by payment_id or by metadata.FIELD, not by %q", text)
	}
	return field, nil
}

// Effect is what a change does: the order is decided about, and what is to be done goes into the outbox, both in the transaction that
// remembers the event.
func (f Fulfillment) Effect(ctx context.Context, tx *store.Tx, e consume.Event, d consume.Delta) error {
	id, err := f.order(ctx, tx, e)
	if err != nil {
		return err
	}
	if err := tx.Lock(ctx, "order", id); err != nil {
		return err
	}
	order, err := load(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("load order %s: %w", id, err)
	}
	order, actions := order.Take(News{View: d.After, EventID: e.ID.String(), Payment: e.Key()}, f.Policy)
	if err := save(ctx, tx, order, e.Key(), actions, time.Now().UTC()); err != nil {
		return fmt.Errorf("save order %s: %w", id, err)
	}
	return nil
}

// order names the order of a payment. Once a payment belongs to an order, it stays there.
func (f Fulfillment) order(ctx context.Context, tx *store.Tx, e consume.Event) (string, error) {
	if f.MetadataField == "" {
		return e.Change.PaymentID, nil
	}
	var id string
	err := tx.QueryRowContext(ctx, `SELECT order_id FROM attempts WHERE payment_id = $1 AND provider = $2 AND account = $3`,
		e.Change.PaymentID, e.Change.Provider, e.Change.Account).Scan(&id)
	switch {
	case err == nil:
		return id, nil
	case !errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("find the order of payment %s: %w", e.Change.PaymentID, err)
	}
	if id = e.Change.Metadata[f.MetadataField]; id == "" {
		return "", consumer.RefusedError{Reason: fmt.Sprintf("the event names no order: its metadata has no %q", f.MetadataField)}
	}
	return id, nil
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func load(ctx context.Context, from queryer, id string) (Order, error) {
	o := Order{ID: id}
	var provider, account, payment sql.NullString
	err := from.QueryRowContext(ctx, `SELECT released_provider, released_account, released_payment_id, return_requested
		FROM orders WHERE order_id = $1`, id).Scan(&provider, &account, &payment, &o.ReturnRequested)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return o, nil
	case err != nil:
		return o, err
	}
	if provider.Valid {
		o.ReleasedFor = &schemas.PaymentKey{Provider: provider.String, Account: account.String, PaymentID: payment.String}
	}
	rows, err := from.QueryContext(ctx, `SELECT payment_id, provider, account, status, final, refunded, held, flagged
		FROM attempts WHERE order_id = $1 ORDER BY payment_id, provider, account`, id)
	if err != nil {
		return o, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a Attempt
		if err := rows.Scan(&a.PaymentID, &a.Provider, &a.Account, &a.Status, &a.Final, &a.Refunded, &a.Held, &a.Flagged); err != nil {
			return o, err
		}
		o.Attempts = append(o.Attempts, a)
	}
	return o, rows.Err()
}

// save writes an order, the one attempt that changed, and what is to be done.
func save(ctx context.Context, tx *store.Tx, o Order, changed schemas.PaymentKey, actions []Action, now time.Time) error {
	var provider, account, payment *string
	if r := o.ReleasedFor; r != nil {
		provider, account, payment = &r.Provider, &r.Account, &r.PaymentID
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO orders (order_id, state, released_provider, released_account, released_payment_id, return_requested)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, released_provider = excluded.released_provider,
			released_account = excluded.released_account, released_payment_id = excluded.released_payment_id, return_requested = excluded.return_requested`,
		o.ID, string(o.State()), provider, account, payment, o.ReturnRequested)
	if err != nil {
		return err
	}
	for _, a := range o.Attempts {
		if a.PaymentKey != changed {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO attempts (payment_id, provider, account, order_id, status, final, refunded, held, flagged)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (payment_id, provider, account) DO UPDATE SET status = excluded.status, final = excluded.final,
				refunded = excluded.refunded, held = excluded.held, flagged = excluded.flagged`,
			a.PaymentID, a.Provider, a.Account, o.ID, string(a.Status), a.Final, a.Refunded, a.Held, a.Flagged)
		if err != nil {
			return err
		}
	}
	if len(actions) > 0 {
		// Numbers are given at once and become visible with the commit: who reads on after the highest would miss a lower one.
		if err := tx.Lock(ctx, "outbox"); err != nil {
			return err
		}
	}
	for _, a := range actions {
		var amount, exponent, currency any
		if a.Amount != nil {
			amount, exponent, currency = a.Amount.Value, a.Amount.Exponent, a.Amount.Currency
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO actions
			(action_key, kind, order_id, provider, account, payment_id, event_id, reason, amount, currency, exponent, decided_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			a.Key, string(a.Kind), a.OrderID, a.Payment.Provider, a.Payment.Account, a.Payment.PaymentID, a.EventID, a.Reason,
			amount, currency, exponent, now)
		if err != nil {
			return fmt.Errorf("action %s: %w", a.Key, err)
		}
	}
	return nil
}
