package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// now tells where a payment is: what waits for it is newest by its place in the chain, and by when it was written where a record has just
// gone on to the next topic.
func (r *reading) nowOf(p *part, w *chain, last *Event) Now {
	n := Now{Sleepers: []Sleeper{}}
	live := -1
	for i, s := range p.sleepers {
		var why string
		switch {
		case p.onWork(s):
			why = "moved_on"
		case s.Kind == watch.KindChain && s.NotAfter(w.lane.High):
			why = "overtaken"
		case live >= 0 && same(p.sleepers[live].check, s.check):
			n.Sleepers = append(n.Sleepers, sleeping(p.sleepers[live], "moved_on"))
			live = i
			continue
		case live < 0 || !s.NotAfter(p.sleepers[live].Place):
			if live >= 0 && p.sleepers[live].Kind == watch.KindChain {
				n.Sleepers = append(n.Sleepers, sleeping(p.sleepers[live], "overtaken"))
			}
			live = i
			continue
		case s.Kind == watch.KindChain:
			why = "overtaken"
		default:
			continue
		}
		n.Sleepers = append(n.Sleepers, sleeping(s, why))
	}
	queued := slices.IndexFunc(w.all, func(a asked) bool { return a.waits })
	switch {
	case queued >= 0:
		r.queued(&n, w.all[queued].check)
	case live >= 0:
		r.waiting(&n, p.sleepers[live])
	case slices.ContainsFunc(p.inputs, r.unread):
		n.State, n.Topic = StateInput, p.inputs[slices.IndexFunc(p.inputs, r.unread)].topic
		n.Text = fmt.Sprintf("a record that names it is on %s and was not read yet", n.Topic)
	case last != nil && last.Type == schemas.TypeStatusUnresolved:
		n.State, n.Text = StateUnresolve, "the watch ended without a final status"+reasonOf(last.Reason)
	case last != nil && last.Final:
		n.State, n.Text = StateEnded, fmt.Sprintf("ended: %s is final, nobody asks any more", last.Status)
	case slices.ContainsFunc(w.all, func(a asked) bool { return a.Told == toldByReplay }) && last == nil:
		n.State, n.Text = StateNowhere, "nobody watches it: a backfill asked about it, and found nothing to watch"
	case len(p.letters) > 0 && last == nil:
		n.State, n.Text = StateGivenUp, "given up: it is in the dead letters and nowhere else"
		if p.letters[len(p.letters)-1].Given != nil {
			n.State, n.Text = StateNowhere, "given back, and nothing is known of what became of that"
		}
	default:
		n.State = StateNowhere
		n.Text = "nothing waits and nothing is queued, although no final status is known; if that was a moment between two topics, ask again"
	}
	return n
}

func same(a, b check) bool { return a.Kind == b.Kind && a.Place == b.Place && a.ReplayID == b.ReplayID }

// onWork reports whether a sleeper is back on the work topic.
func (p *part) onWork(s sleeper) bool {
	return slices.ContainsFunc(p.checks, func(c check) bool {
		return same(c, s.check) && c.Unavailable == s.Unavailable && c.at.After(s.at.Add(s.tier.tier.Delay/2))
	})
}

func sleeping(s sleeper, why string) Sleeper {
	return Sleeper{Topic: s.topic, Due: s.due(), Epoch: s.Epoch, Step: s.Step, Why: why}
}

func (s sleeper) due() time.Time { return s.at.Add(s.tier.tier.Delay).UTC() }

// unread reports whether an input's handler has not done it: it has not committed it, and nothing that names it has come of it.
func (r *reading) unread(i input) bool {
	return !r.found.origins[i.place] && slices.ContainsFunc([]*source{r.sources.initiated, r.sources.notified, r.sources.redriven}, func(s *source) bool {
		return s.topic == i.topic && i.Offset >= s.committed[i.Partition]
	})
}

func (r *reading) queued(n *Now, c check) {
	n.State, n.Topic = StateQueued, c.topic
	n.Behind = max(c.Offset-r.sources.checks.committed[c.Partition], 0)
	r.place(n, c.Check)
	n.Text = fmt.Sprintf("queued on %s/%d at %d: %s; %d records before it are not done", c.topic, c.Partition, c.Offset, attemptOf(c.Check), n.Behind)
}

// patience is how late a tier may be: a busy one is, for a moment.
const patience = 10 * time.Second

// waiting tells of the tier, and where it goes from there.
func (r *reading) waiting(n *Now, s sleeper) {
	due := s.due()
	n.State, n.Topic, n.Due = StateWaiting, s.topic, &due
	reaches := due
	for _, hop := range s.rest {
		n.Hops = append(n.Hops, r.Topics.Tier(hop.Name))
		reaches = reaches.Add(hop.Delay)
	}
	n.Hops = append(n.Hops, r.Topics.Checks())
	n.Asked, n.Late = &reaches, r.now.Sub(due) > patience
	r.place(n, s.Check)

	var b strings.Builder
	fmt.Fprintf(&b, "waits in %s until %s, then %s", s.topic, stamp(due), strings.Join(n.Hops, ", "))
	if len(s.rest) > 0 {
		fmt.Fprintf(&b, " at %s", stamp(reaches))
	}
	fmt.Fprintf(&b, ": %s", attemptOf(s.Check))
	if n.Late {
		fmt.Fprintf(&b, "; %s late: is the service running?", r.now.Sub(due).Round(time.Second))
	}
	switch {
	case n.Parked:
		b.WriteString("; parked: the deadline passed without an answer")
	case n.Ends != nil:
		fmt.Fprintf(&b, "; the watch ends %s (phase %s)", n.Ends.Format(time.RFC3339), n.Phase)
	}
	n.Text = b.String()
}

// place tells which check it is.
func (r *reading) place(n *Now, c watch.Check) {
	n.Epoch, n.Step, n.Tries, n.Phase, n.Parked = c.Epoch, c.Step, c.Attempt+1, string(c.Phase), c.Parked
	if c.Kind != watch.KindChain || r.Schedule == nil || c.PhaseSince.IsZero() || c.Parked {
		return
	}
	method := ""
	if c.Context != nil {
		method = c.Context.Method
	}
	ends := c.PhaseSince.Add(r.Schedule(c.Provider, method).Rhythm(c.Phase).Deadline).UTC()
	n.Ends = &ends
}

func attemptOf(c watch.Check) string {
	text := fmt.Sprintf("check %d of epoch %d (%s)", c.Step, c.Epoch, c.Kind)
	if c.Kind != watch.KindChain {
		text = fmt.Sprintf("check (%s)", c.Kind)
	}
	switch {
	case c.Unavailable > 0:
		text += fmt.Sprintf(", unavailable %d in a row", c.Unavailable)
	case c.Unreadable > 0:
		text += fmt.Sprintf(", unreadable %d in a row", c.Unreadable)
	case c.Mismatches > 0:
		text += fmt.Sprintf(", mismatches %d in a row", c.Mismatches)
	}
	return text
}

// stamp is a time for people, to the millisecond.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
