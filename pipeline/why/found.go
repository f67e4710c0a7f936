package why

import (
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

// found is what was found of one payment id, at whichever providers.
type found struct {
	payment string
	parts   map[schemas.PaymentKey]*part
	origins map[place]bool // the initiated events that it was made of
	inputs  map[place]bool // those records of others that were found
	foreign int            // records under the payment's key that this version cannot read
	tiers   delay.Tiers
}

func newFound(payment string, tiers delay.Tiers) found {
	return found{payment: payment, parts: map[schemas.PaymentKey]*part{}, origins: map[place]bool{}, inputs: map[place]bool{}, tiers: tiers}
}

// of is the part of a payment at its provider. The id is the one that is asked for, whatever a record calls it.
func (f *found) of(key schemas.PaymentKey) *part {
	key.PaymentID = f.payment
	if f.parts[key] == nil {
		f.parts[key] = &part{key: key}
	}
	return f.parts[key]
}

// place is where a record stands.
type place struct {
	topic     string
	Partition int
	Offset    int64
}

// record is where a record stands and when it was written.
type record struct {
	place

	at time.Time
}

func recordOf(r kafka.Record) record { return record{place{r.Topic, r.Partition, r.Offset}, r.Time} }

type check struct {
	watch.Check
	record

	done bool // its group has committed it
}

type sleeper struct {
	check

	tier *source
	rest []delay.Tier // that come after
}

type event struct {
	handlers.StatusEvent
	record
}

type replay struct {
	handlers.ReplayOutcome
	record
}

// input is a record that a handler reads: an initiated event, a notification, a letter that was given back.
type input struct {
	record

	handler string
}

// decode reads a check, or counts what is none, or one of another version.
func (f *found) decode(r kafka.Record, done bool) (check, bool) {
	c, err := watch.DecodeCheck(r.Value)
	if err != nil || !c.Ours() {
		f.foreign++
		return check{}, false
	}
	f.comesFrom(c.Context)
	return check{c, recordOf(r), done}, true
}

// comesFrom notes the records that a payment's context was made of.
func (f *found) comesFrom(c *watch.Context) {
	if c == nil {
		return
	}
	for _, o := range c.Origins {
		f.origins[place{o.Topic, o.Partition, o.Offset}] = true
	}
	if o := c.Earliest; o != nil {
		f.origins[place{o.Topic, o.Partition, o.Offset}] = true
	}
}

func (f *found) check(r kafka.Record, done bool) error {
	if c, ok := f.decode(r, done); ok {
		p := f.of(c.PaymentKey)
		p.checks = append(p.checks, c)
	}
	return nil
}

func (f *found) sleeper(tier *source, r kafka.Record) error {
	c, ok := f.decode(r, false)
	if !ok {
		return nil
	}
	s := sleeper{check: c, tier: tier}
	for next := f.tiers.Forward(snapshot.MessageOf(r).Headers); next.Tier != ""; next = f.tiers.Forward(next.Headers) {
		i := slices.IndexFunc(f.tiers, func(t delay.Tier) bool { return t.Name == next.Tier })
		s.rest = append(s.rest, f.tiers[i])
	}
	p := f.of(c.PaymentKey)
	p.sleepers = append(p.sleepers, s)
	return nil
}

func (f *found) event(r kafka.Record) error {
	switch e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r)); {
	case err != nil:
		f.foreign++
	default:
		p := f.of(schemas.PaymentKey{Provider: e.Data.Provider, Account: e.Data.Account})
		p.events = append(p.events, event{e, recordOf(r)})
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
		p := f.of(outcome.PaymentKey)
		p.replays = append(p.replays, replay{outcome, recordOf(r)})
	}
	return nil
}

// input takes a record that names the payment.
func (f *found) input(handler string) func(kafka.Record) error {
	return func(r kafka.Record) error {
		by, where := handler, recordOf(r)
		if by == "" {
			by = handlerOf(r)
		}
		key := handlers.About(by, snapshot.MessageOf(r), deadletters.ReaderOf)
		if key.PaymentID == f.payment && !f.inputs[where.place] {
			f.inputs[where.place] = true
			p := f.of(key)
			p.inputs = append(p.inputs, input{where, handler})
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

func (f *found) letter(l deadletters.Letter) {
	p := f.of(l.About)
	p.letters = append(p.letters, l)
	partition, wrongPartition := strconv.Atoi(l.From.Partition)
	offset, wrongOffset := strconv.ParseInt(l.From.Offset, 10, 64)
	if wrongPartition == nil && wrongOffset == nil {
		f.origins[place{l.From.Topic, partition, offset}] = true
	}
}

// beginning is when the payment's story began, the zero time where nobody says so, and whether the events that were found lack their beginning.
func (f *found) beginning() (began time.Time, headless bool) {
	since := func(c *watch.Context) {
		if c != nil && !c.First.IsZero() && (began.IsZero() || c.First.Before(began)) {
			began = c.First
		}
	}
	for _, p := range f.parts {
		p.sort()
		if len(p.events) > 0 {
			headless = headless || p.events[0].Data.PreviousStatus != nil
			if trail := p.events[0].Trail; trail != nil {
				since(trail.Context)
			}
		}
		for _, c := range p.asked() {
			headless = headless || len(p.events) == 0 && c.Said != nil && c.Said.Has()
			since(c.Context)
		}
	}
	return began, headless
}
