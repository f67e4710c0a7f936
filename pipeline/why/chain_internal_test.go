package why

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

var (
	key   = schemas.PaymentKey{Provider: "liquido", Account: "default", PaymentID: "order-1"}
	began = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

func topics() pipeline.Topics {
	return pipeline.Topics{Topics: config.Topics{
		Initiated: "payments.initiated", Notified: "payments.notified", StatusChanged: "payments.status_changed", Prefix: "paystatus.",
	}}
}

func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

// past makes what is found of a payment.
type past struct{ part }

func (p *past) check(c watch.Check) *past {
	c.PaymentKey = key
	n := len(p.checks)
	if c.Kind != watch.KindNotification && c.Context == nil {
		c.Context = &watch.Context{Amount: schemas.Amount{Value: 300, Currency: "COP"}, InitiatedAt: began}
	}
	p.checks = append(p.checks, check{c, record{place{"checks", 0, int64(n)}, at(10 * n)}, true})
	return p
}

func (p *past) initiated(offset int64) *past {
	o := &watch.Origin{Topic: "initiated", Offset: offset, Time: began}
	return p.check(watch.Check{Kind: watch.KindInitiated, Cause: schemas.CauseInitiated, Origin: o, Context: &watch.Context{
		Amount: schemas.Amount{Value: 300, Currency: "COP"}, InitiatedAt: began, Earliest: o, Origins: []watch.Origin{*o},
	}})
}

func chained(step int, with func(*watch.Check)) watch.Check {
	c := watch.Check{Kind: watch.KindChain, Place: watch.Place{Epoch: 1, Step: step}, Cause: schemas.CauseSchedule}
	if with != nil {
		with(&c)
	}
	return c
}

func (p *past) said(status schemas.Status, final bool, place watch.Place) *past {
	e := event{record: record{at: at(10*len(p.checks) - 9)}}
	e.Type, e.Data = schemas.TypeStatusChanged, schemas.Change{Provider: "liquido", Account: "default", PaymentID: "order-1", Status: status, Final: final}
	e.Trail = &watch.Trail{Version: watch.Version, PaymentKey: key, Place: place, Said: watch.Said{Status: status, Final: final}}
	p.events = append(p.events, e)
	return p
}

func TestWhatChecksCameTo(t *testing.T) {
	t.Parallel()
	type result struct {
		verdict string
		outcome providers.Kind
		told    string
	}
	asked := func(outcome providers.Kind, by string) result { return result{verdictAsked, outcome, by} }
	answered := func(n int) func(*watch.Check) { return func(c *watch.Check) { c.Attempt = n } }
	for name, test := range map[string]struct {
		past *past
		want []result
	}{
		"said at once": {
			(&past{}).initiated(0).said(schemas.Captured, true, watch.Place{Epoch: 1}),
			[]result{asked(providers.Observed, toldByEvent)},
		},
		"not found, then a mismatch": {
			(&past{}).initiated(0).check(chained(2, answered(1))).
				check(chained(3, func(c *watch.Check) { c.Attempt, c.Mismatches = 2, 1 })),
			[]result{asked(providers.NotFound, toldByNext), asked(providers.Mismatch, toldByNext), asked("", "")},
		},
		"unavailable, unreadable, refused": {
			(&past{}).initiated(0).check(chained(2, func(c *watch.Check) { c.Unavailable = 1 })).
				check(chained(3, func(c *watch.Check) { c.Unavailable, c.Unreadable = 1, 1 })).
				check(chained(4, func(c *watch.Check) { c.Unavailable, c.Unreadable = 1, 1 })),
			[]result{asked(providers.Unavailable, toldByNext), asked(providers.Unreadable, toldByNext), asked(providers.Refused, toldByNext), asked("", "")},
		},
		"an answer that says nothing new may be a payment that vanished": {
			(&past{}).check(chained(5, func(c *watch.Check) { c.Said = &watch.Said{Status: schemas.Pending} })).
				check(chained(6, func(c *watch.Check) { c.Said, c.Attempt = &watch.Said{Status: schemas.Pending}, 1 })),
			[]result{asked("", toldByNext), asked("", "")},
		},
		"the same event again, and a check that was overtaken": {
			(&past{}).initiated(0).said(schemas.Pending, false, watch.Place{Epoch: 1}).initiated(0).
				check(watch.Check{Kind: watch.KindNotification, Cause: schemas.CauseNotification}).
				check(chained(2, answered(1))).check(chained(3, func(c *watch.Check) { c.Attempt, c.Said = 1, &watch.Said{Status: schemas.Pending} })),
			[]result{
				asked(providers.Observed, toldByEvent), {verdictRedelivered, "", ""}, asked("", toldByNext), {verdictOvertaken, "", ""}, asked("", ""),
			},
		},
		"the next epoch": {
			(&past{}).initiated(0).said(schemas.Declined, true, watch.Place{Epoch: 1}).initiated(7).said(schemas.Captured, true, watch.Place{Epoch: 2}),
			[]result{asked(providers.Observed, toldByEvent), asked(providers.Observed, toldByEvent)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []result
			for _, a := range test.past.walk().all {
				got = append(got, result{a.Verdict, a.Outcome, a.Told})
				assert.NotEmpty(t, a.Detail)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestWhatWasNotCommittedIsQueuedUntilSomethingCameOfIt(t *testing.T) {
	t.Parallel()
	p := (&past{}).initiated(0)
	p.checks[0].done = false
	assert.Equal(t, verdictQueued, p.walk().all[0].Verdict)
	p.check(chained(2, nil))
	p.checks[1].done = false
	w := p.walk()
	assert.Equal(t, verdictAsked, w.all[0].Verdict)
	assert.Equal(t, verdictQueued, w.all[1].Verdict)
	assert.Equal(t, watch.Place{Epoch: 1, Step: 1}, w.lane.High)
}

func (p *past) sleeps(tier string, seconds int, c watch.Check, rest ...delay.Tier) *past {
	c.PaymentKey = key
	for _, t := range delay.Standard {
		if t.Name == tier {
			where := record{place{"paystatus.delay." + tier, 0, 0}, at(seconds)}
			p.sleepers = append(p.sleepers, sleeper{check{c, where, false}, &source{topic: where.topic, tier: t}, rest})
		}
	}
	return p
}

func TestAnInitiatedEventThatACheckNamesWasRead(t *testing.T) {
	t.Parallel()
	r := &reading{sources: newSources(topics(), "paystatus"), found: found{origins: map[place]bool{}}}
	i := input{record{place: place{"payments.initiated", 0, 7}}, handlers.NameIntake}
	assert.Equal(t, "initiated event, not read yet", r.input(i).Text)
	r.found.origins[i.place] = true
	assert.Equal(t, "initiated event", r.input(i).Text)
}

func TestWhereAPaymentWaits(t *testing.T) {
	t.Parallel()
	short := delay.Standard[0]
	for name, test := range map[string]struct {
		past   *past
		state  State
		topic  string
		due    int // seconds after the beginning
		late   bool
		others []string
	}{
		"in a tier": {
			past:  (&past{}).initiated(0).sleeps("10m", 1, chained(2, nil), short),
			state: StateWaiting, topic: "paystatus.delay.10m", due: 601,
		},
		"a tier that nobody wakes": {
			past:  (&past{}).initiated(0).sleeps("30s", 1, chained(2, nil)),
			state: StateWaiting, topic: "paystatus.delay.30s", due: 31, late: true,
		},
		"the newest step, which overtook another": {
			past:  (&past{}).initiated(0).sleeps("6h", 1, chained(2, nil)).sleeps("10m", 5, chained(3, nil)),
			state: StateWaiting, topic: "paystatus.delay.10m", due: 605, others: []string{"overtaken"},
		},
		"a step that went on to the next tier": {
			past:  (&past{}).initiated(0).sleeps("10m", 1, chained(2, nil), short).sleeps("1s", 601, chained(2, nil)),
			state: StateWaiting, topic: "paystatus.delay.1s", due: 602, others: []string{"moved_on"},
		},
		"a step that was asked already, of which the tier does not know yet": {
			past:  (&past{}).initiated(0).sleeps("1s", 1, chained(2, nil)).check(chained(2, nil)).said(schemas.Captured, true, watch.Place{Epoch: 1, Step: 1}),
			state: StateEnded, others: []string{"moved_on"},
		},
		"only one that was overtaken": {
			past:  (&past{}).initiated(0).said(schemas.Captured, true, watch.Place{Epoch: 1}).sleeps("6h", 1, chained(1, nil)),
			state: StateEnded, others: []string{"overtaken"},
		},
		"nowhere": {past: (&past{}).initiated(0).said(schemas.Pending, false, watch.Place{Epoch: 1}), state: StateNowhere},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &reading{now: at(300), sources: newSources(topics(), "paystatus"), found: found{tiers: delay.Standard}}
			r.Topics = topics()
			p := r.tell(&test.past.part)
			assert.Equal(t, test.state, p.Now.State, p.Now.Text)
			assert.Equal(t, test.topic, p.Now.Topic)
			assert.Equal(t, test.late, p.Now.Late)
			if test.due > 0 {
				assert.Equal(t, at(test.due), *p.Now.Due)
				assert.Equal(t, "paystatus.checks", p.Now.Hops[len(p.Now.Hops)-1])
			}
			var others []string
			for _, s := range p.Now.Sleepers {
				others = append(others, s.Why)
			}
			assert.Equal(t, test.others, others)
		})
	}
}

func TestWhatIsNotKeptIsNamed(t *testing.T) {
	t.Parallel()
	r := &reading{now: at(300), sources: newSources(topics(), "paystatus"), found: found{tiers: delay.Standard}}
	r.Topics = topics()
	p := (&past{}).check(chained(7, func(c *watch.Check) {
		c.Context = &watch.Context{Earliest: &watch.Origin{Topic: "payments.initiated", Partition: 3, Offset: 8}}
	})).said(schemas.Captured, true, watch.Place{Epoch: 1, Step: 6})
	before := schemas.Authorized
	p.events[0].Data.PreviousStatus = &before
	assert.Equal(t, []string{
		"events before the first: authorized was said before it; not kept",
		"checks 1 to 6 of their epoch: not kept on paystatus.checks",
		"the initiated event (payments.initiated/3 at 8): not kept",
	}, r.tell(&p.part).NotKept)
}

func TestWhatNamesNoProviderBelongsToTheOnlyOne(t *testing.T) {
	t.Parallel()
	letter := deadletters.Letter{About: schemas.PaymentKey{PaymentID: "order-1"}}
	e := event{StatusEvent: handlers.StatusEvent{Data: schemas.Change{Provider: "liquido", Account: "default", PaymentID: "order-1"}}}
	other := event{StatusEvent: handlers.StatusEvent{Data: schemas.Change{Provider: "antom", Account: "default", PaymentID: "order-1"}}}
	for name, test := range map[string]struct {
		events []event
		want   []string
	}{
		"of none": {nil, []string{""}},
		"of one":  {[]event{e}, []string{"liquido"}},
		"of two":  {[]event{e, other}, []string{"", "antom", "liquido"}},
	} {
		f := newFound("order-1", delay.Standard)
		f.letter(letter)
		for _, e := range test.events {
			f.of(schemas.PaymentKey{Provider: e.Data.Provider, Account: e.Data.Account}).events = []event{e}
		}
		var got []string
		letters := 0
		for _, p := range f.divided() {
			got, letters = append(got, p.key.Provider), letters+len(p.letters)
		}
		assert.Equal(t, test.want, got, name)
		require.Equal(t, 1, letters, name)
	}
}
