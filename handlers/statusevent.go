package handlers

import (
	"errors"
	"fmt"
	"slices"

	json "github.com/go-json-experiment/json" // reads a million events in half the time

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// StatusEvent is a record of the emitted log.
type StatusEvent struct {
	StatusHead

	Data schemas.Change
}

// StatusHead is what stands around the data of a status event.
type StatusHead struct {
	ID   string
	Type string

	// Trail is what the event carries for the next owner of its payment; nil where it carries none that this program knows.
	Trail *watch.Trail
}

// ErrNoStatusEvent says that a record is not a status event: somebody else writes to the topic, too.
var ErrNoStatusEvent = errors.New("not a status event")

// ReadStatusEvent reads a record of the emitted log, in binary or structured mode.
func ReadStatusEvent(m Message) (StatusEvent, error) {
	var e StatusEvent
	err := e.Read(m, &e.Data, &e.Data.PaymentID)
	return e, err
}

// Read reads a record of the emitted log whose data somebody needs only a part of: as much as is decoded into data, where paymentID
// is its payment_id.
func (h *StatusHead) Read(m Message, data any, paymentID *string) error {
	envelope, err := open(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoStatusEvent, err)
	}
	h.ID, h.Type, h.Trail = envelope.id, envelope.eventType, TrailOf(m)
	if !slices.Contains(schemas.ChangeTypes, h.Type) || h.ID == "" {
		return fmt.Errorf("%w: it has the type %q and the id %q", ErrNoStatusEvent, clip(h.Type), clip(h.ID))
	}
	if err := json.Unmarshal(envelope.data, data); err != nil {
		return fmt.Errorf("%w: its data cannot be read", ErrNoStatusEvent)
	}
	if *paymentID == "" || *paymentID != string(m.Key) {
		return fmt.Errorf("%w: its key is not its payment_id", ErrNoStatusEvent)
	}
	return nil
}
