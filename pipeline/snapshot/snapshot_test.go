package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

const (
	topic      = "said"
	partitions = 3
)

// filled is a broker with a topic of so many records, whose values are numbers in the order of time.
func filled(t *testing.T, records int) *pipelinetest.Broker {
	t.Helper()
	b := pipelinetest.Connect(t, kafka.Config{Brokers: pipelinetest.Embedded(t)})
	require.NoError(t, b.Client.CreateTopics(t.Context(), kafka.Topic{Name: topic, Partitions: partitions, Replication: 1}))
	fill(b, 0, records)
	return b
}

func fill(b *pipelinetest.Broker, from, to int) {
	for i := from; i < to; i++ {
		b.Produce(topic, fmt.Sprintf("order-%d", i%20), fmt.Append(nil, i))
	}
}

// values are what a snapshot's Each or InTime gives.
func values(t *testing.T, walk func(context.Context, func(kafka.Record) error) error) (all []string) {
	t.Helper()
	require.NoError(t, walk(t.Context(), func(r kafka.Record) error {
		all = append(all, string(r.Value))
		return nil
	}))
	return all
}

func TestWhatIsWrittenLaterIsNotPartOfASnapshot(t *testing.T) {
	t.Parallel()
	b := filled(t, 100)
	s, err := snapshot.Range{}.Freeze(t.Context(), b.Client, topic)
	require.NoError(t, err)
	fill(b, 100, 120)
	assert.Len(t, values(t, s.Each), 100)
	assert.Equal(t, int64(100), s.Records())

	named, err := snapshot.ParseOffsets(s.Spans.String())
	require.NoError(t, err)
	again, err := snapshot.Range{Offsets: named}.Freeze(t.Context(), b.Client, topic)
	require.NoError(t, err)
	assert.Equal(t, s.Spans, again.Spans, "named by its offsets, it is the same")
	onwards, err := snapshot.From(t.Context(), b.Client, topic, s.Onwards())
	require.NoError(t, err)
	assert.Len(t, values(t, onwards.Each), 20)
}

func TestARangeIsOfTimesPartitionsOffsetsAndKeys(t *testing.T) {
	t.Parallel()
	b := filled(t, 60)
	hour := time.Now().Add(-time.Hour)
	for name, test := range map[string]struct {
		chosen snapshot.Range
		want   int
	}{
		"everything":      {snapshot.Range{}, 60},
		"since a time":    {snapshot.Range{Since: hour}, 60},
		"since later":     {snapshot.Range{Since: hour.Add(2 * time.Hour)}, 0},
		"until a time":    {snapshot.Range{Until: hour}, 0},
		"until now":       {snapshot.Range{Until: time.Now().Add(time.Minute)}, 60},
		"of offsets":      {snapshot.Range{Offsets: snapshot.Spans{0: {From: 1, To: 3}, 1: {To: 1}}}, 3},
		"of keys":         {snapshot.Range{Payments: map[string]bool{"order-1": true, "order-2": true}}, 6},
		"beyond what is":  {snapshot.Range{Offsets: snapshot.Spans{2: {From: 1000}}}, 0},
		"of some offsets": {snapshot.Range{Offsets: snapshot.Spans{0: {From: 1, To: 3}}, Payments: map[string]bool{"nobody": true}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := test.chosen.Freeze(t.Context(), b.Client, topic)
			require.NoError(t, err)
			assert.Len(t, values(t, s.Each), test.want)
		})
	}
	_, err := snapshot.Range{Offsets: snapshot.Spans{7: {}}}.Freeze(t.Context(), b.Client, topic)
	require.ErrorContains(t, err, "said has no partition 7: it has 3, from 0")
	_, err = snapshot.Range{}.Freeze(t.Context(), b.Client, "nowhere")
	require.ErrorContains(t, err, "there is no topic nowhere; `paystatus topics create`")
}

func TestPartitionsAreReadInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	b := filled(t, 100)
	s, err := snapshot.Range{}.Freeze(t.Context(), b.Client, topic)
	require.NoError(t, err)
	require.Len(t, s.Spans, partitions)
	var times []time.Time
	byPartition := map[int]int64{}
	require.NoError(t, s.InTime(t.Context(), func(r kafka.Record) error {
		assert.Equal(t, byPartition[r.Partition], r.Offset)
		byPartition[r.Partition]++
		times = append(times, r.Time)
		return nil
	}))
	require.Len(t, times, 100)
	for i := range times[1:] {
		assert.False(t, times[i+1].Before(times[i]))
	}
	enough := errors.New("enough")
	require.ErrorIs(t, s.InTime(t.Context(), func(kafka.Record) error { return enough }), enough)
}

func TestATailReadsOnFromWhereItWas(t *testing.T) {
	t.Parallel()
	b := filled(t, 10)
	tail := snapshot.Tail{Client: b.Client, Topic: topic}
	assert.Len(t, values(t, tail.Read), 10)
	assert.Empty(t, values(t, tail.Read))
	fill(b, 10, 15)
	failed := errors.New("failed")
	require.ErrorIs(t, tail.Read(t.Context(), func(kafka.Record) error { return failed }), failed)
	assert.Equal(t, "10 11 12 13 14", strings.Join(slices.Sorted(slices.Values(values(t, tail.Read))), " "), "after an error it is where it was")
}

func TestProgressIsToldNowAndThen(t *testing.T) {
	t.Parallel()
	b := filled(t, 200)
	s, err := snapshot.Range{}.Freeze(t.Context(), b.Client, topic)
	require.NoError(t, err)
	told := map[int64]bool{}
	s.Progress = func(records int64) { told[records] = true }
	assert.Len(t, values(t, s.Each), 200)
	assert.Equal(t, map[int64]bool{64: true, 128: true, 192: true}, told)
}
