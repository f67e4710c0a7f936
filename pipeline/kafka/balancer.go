package kafka

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
)

// stickyBalancer spreads the partitions of each topic evenly over its members and lets members keep what they had. What a
// member had travels in the user data of its join request, so any member can lead.
type stickyBalancer struct {
	mu   sync.Mutex
	held held
}

// held is what a member was assigned last.
type held struct {
	Generation int32            `json:"generation"`
	Partitions map[string][]int `json:"partitions"`
}

func (b *stickyBalancer) hold(h held) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = h
}

// ProtocolName is the name that members of a group must agree on.
func (*stickyBalancer) ProtocolName() string { return "paystatus-sticky" }

// UserData tells the leader what this member held.
func (b *stickyBalancer) UserData() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return json.Marshal(b.held)
}

// AssignGroups is called on the leader.
func (*stickyBalancer) AssignGroups(members []kafkago.GroupMember, partitions []kafkago.Partition) kafkago.GroupMemberAssignments {
	out := kafkago.GroupMemberAssignments{}
	previous := map[string]held{}
	topics := map[string][]string{} // members of each
	for _, m := range members {
		out[m.ID] = map[string][]int{}
		var h held
		if json.Unmarshal(m.UserData, &h) == nil { // what cannot be read was written by another client: it held nothing
			previous[m.ID] = h
		}
		for _, topic := range m.Topics {
			topics[topic] = append(topics[topic], m.ID)
		}
	}
	existing := map[string][]int{}
	for _, p := range partitions {
		existing[p.Topic] = append(existing[p.Topic], p.ID)
	}
	total := map[string]int{} // partitions of all topics that a member has so far
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		shares := share(topics[topic], existing[topic], owners(topic, previous), total)
		for member, share := range shares {
			out[member][topic] = share
			total[member] += len(share)
		}
	}
	return out
}

// owners tells who held each partition of a topic; of two who say so, the one of the later generation did.
func owners(topic string, previous map[string]held) map[int]string {
	out := map[int]string{}
	for _, member := range slices.Sorted(maps.Keys(previous)) {
		for _, p := range previous[member].Partitions[topic] {
			if other, claimed := out[p]; !claimed || previous[other].Generation < previous[member].Generation {
				out[p] = member
			}
		}
	}
	return out
}

// share divides the partitions of one topic: nobody gets two more than another, and each keeps of what it held as much as that allows.
// Who has fewer partitions of other topics, or held more of this, gets one more where they do not divide evenly.
func share(members []string, partitions []int, owner map[int]string, total map[string]int) map[string][]int {
	out := map[string][]int{}
	if len(members) == 0 {
		return out
	}
	partitions = slices.Compact(slices.Sorted(slices.Values(partitions)))
	keep := map[string][]int{}
	for _, p := range partitions {
		keep[owner[p]] = append(keep[owner[p]], p)
	}
	order := slices.Clone(members)
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(len(keep[b])-len(keep[a]), total[a]-total[b], cmp.Compare(a, b))
	})
	order = slices.Compact(order)
	quota := map[string]int{}
	for i, member := range order {
		quota[member] = len(partitions) / len(order)
		if i < len(partitions)%len(order) {
			quota[member]++
		}
	}
	var free []int
	for _, p := range partitions {
		if member := owner[p]; len(out[member]) < quota[member] {
			out[member] = append(out[member], p)
		} else {
			free = append(free, p)
		}
	}
	for _, member := range order {
		n := quota[member] - len(out[member])
		out[member] = slices.Sorted(slices.Values(slices.Concat(out[member], free[:n])))
		free = free[n:]
	}
	return out
}
