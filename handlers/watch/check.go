package watch

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	exact "github.com/go-json-experiment/json" // reads a check in a quarter of the time

	"github.com/paystatus/paystatus/schemas"
)

// Version is the version of the check message. A message of another version is not ours to judge: a rollback may be under
// way.
const Version = 1

// Kind says what asked for a check.
type Kind string

// The kinds of check.
const (
	KindInitiated    Kind = "initiated"    // an initiated event; Origin says which
	KindRepeat       Kind = "repeat"       // a dead letter given back: like another initiated event
	KindChain        Kind = "chain"        // the next check of a chain, whose time has come
	KindNotification Kind = "notification" // the provider says that something happened
	KindBackfill     Kind = "backfill"     // asked by an operator; starts no chain
	KindRenormalize  Kind = "renormalize"  // an old answer is read again; the provider is not asked
)

// versionRenormalize is that of checks that ask nobody: a process that does not know their kind would ask the provider.
const versionRenormalize = 2

func (k Kind) version() int {
	if k == KindRenormalize {
		return versionRenormalize
	}
	return Version
}

// Place is where a check stands in the chain of its payment. Every hand-over adds one to the step; a chain that ended and
// begins again does so in the next epoch. Epoch 0 is that of a payment of which no initiated event is known.
type Place struct {
	Epoch int `json:"epoch"`
	Step  int `json:"step"`
}

// NotAfter reports whether p is not above q.
func (p Place) NotAfter(q Place) bool {
	return p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.Step <= q.Step
}

func (p Place) next() Place { return Place{p.Epoch, p.Step + 1} }

// Phase is what is known of a payment as far as schedules go.
type Phase string

// The phases.
const (
	PhaseOpen       Phase = "open"
	PhaseAuthorized Phase = "authorized" // money reserved or settling
	PhaseRefund     Phase = "refund"     // a refund or a dispute is under way
)

// Check is the message on the work topic: one question about one payment, with all that the answer must be held against.
type Check struct {
	Version int `json:"v"`
	schemas.PaymentKey
	Kind  Kind `json:"kind"`
	Place      // of chain checks; Take gives one to all others

	Context *Context `json:"context,omitempty"` // what the initiated events said; nil when none is known
	Origin  *Origin  `json:"origin,omitempty"`  // of an initiated check: which record it comes from

	Said *Said `json:"said,omitempty"` // what was last said when the check was handed over

	Evidence *Evidence         `json:"evidence,omitempty"` // what the provider pushed, to be held against its answer
	About    schemas.Reference `json:"about,omitempty"`    // without context: the identifiers that a notification states

	Phase      Phase     `json:"phase,omitempty"`
	PhaseSince time.Time `json:"phase_since,omitzero"` // deadlines count from here
	Since      time.Time `json:"since,omitzero"`       // when this epoch began; the grace counts from here
	Delays     int       `json:"delays,omitempty"`     // planned delays used up in this phase
	Attempt    int       `json:"attempt,omitempty"`    // answered checks before this one

	// In a row, before this check:
	Unavailable   int       `json:"unavailable,omitempty"`
	Unreadable    int       `json:"unreadable,omitempty"`
	Rechecks      int       `json:"rechecks,omitempty"` // after stale reads and unconfirmed notifications
	Mismatches    int       `json:"mismatches,omitempty"`
	MismatchSince time.Time `json:"mismatch_since,omitzero"`

	RefundDoubtSince time.Time `json:"refund_doubt_since,omitzero"` // queries say captured again although a refund was under way
	Parked           bool      `json:"parked,omitempty"`            // the deadline passed without an answer

	Correction *Correction `json:"correction,omitempty"` // of a renormalization: the event whose answer Evidence is

	Cause    schemas.Cause `json:"cause"`
	ReplayID string        `json:"replay_id,omitempty"`
	AskedAt  time.Time     `json:"asked_at,omitzero"` // of a backfill: when the operator asked; of a renormalization: until when the log was read
}

// Evidence is what the provider pushed about a payment: a notification, or its reply to the call that made the payment.
// The bytes are carried, not what was read from them, because the reading needs the payment's context.
type Evidence struct {
	From       schemas.Source    `json:"from"`
	HTTPStatus int               `json:"http_status,omitempty"`
	Header     map[string]string `json:"header,omitempty"`
	Body       []byte            `json:"body"`
	Masked     bool              `json:"masked,omitempty"` // card numbers in the body were masked
	ReceivedAt time.Time         `json:"received_at"`
}

// Encode makes the message of a check.
func (c Check) Encode() ([]byte, error) {
	c.Version = c.Kind.version()
	text, err := json.Marshal(&c)
	if err != nil {
		return nil, fmt.Errorf("encode a check of %s: %w", c.PaymentID, err)
	}
	return text, nil
}

// Ours reports whether a decoded check is of a version that this program knows.
func (c Check) Ours() bool { return c.Version == c.Kind.version() }

// DecodeCheck reads the message of a check. Of one that is not Ours only Version is filled.
func DecodeCheck(text []byte) (Check, error) {
	var c Check
	err := exact.Unmarshal(text, &c)
	if err == nil && c.Ours() {
		return c, nil
	}
	var head struct {
		Version int `json:"v"`
	}
	if headErr := exact.Unmarshal(text, &head); headErr != nil {
		err = headErr
	} else if head.Version != Version { // whose fields may be of other types
		return Check{Version: head.Version}, nil
	}
	return Check{}, fmt.Errorf("decode a check: %w", err)
}

// Origin is the record that an initiated event came in.
type Origin struct {
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"` // the record's timestamp
}

// Before orders origins: by time, then by place.
func (o Origin) Before(other Origin) bool {
	switch {
	case !o.Time.Equal(other.Time):
		return o.Time.Before(other.Time)
	case o.Topic != other.Topic:
		return o.Topic < other.Topic
	case o.Partition != other.Partition:
		return o.Partition < other.Partition
	default:
		return o.Offset < other.Offset
	}
}

func (o Origin) same(other Origin) bool {
	return o.Topic == other.Topic && o.Partition == other.Partition && o.Offset == other.Offset
}

// Context is what the initiated events of one payment say, merged: the earliest wins, later ones may add identifiers.
type Context struct {
	Amount      schemas.Amount    `json:"amount"`
	InitiatedAt time.Time         `json:"initiated_at"`
	Capture     schemas.Capture   `json:"capture"`
	Method      string            `json:"method,omitempty"`
	Reference   schemas.Reference `json:"reference"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	CausationID string            `json:"causation_id,omitempty"` // id of the initiated event's envelope
	Traceparent string            `json:"traceparent,omitempty"`

	Learned schemas.Reference `json:"learned,omitempty"` // identifiers that answers taught

	First    time.Time `json:"first,omitzero"`     // when the payment was first asked about
	Earliest *Origin   `json:"earliest,omitempty"` // of the event that won
	Origins  []Origin  `json:"origins,omitempty"`  // that are merged here, as far as remembered
}

// maxOrigins bounds how many origins a context remembers; forgetting one costs a query when its event is redelivered.
const maxOrigins = 32

// NewContext is the context of one initiated event whose reference a provider has completed.
func NewContext(e schemas.Initiated, ref schemas.Reference, origin *Origin) *Context {
	c := &Context{Amount: e.Amount, InitiatedAt: e.InitiatedAt, Capture: e.Capture, Method: e.Method, Reference: ref, Metadata: e.Metadata}
	if origin != nil {
		c.Earliest, c.Origins = origin, []Origin{*origin}
	}
	return c
}

// askedFirst is when the payment was first asked about. Where that is not known it was not before its initiated event came.
func (c *Context) askedFirst() time.Time {
	first := c.First
	if first.IsZero() {
		first = c.InitiatedAt
		if c.Earliest != nil && c.Earliest.Time.After(first) {
			first = c.Earliest.Time
		}
	}
	return first
}

func (c *Context) has(o Origin) bool { return slices.ContainsFunc(c.Origins, o.same) }

// earlierThan reports whether c comes from an earlier initiated event than other. What has no origin is later than all.
func (c *Context) earlierThan(other *Context) bool {
	switch {
	case c.Earliest == nil:
		return false
	case other.Earliest == nil:
		return true
	default:
		return c.Earliest.Before(*other.Earliest)
	}
}

func (c *Context) conflict(other *Context) error {
	if c.Amount != other.Amount {
		return &schemas.FieldError{Field: "amount", Problem: "differs from that of an earlier initiated event of this payment"}
	}
	return c.Reference.Conflict(other.Reference)
}

// brings reports whether other holds an identifier that c lacks.
func (c *Context) lacks(other *Context) bool {
	if other == nil {
		return false
	}
	if c == nil {
		return true
	}
	_, added := c.Reference.Merge(other.Reference)
	return added
}

// merge gives the context of two that do not conflict.
func (c *Context) merge(other *Context) *Context {
	if c == nil {
		return other.clone()
	}
	if other == nil {
		return c
	}
	winner, later := c, other
	if other.earlierThan(c) {
		winner, later = other, c
	}
	merged := *winner
	merged.Reference, _ = winner.Reference.Merge(later.Reference)
	merged.Learned, _ = winner.Learned.Merge(later.Learned)
	if merged.First.IsZero() || !later.First.IsZero() && later.First.Before(merged.First) {
		merged.First = later.First
	}
	merged.Origins = slices.Clone(winner.Origins)
	for _, o := range later.Origins {
		if !merged.has(o) {
			merged.Origins = append(merged.Origins, o)
		}
	}
	if over := len(merged.Origins) - maxOrigins; over > 0 {
		merged.Origins = merged.Origins[over:]
	}
	return &merged
}

// Known are all identifiers to ask by: those that the initiated events gave, then those that answers taught.
func (c *Context) Known() schemas.Reference {
	known, _ := c.Reference.Merge(c.Learned)
	return known
}

func (c *Context) clone() *Context {
	if c == nil {
		return nil
	}
	d := *c
	d.Origins = slices.Clone(c.Origins)
	return &d
}

// withoutOrigins is the context as an event carries it: an event precedes its hand-over, so what it merged counts as
// pending still, but which event came earliest is known.
func (c *Context) withoutOrigins() *Context {
	if c == nil {
		return nil
	}
	d := *c
	d.Origins = nil
	return &d
}
