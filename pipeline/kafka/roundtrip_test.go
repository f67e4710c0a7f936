package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestARecordArrivesAsItWasPublished(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("round-trip", 1)
	publisher := c.publisher()
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{Lanes: kafka.LaneByPartition}), topic)

	tests := map[string]struct {
		publish  func() *message.Message
		uuid     string // empty: derived from the offset
		metadata map[string]string
		record   kafka.Record
	}{
		"key, payload and metadata": {
			publish: func() *message.Message {
				msg := message.NewMessage("6f1d", []byte("payload"))
				msg.Metadata = message.Metadata{"b": "2", "a": "1"}
				kafka.SetKey(msg, []byte("key"))
				return msg
			},
			uuid: "6f1d", metadata: map[string]string{"a": "1", "b": "2"},
			record: kafka.Record{Key: []byte("key"), Value: []byte("payload"), Headers: []kafka.Header{
				{Key: kafka.UUIDHeader, Value: []byte("6f1d")}, {Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")},
			}},
		},
		"exact headers keep duplicates, order, empty and null values": {
			publish: func() *message.Message {
				msg := message.NewMessage("not written", []byte("payload"))
				msg.Metadata.Set("not", "written")
				kafka.SetHeaders(msg, []kafka.Header{
					{Key: "z", Value: []byte("first")}, {Key: "a", Value: nil}, {Key: "z", Value: []byte("last")}, {Key: "", Value: []byte{}},
				})
				return msg
			},
			metadata: map[string]string{"z": "last", "a": "", "": ""},
			record: kafka.Record{Value: []byte("payload"), Headers: []kafka.Header{
				{Key: "z", Value: []byte("first")}, {Key: "a", Value: nil}, {Key: "z", Value: []byte("last")}, {Key: "", Value: []byte{}},
			}},
		},
		"a null value is not an empty one": {
			publish: func() *message.Message { return message.NewMessage("", nil) },
			record:  kafka.Record{},
		},
		"an empty value is not null, an empty key is one": {
			publish: func() *message.Message {
				msg := message.NewMessage("", []byte{})
				kafka.SetKey(msg, []byte{})
				return msg
			},
			record: kafka.Record{Key: []byte{}, Value: []byte{}},
		},
		"larger than a batch": {
			publish: func() *message.Message { return message.NewMessage("", []byte(strings.Repeat("x", 1_040_000))) },
			record:  kafka.Record{Value: []byte(strings.Repeat("x", 1_040_000))},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := time.Now().Truncate(time.Millisecond)
			require.NoError(t, publisher.Publish(topic, test.publish()))
			msg := receive(t, messages)
			defer msg.Ack()

			record, ok := kafka.RecordOf(msg.Context())
			require.True(t, ok)
			assert.WithinRange(t, record.Time, before, time.Now())
			assert.Equal(t, topic, record.Topic)
			if test.uuid == "" {
				assert.Regexp(t, `^round-trip.*/0/\d+$`, msg.UUID)
			} else {
				assert.Equal(t, test.uuid, msg.UUID)
			}
			assert.Equal(t, test.record.Key, record.Key)
			assert.Equal(t, test.record.Key, kafka.Key(msg))
			assert.Equal(t, test.record.Value, record.Value)
			assert.Equal(t, message.Payload(test.record.Value), msg.Payload)
			assert.Equal(t, test.record.Headers, record.Headers)
			if test.metadata == nil {
				test.metadata = map[string]string{}
			}
			assert.Equal(t, message.Metadata(test.metadata), msg.Metadata)
		})
	}
}
