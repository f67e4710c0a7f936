package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Check asks the provider about a payment, compares with what was last said, says what changed, and hands the chain over to
// the next check.
type Check struct {
	Providers map[string]providers.Provider
	Schedule  func(provider, method string) watch.Schedule
	Memory    *Memory
	Events    Events
	Random    func() float64  // 0 to 1, for jitter and backoff
	Delays    []time.Duration // that are kept as they are, sorted: jitter prefers them

	// Refusals leaves accounts alone whose credentials are not accepted; nil leaves none alone.
	Refusals *providers.Refusals

	// Timeout bounds one check with all its requests, so that it fits into a drain.
	Timeout time.Duration

	// IgnoreUnknownPayments drops notifications for payments that no initiated event names, instead of making them dead
	// letters.
	IgnoreUnknownPayments bool

	Log   *slog.Logger
	Watch CheckWatcher // may be nil
}

// CheckWatcher is told what checks come to, for metrics.
type CheckWatcher interface {
	// Checked tells the outcome of one question to a provider and how long it took.
	Checked(provider string, outcome providers.Kind, code string, took time.Duration)
	// Said tells an event that was written.
	Said(provider, eventType string, status schemas.Status)
	// Skipped tells a check message that was not asked: it was done before.
	Skipped(provider string)
	// Alarmed tells what people must hear of.
	Alarmed(provider string, code watch.Code)
}

// NameCheck is the handler's name in dead letters and consumer groups.
const NameCheck = "check"

// patienceWithVersions is how long a check of another version waits: a rollback is under way.
const patienceWithVersions = 10 * time.Minute

// Handle is the Handler.
func (h *Check) Handle(ctx context.Context, m Message) (Result, error) {
	check, err := watch.DecodeCheck(m.Value)
	switch {
	case err != nil:
		letter := deadLetter(m, NameCheck, CodeInvalidCheck, "the record on the work topic is not a check", time.Now(), nil)
		return Result{Out: []Out{letter}}, nil //nolint:nilerr // bad input is a dead letter
	case !check.Ours():
		h.Log.Warn("a check of another version waits", "version", check.Version, "partition", m.Partition, "offset", m.Offset)
		return Result{Out: []Out{{To: ToDelay, After: patienceWithVersions, Key: m.Key, Value: m.Value, Headers: m.Headers}}}, nil
	}
	lane, tenure := h.Memory.Lane(m.Partition, check.PaymentKey)
	now := time.Now()
	taken := lane.Take(check, now)
	switch taken.Verdict {
	case watch.Done:
		if h.Watch != nil {
			h.Watch.Skipped(check.Provider)
		}
		return Result{Done: func() { h.Memory.Keep(tenure, check.PaymentKey, lane, time.Time{}) }}, nil
	case watch.Conflict:
		return Result{
			Out:  []Out{deadLetter(m, NameCheck, watch.CodeConflictingInitiation, taken.Why.Error(), now, nil)},
			Done: func() { h.Memory.Keep(tenure, check.PaymentKey, lane, time.Time{}) },
		}, nil
	case watch.Ask:
	}
	if check.Kind == watch.KindRenormalize {
		return h.renormalize(m, tenure, lane, taken.Check)
	}
	q := &watch.Question{Check: taken.Check, Lane: lane, LogFrom: tenure.LogFrom, Exact: h.Delays, Random: h.Random()}
	payment, err := h.ask(ctx, q)
	if err != nil {
		return Result{}, err
	}
	return h.write(m, tenure, q, watch.Decide(q), payment, taken.Displaced)
}

// ask puts the question to the provider and reads what the check carried as evidence.
func (h *Check) ask(ctx context.Context, q *watch.Question) (providers.Payment, error) {
	c := &q.Check
	payment := PaymentOf(c.PaymentKey, c.Context)
	q.Schedule = h.Schedule(c.Provider, payment.Method)
	provider := h.Providers[c.Provider]
	if provider == nil {
		q.Now = time.Now()
		outcome := providers.Failure(providers.Refused, string(CodeUnknownProvider), "the provider is not configured any more")
		q.Query = watch.Reading{From: schemas.SourceQuery, Outcome: outcome}
		return payment, nil
	}
	if c.Evidence != nil {
		q.Evidence = readEvidence(provider, *c.Evidence, payment)
		if c.Context == nil && len(q.Evidence.Outcome.About) > 0 {
			c.About = q.Evidence.Outcome.About
		}
	}
	if c.Context == nil {
		payment.Reference = c.About
	}
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	answer, outcome, err := h.Refusals.Check(bounded, provider, payment)
	switch {
	case err != nil && ctx.Err() != nil:
		return payment, fmt.Errorf("check %s at %s: %w", c.PaymentID, c.Provider, err)
	case err != nil:
		outcome = providers.Failure(providers.Unavailable, providers.CodeTimeout, "the provider needed too long for all requests of the check")
	}
	q.Now = time.Now()
	q.Query = watch.Reading{From: schemas.SourceQuery, Answer: answer, Outcome: outcome}
	if h.Watch != nil {
		h.Watch.Checked(c.Provider, outcome.Kind, outcome.Code, q.Now.Sub(began))
	}
	return payment, nil
}

// PaymentOf is the payment that a provider is asked about, as far as its context is known; nil: it is not.
func PaymentOf(key schemas.PaymentKey, c *watch.Context) providers.Payment {
	payment := providers.Payment{ID: key.PaymentID, Account: key.Account}
	if c != nil {
		payment.Reference, payment.Amount, payment.InitiatedAt = c.Known(), &c.Amount, c.InitiatedAt
		payment.Capture, payment.Method = c.Capture, c.Method
	}
	return payment
}

func readEvidence(provider providers.Provider, e watch.Evidence, p providers.Payment) *watch.Reading {
	page := providers.Page{HTTPStatus: e.HTTPStatus, Header: http.Header{}, Body: e.Body, Masked: e.Masked, ReceivedAt: e.ReceivedAt}
	if page.HTTPStatus == 0 {
		page.HTTPStatus = http.StatusOK
	}
	for name, value := range e.Header {
		page.Header.Set(name, value)
	}
	answer := providers.Answer{From: e.From, Pages: []providers.Page{page}}
	return &watch.Reading{From: e.From, Answer: answer, Outcome: provider.Read(answer, p)}
}

// write turns a decision into records, in the order that loses nothing: what is said, then dead letters, then the next check,
// then the outcome of a backfill.
func (h *Check) write(
	m Message, t Tenure, q *watch.Question, d *watch.Decision, payment providers.Payment, displaced *watch.Context,
) (Result, error) {
	out := make([]Out, 0, len(d.Statements)+1) // mostly
	c := &q.Check
	var said []string
	for i := range d.Statements {
		s := &d.Statements[i]
		record, err := h.Events.record(s, change(s, c, h.Providers[c.Provider], payment, q.Now), c)
		if err != nil {
			return Result{}, err
		}
		out = append(out, record)
		if d.Record {
			said = append(said, schemas.EventID(c.PaymentKey, s.Facts).String())
		}
	}
	for _, l := range d.DeadLetters {
		if l.Reason == watch.CodeNoContext && h.IgnoreUnknownPayments {
			continue
		}
		var a *answer
		if l.Answer {
			a = &answer{body: sealed(&q.Query, payment)}
		}
		out = append(out, deadLetter(m, NameCheck, l.Reason, l.Detail, q.Now, a))
	}
	if letter, foreign := foreignEvidence(m, q, d, payment); foreign {
		out = append(out, letter)
	}
	if displaced != nil {
		letter, err := h.displaced(m, c.PaymentKey, displaced, q.Now)
		if err != nil {
			return Result{}, err
		}
		out = append(out, letter)
	}
	if d.Next != nil {
		value, err := d.Next.Check.Encode()
		if err != nil {
			return Result{}, err
		}
		out = append(out, Out{To: ToDelay, After: d.Next.After, Key: []byte(c.PaymentID), Value: value})
	}
	if d.Record {
		record, err := replayRecord(outcomeOf(q, d, said))
		if err != nil {
			return Result{}, err
		}
		out = append(out, record)
	}
	return Result{Out: out, Done: func() { h.done(t, q, d) }}, nil
}

// foreignEvidence is the dead letter of what a provider pushed about another payment, account, currency or amount than this
// check's, once it has been held against an answer.
func foreignEvidence(m Message, q *watch.Question, d *watch.Decision, payment providers.Payment) (Out, bool) {
	carriedOn := d.Next != nil && d.Next.Check.Evidence != nil
	if q.Evidence == nil || q.Check.Kind == watch.KindRenormalize || q.Evidence.Outcome.Kind != providers.Mismatch || carriedOn {
		return Out{}, false
	}
	o := &q.Evidence.Outcome
	return deadLetter(m, NameCheck, watch.CodeMismatch, o.Code+": "+o.Message, q.Now, &answer{body: sealed(q.Evidence, payment)}), true
}

// sealed is the provider's answer with card numbers masked.
func sealed(r *watch.Reading, p providers.Payment) []byte {
	if r.Outcome.Page >= len(r.Answer.Pages) {
		return nil
	}
	body, _ := providers.MaskCardNumbers(r.Answer.Pages[r.Outcome.Page].Body, p.Identifiers())
	return body
}

// displaced is the dead letter of an initiated event that turned out to be later than a conflicting one.
func (h *Check) displaced(m Message, key schemas.PaymentKey, later *watch.Context, now time.Time) (Out, error) {
	value, err := watch.Check{PaymentKey: key, Kind: watch.KindRepeat, Context: later, Cause: schemas.CauseInitiated}.Encode()
	if err != nil {
		return Out{}, err
	}
	detail := "an earlier initiated event of this payment says something else"
	return deadLetter(Message{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: []byte(key.PaymentID), Value: value},
		NameCheck, watch.CodeConflictingInitiation, detail, now, nil), nil
}

// ReplayOutcome is the record of what a backfill's check of one payment came to.
type ReplayOutcome struct {
	ReplayID string `json:"replay_id"`
	schemas.PaymentKey
	Outcome providers.Kind `json:"outcome"`
	Code    string         `json:"code,omitempty"`
	Status  schemas.Status `json:"status,omitempty"`
	Events  []string       `json:"events,omitempty"` // ids of the events it emitted
	At      time.Time      `json:"at"`
}

// outcomeOf is what a backfill's check, or the correction of a renormalization, came to.
func outcomeOf(q *watch.Question, d *watch.Decision, events []string) ReplayOutcome {
	c, outcome := &q.Check, q.Query.Outcome
	if d.Rereading != "" {
		outcome = rereadOutcome(q, d)
	}
	r := ReplayOutcome{ReplayID: c.ReplayID, PaymentKey: c.PaymentKey, Outcome: outcome.Kind, Code: outcome.Code, Events: events, At: q.Now.UTC()}
	if obs := outcome.Observation; obs != nil {
		r.Status = obs.Status
	}
	return r
}

func replayRecord(r ReplayOutcome) (Out, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return Out{}, fmt.Errorf("encode a replay's outcome: %w", err)
	}
	return Out{To: ToReplays, Key: []byte(r.PaymentID), Value: value}, nil
}

// done keeps what is known now, once everything is written, and tells who watches.
func (h *Check) done(t Tenure, q *watch.Question, d *watch.Decision) {
	var said time.Time
	if len(d.Statements) > 0 {
		said = time.Now()
	}
	h.Memory.Keep(t, q.Check.PaymentKey, d.Lane, said)
	outcome := string(q.Query.Outcome.Kind)
	if q.Check.Kind == watch.KindRenormalize {
		outcome = string(d.Rereading)
	}
	log, debug := h.Log, h.Log.Enabled(context.Background(), slog.LevelDebug)
	if debug || len(d.Alarms) > 0 {
		log = log.With("payment_id", q.Check.PaymentID, "provider", q.Check.Provider, "outcome", outcome)
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if debug {
			log.Debug("said", "type", s.Type, "status", s.Facts.Status, "final", s.Facts.Final)
		}
		if h.Watch != nil {
			h.Watch.Said(q.Check.Provider, s.Type, s.Facts.Status)
		}
	}
	for _, alarm := range d.Alarms {
		log.Warn("alarm", "alarm", alarm, "code", q.Query.Outcome.Code, "message", q.Query.Outcome.Message)
		if h.Watch != nil {
			h.Watch.Alarmed(q.Check.Provider, alarm)
		}
	}
}
