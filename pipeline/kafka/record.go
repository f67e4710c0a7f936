package kafka

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// UUIDHeader carries the UUID of a Watermill message, under the name that watermill-kafka uses.
const UUIDHeader = "_watermill_message_uuid"

// Header is one header of a record. A name may occur more than once; the order is kept.
type Header struct {
	Key   string
	Value []byte // nil: null
}

// Record is a record as the broker stores it. Its slices must not be changed.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	// Time is the broker's append time where the topic says so (message.timestamp.type=LogAppendTime), else the producer's.
	Time    time.Time
	Key     []byte // nil: none
	Value   []byte // nil: null (a tombstone)
	Headers []Header
}

type (
	deliveryContext struct{}
	keyContext      struct{}
	headersContext  struct{}
)

// delivery is what the context of a received message knows of where it came from.
type delivery struct {
	lease    *Lease
	draining <-chan struct{}

	generation *generation
	task       *task              // of the record
	cancel     context.CancelFunc // of the message's context
	taken      int                // how many of those behind it are part of the message; guarded by generation.mu
}

func deliveryOf(ctx context.Context) *delivery {
	d, _ := ctx.Value(deliveryContext{}).(*delivery)
	return d
}

// RecordOf gives the record that a received message was made from, by the message's context.
func RecordOf(ctx context.Context) (Record, bool) {
	if d := deliveryOf(ctx); d != nil {
		return d.task.record, true
	}
	return Record{}, false
}

// Behind makes records that wait behind a received message in its lane part of it, in order, as long as take says so: its ack
// acks them, too, its nack gives them back to the lane. So a handler moves many records with one write. It gives those that were read so
// far, and none when the message was acked or nacked, or is no received one.
func Behind(ctx context.Context, take func(Record) bool) []Record {
	if d := deliveryOf(ctx); d != nil {
		return d.generation.behind(d, take)
	}
	return nil
}

// Draining is closed when the generation that delivered the message begins to drain: long waits should end then. For a context
// that is not of a received message it is nil, which never closes.
func Draining(ctx context.Context) <-chan struct{} {
	if d := deliveryOf(ctx); d != nil {
		return d.draining
	}
	return nil
}

// SetKey sets the key that the message is published under; nil: none. It is kept in the message's context, so
// message.Copy loses it and CopyWithContext keeps it.
func SetKey(msg *message.Message, key []byte) {
	msg.SetContext(context.WithValue(msg.Context(), keyContext{}, key))
}

// Key is the key that the message would be published under: the one set by SetKey, else that of the record it was made from.
func Key(msg *message.Message) []byte {
	if key, ok := msg.Context().Value(keyContext{}).([]byte); ok {
		return key
	}
	if d := deliveryOf(msg.Context()); d != nil {
		return d.task.record.Key
	}
	return nil
}

// SetHeaders sets the exact headers that the message is published with, instead of its UUID and Metadata. Like the key they
// are kept in the message's context.
func SetHeaders(msg *message.Message, headers []Header) {
	msg.SetContext(context.WithValue(msg.Context(), headersContext{}, headers))
}
