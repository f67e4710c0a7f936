package kafka

import (
	"cmp"
	"log/slog"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// assignedGeneration is a generation with partition 0 and the given records read, without a broker.
func assignedGeneration(t *testing.T, options SubscriberOptions, records ...Record) (*generation, *partition) {
	t.Helper()
	options.ReadAhead = cmp.Or(options.ReadAhead, aheadBytes)
	s := &subscription{options: options, topic: "t", log: slog.New(slog.DiscardHandler), out: make(chan *message.Message)}
	g := newGeneration(s, &kafkago.Generation{ID: 1, Assignments: map[string][]kafkago.PartitionAssignment{"t": {{ID: 0}}}})
	g.lease = newLease(time.Hour, time.Now())
	g.messages = t.Context()
	p := g.partitions[0]
	g.read(p, records, int64(len(records)), int64(len(records)))
	return g, p
}

func TestNothingCountsAfterTheHandOver(t *testing.T) {
	t.Parallel()
	g, p := assignedGeneration(t, SubscriberOptions{InFlight: 9}, Record{Offset: 0, Key: []byte("a")}, Record{Offset: 1, Key: []byte("b")})
	first, second := g.take(), g.take()
	g.acked(first)
	require.Equal(t, int64(1), p.tracker.watermark())
	g.revoke()
	g.acked(second)
	g.nacked(second)
	assert.Equal(t, int64(1), p.tracker.watermark())
	assert.Equal(t, 1, g.running, "nobody waits for it any more")
	require.ErrorIs(t, g.lease.Err(), ErrLeaseLost)
}

func TestAFullPartitionHasToBecomeHalfEmpty(t *testing.T) {
	t.Parallel()
	var records []Record
	for i := range int64(8) {
		records = append(records, Record{Offset: i})
	}
	g, p := assignedGeneration(t, SubscriberOptions{InFlight: 8}, records...)
	p.leader = "leader"
	fetched := func() int {
		positions, _ := g.fetchable("leader", 0)
		return len(positions)
	}
	assert.Zero(t, fetched(), "full")
	for range 4 {
		g.acked(g.take())
		assert.Zero(t, fetched(), "not half empty")
	}
	g.acked(g.take())
	assert.Equal(t, 1, fetched())
}

func TestWhatIsReadAheadIsBounded(t *testing.T) {
	t.Parallel()
	large := Record{Value: make([]byte, 1000)}
	g, p := assignedGeneration(t, SubscriberOptions{InFlight: 100, ReadAhead: 1000}, large)
	assert.False(t, g.room(p), "bytes")
	g.acked(g.take())
	assert.True(t, g.room(p))

	var records []Record
	for i := range int64(aheadSpan*10 + 1) {
		records = append(records, Record{Offset: i})
	}
	g, p = assignedGeneration(t, SubscriberOptions{InFlight: 10}, records...)
	stuck := g.take()
	for range len(records) - 1 {
		g.acked(g.take())
	}
	assert.False(t, g.room(p), "all but the first are done, but a crash would repeat them")
	g.acked(stuck)
	assert.True(t, g.room(p))
}
