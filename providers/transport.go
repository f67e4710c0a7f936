package providers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
)

// Transport makes the requests to one provider and keeps its trouble to itself: it bounds requests in flight, their rate
// for each account, their time and the size of answers, leaves a failing provider or account alone for a while, and never
// follows a redirect. It asks for no compression, so that the bytes of a body are the bytes that were sent.
//
// A payment whose turn does not come soon is put off instead of waiting here: the fault says for how long.
type Transport struct {
	round    http.RoundTripper // not a client: that would follow redirects
	settings Settings
	share    *Share
	entrance bulkhead.Bulkhead[any] // in flight, or waiting to be
	inFlight bulkhead.Bulkhead[any]
	breaker  breaker // no answers come at all
	took     average // by requests, of late

	mu     sync.Mutex
	limits map[scope]*limits
}

// NewTransport makes the transport of one provider.
func NewTransport(s Settings, o Options) *Transport {
	round := o.RoundTripper
	if round == nil {
		round = HTTP(s)
	}
	concurrency := uint(max(s.Concurrency, 1))
	t := &Transport{
		round: round, settings: s, share: o.Share,
		entrance: bulkhead.New[any](2 * concurrency), inFlight: bulkhead.New[any](concurrency),
		breaker: newBreaker(s.Breaker.Failures, s.Breaker.Open),
		limits:  map[scope]*limits{},
	}
	t.took.store(usual)
	return t
}

// maxHeader bounds the header of an answer, in bytes.
const maxHeader = 64 << 10

// HTTP is what carries a provider's requests where Options name nothing else. Connections are used again, over HTTP/2 where
// the provider offers it; one that went dead is found out by pings, and not used until the end of days.
func HTTP(s Settings) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented by net/http
	t.DialContext = (&net.Dialer{Timeout: s.Timeout / 2}).DialContext
	t.TLSHandshakeTimeout = s.Timeout / 2
	t.MaxResponseHeaderBytes = maxHeader
	t.MaxIdleConnsPerHost = s.Concurrency
	t.MaxIdleConns = 0
	t.DisableCompression = true
	t.ReadBufferSize, t.WriteBufferSize = 2<<10, 2<<10 // of each of hundreds of connections
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: s.Timeout / 2, PingTimeout: s.Timeout / 2}
	return t
}

// Do makes one request for an account and reads the whole answer. A nil fault means that an answer came, whatever it says.
// The error is ctx's, when that ended first: then nothing is known.
func (t *Transport) Do(ctx context.Context, account string, request *http.Request) (Page, *Outcome, error) {
	return t.do(ctx, scope{account: account}, request)
}

func (t *Transport) do(ctx context.Context, s scope, request *http.Request) (Page, *Outcome, error) {
	l := t.limitsOf(s)
	breakers := []breaker{l.breaker}
	if !s.tokens {
		breakers = append(breakers, t.breaker)
	}
	if fault := t.resting(l, breakers); fault != nil { // nobody need wait for a turn that is not given
		return Page{}, fault, nil
	}
	release, fault, err := t.admit(ctx, l)
	if fault != nil || err != nil {
		return Page{}, fault, err
	}
	defer release()
	if !permit(breakers) {
		return Page{}, l.leftAlone(t.settings.Timeout), nil // as long as the trial may take
	}
	began := time.Now()
	page, fault, err := t.bounded(ctx, request)
	t.took.add(time.Since(began))
	for _, b := range breakers {
		switch {
		case err != nil: // we gave up, not the provider
			giveBack(b)
		case fault != nil, b == l.breaker && troubled(page):
			b.RecordFailure()
		default:
			b.RecordSuccess()
		}
	}
	if pool, ok := t.round.(interface{ CloseIdleConnections() }); ok && fault != nil {
		pool.CloseIdleConnections() // they may be as dead as this one
	}
	return page, fault, err
}

// troubled tells answers that say nothing about the payment but much about the provider.
func troubled(p Page) bool {
	return p.HTTPStatus >= http.StatusInternalServerError || p.HTTPStatus == http.StatusTooManyRequests
}

// bounded makes a request within the time that one may take.
func (t *Transport) bounded(ctx context.Context, request *http.Request) (Page, *Outcome, error) {
	within, cancel := context.WithTimeout(ctx, t.settings.Timeout)
	defer cancel()
	var phase atomic.Int32 // an index of late
	page, err := t.exchange(request.WithContext(httptrace.WithClientTrace(within, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { phase.Store(1) },
		GotFirstResponseByte: func() { phase.Store(2) },
	})))
	switch {
	case err == nil:
		return page, nil, nil
	case ctx.Err() != nil:
		return Page{}, nil, ctx.Err()
	default:
		o := connectionFault(err, late[phase.Load()])
		return Page{}, &o, nil
	}
}

// late says what did not come in time.
var late = [...]string{
	"no connection to the provider came about in time", "the provider did not begin to answer in time", "the provider's answer did not end in time",
}

func (t *Transport) exchange(request *http.Request) (Page, error) {
	// All that we ask changes nothing, POST or not: net/http may repeat it on a fresh connection when the provider closed an
	// idle one at that moment. Without a value the header is not sent.
	request.Header["Idempotency-Key"] = nil
	response, err := t.round.RoundTrip(request)
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

// connectionFault names what kept an answer from coming, without the URL, which may hold identifiers. Late is the message where
// it was time.
func connectionFault(err error, late string) Outcome {
	var (
		timeout interface{ Timeout() bool }
		alert   *net.OpError // crypto/tls calls the alerts of both sides so
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Failure(Unavailable, CodeTimeout, late)
	case errors.As(err, &record), errors.As(err, &verify),
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
