package handlers

import (
	"context"
	"slices"
	"time"
)

// Message is a record that a handler is given.
type Message struct {
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time // the record's timestamp
	Key       []byte
	Value     []byte // nil: a record without value
	Headers   []Header
}

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// header is the last value under a name, "" when there is none.
func (m Message) header(name string) string { return string(m.headerBytes(name)) }

func (m Message) headerBytes(name string) []byte {
	for _, h := range slices.Backward(m.Headers) {
		if h.Key == name {
			return h.Value
		}
	}
	return nil
}

// Destination is where a record goes; the pipeline knows the topic.
type Destination string

// The destinations.
const (
	ToChecks        Destination = "checks"
	ToDelay         Destination = "delay" // to the work topic after a while; one that HeaderHandler names a handler in, back to that
	ToStatusChanged Destination = "status_changed"
	ToDeadLetters   Destination = "dead_letters"
	ToReplays       Destination = "replays"
)

// Out is a record to write.
type Out struct {
	To      Destination
	After   time.Duration // ToDelay: how long it waits
	Key     []byte
	Value   []byte
	Headers []Header
}

// Result is what a handler wants: Out written in this order, each acknowledged by all in-sync replicas before the next;
// then Done called, which may be nil; then the message acknowledged.
type Result struct {
	Out  []Out
	Done func()
}

// Handler is one step of the pipeline. An error means that the message must be handled again; bad input is no error but a
// dead letter.
type Handler func(ctx context.Context, m Message) (Result, error)
