package kafka_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// transaction writes values in one transaction to partition 0 and ends it.
func transaction(t *testing.T, client *kgo.Client, topic string, end kgo.TransactionEndTry, values ...string) {
	t.Helper()
	require.NoError(t, client.BeginTransaction())
	for _, value := range values {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
	}
	require.NoError(t, client.EndTransaction(t.Context(), end))
}

func TestControlMarkersAndAbortedRecordsAreSkipped(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("transactions", 1)
	one := franz(t, fake, kgo.TransactionalID("one"))
	other := franz(t, fake, kgo.TransactionalID("other"))

	transaction(t, one, topic, kgo.TryAbort, "aborted", "aborted")
	require.NoError(t, other.BeginTransaction()) // stays open over the next two
	require.NoError(t, other.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("aborted late")}).FirstErr())
	transaction(t, one, topic, kgo.TryCommit, "1", "2")
	require.NoError(t, c.publisher().Publish(topic, keyed("k", "3")))
	require.NoError(t, other.EndTransaction(t.Context(), kgo.TryAbort))
	transaction(t, one, topic, kgo.TryCommit, "4")
	transaction(t, one, topic, kgo.TryAbort, "aborted") // the log ends in an abort marker

	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{Lanes: kafka.LaneByPartition}), topic)
	for i := 1; i <= 4; i++ {
		msg := receive(t, messages)
		assert.Equal(t, strconv.Itoa(i), string(msg.Payload))
		msg.Ack()
	}
	end := fake.PartitionInfo(topic, 0).HighWatermark
	eventually(t, "the commit passes the markers", func() bool { return c.committed(c.group(), topic) == end })

	var scanned []string
	require.NoError(t, c.client.Scan(t.Context(), topic, 0, 0, end, func(r kafka.Record) error {
		scanned = append(scanned, string(r.Value))
		return nil
	}))
	assert.Equal(t, []string{"1", "2", "3", "4"}, scanned)
}

func TestAnOpenTransactionHoldsBackWhatFollows(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("open", 1)
	open := franz(t, fake, kgo.TransactionalID("open"))
	require.NoError(t, c.publisher().Publish(topic, keyed("k", "before")))
	require.NoError(t, open.BeginTransaction())
	require.NoError(t, open.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("inside")}).FirstErr())
	require.NoError(t, c.publisher().Publish(topic, keyed("k", "after")))

	last, err := c.client.ListOffsets(t.Context(), topic, kafka.Latest)
	require.NoError(t, err)
	assert.Equal(t, int64(1), last[0], "the end is where the open transaction begins")
	scanned := make(chan string)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		ended <- c.client.Scan(ctx, topic, 0, 0, 3, func(r kafka.Record) error {
			scanned <- string(r.Value)
			return nil
		})
	}()
	assert.Equal(t, "before", <-scanned)
	select {
	case value := <-scanned:
		require.Failf(t, "read past an open transaction", "%s", value)
	case err := <-ended:
		require.NoError(t, err)
		require.FailNow(t, "ended before the range was read")
	default:
	}
	require.NoError(t, open.EndTransaction(t.Context(), kgo.TryCommit))
	assert.Equal(t, "inside", <-scanned)
	assert.Equal(t, "after", <-scanned)
	require.NoError(t, <-ended)
}
