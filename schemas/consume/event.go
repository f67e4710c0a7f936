package consume

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/paystatus/paystatus/schemas"
)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// Event is a status event.
type Event struct {
	ID     uuid.UUID      // follows from what the event says: a repetition has the same
	Type   string         // one of schemas.ChangeTypes
	Time   time.Time      // when the answer was received
	Change schemas.Change // without Reference, ProviderStatus, ThreeDS, Card and Raw, which Full reads

	corrects uuid.UUID
	data     []byte
}

// Key names the payment that the event is about.
func (e Event) Key() schemas.PaymentKey {
	return schemas.PaymentKey{Provider: e.Change.Provider, Account: e.Change.Account, PaymentID: e.Change.PaymentID}
}

// Corrects is the id of the event that a correction puts right, uuid.Nil for every other event.
func (e Event) Corrects() uuid.UUID { return e.corrects }

// ErrOtherType is returned for an event of a type that is not schemas.ChangeTypes. Skip it: a newer version may write more.
var ErrOtherType = errors.New("not a status event")

// attributes are those of a CloudEvent that matter.
type attributes struct {
	specVersion, id, kind, subject, time []byte

	data   []byte
	change *schemas.Change // what data says; nil while that is not read
}

var structuredMediaType = []byte("application/cloudevents+json")

// Decode reads a status event in binary or structured CloudEvents mode. Names of headers compare without regard to case. The error
// is ErrOtherType for an event to skip; any other error says what is broken, and nothing of the event's contents but its id. What a newer
// version adds, fields and status words, is no error. The event keeps value for Full; it must not change.
func Decode(headers []Header, value []byte) (Event, error) {
	a, err := open(headers, value)
	if err != nil {
		return Event{}, err
	}
	e := Event{Type: changeType(a.kind)}
	if e.Type == "" {
		return Event{}, ErrOtherType
	}
	if e.ID, err = uuid.ParseBytes(a.id); err != nil {
		return Event{}, errors.New("read a status event: its id is missing or not a UUID")
	}
	if err := e.read(a); err != nil {
		return Event{}, fmt.Errorf("read status event %s: %w", e.ID, err)
	}
	return e, nil
}

// changeType is kind where it is the type of a status event, else "".
func changeType(kind []byte) string {
	for _, known := range schemas.ChangeTypes {
		if string(kind) == known {
			return known
		}
	}
	return ""
}

func open(headers []Header, value []byte) (attributes, error) {
	a := attributes{data: value}
	for _, h := range headers {
		switch {
		case is(h.Key, "ce_specversion"):
			a.specVersion = h.Value
		case is(h.Key, "ce_id"):
			a.id = h.Value
		case is(h.Key, "ce_type"):
			a.kind = h.Value
		case is(h.Key, "ce_subject"):
			a.subject = h.Value
		case is(h.Key, "ce_time"):
			a.time = h.Value
		case is(h.Key, "content-type") && structured(h.Value):
			return openStructured(value)
		}
	}
	if len(a.specVersion) == 0 && len(a.kind) == 0 {
		return a, errors.New("read a status event: no CloudEvent: neither ce_ headers nor the content-type application/cloudevents+json")
	}
	return a, nil
}

// structured reads a media type, whatever its parameters.
func structured(mediaType []byte) bool {
	mediaType, _, _ = bytes.Cut(mediaType, []byte(";"))
	return bytes.EqualFold(bytes.TrimSpace(mediaType), structuredMediaType)
}

func openStructured(value []byte) (attributes, error) {
	r := reader{text: value}
	if a := r.envelope(); r.done() {
		return a, nil
	}
	var e struct {
		SpecVersion string         `json:"specversion"`
		ID          string         `json:"id"`
		Type        string         `json:"type"`
		Subject     string         `json:"subject"`
		Time        string         `json:"time"`
		Data        jsontext.Value `json:"data"`
	}
	if err := json.Unmarshal(value, &e); err != nil {
		return attributes{}, fmt.Errorf("read a structured event: %w", plain(err))
	}
	return attributes{[]byte(e.SpecVersion), []byte(e.ID), []byte(e.Type), []byte(e.Subject), []byte(e.Time), e.Data, nil}, nil
}

// envelope reads a structured event that stands as paystatus writes it.
func (r *reader) envelope() (a attributes) {
	for o := r.object(); o.next(); {
		switch string(o.name) {
		case "specversion":
			a.specVersion = r.content()
		case "id":
			a.id = r.content()
		case "type":
			a.kind = r.content()
		case "subject":
			a.subject = r.content()
		case "time":
			a.time = r.content()
		case "data":
			begin := r.at
			a.change = new(schemas.Change)
			r.change(a.change)
			a.data = r.text[begin:r.at]
		default:
			r.skip()
		}
	}
	return a
}

// is compares a header's name without regard to case; want is lower-case. Some clients and proxies capitalise names.
func is(name, want string) bool {
	return len(name) == len(want) && (name == want || strings.EqualFold(name, want))
}

func (e *Event) read(a attributes) error {
	if string(a.specVersion) != "1.0" {
		return errors.New("its specversion is not 1.0")
	}
	var err error
	if e.Time, err = time.Parse(time.RFC3339, string(a.time)); err != nil {
		return errors.New("its time is missing or not RFC 3339")
	}
	if a.change != nil {
		e.Change = *a.change
	} else if e.Change, err = decode(a.data); err != nil {
		return fmt.Errorf("its data: %w", plain(err))
	}
	e.data = a.data
	c := &e.Change
	switch {
	case c.PaymentID == "":
		return missing("payment_id")
	case c.Provider == "":
		return missing("provider")
	case c.Account == "":
		return missing("account")
	case c.Status == "":
		return missing("status")
	case c.Funds == "":
		return missing("funds")
	case c.ObservedAt.IsZero():
		return missing("observed_at")
	case len(a.subject) > 0 && string(a.subject) != c.PaymentID:
		return errors.New("its subject is not its payment_id")
	case e.Type == schemas.TypeStatusUnresolved && (c.Reason == nil || c.Reason.Code == ""):
		return missing("reason.code")
	case c.Dispute != nil && c.Dispute.ID == "":
		return missing("dispute.id")
	}
	if e.Type == schemas.TypeStatusCorrected {
		if e.corrects, err = uuid.Parse(c.Corrects); err != nil {
			return errors.New("its corrects is missing or not a UUID")
		}
	}
	return sane(c.Amounts)
}

func missing(field string) error { return fmt.Errorf("%s is missing", field) }

// plain says where a text is broken, without what stands there.
func plain(err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d, %q", syntax.ByteOffset, syntax.JSONPointer)
	case errors.As(err, &semantic):
		return fmt.Errorf("%q is not what it should be (byte %d)", semantic.JSONPointer, semantic.ByteOffset)
	default:
		return errors.New("not JSON")
	}
}

// sane refuses sums that cannot be added up: negative, or in different units.
func sane(a schemas.Amounts) error {
	var unit *schemas.Money
	for _, sum := range []*schemas.Money{a.Requested, a.Authorized, a.Captured, a.Refunded} {
		switch {
		case sum == nil:
			continue
		case sum.Value < 0:
			return errors.New("a sum is negative")
		case len(sum.Currency) != 3:
			return errors.New("a sum has no currency")
		case unit == nil:
			unit = sum
		case sum.Currency != unit.Currency || sum.Exponent != unit.Exponent:
			return errors.New("its sums are in different currencies or exponents")
		}
	}
	return nil
}
