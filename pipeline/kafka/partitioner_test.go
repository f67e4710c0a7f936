package kafka_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// The hashes are those of Apache Kafka's own test of murmur2 (UtilsTest).
func TestKeysArePartitionedAsTheJavaClientDoes(t *testing.T) {
	t.Parallel()
	const partitions = 7
	c := newCluster(t)
	topic := c.topic("murmur2", partitions)
	publisher := c.publisher()
	for key, hash := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		want := int(hash&0x7fffffff) % partitions
		before, err := c.client.ListOffsets(t.Context(), topic, kafka.Latest)
		require.NoError(t, err)
		require.NoError(t, publisher.Publish(topic, keyed(key, "")))
		after, err := c.client.ListOffsets(t.Context(), topic, kafka.Latest)
		require.NoError(t, err)
		before[want]++
		assert.Equal(t, before, after, "key %s belongs into partition %d", key, want)
	}
}

func TestEveryCompressionIsRead(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("compressed", 1)
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	want := map[string]int{}
	for name, codec := range codecs {
		client := franz(t, fake, kgo.ProducerBatchCompression(codec))
		var records []*kgo.Record
		for i := range 50 {
			value := name + strconv.Itoa(i)
			want[value]++
			records = append(records, &kgo.Record{Topic: topic, Value: []byte(value)})
		}
		require.NoError(t, client.ProduceSync(t.Context(), records...).FirstErr())
	}
	got := map[string]int{}
	last := int64(-1)
	require.NoError(t, c.client.Scan(t.Context(), topic, 0, 0, int64(len(want)), func(r kafka.Record) error {
		got[string(r.Value)]++
		assert.Equal(t, last+1, r.Offset)
		last = r.Offset
		return nil
	}))
	assert.Equal(t, want, got)
}
