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
	ID   string
	Type string
	Data schemas.Change

	// Trail is what the event carries for the next owner of its payment; nil where it carries none that this program knows.
	Trail *watch.Trail
}

// ErrNoStatusEvent says that a record is not a status event: somebody else writes to the topic, too.
var ErrNoStatusEvent = errors.New("not a status event")

// ReadStatusEvent reads a record of the emitted log, in binary or structured mode.
func ReadStatusEvent(m Message) (StatusEvent, error) {
	envelope, err := open(m)
	if err != nil {
		return StatusEvent{}, fmt.Errorf("%w: %w", ErrNoStatusEvent, err)
	}
	e := StatusEvent{ID: envelope.id, Type: envelope.eventType}
	if !slices.Contains(schemas.ChangeTypes, e.Type) || e.ID == "" {
		return StatusEvent{}, fmt.Errorf("%w: it has the type %q and the id %q", ErrNoStatusEvent, clip(e.Type), clip(e.ID))
	}
	if err := json.Unmarshal(envelope.data, &e.Data); err != nil {
		return StatusEvent{}, fmt.Errorf("%w: its data cannot be read", ErrNoStatusEvent)
	}
	if e.Data.PaymentID == "" || e.Data.PaymentID != string(m.Key) {
		return StatusEvent{}, fmt.Errorf("%w: its key is not its payment_id", ErrNoStatusEvent)
	}
	if trail, ok := TrailOf(m); ok {
		e.Trail = &trail
	}
	return e, nil
}
