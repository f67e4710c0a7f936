package delay

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers"
)

// The headers of a waiting record.
const (
	headerDueAt = "paystatus_due_at" // when it has waited long enough in this tier: Unix milliseconds of its writer's clock
	headerHops  = "paystatus_hops"   // the tiers that come after this one: "5s,1s"
)

// Waiting is a record on its way through the tiers: which tier it goes into next, "" for back to work.
type Waiting struct {
	Tier    string
	Headers []handlers.Header
}

// Begin sends a record on its way to wait for d.
func Begin(d time.Duration, headers []handlers.Header, now time.Time) Waiting {
	return enter(Compose(d), headers, now)
}

func enter(tiers []Tier, headers []handlers.Header, now time.Time) Waiting {
	kept := make([]handlers.Header, 0, len(headers)+2)
	for _, h := range headers {
		if h.Key != headerDueAt && h.Key != headerHops {
			kept = append(kept, h)
		}
	}
	if len(tiers) == 0 {
		return Waiting{Headers: kept}
	}
	due := now.Add(tiers[0].Delay).UnixMilli()
	kept = append(kept, handlers.Header{Key: headerDueAt, Value: strconv.AppendInt(nil, due, 10)})
	if len(tiers) > 1 {
		kept = append(kept, handlers.Header{Key: headerHops, Value: []byte(names(tiers[1:]))})
	}
	return Waiting{Tier: tiers[0].Name, Headers: kept}
}

// ErrDraining says that the wait was broken off because the partition is handed over; the next owner waits on.
var ErrDraining = errors.New("delay: broken off, the partition is handed over")

// Wait waits until a record of the tier is due, by the earlier of what its writer's clock and the broker's say, so that one
// wrong clock delays nobody. Draining ends the wait early.
func (t Tier) Wait(ctx context.Context, draining <-chan struct{}, m handlers.Message) error {
	timer := time.NewTimer(time.Until(t.due(m)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-draining:
		return ErrDraining
	case <-ctx.Done():
		return fmt.Errorf("delay %s: %w", t.Name, ctx.Err())
	}
}

func (t Tier) due(m handlers.Message) time.Time {
	due := m.Time.Add(t.Delay)
	for _, h := range m.Headers {
		if h.Key != headerDueAt {
			continue
		}
		if ms, err := strconv.ParseInt(string(h.Value), 10, 64); err == nil && time.UnixMilli(ms).Before(due) {
			due = time.UnixMilli(ms)
		}
	}
	return due
}

// Forward sends a record that has waited here on its way: into its next tier, or back to work.
func Forward(m handlers.Message, now time.Time) Waiting {
	var tiers []Tier
	for _, h := range m.Headers {
		if h.Key != headerHops {
			continue
		}
		for name := range strings.SplitSeq(string(h.Value), ",") {
			if tier, ok := byName(name); ok {
				tiers = append(tiers, tier)
			}
		}
	}
	return enter(tiers, m.Headers, now)
}
