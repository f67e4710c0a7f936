package delay

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// off is a host's clock that is wrong.
func off(by time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(by) } }

func TestUntilABrokerTellsItsTimeTheHostsIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(nil)
		<-time.After(time.Hour)
		assert.Equal(t, time.Now(), c.Now())
	})
}

func TestTheBrokersTimeOutranksTheHosts(t *testing.T) {
	t.Parallel()
	for name, host := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour behind": -time.Hour, "right": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := NewClock(off(host))
				c.Appended(time.Now())
				<-time.After(3 * time.Hour)
				assert.Equal(t, time.Now(), c.Now())
			})
		})
	}
}

func TestARecordFromTheFutureProvesTheHostsClockWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(off(-time.Hour))
		c.Saw(time.Now().Add(-2 * time.Hour)) // it may have lain there for long
		assert.Equal(t, time.Now().Add(-time.Hour), c.Now())
		c.Saw(time.Now())
		<-time.After(time.Minute)
		assert.Equal(t, time.Now(), c.Now())
	})
}

func TestTheSwiftestAcknowledgementCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(nil)
		c.Appended(time.Now().Add(-time.Millisecond))
		for range 1000 {
			<-time.After(100 * time.Millisecond)
			c.Appended(time.Now().Add(-time.Millisecond))
			c.Appended(time.Now().Add(-5 * time.Second)) // a slow one
			assert.WithinDuration(t, time.Now(), c.Now(), time.Millisecond)
		}
	})
}

func TestABrokersClockThatIsPutBackIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(nil)
		c.Appended(time.Now().Add(time.Hour))
		for range 30 {
			<-time.After(time.Second)
			c.Appended(time.Now())
		}
		assert.Equal(t, time.Now(), c.Now())
	})
}

func TestAWaitEndsWhenTheClockIsPutRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := NewClock(off(-time.Hour))
		time.AfterFunc(10*time.Second, func() { c.Appended(time.Now()) })
		require.NoError(t, c.Wait(t.Context(), nil, began.Add(5*time.Second)))
		assert.LessOrEqual(t, time.Since(began), 10*time.Second+nap)
	})
}

func TestAWaitLastsUntilItIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, NewClock(nil).Wait(t.Context(), nil, began.Add(6*time.Hour+time.Millisecond)))
		assert.Equal(t, 6*time.Hour+time.Millisecond, time.Since(began))
	})
}

func TestAHandOverBreaksTheWaitOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		draining := make(chan struct{})
		time.AfterFunc(100*time.Millisecond, func() { close(draining) })
		err := NewClock(nil).Wait(t.Context(), draining, began.Add(6*time.Hour))
		require.ErrorIs(t, err, ErrDraining)
		require.ErrorIs(t, err, context.Canceled, "the router does not log it")
		assert.Equal(t, 100*time.Millisecond, time.Since(began))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, NewClock(nil).Wait(ctx, nil, began.Add(6*time.Hour)), context.Canceled)
	})
}
