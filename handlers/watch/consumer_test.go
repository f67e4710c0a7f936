package watch_test

import (
	"maps"
	"slices"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// consumer is a service that ships goods and books money on status events: it remembers ids first, then applies the table of
// transitions, with attempts and disputes.
type consumer struct {
	seen     map[string]bool
	status   schemas.Status
	known    schemas.Status // the last other than unknown
	final    bool
	sums     schemas.Sums
	attempts []string
	disputes map[string]schemas.DisputeOutcome
	heard    map[string]time.Time // when each dispute's outcome came about
}

// reaction is what a consumer does with an event.
type reaction uint8

const (
	accepts reaction = iota
	sawBefore
	dropsBackwards
)

func (c *consumer) receive(e emitted) reaction {
	if c.seen == nil {
		c.seen, c.disputes, c.heard = map[string]bool{}, map[string]schemas.DisputeOutcome{}, map[string]time.Time{}
	}
	if c.seen[e.id] {
		return sawBefore
	}
	c.seen[e.id] = true
	facts := e.statement.Facts
	if e.statement.Type == schemas.TypeStatusUnresolved {
		return accepts // and lowers nothing
	}
	attempt := ""
	if obs := e.statement.Reading.Outcome.Observation; facts.Dispute == nil {
		attempt = obs.ProviderPaymentID
	}
	if c.backwards(facts, attempt, e.statement.Reading.Outcome.Observation.OccurredAt) {
		return dropsBackwards
	}
	if facts.Dispute != nil {
		c.disputes[facts.Dispute.ID], c.heard[facts.Dispute.ID] = facts.Dispute.Outcome, e.statement.Reading.Outcome.Observation.OccurredAt
	}
	newer := c.newer(attempt)
	c.status, c.final = facts.Status, facts.Final
	if facts.Dispute != nil && c.lost() {
		c.status, c.final = schemas.ChargedBack, true // whoever did not know that says less
	}
	if facts.Status != schemas.Unknown || newer {
		c.known = e.statement.Said.Known
	}
	if facts.Sums != (schemas.Sums{}) || facts.Status == schemas.Captured || facts.Status == schemas.Refunded {
		c.sums = facts.Sums
	}
	if attempt != "" && !slices.Contains(c.attempts, attempt) {
		c.attempts = append(c.attempts, attempt)
	}
	return accepts
}

func (c *consumer) lost() bool {
	return slices.Contains(slices.Collect(maps.Values(c.disputes)), schemas.DisputeLost)
}

func (c *consumer) newer(attempt string) bool {
	return attempt != "" && len(c.attempts) > 0 && !slices.Contains(c.attempts, attempt)
}

func (c *consumer) backwards(facts schemas.Facts, attempt string, at time.Time) bool {
	last := ""
	if len(c.attempts) > 0 {
		last = c.attempts[len(c.attempts)-1]
	}
	switch {
	case c.status == "":
		return false
	case facts.Dispute != nil:
		known := c.disputes[facts.Dispute.ID]
		return known != "" && known != facts.Dispute.Outcome && (facts.Dispute.Outcome == schemas.DisputeOpen || at.Before(c.heard[facts.Dispute.ID]))
	case c.status == schemas.ChargedBack || c.status == schemas.Disputed && !speaksOfRefund(facts.Status):
		return true // only news of a dispute moves it, or a refund
	case c.newer(attempt):
		return !c.known.Negative() && schemas.Between(c.known, c.final, facts.Status) == schemas.MoveBackwards
	case attempt != "" && last != "" && attempt != last:
		return true
	case facts.Status == c.status && facts.Sums == c.sums && c.final && !facts.Final:
		return true
	case facts.Status == c.status && shrank(c.sums, facts.Sums):
		return true
	default:
		final := c.final || c.known.Negative() && attempt != "" && last != ""
		return schemas.Between(c.known, final, facts.Status) == schemas.MoveBackwards
	}
}

func speaksOfRefund(s schemas.Status) bool {
	return slices.Contains([]schemas.Status{schemas.RefundPending, schemas.PartiallyRefunded, schemas.Refunded, schemas.RefundFailed}, s)
}

func shrank(from, to schemas.Sums) bool {
	less := func(from, to int64) bool { return to != 0 && to < from }
	return less(from.Authorized, to.Authorized) || less(from.Captured, to.Captured) || less(from.Refunded, to.Refunded)
}
