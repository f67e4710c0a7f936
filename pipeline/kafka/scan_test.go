package kafka_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestScanReadsExactlyItsRange(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 1)
	topic := c.topic("scan", 2)
	publisher := c.publisher()
	for i := range 10 {
		msg := keyed("k", i)
		require.NoError(t, publisher.Publish(topic, msg))
	}
	partition := 0
	if fake.PartitionInfo(topic, 1).HighWatermark > 0 {
		partition = 1
	}
	require.NoError(t, fake.DeleteRecords(topic, int32(partition), 2))
	refused := errors.New("enough")

	for name, test := range map[string]struct {
		from, to int64
		stopAt   int64 // fn fails there; -1: never
		offsets  []int64
		err      error
	}{
		"a part":                   {from: 4, to: 7, stopAt: -1, offsets: []int64{4, 5, 6}},
		"to the end":               {from: 8, to: 10, stopAt: -1, offsets: []int64{8, 9}},
		"from the beginning":       {from: 2, to: 4, stopAt: -1, offsets: []int64{2, 3}},
		"nothing":                  {from: 5, to: 5, stopAt: -1},
		"until fn fails":           {from: 4, to: 10, stopAt: 5, offsets: []int64{4, 5}, err: refused},
		"beyond the end":           {from: 8, to: 11, stopAt: -1, err: kafka.ErrOffsetOutOfRange},
		"from after the end":       {from: 11, to: 12, stopAt: -1, err: kafka.ErrOffsetOutOfRange},
		"from before what is left": {from: 1, to: 4, stopAt: -1, err: kafka.ErrOffsetOutOfRange},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var offsets []int64
			err := c.client.Scan(context.Background(), topic, partition, test.from, test.to, func(r kafka.Record) error {
				assert.Equal(t, topic, r.Topic)
				assert.Equal(t, partition, r.Partition)
				assert.Equal(t, "k", string(r.Key))
				offsets = append(offsets, r.Offset)
				if r.Offset == test.stopAt {
					return refused
				}
				return nil
			})
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, test.offsets, offsets)
		})
	}

	t.Run("an unknown partition", func(t *testing.T) {
		t.Parallel()
		require.Error(t, c.client.Scan(context.Background(), topic, 7, 0, 1, nil))
	})
	t.Run("a cancelled context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.ErrorIs(t, c.client.Scan(ctx, topic, partition, 2, 10, nil), context.Canceled)
	})
}

func TestSearchGivesOnlyWhatIsChosen(t *testing.T) {
	t.Parallel()
	_, c := newFake(t, 1)
	topic := c.topic("search", 1)
	publisher := c.publisher()
	for i := range 300 {
		key := "other"
		if i%100 == 7 {
			key = "wanted"
		}
		require.NoError(t, publisher.Publish(topic, keyed(key, i)))
	}
	var offsets []int64
	wanted := func(key, value []byte) bool {
		assert.NotEmpty(t, value)
		return string(key) == "wanted"
	}
	searched, err := c.client.Search(t.Context(), topic, 0, 5, 207, wanted, func(r kafka.Record) error {
		assert.Equal(t, topic, r.Topic)
		assert.Equal(t, "wanted", string(r.Key))
		offsets = append(offsets, r.Offset)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []int64{7, 107}, offsets, "207 is behind the range")
	assert.Equal(t, int64(202), searched.Records)
	assert.Positive(t, searched.Bytes)

	refused := errors.New("enough")
	searched, err = c.client.Search(t.Context(), topic, 0, 0, 300, wanted, func(kafka.Record) error { return refused })
	require.ErrorIs(t, err, refused)
	assert.Equal(t, int64(8), searched.Records, "what was gone through until then")
}
