package consume

import (
	"context"
	"fmt"

	"github.com/paystatus/paystatus/schemas"
)

// Tx is one transaction of the service's own database. Commit it when Handle has returned without an error, roll it back otherwise; then
// acknowledge the record, not before.
type Tx interface {
	// Load gives what is known of a payment, the zero Known when nothing is. It must keep others from changing it until the
	// transaction ends (SELECT … FOR UPDATE, BEGIN IMMEDIATE, or serializable isolation): while partitions move, two processes
	// may hold the same event.
	Load(ctx context.Context, key schemas.PaymentKey) (Known, error)
	// Store keeps what is now known of a payment.
	Store(ctx context.Context, key schemas.PaymentKey, known Known) error
}

// Handle takes one event inside a transaction: it loads what is known, judges, calls effect if there is news, and stores. The effect must
// go through the same transaction, or through an outbox in it. A failed effect is the error of Handle.
func Handle(ctx context.Context, tx Tx, e Event, effect func(Delta) error) (Delta, error) {
	known, err := tx.Load(ctx, e.Key())
	if err != nil {
		return Delta{}, fmt.Errorf("load what is known of the payment of event %s: %w", e.ID, err)
	}
	next, delta := known.Next(e)
	if len(next.IDs) == len(known.IDs) && len(next.Dropped) == len(known.Dropped) {
		return delta, nil // read before
	}
	if delta.News() {
		if err := effect(delta); err != nil {
			return delta, fmt.Errorf("act on event %s (%s): %w", e.ID, delta.Verdict, err)
		}
	}
	if err := tx.Store(ctx, e.Key(), next); err != nil {
		return delta, fmt.Errorf("store what is known of the payment of event %s: %w", e.ID, err)
	}
	return delta, nil
}
