package why

import (
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Story is what the topics know of one payment_id: what `why` prints.
type Story struct {
	PaymentID string    `json:"payment_id"`
	Payments  []Payment `json:"payments"` // one for each provider and account; empty: the topics know nothing of it
	Scanned   Scanned   `json:"scanned"`
}

// Payment is one attempt to take money at one provider.
type Payment struct {
	Provider string `json:"provider"` // empty: no record says so
	Account  string `json:"account"`

	Amount      *schemas.Amount   `json:"amount"`                 // as initiated, in minor units; null: no initiated event is known
	InitiatedAt *time.Time        `json:"initiated_at,omitempty"` // as the event says
	Method      string            `json:"method,omitempty"`
	Reference   schemas.Reference `json:"reference,omitempty"` // what the provider is asked by, with what answers taught

	Now      Now      `json:"now"`
	Last     *Event   `json:"last"` // the last event that states a status; null: none was found
	Timeline []Entry  `json:"timeline"`
	NotKept  []string `json:"not_kept"` // what the timeline lacks, and why
}

// State is where a payment is now.
type State string

// The states.
const (
	StateWaiting   State = "waiting"     // in a tier, for its next check
	StateQueued    State = "queued"      // its next check is on the work topic, or is being asked
	StateInput     State = "input"       // a record of others that names it was not read yet
	StateEnded     State = "ended"       // its status is final: nobody asks any more
	StateUnresolve State = "unresolved"  // the watch ended without a final status
	StateGivenUp   State = "given_up"    // it is in the dead letters alone
	StateNowhere   State = "not_watched" // nothing of it waits or is queued, although its status is not final
)

// Now is where the payment is.
type Now struct {
	State  State      `json:"state"`
	Topic  string     `json:"topic,omitempty"`    // where it waits or is queued
	Due    *time.Time `json:"due_at,omitempty"`   // of the tier: when it goes on
	Hops   []string   `json:"next,omitempty"`     // where it goes then, in order
	Asked  *time.Time `json:"asked_at,omitempty"` // when the provider is asked next, if nothing is late
	Late   bool       `json:"late,omitempty"`     // it was due before now
	Behind int64      `json:"ahead,omitempty"`    // of a queue: the records before it that are not done
	Epoch  int        `json:"epoch,omitempty"`
	Step   int        `json:"step,omitempty"`
	Tries  int        `json:"attempt,omitempty"` // which check it will be, from 1: answered ones count
	Phase  string     `json:"phase,omitempty"`
	Ends   *time.Time `json:"watch_ends_at,omitempty"` // of the phase, by the present configuration
	Parked bool       `json:"parked,omitempty"`        // the deadline passed without an answer; asked every hour
	Text   string     `json:"text"`                    // all that in a sentence

	Sleepers []Sleeper `json:"others"` // that wait, too, and will come to nothing
}

// Sleeper is a check that waits although nothing will come of it.
type Sleeper struct {
	Topic string    `json:"topic"`
	Due   time.Time `json:"due_at"`
	Epoch int       `json:"epoch"`
	Step  int       `json:"step"`
	Why   string    `json:"why"` // overtaken: its step was done before; moved_on: it is in the next topic already
}

// Kind is what an entry of a timeline tells.
type Kind string

// The kinds of entries.
const (
	KindInitiated    Kind = "initiated"
	KindNotification Kind = "notification"
	KindCheck        Kind = "check"
	KindEvent        Kind = "event"
	KindDeadLetter   Kind = "dead_letter"
	KindGivenBack    Kind = "given_back"
	KindReplay       Kind = "replay"
)

// Entry is one thing that happened.
type Entry struct {
	At        time.Time `json:"at"` // when its record was written, by the broker's clock where the topic has it
	Kind      Kind      `json:"kind"`
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Text      string    `json:"text"` // it in a sentence

	Check      *Check                  `json:"check,omitempty"`
	Event      *Event                  `json:"event,omitempty"`
	DeadLetter *Letter                 `json:"dead_letter,omitempty"`
	Replay     *handlers.ReplayOutcome `json:"replay,omitempty"`
}

// Check is one question to the provider.
type Check struct {
	Kind     string `json:"kind"`
	Cause    string `json:"cause"`
	ReplayID string `json:"replay_id,omitempty"`
	Epoch    int    `json:"epoch"` // its place in the chain; 0 for a backfill's
	Step     int    `json:"step"`
	Attempt  int    `json:"attempt"` // which check it was, from 1: answered ones count

	Verdict string         `json:"verdict"`              // asked, overtaken, redelivered, conflict or queued
	Outcome providers.Kind `json:"outcome,omitempty"`    // what it came to; empty: not asked, or not known
	Told    string         `json:"outcome_by,omitempty"` // what says so: event, next_check, replay, dead_letter; the record of a check holds no outcome
	Detail  string         `json:"detail"`
}

// Event is a status event.
type Event struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Status    schemas.Status    `json:"status"`
	Previous  *schemas.Status   `json:"previous_status"`
	Final     bool              `json:"final"`
	Funds     schemas.Funds     `json:"funds"`
	Amounts   schemas.Amounts   `json:"amounts"`
	Reason    *schemas.Reason   `json:"reason,omitempty"`
	Source    schemas.Source    `json:"source"`
	Cause     schemas.Cause     `json:"cause,omitempty"`
	Attempt   int               `json:"attempt,omitempty"`
	ReplayID  string            `json:"replay_id,omitempty"`
	Anomalies []schemas.Anomaly `json:"anomalies"`
	Corrects  string            `json:"corrects,omitempty"` // the id of the event that was wrong
	Repeats   bool              `json:"repeats"`            // an earlier event of the timeline has the same id
}

// Letter is a dead letter, and what to do about it.
type Letter struct {
	deadletters.Document

	Meaning string `json:"meaning"`
	Remedy  string `json:"remedy"`
}

// Scanned says what was read for a story, and what was not.
type Scanned struct {
	Since   time.Time       `json:"since"`
	Until   time.Time       `json:"until"`
	Records int64           `json:"records"`
	Bytes   int64           `json:"bytes"` // as they came from the brokers
	Seconds float64         `json:"seconds"`
	Topics  []*ScannedTopic `json:"topics"`

	NotLookedAt []string `json:"not_looked_at"`
}

// ScannedTopic is a part of a topic that was read.
type ScannedTopic struct {
	Topic      string `json:"topic"`
	What       string `json:"what"` // which part
	Partitions []int  `json:"partitions"`
	Of         int    `json:"of"` // so many partitions
	Records    int64  `json:"records"`
	Bytes      int64  `json:"bytes"`
}
