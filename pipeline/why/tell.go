package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/schemas"
)

// tell makes the story of one payment at one provider.
func (r *reading) tell(p *part) Payment {
	w := p.walk()
	told := Payment{Provider: p.key.Provider, Account: p.key.Account, NotKept: []string{}}
	if c := p.context(); c != nil {
		at := c.InitiatedAt.UTC()
		told.Amount, told.InitiatedAt, told.Method, told.Reference = &c.Amount, &at, c.Method, c.Known()
	}
	ids := map[string]bool{}
	for i := range p.events {
		e := p.events[i].tell()
		e.Repeats, ids[e.ID] = ids[e.ID], true
		told.Timeline = append(told.Timeline, entry(p.events[i].at, KindEvent, p.events[i].place, e.text(), func(at *Entry) { at.Event = &e }))
		if e.ReplayID == "" || told.Last == nil || !e.Repeats {
			told.Last = &e
		}
	}
	for _, i := range p.inputs {
		told.Timeline = append(told.Timeline, r.input(i))
	}
	for i := range w.all {
		told.Timeline = append(told.Timeline, w.all[i].entries()...)
	}
	for i := range p.replays {
		o := &p.replays[i].ReplayOutcome
		text := fmt.Sprintf("outcome of replay %s: %s%s%s", o.ReplayID, o.Outcome, codeOf(o.Code), statusOf(o.Status))
		told.Timeline = append(told.Timeline, entry(p.replays[i].at, KindReplay, p.replays[i].place, text, func(at *Entry) { at.Replay = o }))
	}
	for i := range p.letters {
		told.Timeline = append(told.Timeline, r.letter(&p.letters[i])...)
	}
	slices.SortStableFunc(told.Timeline, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(rank[a.Kind], rank[b.Kind]))
	})
	told.Now = r.nowOf(p, w, told.Last)
	told.NotKept = append(told.NotKept, r.notKept(p)...)
	if told.Timeline == nil {
		told.Timeline = []Entry{}
	}
	return told
}

// rank orders what was written at the same time as it follows from each other.
var rank = map[Kind]int{KindInitiated: 0, KindNotification: 1, KindGivenBack: 2, KindCheck: 3, KindEvent: 4, KindDeadLetter: 5, KindReplay: 6}

func entry(at time.Time, kind Kind, where place, text string, with func(*Entry)) Entry {
	e := Entry{At: at.UTC(), Kind: kind, Topic: where.topic, Partition: where.Partition, Offset: where.Offset, Text: text}
	if with != nil {
		with(&e)
	}
	return e
}

// input tells of a record of others.
func (r *reading) input(i input) Entry {
	kind, text := KindInitiated, "initiated event"
	switch i.handler {
	case handlers.NameNotification:
		kind, text = KindNotification, "notification"
	case handlers.NameIntake:
	default:
		kind, text = KindGivenBack, "dead letter given back"
	}
	if r.unread(i) {
		text += ", not read yet"
	}
	return entry(i.at, kind, i.place, text, nil)
}

// entries are those of a check: the notification that asked for it, too, where there was one.
func (a *asked) entries() []Entry {
	var all []Entry
	if e := a.Evidence; e != nil && a.check.Kind == watch.KindNotification {
		text := fmt.Sprintf("notification of %d bytes, received %s", len(e.Body), stamp(e.ReceivedAt))
		all = append(all, entry(a.at, KindNotification, a.place, text, nil))
	}
	var b strings.Builder
	switch a.check.Kind {
	case watch.KindBackfill:
		fmt.Fprintf(&b, "check for backfill %s", a.ReplayID)
	case watch.KindRenormalize:
		fmt.Fprintf(&b, "reading again for renormalization %s", a.ReplayID)
	case watch.KindChain:
		fmt.Fprintf(&b, "check %d", a.Step)
	default:
		fmt.Fprintf(&b, "check %d (%s)", a.Step, a.check.Kind)
	}
	if a.Epoch > 1 && !aside(a.check.Kind) {
		fmt.Fprintf(&b, " of epoch %d", a.Epoch)
	}
	b.WriteString(": " + a.Detail)
	return append(all, entry(a.at, KindCheck, a.place, b.String(), func(at *Entry) { at.Check = &a.Check }))
}

func (e event) tell() Event {
	d := e.Data
	if d.Anomalies == nil {
		d.Anomalies = []schemas.Anomaly{}
	}
	return Event{
		ID: e.ID, Type: e.Type, Status: d.Status, Previous: d.PreviousStatus, Final: d.Final, Funds: d.Funds, Amounts: d.Amounts,
		Reason: d.Reason, Source: d.Source, Cause: d.Cause, Attempt: d.Attempt, ReplayID: d.ReplayID, Anomalies: d.Anomalies,
		Corrects: d.Corrects,
	}
}

func (e *Event) text() string {
	var b strings.Builder
	switch {
	case e.Type == schemas.TypeStatusUnresolved && e.Previous == nil:
		fmt.Fprintf(&b, "said unresolved%s; no status was said before", reasonOf(e.Reason))
	case e.Type == schemas.TypeStatusUnresolved:
		fmt.Fprintf(&b, "said unresolved%s; the status stays %s", reasonOf(e.Reason), e.Status)
	case e.Type == schemas.TypeAmountsChanged:
		fmt.Fprintf(&b, "said other sums, %s", e.Status)
	case e.Type == schemas.TypeStatusCorrected && e.Previous != nil:
		fmt.Fprintf(&b, "corrected from %s to %s", *e.Previous, e.Status)
	case e.Type == schemas.TypeStatusCorrected:
		fmt.Fprintf(&b, "corrected to %s", e.Status)
	default:
		fmt.Fprintf(&b, "said %s", e.Status)
	}
	b.WriteString(finalWord(e.Final) + sums(e.Amounts))
	if e.Source != "" {
		fmt.Fprintf(&b, ", by %s", e.Source)
	}
	if e.Reason != nil && e.Type != schemas.TypeStatusUnresolved {
		fmt.Fprintf(&b, ", because %s", e.Reason.Code)
	}
	for _, a := range e.Anomalies {
		fmt.Fprintf(&b, ", %s", a)
	}
	if e.ReplayID != "" {
		fmt.Fprintf(&b, ", replay %s", e.ReplayID)
	}
	if e.Repeats {
		b.WriteString(", the same event again")
	}
	return b.String()
}

// sums are those that the provider states.
func sums(a schemas.Amounts) string {
	var all []string
	for _, sum := range []struct {
		name  string
		money *schemas.Money
	}{{"authorized", a.Authorized}, {"captured", a.Captured}, {"refunded", a.Refunded}} {
		if sum.money != nil {
			all = append(all, fmt.Sprintf("%s %d %s", sum.name, sum.money.Value, sum.money.Currency))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ", " + strings.Join(all, ", ")
}

// letter tells of a dead letter, and when it was given back.
func (r *reading) letter(l *deadletters.Letter) []Entry {
	where := place{r.sources.letters.topic, l.Partition, l.Offset}
	info, known := deadletters.Explain(l.Reason)
	if !known {
		info.Meaning, info.Remedy = "a reason that this version does not know", "ask the version that wrote it"
	}
	letter := &Letter{l.Document(), info.Meaning, info.Remedy}
	text := fmt.Sprintf("dead letter %s of %s: %s: %s; to do: %s", l.Position, l.Handler, l.Reason, l.Detail, info.Remedy)
	all := []Entry{entry(l.Time, KindDeadLetter, where, text, func(at *Entry) { at.DeadLetter = letter })}
	if g := l.Given; g != nil {
		text := fmt.Sprintf("dead letter %s given back by %s", l.Position, g)
		all = append(all, entry(g.At, KindGivenBack, where, text, nil))
	}
	return all
}

// notKept says what the timeline lacks because it is not, or not any more, in what was read.
func (r *reading) notKept(p *part) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	kept := "not kept"
	if len(p.events) > 0 && p.events[0].Data.PreviousStatus != nil {
		if !r.read(r.sources.events, beforeTimes) && r.beforeTimes(r.sources.events, p.events[0].Partition) {
			kept = "not read, see --since"
		}
		add("events before the first: %s was said before it; %s", *p.events[0].Data.PreviousStatus, kept)
	}
	steps, first := 0, ""
	for _, c := range p.checks {
		if first == "" {
			first = string(c.Kind)
			if c.Kind == watch.KindChain {
				steps = c.Step - 1
			}
		}
	}
	for _, s := range p.sleepers {
		if first == "" && s.Kind == watch.KindChain {
			first, steps = string(s.Kind), s.Step-1
		}
	}
	switch {
	case steps == 1:
		add("the check before the first: not kept on %s", r.sources.checks.topic)
	case steps > 1:
		add("checks 1 to %d of their epoch: not kept on %s", steps, r.sources.checks.topic)
	case first == "" && len(p.events) > 0:
		add("its checks: not kept on %s", r.sources.checks.topic)
	}
	known := slices.ContainsFunc(p.inputs, func(i input) bool { return i.handler == handlers.NameIntake })
	if c := p.context(); c != nil && c.Earliest != nil && !known {
		add("the initiated event (%s/%d at %d): not kept", c.Earliest.Topic, c.Earliest.Partition, c.Earliest.Offset)
	}
	return all
}

// beforeTimes reports whether a partition holds records before the times.
func (r *reading) beforeTimes(s *source, partition int) bool {
	return s.since[partition] > s.first[partition]
}
