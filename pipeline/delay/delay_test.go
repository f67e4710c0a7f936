package delay

import (
	"strconv"
	"testing"
	"testing/synctest"
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
		assert.Equal(t, want, names(Compose(d)), text)
	}
}

func TestADelayIsNeverCutShortAndNeverFarTooLong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, int64(MaxHops*6*time.Hour)).Draw(t, "delay"))
		tiers := Compose(d)
		assert.LessOrEqual(t, len(tiers), MaxHops)
		assert.GreaterOrEqual(t, sum(tiers), d)
		assert.LessOrEqual(t, sum(tiers), sum(roundUp(d)), "a single tier would be nearer")
		for i := 1; i < len(tiers); i++ {
			assert.LessOrEqual(t, tiers[i].Delay, tiers[i-1].Delay)
		}
	})
}

func TestARecordPassesItsTiersAndComesBackAsItWas(t *testing.T) {
	t.Parallel()
	now := time.Now()
	original := []handlers.Header{{Key: "x", Value: []byte("1")}, {Key: "x", Value: []byte("2")}}
	w := Begin(7*time.Second, original, now)
	var passed []string
	for w.Tier != "" {
		passed = append(passed, w.Tier)
		w = Forward(handlers.Message{Headers: w.Headers, Time: now}, now)
	}
	assert.Equal(t, []string{"5s", "1s", "1s"}, passed)
	assert.Equal(t, original, w.Headers)
}

func TestOneWrongClockDelaysNobody(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]time.Duration{"the writer is an hour ahead": time.Hour, "the writer is an hour behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				tier := Tiers[1]
				due := strconv.FormatInt(began.Add(wrong).Add(tier.Delay).UnixMilli(), 10)
				m := handlers.Message{Time: began, Headers: []handlers.Header{{Key: headerDueAt, Value: []byte(due)}}}
				require.NoError(t, tier.Wait(t.Context(), nil, m))
				assert.LessOrEqual(t, time.Since(began), tier.Delay)
			})
		})
	}
}

func TestAHandOverBreaksTheWaitOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		draining := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(draining) })
		began := time.Now()
		err := Tiers[6].Wait(t.Context(), draining, handlers.Message{Time: began})
		require.ErrorIs(t, err, ErrDraining)
		assert.Equal(t, time.Second, time.Since(began))
	})
}
