package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrLeaseLost says that the generation that delivered a message may no longer own its partition, so that another member may
// already be working on the same message: what this one came to must not be published.
var ErrLeaseLost = errors.New("kafka: lease lost")

// Lease is the right of a generation to publish results for the partitions that it was assigned. It holds while the
// generation is not handed over and its last acknowledged heartbeat, counted from sending, is younger than the session
// timeout: until then the coordinator gives the partitions to nobody else. A nil Lease always holds.
type Lease struct {
	session time.Duration
	start   time.Time    // the monotonic clock that sent counts from
	sent    atomic.Int64 // nanoseconds from start at which the last acknowledged heartbeat was sent
	over    atomic.Bool
}

func newLease(session time.Duration, sent time.Time) *Lease {
	return &Lease{session: session, start: sent}
}

// Err is nil while the lease holds, else it wraps ErrLeaseLost.
func (l *Lease) Err() error {
	switch {
	case l == nil:
		return nil
	case l.over.Load():
		return fmt.Errorf("%w: the generation was handed over", ErrLeaseLost)
	case time.Since(l.start) >= time.Duration(l.sent.Load())+l.session:
		return fmt.Errorf("%w: no heartbeat was acknowledged for %s", ErrLeaseLost, l.session)
	}
	return nil
}

// age is the time since the last acknowledged heartbeat was sent.
func (l *Lease) age() time.Duration { return time.Since(l.start) - time.Duration(l.sent.Load()) }

// renew notes a heartbeat that was sent at that time and acknowledged.
func (l *Lease) renew(sent time.Time) { l.sent.Store(int64(sent.Sub(l.start))) }

// end gives the lease up for good.
func (l *Lease) end() { l.over.Store(true) }

type leaseContext struct{}

// LeaseOf gives the lease that a context carries: the one set by WithLease, else that of the generation that delivered the
// message, else nil.
func LeaseOf(ctx context.Context) *Lease {
	if l, ok := ctx.Value(leaseContext{}).(*Lease); ok {
		return l
	}
	if d := deliveryOf(ctx); d != nil {
		return d.lease
	}
	return nil
}

// WithLease makes LeaseOf answer with l, so that messages made elsewhere are published only while it holds.
func WithLease(ctx context.Context, l *Lease) context.Context {
	return context.WithValue(ctx, leaseContext{}, l)
}
