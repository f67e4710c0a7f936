package providers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

// Transport makes the requests to one provider and keeps its trouble to itself: it bounds requests in flight, their rate
// for each account, their time and the size of answers, leaves a failing provider alone for a while, and never follows a
// redirect. It asks for no compression, so that the bytes of a body are the bytes that were sent.
type Transport struct {
	client   *http.Client
	settings Settings
	inFlight bulkhead.Bulkhead[any]
	breaker  circuitbreaker.CircuitBreaker[any]

	mu    sync.Mutex
	rates map[string]ratelimiter.RateLimiter[any] // by account
}

// patience is how long a request waits for its turn before the payment is put off instead.
const patience = time.Second

// NewTransport makes the transport of one provider. Round is what carries requests; nil means HTTP with connection reuse up
// to the limit of requests in flight.
func NewTransport(s Settings, round http.RoundTripper) *Transport {
	if round == nil {
		t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented by net/http
		t.MaxIdleConnsPerHost = s.Concurrency
		t.MaxIdleConns = 0
		t.DisableCompression = true
		t.ResponseHeaderTimeout = s.Timeout
		round = t
	}
	return &Transport{
		client: &http.Client{
			Transport:     round,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		settings: s,
		inFlight: bulkhead.New[any](uint(max(s.Concurrency, 1))),
		breaker: circuitbreaker.NewBuilder[any]().WithFailureThreshold(uint(max(s.Breaker.Failures, 1))).
			WithDelay(s.Breaker.Open).WithSuccessThreshold(1).Build(), // one request is the trial
		rates: map[string]ratelimiter.RateLimiter[any]{},
	}
}

// Do makes one request for an account and reads the whole answer. A nil fault means that an answer came, whatever it says.
// The error is ctx's, when that ended first: then nothing is known.
func (t *Transport) Do(ctx context.Context, account string, request *http.Request) (Page, *Outcome, error) {
	if t.breaker.RemainingDelay() > 0 { // nobody need wait for a turn that is not given
		return Page{}, t.leftAlone(), nil
	}
	fault, err := t.admit(ctx, account)
	if fault != nil || err != nil {
		return Page{}, fault, err
	}
	defer t.inFlight.ReleasePermit()
	if !t.breaker.TryAcquirePermit() {
		return Page{}, t.leftAlone(), nil
	}
	bounded, cancel := context.WithTimeout(ctx, t.settings.Timeout)
	defer cancel()
	page, err := t.exchange(request.WithContext(bounded))
	switch {
	case err != nil && ctx.Err() != nil:
		// We gave up, not the provider, which says nothing about it: neither success nor failure counts. Only the one
		// request on trial must end somehow, and is tried again later.
		if t.breaker.IsHalfOpen() {
			t.breaker.Open()
		}
		return Page{}, nil, ctx.Err()
	case err != nil:
		t.breaker.RecordFailure()
		o := connectionFault(err)
		return Page{}, &o, nil
	case page.HTTPStatus >= 500:
		t.breaker.RecordFailure()
	default:
		t.breaker.RecordSuccess()
	}
	return page, nil, nil
}

func (t *Transport) leftAlone() *Outcome {
	o := Failure(Unavailable, CodeBreakerOpen, "the provider failed too often and is left alone for a while")
	o.RetryAfter = ceilSeconds(t.breaker.RemainingDelay())
	return &o
}

// admit waits for a turn: in the account's rate, then among the requests in flight.
func (t *Transport) admit(ctx context.Context, account string) (*Outcome, error) {
	if t.settings.Rate > 0 {
		limiter := t.rate(account)
		if err := limiter.AcquirePermitWithMaxWait(ctx, patience); err != nil {
			return busy(ctx, "the account's rate limit is used up")
		}
	}
	if err := t.inFlight.AcquirePermitWithMaxWait(ctx, patience); err != nil {
		return busy(ctx, "too many requests to this provider are in flight")
	}
	return nil, nil //nolint:nilnil // neither a fault nor an end: admitted
}

func busy(ctx context.Context, message string) (*Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := Failure(Unavailable, CodeBusy, message)
	o.RetryAfter = patience
	return &o, nil
}

func (t *Transport) rate(account string) ratelimiter.RateLimiter[any] {
	t.mu.Lock()
	defer t.mu.Unlock()
	limiter, ok := t.rates[account]
	if !ok {
		limiter = ratelimiter.NewSmoothWithMaxRate[any](max(1, time.Duration(float64(time.Second)/t.settings.Rate)))
		t.rates[account] = limiter
	}
	return limiter
}

func (t *Transport) exchange(request *http.Request) (Page, error) {
	response, err := t.client.Do(request) //nolint:gosec // to the configured URL, joined with what the provider's package has escaped
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = response.Body.Close() }()
	page := Page{HTTPStatus: response.StatusCode, Header: response.Header}
	page.Body, err = io.ReadAll(io.LimitReader(response.Body, int64(t.settings.MaxAnswer)+1))
	page.ReceivedAt = time.Now()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		page.Cut = true
	case err != nil:
		return Page{}, err
	}
	if int64(len(page.Body)) > int64(t.settings.MaxAnswer) {
		page.Body, page.TooLarge = page.Body[:t.settings.MaxAnswer], true
	}
	return page, nil
}

// connectionFault names what kept an answer from coming, without the URL, which may hold identifiers.
func connectionFault(err error) Outcome {
	var (
		timeout interface{ Timeout() bool }
		alert   *net.OpError // crypto/tls calls the alerts of both sides so
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Failure(Unavailable, CodeTimeout, "the provider did not answer in time")
	case errors.As(err, &record), errors.As(err, &verify), errors.Is(err, http.ErrSchemeMismatch),
		errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"):
		return Failure(Unavailable, CodeTLS, "no secure connection to the provider could be made")
	default:
		return Failure(Unavailable, CodeConnection, "the connection to the provider failed")
	}
}

func ceilSeconds(d time.Duration) time.Duration {
	return (max(d, 0) + time.Second - 1).Truncate(time.Second)
}

// NewRequest builds a request to base (a configured URL) joined with path, however slashes stand between them.
func NewRequest(ctx context.Context, method, base, path string, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, trimSlash(base)+path, body)
	var invalid *url.Error
	switch {
	case errors.As(err, &invalid): // without the URL, which may hold identifiers
		return nil, fmt.Errorf("build a %s request: %w", method, invalid.Err)
	case err != nil:
		return nil, fmt.Errorf("build a %s request: %w", method, err)
	}
	request.Header.Set("User-Agent", "paystatus")
	request.Header.Set("Accept", "application/json")
	return request, nil
}

func trimSlash(s string) string {
	for len(s) > 0 && s[len(s)-1] == '/' {
		s = s[:len(s)-1]
	}
	return s
}
