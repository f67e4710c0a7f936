package why

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/schemas"
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
	r.found.letters = about.Letters()
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
	if !r.Since.IsZero() || !headless && !f.nothing() {
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
	if f.nothing() {
		done := earlier(s.initiated.until, s.initiated.committed)
		more = append(more, r.inputs(s.initiated, s.initiated.since, done, withinTimes, f.input(handlers.NameIntake)))
	}
	return r.search(ctx, more...)
}

// origins reads the initiated events that checks and dead letters come from.
func (r *reading) origins(ctx context.Context) error {
	var all []stretch
	for _, l := range r.found.letters {
		partition, wrongPartition := strconv.Atoi(l.From.Partition)
		offset, wrongOffset := strconv.ParseInt(l.From.Offset, 10, 64)
		if wrongPartition == nil && wrongOffset == nil {
			r.found.origins[place{l.From.Topic, partition, offset}] = true
		}
	}
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

// place is where a record stands.
type place struct {
	topic     string
	Partition int
	Offset    int64
}

// found is what was found of one payment id, at whichever providers.
type found struct {
	payment  string
	checks   []check
	sleepers []sleeper
	events   []event
	replays  []replay
	letters  []deadletters.Letter
	inputs   []input
	origins  map[place]bool
	foreign  int // records under the payment's key that this version cannot read
	tiers    delay.Tiers
}

type check struct {
	watch.Check

	place

	at   time.Time // when it was written
	done bool      // its group has committed it
}

type sleeper struct {
	check

	tier *source
	rest []delay.Tier // that come after
}

type event struct {
	handlers.StatusEvent

	place

	at time.Time
}

type replay struct {
	handlers.ReplayOutcome

	place

	at time.Time
}

// input is a record that a handler reads: an initiated event, a notification, a letter that was given back.
type input struct {
	place

	key     schemas.PaymentKey
	handler string
	at      time.Time
	value   []byte
}

func placeOf(r kafka.Record) place { return place{r.Topic, r.Partition, r.Offset} }

// decode reads a check, or counts what is none, or one of another version.
func (f *found) decode(r kafka.Record) (watch.Check, bool) {
	c, err := watch.DecodeCheck(r.Value)
	if err != nil || !c.Ours() {
		f.foreign++
		return watch.Check{}, false
	}
	return c, true
}

func (f *found) check(r kafka.Record, done bool) error {
	c, ok := f.decode(r)
	if !ok {
		return nil
	}
	f.checks = append(f.checks, check{c, placeOf(r), r.Time, done})
	f.comesFrom(c.Context)
	return nil
}

// comesFrom notes the records that a payment's context was made of.
func (f *found) comesFrom(c *watch.Context) {
	if c == nil {
		return
	}
	if c.Earliest != nil {
		f.origins[place{c.Earliest.Topic, c.Earliest.Partition, c.Earliest.Offset}] = true
	}
	for _, o := range c.Origins {
		f.origins[place{o.Topic, o.Partition, o.Offset}] = true
	}
}

func (f *found) sleeper(tier *source, r kafka.Record) error {
	c, ok := f.decode(r)
	if !ok {
		return nil
	}
	s := sleeper{check: check{Check: c, place: placeOf(r), at: r.Time}, tier: tier}
	for next := f.tiers.Forward(snapshot.MessageOf(r).Headers); next.Tier != ""; next = f.tiers.Forward(next.Headers) {
		i := slices.IndexFunc(f.tiers, func(t delay.Tier) bool { return t.Name == next.Tier })
		s.rest = append(s.rest, f.tiers[i])
	}
	f.sleepers = append(f.sleepers, s)
	f.comesFrom(c.Context)
	return nil
}

func (f *found) event(r kafka.Record) error {
	switch e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r)); {
	case err != nil:
		f.foreign++
	default:
		f.events = append(f.events, event{e, placeOf(r), r.Time})
		if e.Trail != nil {
			f.comesFrom(e.Trail.Context)
		}
	}
	return nil
}

func (f *found) replay(r kafka.Record) error {
	var outcome handlers.ReplayOutcome
	switch err := json.Unmarshal(r.Value, &outcome); {
	case err != nil:
		f.foreign++
	default:
		f.replays = append(f.replays, replay{outcome, placeOf(r), r.Time})
	}
	return nil
}

// input takes a record that names the payment.
func (f *found) input(handler string) func(kafka.Record) error {
	return func(r kafka.Record) error {
		by, m := handler, snapshot.MessageOf(r)
		if by == "" {
			by = handlerOf(r)
		}
		key := handlers.About(by, m, deadletters.ReaderOf)
		if key.PaymentID == f.payment {
			f.inputs = append(f.inputs, input{placeOf(r), key, handler, r.Time, r.Value})
		}
		return nil
	}
}

// handlerOf is who gave up the letter that was given back.
func handlerOf(r kafka.Record) string {
	for _, h := range r.Headers {
		if h.Key == handlers.HeaderHandler {
			return string(h.Value)
		}
	}
	return ""
}

func (f *found) nothing() bool {
	return len(f.checks)+len(f.sleepers)+len(f.events)+len(f.replays)+len(f.letters)+len(f.inputs) == 0
}

// beginning is when the payment's story began, the zero time where nobody says so, and whether the events that were found lack their beginning.
func (f *found) beginning() (began time.Time, headless bool) {
	first := map[schemas.PaymentKey]event{}
	for _, e := range f.events {
		if known, ok := first[keyOf(e)]; !ok || e.at.Before(known.at) {
			first[keyOf(e)] = e
		}
	}
	for _, e := range first {
		headless = headless || e.Data.PreviousStatus != nil
		if e.Trail != nil {
			began = earliest(began, e.Trail.Context)
		}
	}
	told := func(c check) {
		_, spoken := first[c.PaymentKey]
		headless = headless || !spoken && c.Said != nil && c.Said.Has()
		began = earliest(began, c.Context)
	}
	for _, c := range f.checks {
		told(c)
	}
	for _, s := range f.sleepers {
		told(s.check)
	}
	return began, headless
}

func earliest(known time.Time, c *watch.Context) time.Time {
	if c == nil || c.First.IsZero() || !known.IsZero() && known.Before(c.First) {
		return known
	}
	return c.First
}

func keyOf(e event) schemas.PaymentKey {
	return schemas.PaymentKey{Provider: e.Data.Provider, Account: e.Data.Account, PaymentID: e.Data.PaymentID}
}
