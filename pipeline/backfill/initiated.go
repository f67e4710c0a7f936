package backfill

import (
	"context"
	"fmt"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// ReadInitiated puts in the initiated events of a snapshot of their topic. What the pipeline refuses, too, is counted.
func (p *Payments) ReadInitiated(ctx context.Context, s *snapshot.Snapshot) error {
	p.count(func(c *Counts) { c.Gone += s.Gone })
	err := s.Walk(ctx, func(r kafka.Record, chosen bool) error {
		p.count(func(c *Counts) { c.Records++ })
		if chosen {
			p.take(snapshot.MessageOf(r))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("backfill: %w", err)
	}
	return nil
}

func (p *Payments) take(m handlers.Message) {
	check, refusal := p.intake.Read(m)
	switch {
	case refusal != nil:
		p.count(func(c *Counts) { c.Refused[refusal.Code]++ })
	case check == nil:
		p.count(func(c *Counts) { c.Ignored++ })
	case p.add(check) != nil:
		p.count(func(c *Counts) { c.Conflicts++ })
	}
}
