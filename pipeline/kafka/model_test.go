package kafka_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// model is told all that a group does while a schedule runs, and notes what should not have happened.
type model struct {
	schedule schedule

	mu          sync.Mutex
	problems    []string
	generations []*modelGeneration
	byLease     map[*kafka.Lease]*modelGeneration
	attempts    map[place]int
	acked       map[place]bool
	effects     map[string]int // by key: the highest number that was handled under a lease
	committed   map[int]int64  // of the group
}

// place is where a record is.
type place struct {
	partition int
	offset    int64
}

// modelGeneration is one member's share in one generation.
type modelGeneration struct {
	member    string
	number    int32
	start     map[int]int64 // by partition: where it begins
	revoked   bool
	running   map[string]place   // by lane
	begun     map[string][]int64 // by lane: offsets handed out, without repetitions
	acked     map[place]bool
	committed map[int]int64
}

func newModel(s schedule) *model {
	return &model{
		schedule: s, byLease: map[*kafka.Lease]*modelGeneration{}, attempts: map[place]int{}, acked: map[place]bool{},
		effects: map[string]int{}, committed: map[int]int64{},
	}
}

// problem needs mu.
func (m *model) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

func (m *model) lane(r kafka.Record) string {
	if m.schedule.lanes == kafka.LaneByPartition {
		return strconv.Itoa(r.Partition)
	}
	return string(r.Key)
}

// assigned begins a generation of a member.
func (m *model) assigned(member string, a kafka.Assignment) *modelGeneration {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := &modelGeneration{
		member: member, number: a.Generation, start: map[int]int64{}, running: map[string]place{}, begun: map[string][]int64{},
		acked: map[place]bool{}, committed: map[int]int64{},
	}
	for _, p := range a.Partitions {
		g.start[p.Partition], g.committed[p.Partition] = p.Committed, p.Committed
	}
	m.generations = append(m.generations, g)
	return g
}

func (m *model) revoked(g *modelGeneration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.revoked = true
}

// begins is told that a message was received while g was the member's latest generation, and answers what its handler is to do.
func (m *model) begins(g *modelGeneration, msg *message.Message) (*modelGeneration, conduct) {
	r, _ := kafka.RecordOf(msg.Context())
	lease := kafka.LeaseOf(msg.Context())
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.byLease[lease]; known != nil {
		g = known
	}
	at, lane := place{r.Partition, r.Offset}, m.lane(r)
	m.attempts[at]++
	does := m.schedule.conduct(string(r.Key), string(r.Value), m.attempts[at])
	if g == nil {
		m.problem("%v was handed out before anything was assigned", at)
		return nil, does
	}
	m.byLease[lease] = g
	if g.revoked {
		m.problem("%v was handed out by generation %d of %s after its hand-over", at, g.number, g.member)
	}
	if start, ok := g.start[at.partition]; !ok || at.offset < start {
		m.problem("%v was handed out by generation %d of %s, which has %v", at, g.number, g.member, g.start)
	}
	if other, busy := g.running[lane]; busy {
		m.problem("%v was handed out by generation %d of %s while %v of lane %s ran", at, g.number, g.member, other, lane)
	}
	if g.acked[at] {
		m.problem("%v was handed out by generation %d of %s again after its ack", at, g.number, g.member)
	}
	g.running[lane] = at
	if begun := g.begun[lane]; len(begun) == 0 || begun[len(begun)-1] != at.offset {
		g.begun[lane] = append(begun, at.offset)
	}
	return g, does
}

// ends is told that a handler is through and would ack, and says whether to: not if it cannot publish what it came to. Only when its
// generation was handed over it acks all the same, which must change nothing.
func (m *model) ends(g *modelGeneration, msg *message.Message, acks bool) bool {
	r, _ := kafka.RecordOf(msg.Context())
	at, key := place{r.Partition, r.Offset}, string(r.Key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if g == nil {
		return acks
	}
	delete(g.running, m.lane(r))
	holds := kafka.LeaseOf(msg.Context()).Err() == nil
	if g.revoked && holds {
		m.problem("%v: the lease of generation %d of %s holds after its hand-over", at, g.number, g.member)
	}
	if !acks || !holds {
		return acks && g.revoked
	}
	m.acked[at], g.acked[at] = true, true
	number, _ := strconv.Atoi(string(r.Value))
	if number > m.effects[key]+1 {
		m.problem("%v: number %d of key %s was handled after %d", at, number, key, m.effects[key])
	}
	m.effects[key] = max(m.effects[key], number)
	return true
}

// commits is told of a request before the coordinator decides about it.
func (m *model) commits(request *kmsg.OffsetCommitRequest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.generations, func(g *modelGeneration) bool {
		return g.number == request.Generation && strings.HasPrefix(request.MemberID, g.member+"-")
	})
	for _, topic := range request.Topics {
		for _, p := range topic.Partitions {
			if i < 0 {
				if p.Offset != 0 { // the start that is resolved before anything is assigned
					m.problem("%s committed %d/%d before anything was assigned to it", request.MemberID, p.Partition, p.Offset)
				}
				continue
			}
			m.commit(m.generations[i], int(p.Partition), p.Offset)
		}
	}
}

func (m *model) commit(g *modelGeneration, partition int, offset int64) {
	if g.revoked {
		m.problem("generation %d of %s committed %d/%d after its hand-over", g.number, g.member, partition, offset)
	}
	if before, ok := g.committed[partition]; !ok || offset < before {
		m.problem("generation %d of %s committed %d/%d, back from %d", g.number, g.member, partition, offset, before)
	}
	for ; g.committed[partition] < offset; g.committed[partition]++ {
		if first := (place{partition, g.committed[partition]}); !g.acked[first] {
			m.problem("generation %d of %s committed %d/%d though %d is not done", g.number, g.member, partition, offset, first.offset)
			g.committed[partition] = offset
			return
		}
	}
}

// reads is told what the group has committed.
func (m *model) reads(committed map[int]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for partition, offset := range committed {
		if offset < m.committed[partition] {
			m.problem("the group's offset of partition %d fell from %d to %d", partition, m.committed[partition], offset)
		}
		m.committed[partition] = offset
	}
}

// finish compares all that was seen with the log, by partition, and what was published, by key.
func (m *model) finish(log map[int][]kafka.Record, published map[string]int) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	written := map[string]int{}
	order := map[string][]kafka.Record{} // of lanes
	for _, records := range log {
		for _, r := range records {
			key := string(r.Key)
			number, _ := strconv.Atoi(string(r.Value))
			if number != written[key]+1 && number != written[key] { // a write that was applied and timed out is repeated
				m.problem("number %d of key %s was written after %d", number, key, written[key])
			}
			written[key] = number
			order[m.lane(r)] = append(order[m.lane(r)], r)
			if !m.acked[place{r.Partition, r.Offset}] {
				m.problem("%d/%d was never handled", r.Partition, r.Offset)
			}
		}
	}
	for key, number := range published {
		if written[key] != number {
			m.problem("of key %s %d were published and %d written", key, number, written[key])
		}
	}
	for _, g := range m.generations {
		for lane, begun := range g.begun {
			var want []int64
			for _, r := range order[lane] {
				if r.Offset >= g.start[r.Partition] && len(want) < len(begun) {
					want = append(want, r.Offset)
				}
			}
			if !slices.Equal(want, begun) {
				m.problem("generation %d of %s handed out %v of lane %s, not %v", g.number, g.member, begun, lane, want)
			}
		}
	}
	return m.problems
}
