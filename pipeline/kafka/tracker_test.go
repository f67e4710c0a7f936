package kafka

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The watermark against a model that knows every offset: it is the first that is neither done nor skipped, and never falls.
func TestTheWatermarkIsTheFirstUnfinishedOffset(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 100).Draw(t, "start")
		tr := tracker{next: start}
		var open []*seen // unfinished, ascending
		last := start
		t.Repeat(map[string]func(*rapid.T){
			"read": func(t *rapid.T) {
				offset := tr.next + rapid.Int64Range(0, 3).Draw(t, "gap")
				open = append(open, tr.read(offset))
			},
			"skip": func(t *rapid.T) {
				tr.skipTo(tr.next + rapid.Int64Range(-2, 3).Draw(t, "by"))
			},
			"finish": func(t *rapid.T) {
				if len(open) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				open[i].done = true
				open = append(open[:i], open[i+1:]...)
			},
			"": func(t *rapid.T) {
				want := tr.next
				if len(open) > 0 {
					want = open[0].offset
				}
				require.Equal(t, want, tr.watermark())
				require.GreaterOrEqual(t, want, last)
				require.GreaterOrEqual(t, tr.span(), len(open))
				last = want
			},
		})
	})
}

func TestALongTrackerForgetsWhatIsDone(t *testing.T) {
	t.Parallel()
	tr := tracker{}
	var all []*seen
	for i := range int64(5000) {
		all = append(all, tr.read(i))
	}
	for i, s := range all[:4000] {
		s.done = true
		assert.Equal(t, int64(i+1), tr.watermark())
	}
	assert.Equal(t, 1000, tr.span())
	assert.Less(t, len(tr.seen), 3000, "room of finished offsets was given back")
}
