package why

import (
	"context"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// reading reads what the topics know of one payment.
type reading struct {
	Question

	now     time.Time
	sources *sources
	found   found
	scanned Scanned
}

// slack is how much earlier than it says, by another clock, a record may have been written.
const slack = time.Hour

func (r *reading) run(ctx context.Context) error {
	r.sources = newSources(r.Topics, r.Group)
	since := r.Since
	if since.IsZero() {
		since = r.now.Add(-Window)
	}
	r.scanned.Since, r.scanned.Until = since.UTC(), r.now.UTC()
	if !r.Until.IsZero() {
		r.scanned.Until = r.Until.UTC()
	}
	if err := r.sources.freeze(ctx, r.Client, r.Topics, since, r.Until); err != nil {
		return err
	}
	about := &deadletters.About{Payment: r.PaymentID}
	if err := r.search(ctx, append(r.first(), r.letters(about))...); err != nil {
		return err
	}
	for _, l := range about.Letters() {
		r.found.letter(l)
	}
	if err := r.widen(ctx); err != nil {
		return err
	}
	if err := r.origins(ctx); err != nil {
		return err
	}
	r.notLookedAt()
	return nil
}

func (r *reading) keyed(s *source, from, to map[int]int64, what string, take func(kafka.Record) error) stretch {
	choose := func(key, _ []byte) bool { return string(key) == r.PaymentID }
	return stretch{source: s, partitions: s.partitions(r.PaymentID, r.AllPartitions), from: from, to: to, what: what, choose: choose, take: take}
}

// inputs are records of others, who may use any key.
func (r *reading) inputs(s *source, from, to map[int]int64, what string, take func(kafka.Record) error) stretch {
	choose := func(key, value []byte) bool { return deadletters.MayName(r.PaymentID, key, value) }
	return stretch{source: s, partitions: s.partitions(r.PaymentID, true), from: from, to: to, what: what, choose: choose, take: take}
}

// What was read of a topic, in words.
const (
	withinTimes = "within the times"
	allKept     = "all that is kept"
	beforeTimes = "before the times"
	notYetDone  = "not yet done"
	byOffset    = "by the offsets that checks and letters name"
)

// first is what is read for every payment.
func (r *reading) first() []stretch {
	s, f := r.sources, &r.found
	all := []stretch{
		r.keyed(s.events, s.events.since, s.events.until, withinTimes, f.event),
		r.keyed(s.checks, earlier(s.checks.since, s.checks.committed), later(s.checks.until, s.checks.end, r.Until.IsZero()), withinTimes, r.check),
		r.keyed(s.replays, s.replays.since, s.replays.until, withinTimes, f.replay),
		r.inputs(s.initiated, s.initiated.committed, s.initiated.end, notYetDone, f.input(handlers.NameIntake)),
		r.inputs(s.notified, s.notified.committed, s.notified.end, notYetDone, f.input(handlers.NameNotification)),
		r.inputs(s.redriven, s.redriven.committed, s.redriven.end, notYetDone, f.input("")),
	}
	for _, tier := range s.tiers {
		all = append(all, r.keyed(tier, tier.committed, tier.end, notYetDone, func(record kafka.Record) error { return f.sleeper(tier, record) }))
	}
	return all
}

func (r *reading) check(record kafka.Record) error {
	return r.found.check(record, record.Offset < r.sources.checks.committed[record.Partition])
}

// earlier is the smaller offset of each partition: what is not done belongs to the story of now, however old it is.
func earlier(a, b map[int]int64) map[int]int64 {
	out := map[int]int64{}
	for p := range a {
		out[p] = min(a[p], b[p])
	}
	return out
}

func later(until, end map[int]int64, open bool) map[int]int64 {
	if open {
		return end
	}
	return until
}

// letters looks through the dead letters: all that are kept, unless a time is asked for.
func (r *reading) letters(about *deadletters.About) stretch {
	s := r.sources.letters
	all := stretch{source: s, partitions: s.partitions("", true), from: s.first, to: s.until, what: allKept, choose: about.Chooses, take: about.Take}
	if !r.Since.IsZero() {
		all.from, all.what = s.since, withinTimes
	}
	return all
}

// widen reads further back where the times were not asked for and show the end of a story only, or nothing.
func (r *reading) widen(ctx context.Context) error {
	s, f := r.sources, &r.found
	began, headless := f.beginning()
	if !r.Since.IsZero() || !headless && len(f.parts) > 0 {
		return nil
	}
	if s.events.missing {
		return nil
	}
	from := s.events.first
	if !began.IsZero() {
		var err error
		if from, err = r.Client.ListOffsets(ctx, s.events.topic, kafka.At(began.Add(-slack))); err != nil {
			return err
		}
	}
	more := []stretch{r.keyed(s.events, from, s.events.since, beforeTimes, f.event)}
	if len(f.parts) == 0 {
		done := earlier(s.initiated.until, s.initiated.committed)
		more = append(more, r.inputs(s.initiated, s.initiated.since, done, withinTimes, f.input(handlers.NameIntake)))
	}
	return r.search(ctx, more...)
}

// origins reads the initiated events that checks and dead letters come from.
func (r *reading) origins(ctx context.Context) error {
	var all []stretch
	s := r.sources.initiated
	for origin := range r.found.origins {
		if origin.topic != s.topic || s.missing {
			continue
		}
		p := origin.Partition
		if _, there := s.end[p]; !there || origin.Offset < s.first[p] || origin.Offset >= s.end[p] {
			continue
		}
		one := r.inputs(s, map[int]int64{p: origin.Offset}, map[int]int64{p: origin.Offset + 1}, byOffset, r.found.input(handlers.NameIntake))
		one.partitions = []int{p}
		all = append(all, one)
	}
	return r.search(ctx, all...)
}
