package watch

import (
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Question is one check that was asked, with all that its answer is held against.
type Question struct {
	Check    Check   // as Take left it
	Lane     Lane    // as Take left it
	Query    Reading // what the provider answered
	Evidence *Reading

	Schedule Schedule
	Exact    []time.Duration // delays that are kept as they are, sorted: jitter prefers them
	Now      time.Time
	LogFrom  time.Time // since when the emitted log is known; a payment initiated later has no unknown past
	Random   float64   // 0 to 1, for jitter and backoff
}

// Reading is an answer with what the provider's Read made of it.
type Reading struct {
	From    schemas.Source
	Answer  providers.Answer
	Outcome providers.Outcome
}

func (r *Reading) observation() *providers.Observation {
	if r == nil || r.Outcome.Kind != providers.Observed {
		return nil
	}
	return r.Outcome.Observation
}

// Decision is what to do after a check. Everything is written in this order, each acknowledged before the next: statements,
// dead letters, the next check, the outcome record of a backfill. Then the lane is what Lane says.
type Decision struct {
	Statements  []Statement
	DeadLetters []DeadLetter
	Next        *Next
	Record      bool      // the check belongs to a replay and has come to its outcome
	Rereading   Rereading // of a renormalization
	Lane        Lane

	Stale  bool   // the answer is older than what was last said
	Alarms []Code // what people must hear of
}

// Statement is one event to emit.
type Statement struct {
	Type      string // of the event
	Previous  schemas.Status
	Facts     schemas.Facts
	Said      Said // after it
	Derived   bool // the status is concluded from several answers, and not the reading's own
	Reading   *Reading
	Beside    schemas.Amounts // what the query beside the reading states, where the facts are from both
	Anomalies []schemas.Anomaly
	Reason    *schemas.Reason // of an unresolved end
	Corrects  string          // the id of the event that a correction is about
	Trail     Trail
}

// DeadLetter is something that cannot go on and that people must see.
type DeadLetter struct {
	Reason Code
	Detail string
	Answer bool // the provider's answer goes with it
}

// Next is a check to be asked after a while.
type Next struct {
	Check Check
	After time.Duration
}

// Code is a stable word for a dead letter or an alarm.
type Code string

// The codes of dead letters that checks make, and of alarms.
const (
	CodeConflictingInitiation Code = "conflicting_initiation"
	CodeNoContext             Code = "no_context"
	CodeMismatch              Code = "mismatch"
	CodeUnreadable            Code = "unreadable_answer"
	AlarmRefused              Code = "refused"
	AlarmVanished             Code = "vanished"            // not found after it was once seen
	AlarmEndedOverFinal       Code = "ended_without_event" // what was last said is final: no unresolved event
	AlarmParked               Code = "parked"              // the deadline passed without an answer
)

// Rules that are not configuration.
const (
	rechecks        = 3                // quick checks after stale reads in a row
	mismatches      = 3                // after so many
	mismatchSpan    = 10 * time.Minute // over at least this long, the watch ends
	readLag         = 15 * time.Minute // for how long a provider's queries may show less than its notifications
	refundDoubt     = 30 * time.Minute // how long queries must agree that a refund did not happen
	parkedEvery     = time.Hour        // pace after a deadline without an answer
	backfillRetries = time.Hour        // how long a backfill check is tried again
)

// Decide says what an answer means after all that was said before, and what to do next. It is pure, and does not change q.
func Decide(q *Question) *Decision {
	d := &deciding{Question: *q, said: q.Lane.Said.clone()}
	if q.Check.Kind == KindRenormalize {
		d.renormalize()
		return d.result()
	}
	if q.Check.Kind == KindBackfill && q.Check.Said != nil && q.Check.Said.Has() && !q.Lane.Logged {
		d.said = q.Check.Said.clone()
	}
	if q.Check.Context != nil {
		d.said.Amount = q.Check.Context.Amount.Value
	}
	if c := q.Lane.Context; c != nil && len(q.Query.Outcome.Learned) > 0 {
		learned := schemas.Reference{}
		for name, id := range q.Query.Outcome.Learned {
			learned[name] = strings.Clone(id) // not the whole answer with it
		}
		d.Lane.Context = c.clone()
		d.Lane.Context.Learned, _ = c.Learned.Merge(learned)
	}
	d.old = d.said.clone()
	d.doubtSince = q.Check.RefundDoubtSince

	switch {
	case speaksOfDispute(q.Evidence):
		if !d.dispute(q.Evidence) {
			d.consider(&d.Query)
		}
	case speaksOfDispute(&d.Query):
		d.dispute(&d.Query)
	default:
		d.consider(&d.Query)
		d.considerEvidence()
	}
	d.plan()
	return d.result()
}

func speaksOfDispute(r *Reading) bool {
	obs := r.observation()
	return obs != nil && obs.Dispute != nil
}

// deciding is a decision in the making.
type deciding struct {
	Question

	old, said   Said
	statements  []Statement
	stale       bool      // the query's answer is older than what was said
	unconfirmed bool      // something was said from a notification that no query has shown
	doubtSince  time.Time // since when queries contradict a refund under way

	next    *Next
	ended   bool
	opened  bool // a backfill or a correction has the chain go on
	record  bool
	reread  Rereading
	readFor *Context // of a correction: what was known when its answer came
	letters []DeadLetter
	alarms  []Code
}

func (d *deciding) known() bool { return d.Check.Context != nil }

// needsContext tells the statuses on which goods are shipped or money is booked: not said while the amount cannot be checked.
func needsContext(s schemas.Status) bool {
	return slices.Contains([]schemas.Status{schemas.Authorized, schemas.CapturePending, schemas.PartiallyCaptured, schemas.Captured}, s)
}

// consider holds one reading against what was said, and says what is new.
func (d *deciding) consider(r *Reading) {
	obs := r.observation()
	if obs == nil {
		return
	}
	fromQuery := r.From == schemas.SourceQuery
	status, derived := obs.Status, false
	sums := stated(obs.Amounts)
	if d.Check.Context == nil && obs.Amounts.Requested != nil {
		d.said.Amount = obs.Amounts.Requested.Value
	}
	if !d.known() && needsContext(status) || d.sticks(r) {
		return
	}
	compared := d.said.compared()
	if compared == schemas.RefundPending && (status == schemas.Captured || status == schemas.PartiallyCaptured) {
		if !fromQuery || !d.refundFailed() {
			return
		}
		status, derived = schemas.RefundFailed, true
	} else if slices.Contains([]schemas.Status{schemas.RefundPending, schemas.PartiallyRefunded, schemas.Refunded}, status) {
		d.doubtSince = time.Time{}
	}

	attempt := d.said.attempt(obs.ProviderPaymentID, obs.Status, obs.OccurredAt)
	move := d.move(attempt, obs.ProviderPaymentID, compared, status)
	switch {
	case d.said.Has() && (attempt == attemptEarlier || move == schemas.MoveBackwards),
		status == d.said.Status && shrinks(d.said.Sums, sums),
		fromQuery && attempt == attemptSame && !d.after(obs) && d.lags(status):
		d.stale = d.stale || fromQuery
		return
	case !fromQuery && move == schemas.MoveUnexpected:
		return
	}

	said := d.said.say(status, sums, d.final(obs, status, derived), nil)
	if attempt == attemptNewer && status == schemas.Unknown && compared.Negative() {
		said.Known = ""
	}
	if d.said.Has() && said.sameTuple(d.said) && (d.Check.Kind != KindBackfill || !fromQuery) {
		d.said.spokenOf(obs.ProviderPaymentID, obs.OccurredAt)
		if fromQuery {
			d.said.Ahead = time.Time{}
		}
		return
	}
	said.Ahead = time.Time{}
	if !fromQuery {
		said.Ahead = d.Now
	}
	said.spokenOf(obs.ProviderPaymentID, obs.OccurredAt)
	s := Statement{Said: said, Reading: r, Derived: derived}
	if move == schemas.MoveUnexpected {
		s.Anomalies = append(s.Anomalies, schemas.UnexpectedTransition)
	}
	d.unconfirmed = !fromQuery
	d.state(s)
}

// state adds the statement of a change and makes it what was last said.
func (d *deciding) state(s Statement) {
	s.Type, s.Previous, s.Facts = schemas.TypeStatusChanged, d.said.Status, s.Said.Facts()
	if s.Said.Status == d.said.Status && s.Said.Final == d.said.Final && s.Said.Dispute == nil && s.Said.stated() != d.said.stated() {
		s.Type = schemas.TypeAmountsChanged
	}
	d.said = s.Said
	d.statements = append(d.statements, s)
}

func stated(a schemas.Amounts) schemas.Sums {
	value := func(m *schemas.Money) int64 {
		if m == nil {
			return 0
		}
		return m.Value
	}
	return schemas.Sums{Authorized: value(a.Authorized), Captured: value(a.Captured), Refunded: value(a.Refunded)}
}

// move classifies the step to a status. A negative that is not final may be followed by anything of another attempt, but
// the same attempt, where both answers name it, does not come back to life.
func (d *deciding) move(a attempt, id string, from, to schemas.Status) schemas.Move {
	switch {
	case from.Negative() && a == attemptNewer:
		return schemas.MoveAllowed
	case from.Negative() && id != "" && len(d.said.Attempts) > 0:
		return schemas.Between(from, true, to)
	default:
		return schemas.Between(from, d.said.Final, to)
	}
}

// after reports whether the provider dates an answer after what was said.
func (d *deciding) after(obs *providers.Observation) bool {
	return !d.said.OccurredAt.IsZero() && obs.OccurredAt.After(d.said.OccurredAt)
}

// lags reports whether a query may not show yet what a notification said: what it shows may come before that.
func (d *deciding) lags(status schemas.Status) bool {
	move := schemas.Between(status, false, d.said.compared())
	return d.Now.Before(d.said.Ahead.Add(readLag)) && status != d.said.Status && (move == schemas.MoveSame || move == schemas.MoveAllowed)
}

// refundFailed concludes from a payment that is captured again that its refund failed, once two checks agree that are far
// enough apart. Until then the answer counts as stale.
func (d *deciding) refundFailed() bool {
	switch {
	case d.doubtSince.IsZero():
		d.doubtSince = d.Now
	case d.Now.Sub(d.doubtSince) >= refundDoubt:
		return true
	}
	d.stale = true
	return false
}

// final says whether checking ends with a status. What was final stays so.
func (d *deciding) final(obs *providers.Observation, status schemas.Status, derived bool) bool {
	switch {
	case status == d.said.Status && d.said.Final:
		return true
	case status.Negative() && !d.known():
		return false
	case obs.PayableAgain && d.Now.Before(d.windowEnds()):
		return false
	case derived:
		return status.Final()
	default:
		return obs.Final
	}
}

func (d *deciding) windowEnds() time.Time {
	return d.Check.Context.askedFirst().Add(d.Schedule.ReferenceWindow)
}

// considerEvidence holds what the provider pushed against what was said, after the query: it counts only where it leads
// forward from there.
func (d *deciding) considerEvidence() {
	obs, query := d.Evidence.observation(), d.Query.observation()
	switch {
	case obs == nil || obs.Partial:
		return
	case query != nil && obs.Status == schemas.Unknown:
		return // says less than the query
	case query != nil && obs.OccurredAt.IsZero() && schemas.Between(obs.Status, true, query.Status) == schemas.MoveAllowed:
		return // nothing says that it comes after what the query shows
	case !obs.OccurredAt.IsZero() && !d.said.OccurredAt.IsZero() && !obs.OccurredAt.After(d.said.OccurredAt):
		return // not after what was said: no evidence
	case !d.said.Has() && (!d.known() || d.Check.Context.InitiatedAt.Before(d.LogFrom)):
		return // nobody knows what was said long ago: ask, do not speak
	case query != nil && query.ProviderPaymentID != "" && obs.ProviderPaymentID != "" && query.ProviderPaymentID != obs.ProviderPaymentID:
		return // about another attempt than the provider now speaks of
	case d.Evidence.From == schemas.SourceInitiation && (query != nil || obs.Status.Negative()):
		return // older than any query, and never a refusal that no query confirms
	}
	d.consider(d.Evidence)
}
