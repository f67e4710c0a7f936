package watch_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// judge holds the run against the promises, once the world has come to rest.
func (w *world) judge() {
	w.judgeOrder()
	w.judgeIdentity()
	w.judgeContext()
	w.judgeInputs()
	if limit := 150 + 40*(w.count.faults+w.count.repeats+w.count.pushes+w.count.redrives+w.count.backfills); w.count.queries > limit {
		w.findf("queries", "%d queries, more than %d", w.count.queries, limit)
	}
	if w.replays < w.count.backfills {
		w.findf("backfills", "%d outcome records of %d backfill checks", w.replays, w.count.backfills)
	}
}

// judgeOrder makes a consumer read the log: nothing goes backwards, everything ends, and what it believes at the end is right.
func (w *world) judgeOrder() {
	var c consumer
	ended, excused, lastNews, lastEnd := false, false, -1, -1
	for at, e := range w.log {
		unresolved := e.statement.Type == schemas.TypeStatusUnresolved
		switch c.receive(e) {
		case accepts:
			if !unresolved {
				lastNews, excused = at, e.late || e.forgetful && (w.provider.disputed() || c.status.Negative())
			}
		case dropsBackwards:
			if !w.excused(c, e) {
				w.findf("order", "%q comes after %s", spoken(e.statement), c.status)
			}
		case sawBefore:
			excused = excused || e.forgetful && !unresolved
		}
		if e.statement.Facts.Final {
			ended = true
			if unresolved {
				lastEnd = at
			}
		}
	}
	switch {
	case w.nobody:
		if c.status != "" && !c.final && !w.has(watch.CodeNoContext) {
			w.findf("end", "%s, and nothing follows", c.status)
		}
	case !ended:
		w.findf("end", "the payment never ended")
	case c.status != "" && !c.final && lastEnd < lastNews && !excused && !w.has(watch.CodeNoContext):
		w.findf("end", "the consumer is left with %s, and nothing follows", c.status)
	}
	if !excused { // the last word of a stalled process, or of one that knows one of two disputes, is an exception that nobody can exclude
		w.judgeStatus(c)
	}
}

// excused tells the two exceptions that the promise of order names: a late write of a stalled process, and a payment of which
// nothing was said within the lookback, about which a stale answer comes, or a negative that seems not to be final.
func (w *world) excused(c consumer, e emitted) bool {
	newest := -1
	for _, other := range w.log {
		newest = max(newest, other.state)
	}
	status := e.statement.Facts.Status
	negative := status.Negative() && status == c.status
	shownAs := w.showsCaptured && status == schemas.Captured
	return w.count.late > 0 || w.count.forgetful > 0 && w.provider.disputed() || e.forgetful && (e.state < newest || negative || shownAs)
}

// judgeStatus compares what the consumer believes with what the provider's answers and notifications came to.
func (w *world) judgeStatus(c consumer) {
	p := w.provider
	for _, e := range w.log {
		if e.statement.Facts.Dispute == nil {
			p.own = max(p.own, e.state)
		}
	}
	outcomes := map[string]schemas.DisputeOutcome{}
	for i, s := range p.history {
		if p.heard[i] {
			outcomes[s.dispute.ID] = s.dispute.Outcome
		}
	}
	lost, open, won := false, false, false
	for _, outcome := range outcomes {
		lost = lost || outcome == schemas.DisputeLost
		open = open || outcome == schemas.DisputeOpen
		won = won || outcome == schemas.DisputeWon
	}
	switch {
	case lost:
		w.believes(c, schemas.ChargedBack)
	case open && p.own >= 0 && c.status == p.history[p.own].status && speaksOfRefund(c.status) && (!w.statesTimes || p.refundedSince()):
		// a refund moves a disputed payment on
	case open:
		w.believes(c, schemas.Disputed)
	case p.own >= 0 && p.history[p.own].status == schemas.RefundFailed && w.showsCaptured && c.status == schemas.Captured &&
		(!w.said(schemas.RefundPending) || w.count.forgetful > 0):
		// what queries show of a failed refund is captured; nobody heard of the refund
	case won && (p.own < 0 || !wasPaid(p.history[p.own].status)):
		w.believes(c, schemas.Captured) // nobody heard what the payment was before the dispute
	case p.own >= 0 && p.history[p.own].status == schemas.RefundFailed && w.showsCaptured && c.status == schemas.RefundPending && w.has(watch.CodeNoContext):
		// captured is not said without context, so it tells nothing of the refund either
	case (!w.statesTimes || w.lag > 0 || won) && p.last != p.own: // late news cannot be told where the last check was not answered
	case p.own >= 0 && comesAndGoes(c.status) && comesAndGoes(p.history[p.own].status) && (w.nobody && w.lag > 0 || w.count.forgetful > 0):
		// what comes and goes: after a stale answer no later one may be said without context, or the lookback hides that it went
	case p.own >= 0:
		w.believes(c, p.history[p.own].status)
		sums := p.history[p.own].sums
		if c.status == schemas.PartiallyRefunded && c.sums.Refunded != sums.Refunded || c.status == schemas.PartiallyCaptured && c.sums.Captured != sums.Captured {
			w.findf("status", "the consumer believes %v, the provider showed %v", c.sums, sums)
		}
	}
}

func comesAndGoes(s schemas.Status) bool {
	return s == schemas.Pending || s == schemas.RequiresAction || s == schemas.Unknown
}

func wasPaid(s schemas.Status) bool {
	return s.Success() && s != schemas.Authorized && s != schemas.Verified
}

func (w *world) believes(c consumer, right schemas.Status) {
	if c.status != right {
		w.findf("status", "the consumer believes %s, the provider showed %s", c.status, right)
	}
}

// judgeIdentity finds one change with two ids, and two changes with one.
func (w *world) judgeIdentity() {
	changes := map[string]string{}
	first := map[string]int{}
	for at, e := range w.log {
		if e.statement.Type == schemas.TypeStatusUnresolved || e.state < 0 {
			continue
		}
		if change := w.change(e); change != "" && !e.forgetful {
			if id, said := changes[change]; said && id != e.id {
				w.findf("one id", "state %d was said with ids %.8s and %.8s", e.state, id, e.id)
			}
			changes[change] = e.id
		}
		before, said := first[e.id]
		if !said {
			first[e.id] = at
			continue
		}
		shownAs := w.showsCaptured && e.statement.Facts.Status == schemas.Captured
		if was := w.log[before]; e.statement.Facts.Dispute == nil && e.state > was.state && !shownAs && !e.forgetful {
			for _, between := range w.log[before+1 : at] {
				if w.count.late == 0 && between.state > was.state && between.state < e.state && between.id != e.id && !between.forgetful {
					w.findf("two ids", "id %.8s is of states %d and %d, and %d was said between", e.id, was.state, e.state, between.state)
				}
			}
		}
	}
}

// change names the change that an event speaks of: the provider's state and how it was said. It is "" where statuses come and
// go in what the provider tells: while reads are stale, or where late notifications state no time.
func (w *world) change(e emitted) string {
	f := e.statement.Facts
	goes := slices.ContainsFunc(w.provider.history, func(s state) bool { return s.status == schemas.Unknown }) || w.provider.disputed() ||
		comesAndGoes(f.Status) || comesAndGoes(e.statement.Previous) || f.Status.Negative() || e.statement.Previous.Negative()
	if (w.lag > 0 || !w.statesTimes) && goes || w.count.late > 0 {
		return ""
	}
	return fmt.Sprintf("%d %s %v %v %v", e.state, f.Status, f.Final, f.Sums, f.Dispute)
}

// judgeContext holds what was said without an initiated event against what may be said then.
func (w *world) judgeContext() {
	known := map[string]bool{} // ids that were said with context before
	for _, e := range w.log {
		f := e.statement.Facts
		switch {
		case e.context:
			known[e.id] = true
		case known[e.id]:
		case e.statement.Type == schemas.TypeStatusUnresolved:
			w.findf("context", "unresolved without context")
		case booksMoney(f.Status) && f.Dispute == nil:
			w.findf("context", "%s was said without context", f.Status)
		case f.Status.Negative() && f.Final:
			w.findf("context", "%s was said to be final without context", f.Status)
		}
	}
}

// judgeInputs looks for what became of identifiers and of initiated events that contradict the first.
func (w *world) judgeInputs() {
	if w.count.conflicts > 0 {
		vanished := true
		for _, l := range w.letters {
			vanished = vanished && l.amount != 200
		}
		for _, e := range w.log {
			vanished = vanished && e.amount != 200
		}
		adopted := w.process.lane.Context != nil && w.process.lane.Context.Amount.Value == 200 // by a process that forgot the first
		if vanished && !adopted {
			w.findf("conflict", "an initiated event with another amount vanished")
		}
	}
	said, mismatched := false, false
	for _, e := range w.log {
		said = said || e.statement.Facts.Reason != schemas.UnresolvedMismatch
		mismatched = mismatched || e.statement.Facts.Reason == schemas.UnresolvedMismatch
	}
	if mismatched && !said && !w.needsID {
		w.findf("conflict", "an initiated event with another amount ended the watch")
	}
	refused := slices.ContainsFunc(w.letters, func(l letter) bool { return l.code == watch.CodeConflictingInitiation && l.amount == 100 })
	said = slices.ContainsFunc(w.log, func(e emitted) bool { return e.statement.Type != schemas.TypeStatusUnresolved })
	if w.needsID && w.count.identifiers > 0 && w.appears < 15*time.Minute && !said && !refused {
		w.findf("identifier", "an initiated event gave the identifier that finds the payment, and no status was said")
	}
}

func (w *world) said(status schemas.Status) bool {
	return slices.ContainsFunc(w.log, func(e emitted) bool { return e.statement.Facts.Status == status })
}

func (w *world) has(code watch.Code) bool {
	for _, l := range w.letters {
		if l.code == code {
			return true
		}
	}
	return false
}

// judgeMemory holds a check that is about to be asked against what the process read on assignment: what is below the committed
// offset is not asked again, and what is known there of the payment is used.
func (w *world) judgeMemory(c watch.Check) {
	for _, done := range w.process.tail {
		switch {
		case done.Context == nil || done.Kind == watch.KindBackfill || w.count.conflicts > 0:
		case c.Kind == watch.KindInitiated && done.Origin != nil && *done.Origin == *c.Origin:
			w.findf("memory", "the initiated event %d/%d was asked about again", c.Origin.Partition, c.Origin.Offset)
		case c.Kind == watch.KindNotification && c.Context == nil:
			w.findf("memory", "a notification was asked without the context that is known")
		}
	}
}

// chains counts the living checks of each epoch, long after the last fault.
func (w *world) chains() {
	living := map[int]int{}
	for _, s := range w.tiers {
		if c := w.read(s.value); c.Kind == watch.KindChain && !c.NotAfter(w.process.lane.High) {
			living[c.Epoch]++
		}
	}
	for epoch, n := range living {
		if n > 1 {
			w.findf("one chain", "%d living checks of epoch %d", n, epoch)
		}
	}
}
