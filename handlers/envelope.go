package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// envelope is what stands around an event's data.
type envelope struct {
	eventType   string // "" for bare data
	id          string
	traceparent string
	data        []byte
}

const (
	headerType           = "ce_type"
	headerID             = "ce_id"
	headerSpecVersion    = "ce_specversion"
	headerTraceparent    = "traceparent"
	headerContentType    = "content-type"
	mediaTypeStructured  = "application/cloudevents+json"
	attributeSpecVersion = "specversion"
	extensionTraceparent = "traceparent"
	headerCETraceparent  = "ce_traceparent"
)

// open reads the envelope of a record: a CloudEvent in binary or structured mode, or no envelope at all.
func open(m Message) (envelope, error) {
	switch eventType := m.header(headerType); {
	case eventType == "" && m.header(headerSpecVersion) != "":
		return envelope{}, errors.New("the CloudEvent has no ce_type header")
	case eventType != "":
		e := envelope{eventType: eventType, id: m.header(headerID), traceparent: m.header(headerTraceparent), data: m.Value}
		if e.traceparent == "" {
			e.traceparent = m.header(headerCETraceparent)
		}
		return e, nil
	case structured(m):
		return openStructured(m)
	default:
		return envelope{traceparent: m.header(headerTraceparent), data: m.Value}, nil
	}
}

// structured recognises a structured CloudEvent by its content type or, where a producer set none, by its specversion.
func structured(m Message) bool {
	if mediaType, _, err := mime.ParseMediaType(m.header(headerContentType)); err == nil && mediaType == mediaTypeStructured {
		return true
	}
	if !bytes.Contains(m.Value, []byte(`"`+attributeSpecVersion+`"`)) {
		return false
	}
	v, err := exactjson.Parse(m.Value)
	return err == nil && v.Get(attributeSpecVersion).Kind() == exactjson.String && !v.Get("payment_id").Present()
}

func openStructured(m Message) (envelope, error) {
	if _, err := exactjson.Parse(m.Value); err != nil {
		return envelope{}, err
	}
	var event cloudevents.Event
	if err := json.Unmarshal(m.Value, &event); err != nil || event.Type() == "" {
		return envelope{}, errors.New("the structured CloudEvent cannot be read; it needs specversion, id, source and type, and its data")
	}
	e := envelope{eventType: event.Type(), id: event.ID(), data: event.Data(), traceparent: m.header(headerTraceparent)}
	if value, ok := event.Extensions()[extensionTraceparent].(string); ok && e.traceparent == "" {
		e.traceparent = value
	}
	return e, nil
}
