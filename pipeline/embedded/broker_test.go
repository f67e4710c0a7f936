package embedded_test

import (
	"context"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paystatus/paystatus/pipeline/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o embedded.Options) *embedded.Broker {
	t.Helper()
	broker, err := embedded.Start(o)
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	return broker
}

func connect(t *testing.T, broker *embedded.Broker) *kafkago.Conn {
	t.Helper()
	conn, err := kafkago.Dial("tcp", broker.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func clientOf(t *testing.T, broker *embedded.Broker) *kafkago.Client {
	t.Helper()
	transport := &kafkago.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafkago.Client{Addr: kafkago.TCP(broker.Addr()), Transport: transport}
}

// write appends to partition 0.
func write(t *testing.T, broker *embedded.Broker, topic, value string) {
	t.Helper()
	conn, err := kafkago.DialLeader(t.Context(), "tcp", broker.Addr(), topic, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.WriteMessages(kafkago.Message{Value: []byte(value)})
	require.NoError(t, err)
}

func read(t *testing.T, broker *embedded.Broker, topic string, count int) []string {
	t.Helper()
	conn, err := kafkago.DialLeader(t.Context(), "tcp", broker.Addr(), topic, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	var values []string
	for range count {
		msg, err := conn.ReadMessage(1 << 20)
		require.NoError(t, err)
		values = append(values, string(msg.Value))
	}
	return values
}

func TestWhatIsWrittenSurvivesARestart(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	first := start(t, embedded.Options{DataDir: directory})
	require.NoError(t, connect(t, first).CreateTopics(kafkago.TopicConfig{Topic: "kept", NumPartitions: 3, ReplicationFactor: 1}))
	write(t, first, "kept", "one")
	committed, err := clientOf(t, first).OffsetCommit(t.Context(), &kafkago.OffsetCommitRequest{
		GroupID: "group", GenerationID: -1, Topics: map[string][]kafkago.OffsetCommit{"kept": {{Partition: 0, Offset: 1}}},
	})
	require.NoError(t, err)
	require.NoError(t, committed.Topics["kept"][0].Error)
	first.Close()

	second := start(t, embedded.Options{Listen: first.Addr(), DataDir: directory})
	assert.Equal(t, first.Addr(), second.Addr())
	write(t, second, "kept", "two")
	assert.Equal(t, []string{"one", "two"}, read(t, second, "kept", 2))
	partitions, err := connect(t, second).ReadPartitions("kept")
	require.NoError(t, err)
	assert.Len(t, partitions, 3)
	fetched, err := clientOf(t, second).OffsetFetch(t.Context(), &kafkago.OffsetFetchRequest{GroupID: "group", Topics: map[string][]int{"kept": {0}}})
	require.NoError(t, err)
	assert.Equal(t, int64(1), fetched.Topics["kept"][0].CommittedOffset)
}

func TestABrokerInMemoryForgets(t *testing.T) {
	t.Parallel()
	first := start(t, embedded.Options{})
	require.NoError(t, connect(t, first).CreateTopics(kafkago.TopicConfig{Topic: "forgotten", NumPartitions: 1, ReplicationFactor: 1}))
	first.Close()
	first.Close()
	second := start(t, embedded.Options{Listen: first.Addr()})
	_, err := connect(t, second).ReadPartitions("forgotten")
	require.ErrorIs(t, err, kafkago.UnknownTopicOrPartition)
}

func TestTopicsDoNotAppearByUse(t *testing.T) {
	t.Parallel()
	broker := start(t, embedded.Options{})
	writer := &kafkago.Writer{
		Addr: kafkago.TCP(broker.Addr()), Topic: "mentioned", AllowAutoTopicCreation: true, MaxAttempts: 1, Transport: clientOf(t, broker).Transport,
	}
	t.Cleanup(func() { _ = writer.Close() })
	require.Error(t, writer.WriteMessages(context.Background(), kafkago.Message{Value: []byte("value")}))
	_, err := connect(t, broker).ReadPartitions("mentioned")
	require.ErrorIs(t, err, kafkago.UnknownTopicOrPartition)
}

func TestAnAddressThatCannotServeIsRefused(t *testing.T) {
	t.Parallel()
	taken := start(t, embedded.Options{})
	for name, listen := range map[string]string{
		"no port": "127.0.0.1", "not a port": "127.0.0.1:kafka", "no host": ":9092", "every host": "0.0.0.0:0", "taken": taken.Addr(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := embedded.Start(embedded.Options{Listen: listen})
			require.Error(t, err)
		})
	}
}

func TestTheBrokersTimeIsStoredWhereTheTopicSaysSo(t *testing.T) {
	t.Parallel()
	broker := start(t, embedded.Options{})
	conn := connect(t, broker)
	wrong := time.Now().Add(-time.Hour)
	for kind, want := range map[string]time.Time{"LogAppendTime": time.Now(), "CreateTime": wrong} {
		require.NoError(t, conn.CreateTopics(kafkago.TopicConfig{
			Topic: kind, NumPartitions: 1, ReplicationFactor: 1,
			ConfigEntries: []kafkago.ConfigEntry{{ConfigName: "message.timestamp.type", ConfigValue: kind}},
		}))
		client := clientOf(t, broker)
		const last = 1100 // it does not end
		for range last + 1 {
			written, err := client.Produce(t.Context(), &kafkago.ProduceRequest{
				Topic: kind, RequiredAcks: kafkago.RequireAll, Records: kafkago.NewRecordReader(kafkago.Record{Time: wrong, Value: kafkago.NewBytes([]byte("x"))}),
			})
			require.NoError(t, err)
			require.NoError(t, written.Error)
		}
		records, err := client.Fetch(t.Context(), &kafkago.FetchRequest{Topic: kind, Offset: last, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second})
		require.NoError(t, err)
		record, err := records.Records.ReadRecord()
		require.NoError(t, err)
		assert.WithinDuration(t, want, record.Time, 30*time.Second, kind)
	}
}
