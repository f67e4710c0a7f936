package delay

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Clock tells the brokers' time, by which records are due. The clock of this process's host may be an hour off: ahead, it would
// let everything go at once; behind, everything would wait an hour longer, whoever wrote it. So it is asked only until a broker has told its
// time; then the monotonic clock goes on from there.
type Clock struct {
	host  func() time.Time
	began time.Time // on the monotonic clock

	mu     sync.Mutex
	told   bool
	base   time.Time     // the brokers' time at began
	best   time.Time     // the same by the swiftest acknowledgement of this window; zero: none
	window time.Duration // since began, when the window ends
}

const (
	// behind is by how much a record read must be ahead of the host's clock to prove it wrong.
	behind = time.Second
	// windows are how long the swiftest acknowledgement counts: so long clocks don't drift apart.
	windows = 10 * time.Second
	// nap is how long a wait goes on before the clock is asked again: it may have been put right.
	nap = time.Second
)

// NewClock makes a Clock that begins with the host's time; nil: time.Now.
func NewClock(host func() time.Time) *Clock {
	if host == nil {
		host = time.Now
	}
	return &Clock{host: host, began: time.Now()}
}

// Now is the brokers' time, or a little before it: as much as an acknowledgement takes.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now(time.Since(c.began))
}

func (c *Clock) now(since time.Duration) time.Time {
	if !c.told {
		return c.host()
	}
	return c.base.Add(since)
}

// Appended is told that a broker appended a record at that time and that this was acknowledged just now.
func (c *Clock) Appended(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := time.Since(c.began)
	base := at.Add(-since)
	if base.After(c.best) {
		c.best = base
	}
	switch {
	case !c.told || base.After(c.base):
		c.told, c.base = true, base
	case since >= c.window:
		c.base, c.best, c.window = c.best, time.Time{}, since+windows
	}
}

// Saw is told that a record was read which a broker appended at that time: it must be later by now.
func (c *Clock) Saw(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := time.Since(c.began)
	if at.After(c.now(since).Add(behind)) {
		c.told, c.base = true, at.Add(-since)
	}
}

// ErrDraining says that a wait was broken off because the partition is handed over; the next owner waits on. It is a
// cancellation.
var ErrDraining = fmt.Errorf("delay: the partition is handed over: %w", context.Canceled)

// Wait waits until the clock says due. Draining ends the wait early.
func (c *Clock) Wait(ctx context.Context, draining <-chan struct{}, due time.Time) error {
	for {
		left := due.Sub(c.Now())
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(min(left, nap))
		select {
		case <-timer.C:
		case <-draining:
			timer.Stop()
			return ErrDraining
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("delay: %w", ctx.Err())
		}
	}
}
