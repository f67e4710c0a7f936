package providers

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

// patience is how long a request waits for its turn before its payment is put off instead.
const patience = time.Second

// longestQueue is how far ahead places are given to payments that are put off. Who comes when more wait than that gets any
// place, so that nobody is put off for a day.
const longestQueue = time.Hour

// usual is how long a request is thought to take before any has ended.
const usual = 200 * time.Millisecond

// average is a moving average over about the last hundred durations.
type average struct{ nanoseconds atomic.Int64 }

func (a *average) load() time.Duration   { return time.Duration(a.nanoseconds.Load()) }
func (a *average) store(d time.Duration) { a.nanoseconds.Store(int64(d)) }

// add may lose some of those that come at once.
func (a *average) add(d time.Duration) { a.store(a.load() + (d-a.load())/100) }

type breaker = circuitbreaker.CircuitBreaker[any]

// newBreaker makes a breaker that opens after failures in a row; then one request after another is the trial.
func newBreaker(failures int, open time.Duration) breaker {
	return circuitbreaker.NewBuilder[any]().WithFailureThreshold(uint(max(failures, 1))).WithDelay(open).WithSuccessThreshold(1).Build()
}

// giveBack returns a permit that was not used for anything that tells success from failure. Only a trial must end somehow: it
// is repeated later.
func giveBack(b breaker) {
	if b.IsHalfOpen() {
		b.Open()
	}
}

// scope is whom limits are for: an account, or the endpoint that gives its tokens, which is another host.
type scope struct {
	account string
	tokens  bool
}

// limits bound the requests of one scope, and give those that must wait a place in a queue.
type limits struct {
	breaker breaker // answers are errors, or do not come
	share   float64
	rate    ratelimiter.RateLimiter[any] // nil: no limit
	pace    func() time.Duration         // between two payments that come back

	mu   sync.Mutex
	next time.Time // the first place that is free
}

// limitsOf are those of a scope, made for the share that this instance has now.
func (t *Transport) limitsOf(s scope) *limits {
	part := t.share.Part()
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.limits[s]
	if old != nil && old.share == part {
		return old
	}
	l := &limits{share: part}
	if t.settings.Rate > 0 {
		pace := max(1, time.Duration(float64(time.Second)/(t.settings.Rate*part)))
		l.rate = ratelimiter.NewSmoothWithMaxRate[any](pace)
		l.pace = func() time.Duration { return pace }
	} else {
		l.pace = func() time.Duration { return t.took.load() / time.Duration(max(t.settings.Concurrency, 1)) }
	}
	if old != nil {
		l.breaker, l.next = old.breaker, old.freePlace()
	} else {
		l.breaker = newBreaker(t.settings.Breaker.Failures, t.settings.Breaker.Open)
	}
	t.limits[s] = l
	return l
}

func (l *limits) freePlace() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// queue says how long a payment waits until it may expect a turn: atLeast as long, and behind all that wait already, so that
// they come back at the pace of the account and not all at once.
func (l *limits) queue(atLeast time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	place := now.Add(atLeast)
	switch {
	case l.next.Sub(place) > longestQueue:
		place = place.Add(rand.N(longestQueue))
	case l.next.After(place):
		place = l.next
		fallthrough
	default:
		l.next = place.Add(l.pace())
	}
	return ceilSeconds(place.Sub(now))
}

// busy is the outcome of a payment whose turn does not come in time.
func (l *limits) busy(message string) *Outcome {
	o := Failure(Unavailable, CodeBusy, message)
	o.RetryAfter = l.queue(patience)
	return &o
}

// resting is the outcome while a breaker lets nobody through; nil while all do.
func (t *Transport) resting(l *limits, breakers []breaker) *Outcome {
	var rest time.Duration
	for _, b := range breakers {
		rest = max(rest, b.RemainingDelay())
	}
	if rest == 0 {
		return nil
	}
	return l.leftAlone(rest)
}

func (l *limits) leftAlone(atLeast time.Duration) *Outcome {
	o := Failure(Unavailable, CodeBreakerOpen, "the provider failed too often and is left alone for a while")
	o.RetryAfter = l.queue(atLeast)
	return &o
}

// permit asks all breakers for leave to try, and gives back what it got where one does not.
func permit(breakers []breaker) bool {
	for i, b := range breakers {
		if !b.TryAcquirePermit() {
			for _, got := range breakers[:i] {
				giveBack(got)
			}
			return false
		}
	}
	return true
}

// admit waits for a turn: in the account's rate, then among the requests in flight. Release must be called after the request.
func (t *Transport) admit(ctx context.Context, l *limits) (release func(), fault *Outcome, err error) {
	if !t.entrance.TryAcquirePermit() {
		return nil, l.busy("too many requests to this provider wait for their turn"), nil
	}
	refuse := func(message string) (func(), *Outcome, error) {
		t.entrance.ReleasePermit()
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		return nil, l.busy(message), nil
	}
	if l.rate != nil {
		if err := l.rate.AcquirePermitWithMaxWait(ctx, patience); err != nil {
			return refuse("the account's rate limit is used up")
		}
	}
	if err := t.inFlight.AcquirePermitWithMaxWait(ctx, patience); err != nil {
		return refuse("too many requests to this provider are in flight")
	}
	return func() {
		t.inFlight.ReleasePermit()
		t.entrance.ReleasePermit()
	}, nil, nil
}
