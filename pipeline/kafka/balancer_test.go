package kafka

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func partitionsOf(topic string, n int) []kafkago.Partition {
	var out []kafkago.Partition
	for i := range n {
		out = append(out, kafkago.Partition{Topic: topic, ID: i})
	}
	slices.Reverse(out) // brokers answer in any order
	return out
}

func memberWith(t require.TestingT, id string, generation int32, partitions map[string][]int, topics ...string) kafkago.GroupMember {
	b := &stickyBalancer{}
	b.hold(held{Generation: generation, Partitions: partitions})
	data, err := b.UserData()
	require.NoError(t, err)
	return kafkago.GroupMember{ID: id, Topics: topics, UserData: data}
}

func TestShares(t *testing.T) {
	t.Parallel()
	topic := []string{"t"}
	for name, test := range map[string]struct {
		members    []kafkago.GroupMember
		partitions int
		want       kafkago.GroupMemberAssignments
	}{
		"one member has all": {
			[]kafkago.GroupMember{{ID: "a", Topics: topic}},
			3,
			kafkago.GroupMemberAssignments{"a": {"t": {0, 1, 2}}},
		},
		"new members share alike": {
			[]kafkago.GroupMember{{ID: "b", Topics: topic}, {ID: "a", Topics: topic}},
			3,
			kafkago.GroupMemberAssignments{"a": {"t": {0, 1}}, "b": {"t": {2}}},
		},
		"a joining member takes only what it must": {
			[]kafkago.GroupMember{{ID: "b", Topics: topic}, memberWith(t, "a", 1, map[string][]int{"t": {0, 1, 2, 3}}, "t")},
			4,
			kafkago.GroupMemberAssignments{"a": {"t": {0, 1}}, "b": {"t": {2, 3}}},
		},
		"who stays keeps what it had": {
			[]kafkago.GroupMember{
				memberWith(t, "a", 2, map[string][]int{"t": {1, 4}}, "t"), memberWith(t, "b", 2, map[string][]int{"t": {0, 3}}, "t"),
			},
			6,
			kafkago.GroupMemberAssignments{"a": {"t": {1, 2, 4}}, "b": {"t": {0, 3, 5}}},
		},
		"of two who claim a partition the later generation held it": {
			[]kafkago.GroupMember{
				memberWith(t, "a", 1, map[string][]int{"t": {0}}, "t"), memberWith(t, "b", 2, map[string][]int{"t": {0}}, "t"),
			},
			2,
			kafkago.GroupMemberAssignments{"a": {"t": {1}}, "b": {"t": {0}}},
		},
		"more members than partitions": {
			[]kafkago.GroupMember{{ID: "a", Topics: topic}, memberWith(t, "b", 1, map[string][]int{"t": {0}}, "t")},
			1,
			kafkago.GroupMemberAssignments{"a": {"t": {}}, "b": {"t": {0}}},
		},
		"what another client wrote is not read": {
			[]kafkago.GroupMember{{ID: "a", Topics: topic, UserData: []byte{0, 1, 2}}},
			1,
			kafkago.GroupMemberAssignments{"a": {"t": {0}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := (&stickyBalancer{}).AssignGroups(test.members, partitionsOf("t", test.partitions))
			for member, want := range test.want {
				assert.ElementsMatch(t, want["t"], got[member]["t"], "member %s", member)
				assert.True(t, slices.IsSorted(got[member]["t"]))
			}
			assert.Len(t, got, len(test.want))
		})
	}
}

// However members come and go: every partition has one owner, shares differ by at most one, and nobody loses a partition that it might have kept.
func TestSharesAreCompleteEvenAndSticky(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		current := map[string][]int{} // member → partitions
		for generation := range rapid.Int32Range(1, 8).Draw(t, "generations") {
			partitions := rapid.IntRange(1, 12).Draw(t, "partitions")
			alive := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 6, rapid.ID[int]).Draw(t, "members")
			var members []kafkago.GroupMember
			before := map[string][]int{}
			for _, m := range alive {
				id := fmt.Sprintf("m%d", m)
				before[id] = slices.DeleteFunc(slices.Clone(current[id]), func(p int) bool { return p >= partitions })
				members = append(members, memberWith(t, id, generation, map[string][]int{"t": current[id]}, "t"))
			}
			got := (&stickyBalancer{}).AssignGroups(members, partitionsOf("t", partitions))
			current = map[string][]int{}
			var all []int
			for id, share := range got {
				current[id] = share["t"]
				all = append(all, share["t"]...)
			}
			slices.Sort(all)
			want := make([]int, partitions)
			for i := range want {
				want[i] = i
			}
			require.Equal(t, want, all)
			floor, ceiling := partitions/len(members), (partitions+len(members)-1)/len(members)
			for _, id := range slices.Sorted(maps.Keys(current)) {
				require.GreaterOrEqual(t, len(current[id]), floor)
				require.LessOrEqual(t, len(current[id]), ceiling)
				kept := 0
				for _, p := range before[id] {
					if slices.Contains(current[id], p) {
						kept++
					}
				}
				require.GreaterOrEqual(t, kept, min(len(before[id]), floor), "%s had %v, has %v", id, before[id], current[id])
				gaveOneForAnother := kept < len(before[id]) && kept < len(current[id])
				require.False(t, gaveOneForAnother, "%s had %v, has %v", id, before[id], current[id])
			}
		}
	})
}

func TestMembersOfDifferentTopics(t *testing.T) {
	t.Parallel()
	got := (&stickyBalancer{}).AssignGroups(
		[]kafkago.GroupMember{{ID: "a", Topics: []string{"x", "y"}}, {ID: "b", Topics: []string{"y"}}, {ID: "c", Topics: []string{"missing"}}},
		slices.Concat(partitionsOf("x", 1), partitionsOf("y", 3)),
	)
	assert.Equal(t, []int{0}, got["a"]["x"])
	assert.Len(t, got["a"]["y"], 1, "it has a partition of the other topic")
	assert.Len(t, got["b"]["y"], 2)
	assert.Empty(t, got["c"]["missing"])
}
