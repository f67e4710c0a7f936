package handlers

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	exact "github.com/go-json-experiment/json" // reads the log in half the time

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Events says how status events are written.
type Events struct {
	Structured bool   // one JSON document instead of ce_ headers and data
	OmitRaw    bool   // only the hash and size of the provider's answer leave
	Source     string // the CloudEvents source
}

const (
	headerSaid      = "paystatus_said" // what the next owner of the payment restores its memory from; opaque to others
	headerCausation = "ce_causationid"
)

// change makes the data of the event that a statement is.
func change(s *watch.Statement, check *watch.Check, provider providers.Provider, p providers.Payment, now time.Time) *schemas.Change {
	c := &schemas.Change{Anomalies: []schemas.Anomaly{}, Source: schemas.SourceQuery, ObservedAt: now}
	if r := s.Reading; r != nil {
		if r.Outcome.Kind == providers.Observed {
			*c = r.Outcome.Change(provider, r.Answer, p)
		} else {
			c.Source, c.Raw = r.From, providers.Kept(r.Answer, r.Outcome, p)
			if c.Raw != nil {
				c.ObservedAt = c.Raw.ReceivedAt
			}
		}
	}
	c.PaymentID, c.Provider, c.Account = check.PaymentID, check.Provider, check.Account
	c.Reference = p.Reference
	if provider != nil {
		c.Normalizer = provider.Normalizer()
	}
	c.Status, c.Final, c.Funds = s.Facts.Status, s.Facts.Final, s.Facts.Status.Funds()
	c.Entry, c.Dispute, c.Amounts = s.Facts.Entry, s.Facts.Dispute, s.Beside.Or(c.Amounts)
	if s.Previous != "" {
		c.PreviousStatus = &s.Previous
	}
	if s.Derived && c.Dispute == nil {
		c.OccurredAt = time.Time{} // the answer's time is that of the status it states
	}
	if s.Reason != nil {
		c.Reason = s.Reason
	}
	c.Cause, c.Attempt, c.ReplayID = check.Cause, check.Attempt+1, check.ReplayID
	if s.Corrects != "" {
		c.Corrects, c.Source, c.Attempt = s.Corrects, schemas.SourceRenormalization, 0 // nothing was asked
	}
	c.Anomalies = append(c.Anomalies, s.Anomalies...)
	c.ObservedAt = c.ObservedAt.UTC()
	if check.Context != nil {
		c.Metadata = check.Context.Metadata
	}
	return c
}

// record is the Kafka record of an event.
func (e Events) record(s *watch.Statement, c *schemas.Change, check *watch.Check) (Out, error) {
	if e.OmitRaw && c.Raw != nil {
		c.Raw.Body = ""
	}
	data, err := json.Marshal(c)
	if err != nil {
		return Out{}, fmt.Errorf("encode a status event of %s: %w", c.PaymentID, err)
	}
	id := schemas.EventID(check.PaymentKey, s.Facts).String()
	trail, err := json.Marshal(&s.Trail)
	if err != nil {
		return Out{}, fmt.Errorf("encode what was said about %s: %w", c.PaymentID, err)
	}
	traceparent, causation := "", ""
	if check.Context != nil {
		traceparent, causation = check.Context.Traceparent, check.Context.CausationID
	}
	out := Out{To: ToStatusChanged, Key: []byte(c.PaymentID)}
	if e.Structured {
		out.Value, err = e.structured(id, s.Type, c, data, traceparent, causation)
		out.Headers = []Header{{headerContentType, []byte(mediaTypeStructured)}, {headerSaid, trail}}
		return out, err
	}
	out.Value, out.Headers = data, make([]Header, 0, 11)
	for _, h := range [...]struct{ name, value string }{
		{headerSpecVersion, cloudevents.CloudEventsVersionV1},
		{headerID, id},
		{headerType, s.Type},
		{"ce_source", e.Source},
		{"ce_subject", c.PaymentID},
		{"ce_time", c.ObservedAt.Format(time.RFC3339Nano)},
		{"ce_dataschema", schemas.StatusSchemaID},
		{headerContentType, "application/json"},
		{headerTraceparent, traceparent},
		{headerCausation, causation},
	} {
		if h.value != "" {
			out.Headers = append(out.Headers, Header{h.name, []byte(h.value)})
		}
	}
	out.Headers = append(out.Headers, Header{headerSaid, trail})
	return out, nil
}

func (e Events) structured(id, eventType string, c *schemas.Change, data []byte, traceparent, causation string) ([]byte, error) {
	event := cloudevents.New()
	event.SetID(id)
	event.SetType(eventType)
	event.SetSource(e.Source)
	event.SetSubject(c.PaymentID)
	event.SetTime(c.ObservedAt)
	event.SetDataSchema(schemas.StatusSchemaID)
	if traceparent != "" {
		event.SetExtension(extensionTraceparent, traceparent)
	}
	if causation != "" {
		event.SetExtension("causationid", causation)
	}
	event.DataEncoded = data
	event.SetDataContentType("application/json")
	value, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("encode a structured event of %s: %w", c.PaymentID, err)
	}
	return value, nil
}

// TrailOf reads what an event of the emitted log says to the next owner of its payment; nil for a record that says nothing.
func TrailOf(m Message) *watch.Trail {
	t := &watch.Trail{}
	if exact.Unmarshal(m.headerBytes(headerSaid), t) != nil || t.Version != watch.Version {
		return nil
	}
	return t
}
