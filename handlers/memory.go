package handlers

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// MaxLanes bounds the payments that a process remembers. The one used longest ago is forgotten first: that may cost a
// repeated query, and the log then counts as known only since something was last said of it.
const MaxLanes = 32768

// Memory keeps the lanes of the payments whose partitions this process owns. A lane lives from the assignment of its
// partition to its revocation. It is safe for concurrent use; the messages of one payment must come one at a time.
type Memory struct {
	mu    sync.Mutex
	lanes *simplelru.LRU[place, remembered]
	owned map[int]Tenure // by partition
	terms int
}

// Tenure is the time for which this process owns a partition, from one assignment to the revocation.
type Tenure struct {
	LogFrom time.Time // since when the emitted log is known of payments that are not remembered

	partition int
	term      int
}

// remembered is a lane with when something was last said.
type remembered struct {
	watch.Lane

	said time.Time
}

type place struct {
	partition int
	key       schemas.PaymentKey
}

// NewMemory makes an empty memory.
func NewMemory() *Memory {
	m := &Memory{owned: map[int]Tenure{}}
	lanes, err := simplelru.NewLRU(MaxLanes, m.forgotten)
	if err != nil {
		panic(err) // only for a size below one
	}
	m.lanes = lanes
	return m
}

// forgotten notes that what was said of a payment is not known any more.
func (m *Memory) forgotten(p place, r remembered) {
	if t, owned := m.owned[p.partition]; owned && t.LogFrom.Before(r.said) {
		t.LogFrom = r.said
		m.owned[p.partition] = t
	}
}

// Assign begins a partition anew: what was known of it is forgotten, and the emitted log is about to be read from logFrom.
func (m *Memory) Assign(partition int, logFrom time.Time) {
	m.Revoke(partition)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.terms++
	m.owned[partition] = Tenure{LogFrom: logFrom, partition: partition, term: m.terms}
}

// Revoke forgets a partition.
func (m *Memory) Revoke(partition int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.owned, partition)
	for _, p := range m.lanes.Keys() {
		if p.partition == partition {
			m.lanes.Remove(p)
		}
	}
}

// Lane gives what is known of a payment, and the tenure of its partition.
func (m *Memory) Lane(partition int, key schemas.PaymentKey) (watch.Lane, Tenure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, _ := m.lanes.Get(place{partition, key})
	return r.Lane, m.owned[partition]
}

// Keep remembers what is known of a payment now, unless the partition has changed hands since the lane was given. Said is when
// something was said; zero: nothing since it was kept last.
func (m *Memory) Keep(t Tenure, key schemas.PaymentKey, lane watch.Lane, said time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now, owned := m.owned[t.partition]; !owned || now.term != t.term {
		return
	}
	p := place{t.partition, key}
	if before, _ := m.lanes.Peek(p); said.IsZero() {
		said = before.said
	}
	m.lanes.Add(p, remembered{lane, said})
}

// RestoreEvent takes in a record of the emitted log, in the order of the log.
func (m *Memory) RestoreEvent(partition int, record Message) {
	trail := TrailOf(record)
	if trail == nil {
		return
	}
	lane, tenure := m.Lane(partition, trail.PaymentKey)
	lane.Restore(*trail)
	m.Keep(tenure, trail.PaymentKey, lane, record.Time)
}

// RestoreCheck takes in a record of the work topic that is below the committed offset.
func (m *Memory) RestoreCheck(partition int, record Message) {
	check, err := watch.DecodeCheck(record.Value)
	if err != nil || !check.Ours() {
		return
	}
	lane, tenure := m.Lane(partition, check.PaymentKey)
	lane.RestoreCheck(check)
	m.Keep(tenure, check.PaymentKey, lane, time.Time{})
}
