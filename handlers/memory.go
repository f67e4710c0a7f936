package handlers

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// MaxLanes bounds the payments that a process remembers. The one used longest ago is forgotten first; that may cost a
// repeated query.
const MaxLanes = 32768

// Memory keeps the lanes of the payments whose partitions this process owns. A lane lives from the assignment of its
// partition to its revocation. It is safe for concurrent use; the messages of one payment must come one at a time.
type Memory struct {
	mu    sync.Mutex
	lanes *simplelru.LRU[place, watch.Lane]
	since map[int]time.Time // by partition: since when the emitted log is known
}

type place struct {
	partition int
	key       schemas.PaymentKey
}

// NewMemory makes an empty memory.
func NewMemory() *Memory {
	lanes, err := simplelru.NewLRU[place, watch.Lane](MaxLanes, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Memory{lanes: lanes, since: map[int]time.Time{}}
}

// Assign begins a partition anew: what was known of it is forgotten, and the emitted log is about to be read from logFrom.
func (m *Memory) Assign(partition int, logFrom time.Time) {
	m.Revoke(partition)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since[partition] = logFrom
}

// Revoke forgets a partition.
func (m *Memory) Revoke(partition int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.since, partition)
	for _, p := range m.lanes.Keys() {
		if p.partition == partition {
			m.lanes.Remove(p)
		}
	}
}

// Lane gives what is known of a payment, and since when the emitted log is known for it.
func (m *Memory) Lane(partition int, key schemas.PaymentKey) (lane watch.Lane, logFrom time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lane, _ = m.lanes.Get(place{partition, key})
	return lane, m.since[partition]
}

// Keep remembers what is known of a payment now.
func (m *Memory) Keep(partition int, key schemas.PaymentKey, lane watch.Lane) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, owned := m.since[partition]; owned {
		m.lanes.Add(place{partition, key}, lane)
	}
}

// RestoreEvent takes in a record of the emitted log, in the order of the log.
func (m *Memory) RestoreEvent(partition int, record Message) {
	trail, ok := decodeTrail(record)
	if !ok {
		return
	}
	lane, _ := m.Lane(partition, trail.PaymentKey)
	lane.Restore(trail)
	m.Keep(partition, trail.PaymentKey, lane)
}

// RestoreCheck takes in a record of the work topic that is below the committed offset.
func (m *Memory) RestoreCheck(partition int, record Message) {
	check, err := watch.DecodeCheck(record.Value)
	if err != nil || check.Version != watch.Version {
		return
	}
	lane, _ := m.Lane(partition, check.PaymentKey)
	lane.RestoreCheck(check)
	m.Keep(partition, check.PaymentKey, lane)
}
