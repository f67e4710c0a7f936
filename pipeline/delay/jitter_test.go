package delay

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

var exact = Standard.Exact()

// drawn is what a planned delay becomes.
func drawn(d time.Duration, jitter, random float64) time.Duration {
	begun := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	decision := watch.Decide(&watch.Question{
		Check: watch.Check{Kind: watch.KindChain, Phase: watch.PhaseOpen, PhaseSince: begun, Since: begun, Context: &watch.Context{}},
		Query: watch.Reading{
			From: schemas.SourceQuery,
			Outcome: providers.Outcome{
				Kind: providers.Observed, Observation: &providers.Observation{Status: schemas.Pending},
			},
		},
		Schedule: watch.Schedule{Open: watch.Rhythm{Every: d, Deadline: 1000 * time.Hour}, Jitter: jitter},
		Exact:    exact, Now: begun, Random: random,
	})
	return decision.Next.After
}

func TestExactDelaysAreNotRounded(t *testing.T) {
	t.Parallel()
	assert.True(t, slices.IsSorted(exact))
	for _, d := range exact {
		tiers := Standard.Compose(d)
		require.Equal(t, d, sum(tiers), "%s", d)
		require.LessOrEqual(t, len(tiers), MaxHops)
	}
	rapid.Check(t, func(t *rapid.T) {
		tiers := rapid.SliceOfN(rapid.SampledFrom(Standard), 1, MaxHops).Draw(t, "tiers")
		_, found := slices.BinarySearch(exact, sum(tiers))
		assert.True(t, found, "every sum of %d tiers is there", MaxHops)
	})
}

func TestJitterDrawsAmongTheDelaysInReachThatTiersMake(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int{2 * time.Second: 1, 10 * time.Second: 2, time.Minute: 1, 5 * time.Minute: 7, time.Hour: 1} {
		times := map[time.Duration]int{}
		for i := range 700 {
			times[sum(Standard.Compose(drawn(d, 0.1, (float64(i)+0.5)/700)))]++
		}
		assert.Len(t, times, want, "%s", d)
		for made, n := range times {
			assert.Equal(t, 700/want, n, "%s becomes %s", d, made)
		}
	}

	t.Run("never more than its share shorter, and never longer", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			d := time.Duration(rapid.Int64Range(int64(time.Second), int64(48*time.Hour)).Draw(t, "delay"))
			jitter := rapid.Float64Range(0, 1).Draw(t, "jitter")
			after := drawn(d, jitter, rapid.Float64Range(0, 1).Draw(t, "random"))
			least := d - time.Duration(jitter*float64(d))
			assert.LessOrEqual(t, after, d)
			if d < 5*time.Second {
				least = d
			}
			assert.GreaterOrEqual(t, after, least)
			assert.GreaterOrEqual(t, sum(Standard.Compose(after)), least, "also with its tiers")
			if d >= 5*time.Second && slices.ContainsFunc(exact, func(e time.Duration) bool { return e >= least && e <= d }) {
				assert.Equal(t, after, sum(Standard.Compose(after)), "it is not rounded up again")
			}
		})
	})
}
