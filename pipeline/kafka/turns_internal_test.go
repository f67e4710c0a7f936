package kafka

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// records are n records without a key, each a lane of its own.
func records(partition, n int) []Record {
	var all []Record
	for i := range n {
		all = append(all, Record{Partition: partition, Offset: int64(i)})
	}
	return all
}

// twoPartitions is a generation with the partitions 0 and 1 of one leader, and so many records read of each.
func twoPartitions(t *testing.T, inFlight, first, second int) (*generation, *partition, *partition) {
	t.Helper()
	g, p := assignedGeneration(t, SubscriberOptions{InFlight: inFlight})
	q := &partition{id: 1}
	g.partitions[1] = q
	p.leader, q.leader = "leader", "leader"
	g.loops["leader"] = make(chan struct{}, 1)
	g.read(p, records(0, first), int64(first), int64(first))
	g.read(q, records(1, second), int64(second), int64(second))
	return g, p, q
}

func TestPartitionsTakeTurns(t *testing.T) {
	t.Parallel()
	g, _, _ := twoPartitions(t, 9, 4, 2)
	var order []int
	for range 6 {
		order = append(order, g.take().record.Partition)
	}
	assert.Equal(t, []int{0, 1, 0, 1, 0, 0}, order)
	assert.Nil(t, g.take())
}

func TestNoMoreIsReadWhileEnoughCanBeHandedOut(t *testing.T) {
	t.Parallel()
	g, p, q := twoPartitions(t, 8, 7, 1)
	fetched := func() []int {
		var all []int
		positions, _ := g.fetchable("leader", 0)
		for _, at := range positions {
			all = append(all, at.partition)
		}
		return all
	}
	assert.Empty(t, fetched(), "eight are ready, and both partitions have some")
	for range 4 {
		g.take()
	}
	assert.Empty(t, fetched(), "four are ready: not less than half")
	assert.Empty(t, g.loops["leader"])
	g.take()
	assert.Len(t, g.loops["leader"], 1, "the fetch loop is woken")
	assert.Equal(t, []int{0, 1}, fetched())
	assert.Equal(t, []int{7, 4, 1, 1}, []int{p.pending, p.running, q.pending, q.running}, "those that run do not keep others from being read")
}

func TestAPartitionWithNothingUnfinishedIsAlwaysRead(t *testing.T) {
	t.Parallel()
	g, _, q := twoPartitions(t, 4, 20, 0)
	assert.True(t, g.room(q))
}

func TestRecordsThatWaitForAnotherDoNotKeepOthersFromBeingRead(t *testing.T) {
	t.Parallel()
	g, p := assignedGeneration(t, SubscriberOptions{InFlight: 10})
	hot := records(0, 9)
	for i := range hot {
		hot[i].Key = []byte("hot")
	}
	g.read(p, hot, 9, 9)
	assert.Equal(t, 1, g.runnable)
	assert.True(t, g.room(p))
}

func TestAQueueIsFirstInFirstOutAndReusesItsSpace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var q queue[int]
		var model []int
		most := rapid.IntRange(1, 40).Draw(t, "most")
		next := 0
		for range 400 {
			if len(model) < most && (len(model) == 0 || rapid.Bool().Draw(t, "push")) {
				q.push(next)
				model = append(model, next)
				next++
			} else {
				require.Equal(t, model[0], q.pop())
				model = model[1:]
			}
			require.Equal(t, len(model), q.len())
			require.LessOrEqual(t, cap(q.items), 4*most+8)
		}
	})
}
