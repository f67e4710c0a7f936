package watch_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// judgeDownstream holds the kit that services read status events with against the decisions that made them: it reads the log,
// with all that crashes and stalled processes left in it, and twice more from the beginning.
func (w *world) judgeDownstream() {
	events := make([]consume.Event, len(w.log))
	for i, e := range w.log {
		events[i] = e.event()
	}
	d := downstream{world: w, facts: map[string]bool{}}
	for i, e := range w.log {
		d.receive(e, events[i])
	}
	d.judgeView()
	for i := range 2 * len(events) {
		known, delta := d.known.Next(events[i%len(events)])
		if delta.News() || delta.After != d.known.View {
			w.findf("downstream", "%q is news when it is read again", spoken(w.log[i%len(events)].statement))
		}
		d.known = known
	}
}

// downstream is a service that reads with the kit.
type downstream struct {
	*world

	known  consume.Known
	truth  watch.Lane // what a process knows that has read as much
	model  consumer
	facts  map[string]bool // the changes that took effect
	misled bool            // a late write came first
}

func (d *downstream) receive(e emitted, event consume.Event) {
	d.truth.Restore(e.trail)
	known, delta := d.known.Next(event)
	reaction := d.model.receive(e)
	switch {
	case delta.Verdict == consume.Regression && !e.late && !e.forgetful && !d.misled:
		d.findf("downstream", "%q was dropped, and nothing was wrong with it", spoken(e.statement))
	case delta.News() && reaction != accepts:
		d.findf("downstream", "%q took effect, and comes after %s", spoken(e.statement), d.known.Status)
	}
	if change := d.change(e); delta.News() && change != "" && !e.forgetful && e.state >= 0 && e.statement.Type != schemas.TypeStatusUnresolved {
		if d.facts[change] {
			d.findf("downstream", "%s took effect twice", change)
		}
		d.facts[change] = true
	}
	d.misled = d.misled || e.late && delta.News()
	d.known = known
}

// judgeView compares what a service believes at the end with what was said last.
func (d *downstream) judgeView() {
	said, view := d.truth.Said, d.known.View
	switch {
	case said.Status != view.Status, said.Final != view.Final:
		d.findf("downstream", "the kit says %s, final %t; last said was %s, final %t", view.Status, view.Final, said.Status, said.Final)
	case d.count.forgetful > 0 && d.provider.disputed(): // an event below a lost dispute, which states them, was dropped
	case partials(said.Sums) != partials(view.Sums):
		d.findf("downstream", "the kit says %v; last said was %v", view.Sums, said.Sums)
	}
}

// partials leaves out the sums that are all of the payment: stated or not, they are the same fact.
func partials(s schemas.Sums) schemas.Sums {
	for _, sum := range []*int64{&s.Authorized, &s.Captured, &s.Refunded} {
		if *sum == 100 {
			*sum = 0
		}
	}
	return s
}

// event is an emitted one as a service reads it.
func (e emitted) event() consume.Event {
	s := e.statement
	c := schemas.Change{
		PaymentID: key.PaymentID, Provider: key.Provider, Account: key.Account, Status: s.Facts.Status, Final: s.Facts.Final,
		Funds: s.Facts.Status.Funds(), Entry: s.Facts.Entry, Dispute: s.Facts.Dispute, Reason: s.Reason, ObservedAt: e.observed,
		Anomalies: slices.Concat([]schemas.Anomaly{}, s.Anomalies),
	}
	if s.Previous != "" {
		c.PreviousStatus = &s.Previous
	}
	if s.Reading != nil && s.Reading.Outcome.Observation != nil {
		obs := s.Reading.Outcome.Observation
		c.ProviderPaymentID, c.Amounts, c.OccurredAt = obs.ProviderPaymentID, e.statement.Beside.Or(obs.Amounts), obs.OccurredAt
		if s.Derived && c.Dispute == nil {
			c.OccurredAt = time.Time{}
		}
	}
	value, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	event, err := consume.Decode([]consume.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_type", Value: []byte(s.Type)},
		{Key: "ce_id", Value: []byte(e.id)},
		{Key: "ce_time", Value: []byte(e.observed.Format(time.RFC3339Nano))},
	}, value)
	if err != nil {
		panic(fmt.Sprintf("%q cannot be read: %v", spoken(s), err))
	}
	return event
}
