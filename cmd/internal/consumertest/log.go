package consumertest

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/schemas"
)

// Log is a topic of status events.
type Log struct {
	*pipelinetest.Broker

	Topic string

	random *rand.Rand
	told   int64 // events, by Tell
}

// NewLog makes a topic of its own; without brokers, on one in memory.
func NewLog(t testing.TB, brokers ...string) *Log {
	t.Helper()
	if len(brokers) == 0 {
		brokers = pipelinetest.Embedded(t)
	}
	l := OpenLog(t, brokers, "status-"+uuid.NewString())
	require.NoError(t, l.Client.CreateTopics(t.Context(), kafka.Topic{Name: l.Topic, Partitions: 4, Replication: 1}))
	return l
}

// OpenLog opens a topic that is there.
func OpenLog(t testing.TB, brokers []string, topic string) *Log {
	t.Helper()
	config := kafka.Config{Brokers: brokers, Logger: slog.New(slog.DiscardHandler)}
	return &Log{Broker: pipelinetest.Connect(t, config), Topic: topic, random: rand.New(rand.NewPCG(1, 2))}
}

// Write writes events, in their order.
func (l *Log) Write(events ...Event) {
	l.T.Helper()
	records := make([]kafka.Record, len(events))
	for i, e := range events {
		headers, value := e.Record(l.T)
		records[i] = kafka.Record{Key: []byte(e.Payment), Value: value}
		for _, h := range headers {
			records[i].Headers = append(records[i].Headers, kafka.Header(h))
		}
	}
	l.write(records)
}

// WriteAgain writes everything that the topic holds a second time.
func (l *Log) WriteAgain() {
	l.T.Helper()
	records := l.Records(l.Topic)
	require.NotEmpty(l.T, records)
	l.write(records)
}

func (l *Log) write(records []kafka.Record) {
	l.T.Helper()
	messages := make([]*message.Message, len(records))
	for i, r := range records {
		messages[i] = message.NewMessage("", r.Value)
		kafka.SetKey(messages[i], r.Key)
		kafka.SetHeaders(messages[i], r.Headers)
	}
	require.NoError(l.T, l.Writer.Publish(l.Topic, messages...))
}

// Tell writes a story, with repeats: each event perhaps at once, and the beginning of the story perhaps at its end. A correction corrects the
// event before it.
func (l *Log) Tell(payment string, events []Event) {
	l.T.Helper()
	all := Of(payment, events...)
	for i, e := range all {
		if e.Type == schemas.TypeStatusCorrected {
			all[i] = e.Correction(all[i-1])
		}
	}
	var repeated []Event
	for _, e := range all {
		repeated = append(repeated, e)
		if l.random.IntN(3) == 0 {
			repeated = append(repeated, e)
		}
	}
	repeated = slices.Concat(repeated, all[:l.random.IntN(len(all)+1)])
	l.told += int64(len(repeated))
	l.Write(repeated...)
}
