package pipeline

import (
	"context"
	"log/slog"
	"sync"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// shares knows the partitions that each handler holds, and logs once when all handlers have their share rather than once
// for each.
type shares struct {
	log *slog.Logger

	mu       sync.Mutex
	handlers int
	held     map[string]int // partitions by handler, of those that have their share
}

func newShares(log *slog.Logger) *shares { return &shares{log: log, held: map[string]int{}} }

// of makes a handler's subscription report to the shares.
func (s *shares) of(handler string, o kafka.SubscriberOptions) kafka.SubscriberOptions {
	s.handlers++
	assign, revoke := o.OnAssign, o.OnRevoke
	o.OnAssign = func(ctx context.Context, a kafka.Assignment) error {
		if assign != nil {
			if err := assign(ctx, a); err != nil {
				return err
			}
		}
		s.assigned(ctx, handler, len(a.Partitions))
		return nil
	}
	o.OnRevoke = func(a kafka.Assignment) {
		s.revoked(handler)
		if revoke != nil {
			revoke(a)
		}
	}
	return o
}

func (s *shares) assigned(ctx context.Context, handler string, partitions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[handler] = partitions
	if len(s.held) < s.handlers {
		return
	}
	total := 0
	for _, n := range s.held {
		total += n
	}
	s.log.InfoContext(ctx, "consuming", "topics", s.handlers, "partitions", total)
}

func (s *shares) revoked(handler string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, handler)
}
