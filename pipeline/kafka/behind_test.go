package kafka_test

import (
	"strconv"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// numbered gives the messages 0, 1, … of one lane, which are all in the topic before the first is read.
func numbered(t *testing.T, c *cluster, name string, count int) (topic string, messages <-chan *message.Message) {
	t.Helper()
	topic = c.topic(name, 1)
	var all []*message.Message
	for i := range count {
		all = append(all, keyed("k", i))
	}
	require.NoError(t, c.publisher().Publish(topic, all...))
	return topic, c.subscribe(c.subscriber(kafka.SubscriberOptions{Lanes: kafka.LaneByPartition}), topic)
}

// behind takes the records below a number.
func behind(t *testing.T, msg *message.Message, limit int) []string {
	t.Helper()
	var all []string
	for _, r := range kafka.Behind(msg.Context(), func(r kafka.Record) bool {
		n, err := strconv.Atoi(string(r.Value))
		return err == nil && n < limit
	}) {
		all = append(all, string(r.Value))
	}
	return all
}

func TestRecordsTakenFromBehindAMessageAreAckedWithIt(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic, messages := numbered(t, c, "behind-ack", 6)
	first := receive(t, messages)
	assert.Equal(t, []string{"1", "2"}, behind(t, first, 3))
	assert.Equal(t, []string{"3"}, behind(t, first, 4), "once more takes on")
	assert.Empty(t, behind(t, first, 4))
	first.Ack()
	eventually(t, "commit of all four", func() bool { return c.committed(c.group(), topic) == 4 })

	next := receive(t, messages)
	assert.Equal(t, "4", string(next.Payload))
	assert.Empty(t, behind(t, first, 9), "of a message that was acked")
	assert.Equal(t, []string{"5"}, behind(t, next, 9))
	next.Ack()
	eventually(t, "commit of the rest", func() bool { return c.committed(c.group(), topic) == 6 })
}

func TestRecordsTakenFromBehindAMessageAreGivenBackWithIt(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic, messages := numbered(t, c, "behind-nack", 3)
	first := receive(t, messages)
	assert.Equal(t, []string{"1", "2"}, behind(t, first, 9))
	first.Nack()
	again := receive(t, messages)
	assert.Equal(t, "0", string(again.Payload))
	assert.Empty(t, behind(t, first, 9), "of a message that was nacked")
	assert.Equal(t, []string{"1"}, behind(t, again, 2), "taken anew")
	again.Ack()
	last := receive(t, messages)
	assert.Equal(t, "2", string(last.Payload))
	last.Ack()
	eventually(t, "commit", func() bool { return c.committed(c.group(), topic) == 3 })
}

func TestNothingIsBehindAMessageOfAnotherLane(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("behind-lanes", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("a", 1), keyed("b", 2)))
	messages := c.subscribe(c.subscriber(kafka.SubscriberOptions{}), topic)
	first := receive(t, messages)
	second := receive(t, messages)
	assert.Empty(t, behind(t, first, 9))
	assert.Empty(t, behind(t, message.NewMessage("", nil), 9), "not a received one")
	first.Ack()
	second.Ack()
}
