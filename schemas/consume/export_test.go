package consume

import "github.com/google/uuid"

// Correcting makes e a correction of another event, as Decode does.
func Correcting(e Event, wrong uuid.UUID) Event {
	e.corrects, e.Change.Corrects = wrong, wrong.String()
	return e
}

// The readings of an event's data.
var (
	Fast    = fast
	General = general
)
