package providers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"
)

// Tokens gives access tokens by OAuth 2 client credentials for one account: cached, renewed before they expire, one
// request however many payments wait.
type Tokens struct {
	transport *Transport
	account   string
	config    clientcredentials.Config
	requests  singleflight.Group

	mu    sync.Mutex
	token *oauth2.Token // its Expiry is when it is to be renewed
}

// renewBefore is how long before its end a token is renewed: a tenth of its life, at most this.
const renewBefore = 5 * time.Minute

// NewTokens makes the tokens of one account, from the endpoint at tokenURL.
func NewTokens(t *Transport, account, tokenURL, clientID string, clientSecret Secret, scopes ...string) *Tokens {
	return &Tokens{transport: t, account: account, config: clientcredentials.Config{
		ClientID: clientID, ClientSecret: clientSecret.Reveal(), TokenURL: tokenURL, Scopes: scopes, AuthStyle: oauth2.AuthStyleInParams,
	}}
}

// issued is what a request for a token came to: one of the two.
type issued struct {
	token string
	fault *Outcome
}

// Token gives a token that is valid for a while. The fault says why there is none; the error is ctx's.
func (t *Tokens) Token(ctx context.Context) (token string, fault *Outcome, err error) {
	if token, ok := t.cached(); ok {
		return token, nil, nil
	}
	// Whoever comes first asks for all who wait, so that its own end must not end the request; the transport bounds it.
	detached := context.WithoutCancel(ctx)
	answer := t.requests.DoChan("", func() (any, error) {
		if token, ok := t.cached(); ok { // renewed between our look and our turn
			return issued{token: token}, nil
		}
		fresh, fault := t.request(detached)
		if fault != nil {
			return issued{fault: fault}, nil
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.token = fresh
		return issued{token: fresh.AccessToken}, nil
	})
	select {
	case r := <-answer:
		got, _ := r.Val.(issued)
		return got.token, t.spread(got.fault), nil
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
}

// spread gives each of those who share a fault a time of its own to come back.
func (t *Tokens) spread(fault *Outcome) *Outcome {
	if fault == nil || fault.RetryAfter == 0 {
		return fault
	}
	own := *fault
	own.RetryAfter = t.transport.limitsOf(t.scope()).queue(fault.RetryAfter)
	return &own
}

func (t *Tokens) scope() scope { return scope{account: t.account, tokens: true} }

func (t *Tokens) cached() (token string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == nil || !time.Now().Before(t.token.Expiry) {
		return "", false
	}
	return t.token.AccessToken, true
}

// Forget drops a token that the provider does not accept, unless it has been renewed meanwhile.
func (t *Tokens) Forget(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != nil && t.token.AccessToken == token {
		t.token = nil
	}
}

func (t *Tokens) request(ctx context.Context) (*oauth2.Token, *Outcome) {
	through := &tokenTransport{tokens: t}
	client := &http.Client{
		Transport:     through,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the secret goes nowhere else
	}
	token, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	var refusal *oauth2.RetrieveError
	switch {
	case through.fault != nil:
		return nil, through.fault
	case errors.As(err, &refusal):
		return nil, t.refusal(Page{HTTPStatus: refusal.Response.StatusCode, Header: refusal.Response.Header, ReceivedAt: time.Now()}, refusal.ErrorCode)
	case err != nil, !sendable(token.AccessToken):
		o := Failure(Unavailable, "token_unreadable", "the token endpoint's answer cannot be read")
		return nil, &o
	}
	now := time.Now()
	if token.Expiry.IsZero() {
		token.Expiry = now.Add(renewBefore)
	}
	token.Expiry = token.Expiry.Add(-min(renewBefore, token.Expiry.Sub(now)/10))
	return token, nil
}

// maxToken bounds a token, in bytes: servers refuse headers that are much longer.
const maxToken = 8 << 10

// sendable tells whether a token can stand in a header.
func sendable(token string) bool {
	return len(token) <= maxToken && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// refusal reads the token endpoint's HTTP status: 4xx is our credentials, everything else will pass.
func (t *Tokens) refusal(p Page, code string) *Outcome {
	o, _ := ReadHTTP(p)
	switch {
	case o.Kind == Unavailable:
		o.Message = fmt.Sprintf("the token endpoint answered HTTP %d", p.HTTPStatus)
	case p.HTTPStatus >= 400:
		o = Failure(Refused, CodeUnauthorized,
			fmt.Sprintf("the token endpoint refused the credentials of account %q with HTTP %d %s", t.account, p.HTTPStatus, word(code)))
	default:
		o = Failure(Unavailable, "token_unreadable", "the token endpoint's answer cannot be read")
	}
	return &o
}

// word keeps an OAuth error code and nothing else of what a server may put in its place.
func word(code string) string {
	if len(code) > 40 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return code
}

// tokenTransport carries the token request through the provider's transport, within limits of its own: the endpoint is mostly
// another host, and the payments that wait for the token must not be in its way.
type tokenTransport struct {
	tokens *Tokens
	fault  *Outcome
}

func (tt *tokenTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	page, fault, err := tt.tokens.transport.do(request.Context(), tt.tokens.scope(), request)
	if err != nil {
		return nil, err
	}
	if fault != nil {
		tt.fault = fault
		return nil, &url.Error{Op: "token", Err: errors.New(fault.Code)}
	}
	return &http.Response{StatusCode: page.HTTPStatus, Header: page.Header, Body: io.NopCloser(bytes.NewReader(page.Body)), Request: request}, nil
}
