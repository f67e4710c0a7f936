package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/schemas"
)

// Listed is an order as a document.
type Listed struct {
	OrderID  string          `json:"order_id"`
	State    State           `json:"state"`
	Attempts []ListedAttempt `json:"attempts"`
}

// ListedAttempt is one of its payments.
type ListedAttempt struct {
	schemas.PaymentKey

	Status   schemas.Status `json:"status"`
	Final    bool           `json:"final"`
	Released bool           `json:"released"`       // the goods went out for this one
	Held     string         `json:"held,omitempty"` // why a person has to look
	Double   bool           `json:"double_payment"`
}

// List gives the orders in a state, all for "", by their ids.
func List(ctx context.Context, db *store.DB, state State, each func(Listed) error) error {
	rows, err := db.QueryContext(ctx, `SELECT o.order_id, o.state, a.payment_id, a.provider, a.account, a.status, a.final, a.held, a.flagged,
			COALESCE(o.released_payment_id = a.payment_id AND o.released_provider = a.provider AND o.released_account = a.account, FALSE)
		FROM orders o JOIN attempts a ON a.order_id = o.order_id
		WHERE $1 = '' OR o.state = $1
		ORDER BY o.order_id, a.payment_id, a.provider, a.account`, string(state))
	if err != nil {
		return fmt.Errorf("list orders: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var o Listed
	for rows.Next() {
		var next Listed
		var a ListedAttempt
		if err := rows.Scan(&next.OrderID, &next.State, &a.PaymentID, &a.Provider, &a.Account, &a.Status, &a.Final, &a.Held,
			&a.Double, &a.Released); err != nil {
			return fmt.Errorf("list orders: %w", err)
		}
		if next.OrderID != o.OrderID {
			if len(o.Attempts) > 0 {
				if err := each(o); err != nil {
					return err
				}
			}
			o = next
		}
		o.Attempts = append(o.Attempts, a)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list orders: %w", err)
	}
	if len(o.Attempts) == 0 {
		return nil
	}
	return each(o)
}

// ListedAction is a row of the outbox as a document.
type ListedAction struct {
	Number    int64     `json:"number"` // grows; none below one that was listed comes later
	Key       string    `json:"key"`    // unique: what was done under a key is not done again
	Kind      Kind      `json:"kind"`
	OrderID   string    `json:"order_id"`
	Provider  string    `json:"provider"`
	Account   string    `json:"account"`
	PaymentID string    `json:"payment_id"`
	EventID   string    `json:"event_id"`
	Reason    string    `json:"reason"`
	Amount    *Amount   `json:"amount,omitempty"` // all that was refunded so far, of a partial refund
	DecidedAt time.Time `json:"decided_at"`
}

// Amount is a sum of money: Value × 10^-Exponent of the currency.
type Amount = schemas.Money

// Chosen says which actions are listed; the zero value: all.
type Chosen struct {
	Order string
	Kind  Kind
	After int64 // only later ones than this number
}

// Actions gives the outbox in its order.
func Actions(ctx context.Context, db *store.DB, c Chosen, each func(ListedAction) error) error {
	rows, err := db.QueryContext(ctx, `SELECT number, action_key, kind, order_id, provider, account, payment_id, event_id, reason,
			amount, currency, exponent, decided_at
		FROM actions WHERE number > $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR order_id = $3) ORDER BY number`,
		c.After, string(c.Kind), c.Order)
	if err != nil {
		return fmt.Errorf("list actions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a ListedAction
		var amount *int64
		var currency *string
		var exponent *int
		if err := rows.Scan(&a.Number, &a.Key, &a.Kind, &a.OrderID, &a.Provider, &a.Account, &a.PaymentID, &a.EventID, &a.Reason,
			&amount, &currency, &exponent, &a.DecidedAt); err != nil {
			return fmt.Errorf("list actions: %w", err)
		}
		if amount != nil && currency != nil && exponent != nil {
			a.Amount = &Amount{Value: *amount, Currency: *currency, Exponent: *exponent}
		}
		if err := each(a); err != nil {
			return err
		}
	}
	return rows.Err()
}
