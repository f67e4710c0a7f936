package handlers

import (
	"context"
	"fmt"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// Redriven gives a dead letter back to the handler that gave it up. One of the check handler's becomes a repeat, never its
// old step.
type Redriven struct {
	Intake       Handler
	Notification Handler
}

// NameRedriven is the handler's name in consumer groups.
const NameRedriven = "redriven"

// Handle is the Handler.
func (h *Redriven) Handle(ctx context.Context, m Message) (Result, error) {
	switch by := m.header(HeaderHandler); by {
	case NameIntake:
		return h.Intake(ctx, m)
	case NameNotification:
		return h.Notification(ctx, m)
	case NameCheck:
		return repeat(m)
	default:
		detail := fmt.Sprintf("the letter names no handler that takes it back: %q", clip(by))
		return Result{Out: []Out{deadLetter(m, NameRedriven, CodeInvalidEnvelope, detail, m.Time, nil)}}, nil
	}
}

// repeat asks about the payment of a check's dead letter anew.
func repeat(m Message) (Result, error) {
	old, err := watch.DecodeCheck(m.Value)
	if err != nil {
		letter := deadLetter(m, NameRedriven, CodeInvalidCheck, "the letter is not a check", m.Time, nil)
		return Result{Out: []Out{letter}}, nil //nolint:nilerr // bad input is a dead letter
	}
	check := watch.Check{PaymentKey: old.PaymentKey, Kind: watch.KindRepeat, Context: old.Context, Said: old.Said, Cause: schemas.CauseRedrive}
	if old.Context == nil {
		check.Kind, check.Evidence = watch.KindNotification, old.Evidence
	}
	value, err := check.Encode()
	if err != nil {
		return Result{}, err
	}
	return Result{Out: []Out{{To: ToChecks, Key: []byte(check.PaymentID), Value: value}}}, nil
}
