package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// Tx is a transaction of a consumer, for consume.Handle and for the effect.
type Tx struct {
	*sql.Tx

	db *DB
}

var _ consume.Tx = (*Tx)(nil)

// InTx runs fn in a transaction, which is committed if fn succeeds.
func (db *DB) InTx(ctx context.Context, fn func(*Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	if err := fn(&Tx{tx, db}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Lock keeps other processes from what bears a name until the transaction ends, also while it has no row yet. SQLite needs none: its
// transactions begin as the only writer.
func (tx *Tx) Lock(ctx context.Context, name ...string) error {
	if tx.db.dialect != postgres {
		return nil
	}
	whole := tx.db.consumer + "\x1f" + strings.Join(name, "\x1f")
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", whole); err != nil {
		return fmt.Errorf("lock %s: %w", strings.Join(name, " "), err)
	}
	return nil
}

// Load is part of consume.Tx.
func (tx *Tx) Load(ctx context.Context, k schemas.PaymentKey) (consume.Known, error) {
	if err := tx.Lock(ctx, "payment", k.Provider, k.Account, k.PaymentID); err != nil {
		return consume.Known{}, err
	}
	var known consume.Known
	var text []byte
	err := tx.QueryRowContext(ctx, `SELECT known FROM known_payments
		WHERE consumer = $1 AND payment_id = $2 AND provider = $3 AND account = $4`, tx.db.consumer, k.PaymentID, k.Provider, k.Account).Scan(&text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return known, nil
	case err != nil:
		return known, err
	}
	if err := json.Unmarshal(text, &known); err != nil {
		return known, fmt.Errorf("what is stored cannot be read: %w", err)
	}
	return known, nil
}

// Store is part of consume.Tx.
func (tx *Tx) Store(ctx context.Context, k schemas.PaymentKey, known consume.Known) error {
	text, err := json.Marshal(known)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO known_payments (consumer, payment_id, provider, account, known) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (consumer, payment_id, provider, account) DO UPDATE SET known = excluded.known`,
		tx.db.consumer, k.PaymentID, k.Provider, k.Account, string(text))
	return err
}
