package watch_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// provider is a payment service provider with one linear history of the payment. Queries may be late by the scenario's lag,
// do not see disputes, and do not know the payment at first.
type provider struct {
	w       *world
	history []state
	queried map[int]bool // states that an answered query showed
	own     int          // the latest own state that a completed check saw, -1 for none
	last    int          // the state that the last completed check's query showed, -1 for none
	heard   map[int]bool // dispute states of which a completed check heard
}

// state is one step in the life of the payment: a status of its own, or news of a dispute.
type state struct {
	status  schemas.Status
	sums    schemas.Sums
	attempt int
	dispute *schemas.Dispute
	at      time.Time
}

func newProvider(w *world, first byte) *provider {
	p := &provider{w: w, queried: map[int]bool{}, own: -1, heard: map[int]bool{}}
	status := []schemas.Status{schemas.Pending, schemas.Pending, schemas.RequiresAction, schemas.Authorized, schemas.Captured, schemas.Declined}[first%6]
	p.enter(state{status: status, sums: fullSums(status)})
	return p
}

func fullSums(status schemas.Status) schemas.Sums {
	switch status {
	case schemas.Captured, schemas.RefundPending, schemas.RefundFailed:
		return schemas.Sums{Captured: 100}
	case schemas.Refunded:
		return schemas.Sums{Captured: 100, Refunded: 100}
	default:
		return schemas.Sums{}
	}
}

func (p *provider) enter(s state) {
	s.at = p.w.now.Add(time.Duration(len(p.history))) // no two at the same time
	p.history = append(p.history, s)
	p.w.sayf("provider: state %d is %s", len(p.history)-1, s)
}

func (s state) String() string {
	if s.dispute != nil {
		return fmt.Sprintf("dispute %s %s", s.dispute.ID, s.dispute.Outcome)
	}
	return fmt.Sprintf("%s %v of attempt %d", s.status, s.sums, s.attempt)
}

// moves are what may follow a status of the payment's own, at a whim.
var moves = map[schemas.Status][]state{
	schemas.Pending: {
		{status: schemas.Authorized},
		{status: schemas.RequiresAction},
		{status: schemas.Captured},
		{status: schemas.Declined},
		{status: schemas.Unknown},
		{status: schemas.CapturePending},
		{status: schemas.Expired},
	},
	schemas.RequiresAction: {{status: schemas.Authorized}, {status: schemas.Pending}, {status: schemas.Captured}, {status: schemas.Declined}, {status: schemas.Canceled}},
	schemas.Unknown:        {{status: schemas.Authorized}, {status: schemas.CapturePending}, {status: schemas.Captured}, {status: schemas.Failed}},
	schemas.Authorized: {
		{status: schemas.Captured},
		{status: schemas.CapturePending},
		{status: schemas.PartiallyCaptured, sums: schemas.Sums{Captured: 30}},
		{status: schemas.Voided},
		{status: schemas.Unknown},
		{status: schemas.Authorized, sums: schemas.Sums{Authorized: 150}},
	},
	schemas.CapturePending: {{status: schemas.Captured}, {status: schemas.Captured}, {status: schemas.Failed}},
	schemas.PartiallyCaptured: {
		{status: schemas.PartiallyCaptured, sums: schemas.Sums{Captured: 60}}, {status: schemas.Captured},
	},
	schemas.Captured: {
		{status: schemas.RefundPending}, {status: schemas.PartiallyRefunded, sums: schemas.Sums{Captured: 100, Refunded: 30}}, {status: schemas.Refunded},
	},
	schemas.RefundPending: {{status: schemas.Refunded}, {status: schemas.RefundFailed}},
	schemas.PartiallyRefunded: {
		{status: schemas.PartiallyRefunded, sums: schemas.Sums{Captured: 100, Refunded: 60}}, {status: schemas.Refunded},
	},
}

const mostStates = 12

// advance makes something happen to the payment. Under a reference that can be paid again under a declined customer tries
// again, within the window.
func (p *provider) advance(whim byte) {
	if len(p.history) == mostStates {
		return
	}
	last := p.history[p.latest()]
	open, lost, disputes := p.disputes()
	switch {
	case open != "":
		p.contest(open, []schemas.DisputeOutcome{schemas.DisputeWon, schemas.DisputeLost}[whim%2])
	case lost != "":
		if whim%4 == 0 {
			p.contest(lost, schemas.DisputeWon) // reversed
		}
	case disputes < 2 && whim%5 < 2 && (last.status == schemas.Captured || last.status == schemas.PartiallyRefunded):
		p.contest(fmt.Sprintf("d%d", disputes+1), schemas.DisputeOpen)
	case last.status == schemas.Declined:
		if p.w.payableAgain && p.w.now.Before(start.Add(45*time.Minute)) {
			status := []schemas.Status{schemas.Pending, schemas.Captured, schemas.Declined}[whim%3]
			p.enter(state{status: status, sums: fullSums(status), attempt: last.attempt + 1})
		}
	default:
		if next := moves[last.status]; len(next) > 0 {
			p.move(last, next[int(whim/5)%len(next)])
		}
	}
}

func (p *provider) contest(id string, outcome schemas.DisputeOutcome) {
	p.enter(state{dispute: &schemas.Dispute{ID: id, Outcome: outcome}, attempt: p.history[p.latest()].attempt})
}

func (p *provider) move(from, to state) {
	to.attempt = from.attempt
	if to.sums == (schemas.Sums{}) {
		to.sums = fullSums(to.status)
	}
	if from.sums.Authorized > to.sums.Authorized {
		to.sums.Authorized = from.sums.Authorized
	}
	if to.status == from.status && to.sums == from.sums {
		return
	}
	p.enter(to)
}

// latest is the latest state of the payment's own.
func (p *provider) latest() int {
	for i := len(p.history) - 1; ; i-- {
		if p.history[i].dispute == nil {
			return i
		}
	}
}

// before is the latest state of the payment's own at a time, or its first.
func (p *provider) before(at time.Time) int {
	shown := 0
	for i, s := range p.history {
		if s.dispute == nil && !s.at.After(at) {
			shown = i
		}
	}
	return shown
}

// captured is when the payment was captured.
func (p *provider) captured() time.Time {
	i := slices.IndexFunc(p.history, func(s state) bool { return s.status == schemas.Captured })
	return p.history[max(i, 0)].at
}

// disputes tells which dispute is open, which is lost, and how many there were.
func (p *provider) disputes() (open, lost string, opened int) {
	for _, s := range p.history {
		if s.dispute == nil {
			continue
		}
		switch s.dispute.Outcome {
		case schemas.DisputeOpen:
			open, opened = s.dispute.ID, opened+1
		case schemas.DisputeLost:
			open, lost = "", s.dispute.ID
		case schemas.DisputeWon:
			open, lost = "", ""
		}
	}
	return open, lost, opened
}

// refundedSince reports whether the latest own state that was seen is younger than the first that was heard of a dispute.
func (p *provider) refundedSince() bool {
	for i := range p.heard {
		if i < p.own {
			return true
		}
	}
	return false
}

func (p *provider) disputed() bool {
	return slices.ContainsFunc(p.history, func(s state) bool { return s.dispute != nil })
}

// query answers a check's question, by the mood that the provider is in.
func (p *provider) query(c watch.Check, mood, noise byte) watch.Reading {
	p.w.count.queries++
	switch mood % 16 {
	case 1:
		return unavailable()
	case 2:
		return unavailable(time.Duration(noise) * time.Second)
	case 6:
		return unreadable()
	case 7:
		return refused()
	case 8:
		return notFound()
	}
	known := c.Context != nil
	switch {
	case p.w.now.Before(start.Add(p.w.appears)), known && p.w.needsID && c.Context.Reference["payment_id"] == "":
		r := notFound()
		r.Outcome.PayableAgain = p.w.payableAgain
		return r
	case known && c.Context.Amount.Value != 100:
		return mismatch()
	}
	shown := p.latest()
	if mood%16 >= 3 && mood%16 <= 5 && p.w.lag > 0 {
		shown = p.before(p.w.now.Add(-p.w.lag))
	}
	return p.reading(schemas.SourceQuery, shown)
}

// evidence is what the provider pushed, read with what is known of the payment.
func (p *provider) evidence(c watch.Check) *watch.Reading {
	if c.Evidence == nil {
		return nil
	}
	if c.Context != nil && c.Context.Amount.Value != 100 {
		r := mismatch()
		r.From = c.Evidence.From
		return &r
	}
	r := p.reading(c.Evidence.From, stateIn(c.Evidence.Body))
	return &r
}

// reading is how the provider shows a state.
func (p *provider) reading(from schemas.Source, shown int) watch.Reading {
	s := p.history[shown]
	obs := &providers.Observation{Status: s.status, Amounts: schemas.Amounts{Requested: money(100)}}
	switch {
	case s.dispute != nil:
		obs.Status = map[schemas.DisputeOutcome]schemas.Status{
			schemas.DisputeOpen: schemas.Disputed, schemas.DisputeLost: schemas.ChargedBack, schemas.DisputeWon: schemas.Captured,
		}[s.dispute.Outcome]
		obs.Dispute = s.dispute
	case from == schemas.SourceQuery && s.status == schemas.RefundFailed && p.w.showsCaptured:
		obs.Status = schemas.Captured
		s.at = p.captured()
	}
	if to, misread := p.w.misread[obs.Status]; misread && s.dispute == nil {
		obs.Status = to
	}
	obs.Final = obs.Status.Final() || p.w.lastWords && obs.Status == schemas.CapturePending
	obs.PayableAgain = p.w.payableAgain && obs.Status.Negative()
	if p.w.namesAttempts {
		obs.ProviderPaymentID = fmt.Sprintf("pay_%d", s.attempt)
	}
	if p.w.statesTimes {
		obs.OccurredAt = s.at
	}
	for _, sum := range []struct {
		value int64
		to    **schemas.Money
	}{{s.sums.Authorized, &obs.Amounts.Authorized}, {s.sums.Captured, &obs.Amounts.Captured}, {s.sums.Refunded, &obs.Amounts.Refunded}} {
		if sum.value != 0 {
			*sum.to = money(sum.value)
		}
	}
	if from == schemas.SourceNotification && (obs.Status == schemas.PartiallyCaptured || obs.Status == schemas.PartiallyRefunded) {
		obs.Partial, obs.Amounts.Captured, obs.Amounts.Refunded = true, nil, nil
	}
	return watch.Reading{From: from, Answer: page(from, string(stateBody(shown))), Outcome: providers.Outcome{Kind: providers.Observed, Observation: obs}}
}

type stateDocument struct {
	State int `json:"state"`
}

func stateBody(shown int) []byte {
	text, err := json.Marshal(stateDocument{shown})
	if err != nil {
		panic(err)
	}
	return text
}

func stateIn(body []byte) int {
	var d stateDocument
	if err := json.Unmarshal(body, &d); err != nil {
		panic(err)
	}
	return d.State
}

// stateOf is the state that a reading shows, -1 where it shows none.
func stateOf(r *watch.Reading) int {
	if r == nil || r.Outcome.Kind != providers.Observed {
		return -1
	}
	return stateIn(r.Answer.Pages[0].Body)
}

// sight is what a check saw of the provider.
type sight struct {
	query, own, dispute int // states, -1 for none
}

func sightOf(c watch.Check, query watch.Reading, evidence *watch.Reading, d *watch.Decision) *sight {
	s := sight{query: stateOf(&query), own: -1, dispute: -1}
	if s.query >= 0 && c.Kind != watch.KindBackfill && (c.Context != nil || !booksMoney(query.Outcome.Observation.Status)) {
		s.own = s.query
	}
	if at := stateOf(evidence); at >= 0 && evidence.Outcome.Observation.Dispute != nil {
		s.dispute = at
	}
	for _, said := range d.Statements {
		if said.Type != schemas.TypeStatusUnresolved && said.Facts.Dispute == nil {
			s.own = max(s.own, stateOf(said.Reading))
		}
	}
	return &s
}

// shown takes in what a completed check saw.
func (p *provider) shown(s *sight) {
	if s == nil {
		return
	}
	if s.query >= 0 {
		p.queried[s.query] = true
	}
	if s.dispute >= 0 {
		p.heard[s.dispute] = true
	}
	p.own, p.last = max(p.own, s.own), s.query
}

// booksMoney tells the statuses that need the amount to be checked.
func booksMoney(s schemas.Status) bool {
	return slices.Contains([]schemas.Status{schemas.Authorized, schemas.CapturePending, schemas.PartiallyCaptured, schemas.Captured}, s)
}

// told is an exchange with the provider, in words.
func told(query watch.Reading, evidence *watch.Reading) string {
	words := "query: " + string(query.Outcome.Kind)
	if at := stateOf(&query); at >= 0 {
		words = fmt.Sprintf("query: state %d, %s", at, query.Outcome.Observation.Status)
	}
	if at := stateOf(evidence); at >= 0 {
		words += fmt.Sprintf("; %s: state %d, %s", evidence.From, at, evidence.Outcome.Observation.Status)
	}
	return words
}
