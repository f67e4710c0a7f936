package pipelinetest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Embedded starts a broker in memory and gives its address.
func Embedded(t testing.TB) []string {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	return []string{broker.Addr()}
}

// RealKafka gives the brokers of the Apache Kafka that deployments/kafka/kafka run started.
func RealKafka(t testing.TB) []string {
	t.Helper()
	brokers := os.Getenv("KAFKA_BROKERS")
	require.NotEmpty(t, brokers, "set KAFKA_BROKERS, or run: deployments/kafka/kafka run -- go test -tags=realkafka -run RealKafka ./...")
	return strings.Split(brokers, ",")
}

// Broker is a broker that a test writes to and reads from.
type Broker struct {
	T      testing.TB
	Kafka  kafka.Config
	Client *kafka.Client
	Writer *kafka.Publisher
}

// Connect connects to a broker for as long as the test runs.
func Connect(t testing.TB, k kafka.Config) *Broker {
	t.Helper()
	b := &Broker{T: t, Kafka: k}
	var err error
	b.Client, err = kafka.NewClient(k)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Client.Close() })
	b.Writer, err = kafka.NewPublisher(k, kafka.PublisherOptions{OmitUUID: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Writer.Close() })
	return b
}

// Produce writes a record; without a key where that is empty.
func (b *Broker) Produce(topic, key string, value []byte, headers ...kafka.Header) {
	b.T.Helper()
	msg := message.NewMessage("", value)
	if key != "" {
		kafka.SetKey(msg, []byte(key))
	}
	kafka.SetHeaders(msg, headers)
	require.NoError(b.T, b.Writer.Publish(topic, msg))
}

// Records reads a topic as it is now, one partition after the other.
func (b *Broker) Records(topic string) []kafka.Record {
	b.T.Helper()
	first, err := b.Client.ListOffsets(b.T.Context(), topic, kafka.Earliest)
	require.NoError(b.T, err)
	last, err := b.Client.ListOffsets(b.T.Context(), topic, kafka.Latest)
	require.NoError(b.T, err)
	var all []kafka.Record
	for p, end := range last {
		require.NoError(b.T, b.Client.Scan(b.T.Context(), topic, p, first[p], end, func(r kafka.Record) error {
			all = append(all, r)
			return nil
		}))
	}
	return all
}

// Count is how many records were written to a topic so far.
func (b *Broker) Count(topic string) int {
	b.T.Helper()
	last, err := b.Client.ListOffsets(b.T.Context(), topic, kafka.Latest)
	require.NoError(b.T, err)
	total := int64(0)
	for _, end := range last {
		total += end
	}
	return int(total)
}

// Lag is how many records of a topic a group has not committed.
func (b *Broker) Lag(group, topic string) int {
	b.T.Helper()
	last, err := b.Client.ListOffsets(b.T.Context(), topic, kafka.Latest)
	require.NoError(b.T, err)
	committed, err := b.Client.CommittedOffsets(b.T.Context(), group, topic)
	require.NoError(b.T, err)
	lag := int64(0)
	for p, end := range last {
		lag += end - committed[p]
	}
	return int(lag)
}

// Eventually waits in real time, for a minute at most, until what happens at a broker has come to a condition.
func (b *Broker) Eventually(condition func() bool, what string) {
	b.T.Helper()
	require.Eventually(b.T, condition, time.Minute, 20*time.Millisecond, what)
}

// Header is the value of a record's header, "" where there is none of this name.
func Header(r kafka.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
