package delay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/handlers"
)

func TestADelayIsComposedOfTiersTheLongestFirst(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0s": "1s", "300ms": "1s", "1s": "1s", "2s": "1s,1s", "7s": "5s,1s,1s", "10s": "5s,5s", "26s": "30s", "30s": "30s",
		"90s": "30s,30s,30s", "5m": "2m,2m,30s,30s", "12m": "10m,2m", "30m": "10m,10m,10m", "3h": "1h,1h,1h", "12h": "6h,6h",
		"48h": "6h,6h,6h,6h,6h,6h,6h,6h",
	} {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		assert.Equal(t, want, names(Standard.Compose(d)), text)
	}
}

func TestADelayIsNeverCutShortAndNeverFarTooLong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, int64(MaxHops*6*time.Hour)).Draw(t, "delay"))
		tiers := Standard.Compose(d)
		assert.LessOrEqual(t, len(tiers), MaxHops)
		assert.GreaterOrEqual(t, sum(tiers), d)
		assert.LessOrEqual(t, sum(tiers), sum(Standard.roundUp(d)), "a single tier would be nearer")
		for i := 1; i < len(tiers); i++ {
			assert.LessOrEqual(t, tiers[i].Delay, tiers[i-1].Delay)
		}
	})
}

func TestARecordPassesItsTiersAndComesBackAsItWas(t *testing.T) {
	t.Parallel()
	original := []handlers.Header{{Key: "x", Value: []byte("1")}, {Key: "x", Value: []byte("2")}}
	w := Standard.Begin(7*time.Second, original)
	var passed []string
	for w.Tier != "" {
		passed = append(passed, w.Tier)
		w = Standard.Forward(w.Headers)
	}
	assert.Equal(t, []string{"5s", "1s", "1s"}, passed)
	assert.Equal(t, original, w.Headers)
}

func TestATierThatIsNoMoreIsPassedOver(t *testing.T) {
	t.Parallel()
	w := Standard.Forward([]handlers.Header{{Key: headerHops, Value: []byte("3s,1s")}})
	assert.Equal(t, Waiting{Tier: "1s", Headers: []handlers.Header{}}, w)
}
