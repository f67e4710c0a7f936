package kafka_test

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestTopicsAreCreatedAndDescribed(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := kafka.Topic{Name: "described" + c.suffix, Partitions: 3, Replication: 1, Configs: map[string]string{
		"cleanup.policy": "delete", "retention.ms": "604800000", "message.timestamp.type": "LogAppendTime",
		"max.message.bytes": "2097152", "min.insync.replicas": "1",
	}}
	require.NoError(t, c.client.CreateTopics(t.Context(), topic))
	err := c.client.CreateTopics(t.Context(), topic, kafka.Topic{Name: "another" + c.suffix, Partitions: 1, Replication: 1})
	require.ErrorIs(t, err, kafkago.TopicAlreadyExists)
	require.ErrorContains(t, err, "described")

	got, err := c.client.DescribeTopics(t.Context(), topic.Name, "another"+c.suffix, "missing")
	require.NoError(t, err)
	assert.Len(t, got, 2, "what is missing is not described")
	assert.Equal(t, 3, got[topic.Name].Partitions)
	assert.Equal(t, 1, got[topic.Name].Replication)
	for name, value := range topic.Configs {
		assert.Equal(t, value, got[topic.Name].Configs[name], name)
	}
	got, err = c.client.DescribeTopics(t.Context(), "missing")
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestOffsetsAreListed(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 2)
	topic := c.topic("offsets", 2)
	publisher := c.publisher()
	require.NoError(t, publisher.Publish(topic, keyed("a", 0), keyed("d", 0)))
	<-time.After(2 * time.Millisecond)
	between := time.Now()
	require.NoError(t, publisher.Publish(topic, keyed("a", 1)))
	written := 0
	if fake.PartitionInfo(topic, 1).HighWatermark == 2 {
		written = 1
	}
	for name, test := range map[string]struct {
		at      kafka.Start
		written int64
		other   int64
	}{
		"earliest":               {kafka.Earliest, 0, 0},
		"latest":                 {kafka.Latest, 2, 1},
		"at a time between":      {kafka.At(between), 1, 1},
		"at a time after it all": {kafka.At(between.Add(time.Hour)), 2, 1},
	} {
		got, err := c.client.ListOffsets(t.Context(), topic, test.at)
		require.NoError(t, err, name)
		assert.Equal(t, map[int]int64{written: test.written, 1 - written: test.other}, got, name)
	}
	_, err := c.client.ListOffsets(t.Context(), "missing", kafka.Latest)
	require.ErrorIs(t, err, kafkago.UnknownTopicOrPartition)
}

func TestTheClientSurvivesABrokerRestart(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	broker, err := embedded.Start(embedded.Options{DataDir: directory})
	require.NoError(t, err)
	c := clusterAt(t, broker.Addr())
	topic := c.topic("restarted", 1)
	require.NoError(t, c.client.CommitOffsets(t.Context(), "group", topic, map[int]int64{0: 5}))
	broker.Close()
	broker, err = embedded.Start(embedded.Options{Listen: broker.Addr(), DataDir: directory})
	require.NoError(t, err)
	defer broker.Close()
	for range 3 { // on every connection that the restart broke
		got, err := c.client.CommittedOffsets(t.Context(), "group", topic)
		require.NoError(t, err)
		assert.Equal(t, map[int]int64{0: 5}, got)
		_, err = c.client.ListOffsets(t.Context(), topic, kafka.Latest)
		require.NoError(t, err)
	}
}

func TestAClusterThatIsSlowToAnswerAtFirstIsWaitedFor(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	slowly := sync.OnceFunc(func() { <-time.After(1500 * time.Millisecond) }) // for longer than metadata lives
	fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		slowly()
		return nil, nil, false
	})
	got, err := c.client.DescribeTopics(t.Context(), "missing")
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestOffsetsAreListedAlsoWhenTheConnectionIsLostForSomePartitions(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("offsets", 3)
	fake.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("dropped"), true
	})
	got, err := c.client.ListOffsets(t.Context(), topic, kafka.Latest)
	require.NoError(t, err)
	assert.Equal(t, map[int]int64{0: 0, 1: 0, 2: 0}, got)
}

func TestOffsetsAreCommittedForAGroupWithoutMembersOnly(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	topic := c.topic("committed", 3)
	got, err := c.client.CommittedOffsets(t.Context(), c.group(), topic)
	require.NoError(t, err)
	assert.Empty(t, got)
	require.NoError(t, c.client.CommitOffsets(t.Context(), c.group(), topic, map[int]int64{0: 5, 2: 0}))
	got, err = c.client.CommittedOffsets(t.Context(), c.group(), topic)
	require.NoError(t, err)
	assert.Equal(t, map[int]int64{0: 5, 2: 0}, got)
	require.NoError(t, c.client.CommitOffsets(t.Context(), c.group(), topic, nil), "nothing to do")

	owners, err := c.client.Owners(t.Context(), c.group(), topic)
	require.NoError(t, err)
	assert.Empty(t, owners)

	s := c.subscriber(kafka.SubscriberOptions{Group: c.group() + "living", Owner: "a store"})
	c.subscribe(s, topic)
	eventually(t, "ready", s.Ready)
	owners, err = c.client.Owners(t.Context(), c.group()+"living", topic)
	require.NoError(t, err)
	assert.Equal(t, []string{"a store"}, owners, "noted before anything is read")
	require.Error(t, c.client.CommitOffsets(t.Context(), c.group()+"living", topic, map[int]int64{0: 5}))
}

// The embedded broker does not know message.timestamp.type.
func TestTheTimeOfARecordIsWhenTheBrokerAppendedIt(t *testing.T) {
	t.Parallel()
	if os.Getenv("KAFKA_BROKERS") == "" {
		t.Skip("needs Apache Kafka in KAFKA_BROKERS")
	}
	c := newCluster(t)
	producer, err := kgo.NewClient(kgo.SeedBrokers(c.config.Brokers...))
	require.NoError(t, err)
	defer producer.Close()
	for kind, slack := range map[string]time.Duration{"LogAppendTime": 0, "CreateTime": time.Hour} {
		topic := "time-" + kind + c.suffix
		require.NoError(t, c.client.CreateTopics(t.Context(), kafka.Topic{
			Name: topic, Partitions: 1, Replication: 1, Configs: map[string]string{"message.timestamp.type": kind},
		}))
		before := time.Now().Truncate(time.Millisecond)
		hourAgo := &kgo.Record{Topic: topic, Timestamp: before.Add(-time.Hour), Value: []byte("value")}
		require.NoError(t, producer.ProduceSync(t.Context(), hourAgo).FirstErr())
		require.NoError(t, c.client.Scan(t.Context(), topic, 0, 0, 1, func(r kafka.Record) error {
			assert.WithinRange(t, r.Time, before.Add(-slack), time.Now().Add(-slack), kind)
			return nil
		}))
	}
}
