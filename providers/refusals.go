package providers

import (
	"context"
	"sync"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// Refusals makes checks, and leaves accounts alone that were refused: until credentials are mended one check a minute finds
// out whether they are, over all instances, and all others come to what the last one came to, without a request. The zero
// value is ready, nil lets every check through. It is safe for concurrent use.
type Refusals struct {
	// Share is this instance's part of the one check a minute; nil means all of it.
	Share *Share

	mu       sync.Mutex
	accounts map[accountOf]*refusal
}

const (
	refusedInARow = 3           // checks; one alone may be the payment's fault
	probeEvery    = time.Minute // over all instances
)

type accountOf struct{ provider, account string }

// refusal is an account's breaker, which refused checks open.
type refusal struct {
	breaker breaker
	share   float64

	mu   sync.Mutex
	last Outcome
}

// Check is the function Check, unless the account is left alone.
func (r *Refusals) Check(ctx context.Context, provider Provider, p Payment) (Answer, Outcome, error) {
	if r == nil {
		return Check(ctx, provider, p)
	}
	a := r.account(accountOf{provider.Name(), p.Account})
	if !a.breaker.TryAcquirePermit() {
		return Answer{From: schemas.SourceQuery}, a.lastOutcome(), nil
	}
	answer, o, err := Check(ctx, provider, p)
	switch {
	case err == nil && o.Kind == Refused && (o.Code == CodeUnauthorized || o.Code == CodeForbidden):
		a.keep(o)
		a.breaker.RecordFailure()
	case err != nil, o.Kind == Unavailable, o.Kind == Refused: // does not tell whether the credentials are good
		giveBack(a.breaker)
	default:
		a.breaker.RecordSuccess()
	}
	return answer, o, err
}

func (r *Refusals) account(name accountOf) *refusal {
	part := r.Share.Part()
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.accounts[name]
	if old != nil && old.share == part {
		return old
	}
	a := &refusal{breaker: newBreaker(refusedInARow, time.Duration(float64(probeEvery)/part)), share: part}
	if old != nil && !old.breaker.IsClosed() {
		a.last = old.lastOutcome()
		a.breaker.Open()
	}
	if r.accounts == nil {
		r.accounts = map[accountOf]*refusal{}
	}
	r.accounts[name] = a
	return a
}

func (a *refusal) keep(o Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = Failure(o.Kind, o.Code, o.Message+"; the account is asked about one payment a minute until it is not refused any more")
}

func (a *refusal) lastOutcome() Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}
