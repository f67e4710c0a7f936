package backfill

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Verify asks the providers about payments itself and compares what they say with what was last said. It writes nothing.
type Verify struct {
	Providers map[string]providers.Provider
	Schedule  func(provider, method string) watch.Schedule

	// Reread puts in what was said since the payments were listed (Payments.ReadSaid).
	Reread func(context.Context) error

	Rate        int           // payments a second; 0: as many as Concurrency allows
	Concurrency int           // payments that one provider is asked about at once
	Timeout     time.Duration // of one question with all its requests
	Attempts    int           // how often a payment is asked about that cannot be
	Pause       time.Duration // before the next attempt; the provider may want a longer one

	// Progress is told how far it has come. It may be nil.
	Progress func(Progress)
}

// longestPause bounds how long an attempt waits for a provider that wants to be left alone.
const longestPause = 30 * time.Second

// Kind is how what a provider says differs from what was last said.
type Kind string

// The kinds of difference.
const (
	Behind        Kind = "behind"        // the payment has moved on since, as payments do
	Contradiction Kind = "contradiction" // no payment moves from what was said to what the provider says
	Silent        Kind = "silent"        // nothing was said, and the provider states a status
	Vanished      Kind = "vanished"      // the provider does not know a payment of which something was said
	Mismatch      Kind = "mismatch"      // the provider's answer names another payment, account, currency or amount
	Unasked       Kind = "unasked"       // no difference: the provider could not be asked, or not be understood
)

// Kinds lists the kinds, and what each means.
var Kinds = []struct {
	Kind    Kind
	Meaning string
}{
	{Behind, "the payment has moved on at the provider since, as payments do; it was not said"},
	{Contradiction, "what the provider says cannot follow on what was said"},
	{Silent, "the provider states a status, and nothing was said"},
	{Vanished, "the provider does not know a payment of which something was said"},
	{Mismatch, "the provider's answer names another payment, account, currency or amount"},
	{Unasked, "no difference: the provider could not be asked, or not be understood"},
}

// Standing is what is said about a payment.
type Standing struct {
	Status  schemas.Status   `json:"status"`
	Final   bool             `json:"final"`
	Sums    schemas.Sums     `json:"sums"` // in minor units; one that was not stated is absent
	Dispute *schemas.Dispute `json:"dispute,omitempty"`
}

// Difference is a payment of which the provider says something else than was last said.
type Difference struct {
	schemas.PaymentKey

	Kind   Kind            `json:"kind"`
	Said   *Standing       `json:"said"`   // nil: nothing was
	Found  *Standing       `json:"found"`  // nil: the provider states none
	Reason *schemas.Reason `json:"reason"` // why the provider states none; nil: it does
}

// Report is what a Verify found.
type Report struct {
	Payments    int          `json:"payments"`
	Agree       int          `json:"agree"`
	Differences []Difference `json:"-"` // in the order of provider, account and payment_id
	Unasked     []Difference `json:"-"` // the same
	ByKind      map[Kind]int `json:"by_kind"`
}

// Run asks about all payments that were chosen. A difference counts only if nothing was said meanwhile that explains it: such a
// payment is asked about once more. After an error the report holds what was found until then.
func (v *Verify) Run(ctx context.Context, payments *Payments) (Report, error) {
	all := payments.All()
	run := &verifying{Verify: v, found: map[schemas.PaymentKey]Difference{}, total: len(all), pace: pace{began: time.Now()}}
	if v.Rate > 0 {
		run.limiter = ratelimiter.NewSmooth[any](uint(v.Rate), time.Second)
	}
	err := run.ask(ctx, all)
	if err == nil && len(run.found) > 0 {
		err = run.again(ctx, all, payments)
	}
	return run.report(), err
}

type verifying struct {
	*Verify

	limiter  ratelimiter.RateLimiter[any]
	refusals providers.Refusals // an account that is refused is left alone
	total    int

	mu    sync.Mutex
	pace  pace
	found map[schemas.PaymentKey]Difference
}

// ask asks each provider on its own, so that one that is slow keeps no other waiting.
func (v *verifying) ask(ctx context.Context, payments []Payment) error {
	queues := map[string][]Payment{}
	for _, p := range payments {
		queues[p.Provider] = append(queues[p.Provider], p)
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, queue := range queues {
		all.Go(func() error {
			group, ctx := errgroup.WithContext(ctx)
			group.SetLimit(v.Concurrency)
			for _, p := range queue {
				if ctx.Err() != nil {
					break
				}
				group.Go(func() error { return v.one(ctx, p) })
			}
			return group.Wait()
		})
	}
	return all.Wait()
}

func (v *verifying) one(ctx context.Context, p Payment) error {
	difference, differs, err := v.compare(ctx, p)
	if err != nil {
		return fmt.Errorf("verify %s: %w", p.PaymentID, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.found, p.PaymentKey)
	if differs {
		v.found[p.PaymentKey] = difference
	}
	v.pace.done++
	if v.Progress != nil {
		v.Progress(v.pace.progress(min(v.pace.done, v.total), v.total, 0))
	}
	return nil
}

// again asks once more about payments that differ and of which something was said meanwhile.
func (v *verifying) again(ctx context.Context, all []Payment, payments *Payments) error {
	if err := v.Reread(ctx); err != nil {
		return err
	}
	var changed []Payment
	for _, p := range all {
		if d, differs := v.found[p.PaymentKey]; !differs || d.Kind == Unasked {
			continue
		}
		if now := payments.get(p.PaymentKey); !same(now.Said.Facts(), p.Said.Facts()) {
			changed = append(changed, now)
		}
	}
	return v.ask(ctx, changed)
}

// compare asks about one payment and says how the answer differs.
func (v *verifying) compare(ctx context.Context, p Payment) (Difference, bool, error) {
	d := Difference{PaymentKey: p.PaymentKey, Said: standing(p.Said)}
	answer, outcome, err := v.answer(ctx, p)
	if err != nil {
		return d, false, err
	}
	d.Reason = outcome.Reason()
	switch {
	case outcome.Kind == providers.NotFound && !p.Said.Has():
		return d, false, nil
	case outcome.Kind == providers.NotFound:
		d.Kind = Vanished
	case outcome.Kind == providers.Mismatch:
		d.Kind = Mismatch
	case outcome.Kind != providers.Observed:
		d.Kind = Unasked
	default:
		d.Reason = nil
		return v.held(d, p, answer, outcome)
	}
	return d, true, nil
}

// held holds an answer against what was said, as the pipeline does.
func (v *verifying) held(d Difference, p Payment, answer providers.Answer, outcome providers.Outcome) (Difference, bool, error) {
	decision := watch.Decide(&watch.Question{
		Check: watch.Check{PaymentKey: p.PaymentKey, Kind: watch.KindBackfill, Context: p.Context, Cause: schemas.CauseBackfill},
		Lane:  watch.Lane{Said: p.Said, Context: p.Context, Logged: p.Said.Has()},
		Query: watch.Reading{From: schemas.SourceQuery, Answer: answer, Outcome: outcome}, Now: time.Now(),
		Schedule: v.Schedule(p.Provider, p.Context.Method),
	})
	switch {
	case decision.Stale: // held back: the status of an earlier time, or smaller sums
		o := outcome.Observation
		d.Kind, d.Found = Contradiction, &Standing{Status: o.Status, Final: o.Final, Sums: sums(o.Amounts), Dispute: o.Dispute}
		return d, true, nil
	case len(decision.Statements) == 0: // an open dispute stands above what a query says
		return d, false, nil
	}
	last := decision.Statements[len(decision.Statements)-1]
	if same(last.Said.Facts(), p.Said.Facts()) {
		return d, false, nil
	}
	d.Found = standing(last.Said)
	switch {
	case !p.Said.Has():
		d.Kind = Silent
	case slices.Contains(last.Anomalies, schemas.UnexpectedTransition):
		d.Kind = Contradiction
	default:
		d.Kind = Behind
	}
	return d, true, nil
}

// same compares facts, disputes by what they are.
func same(a, b schemas.Facts) bool {
	return schemas.EventID(schemas.PaymentKey{}, a) == schemas.EventID(schemas.PaymentKey{}, b)
}

// answer asks until there is something to compare, as often as allowed.
func (v *verifying) answer(ctx context.Context, p Payment) (answer providers.Answer, outcome providers.Outcome, err error) {
	provider := v.Providers[p.Provider]
	if provider == nil {
		return answer, providers.Failure(providers.Refused, string(handlers.CodeUnknownProvider), "the provider is not configured any more"), nil
	}
	for wait, attempt := v.Pause, 1; ; wait, attempt = 2*wait, attempt+1 {
		if v.limiter != nil {
			if err := v.limiter.AcquirePermit(ctx); err != nil {
				return answer, outcome, err
			}
		}
		bounded, cancel := context.WithTimeout(ctx, v.Timeout)
		answer, outcome, err = v.refusals.Check(bounded, provider, handlers.PaymentOf(p.PaymentKey, p.Context))
		cancel()
		switch {
		case ctx.Err() != nil:
			return answer, outcome, context.Cause(ctx)
		case err != nil:
			outcome = providers.Failure(providers.Unavailable, providers.CodeTimeout, "the provider needed too long for all requests of the question")
		}
		if Conclusive(outcome.Kind) || outcome.Kind == providers.Refused || attempt >= v.Attempts {
			return answer, outcome, nil
		}
		if err := pause(ctx, min(max(wait, outcome.RetryAfter), longestPause)); err != nil {
			return answer, outcome, err
		}
	}
}

func standing(s watch.Said) *Standing {
	if !s.Has() {
		return nil
	}
	return &Standing{Status: s.Status, Final: s.Final, Sums: s.Sums, Dispute: s.Dispute}
}

func sums(a schemas.Amounts) schemas.Sums {
	value := func(m *schemas.Money) int64 {
		if m == nil {
			return 0
		}
		return m.Value
	}
	return schemas.Sums{Authorized: value(a.Authorized), Captured: value(a.Captured), Refunded: value(a.Refunded)}
}

func (v *verifying) report() Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := Report{Payments: v.total, ByKind: map[Kind]int{}}
	for _, d := range v.found {
		r.ByKind[d.Kind]++
		if d.Kind == Unasked {
			r.Unasked = append(r.Unasked, d)
		} else {
			r.Differences = append(r.Differences, d)
		}
	}
	order := func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Account, b.Account), cmp.Compare(a.PaymentID, b.PaymentID))
	}
	slices.SortFunc(r.Differences, order)
	slices.SortFunc(r.Unasked, order)
	r.Agree = min(v.pace.done, v.total) - len(v.found)
	return r
}
