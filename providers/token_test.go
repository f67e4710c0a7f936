package providers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

const tokenURL = "https://auth.example.com/oauth2/token"

// issuer is a token endpoint that numbers its tokens.
type issuer struct {
	requests atomic.Int32
	life     string            // expires_in as JSON; empty: not stated
	before   func() *roundTrip // how it answers instead, if not nil
	takes    time.Duration
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	n := i.requests.Add(1)
	if i.takes > 0 {
		select {
		case <-time.After(i.takes):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if i.before != nil {
		if instead := i.before(); instead != nil {
			return (*instead)(r)
		}
	}
	life := ""
	if i.life != "" {
		life = `,"expires_in":` + i.life
	}
	response, err := replies(200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer"%s}`, n, life))(r)
	response.Header.Set("Content-Type", "application/json")
	return response, err
}

func newTokens(i http.RoundTripper) *providers.Tokens {
	return providers.NewTokens(providers.NewTransport(limits(), providers.Options{RoundTripper: i}), "default", tokenURL, "client-id", "h1dden-secret", "scope-a")
}

func mustToken(t *testing.T, tokens *providers.Tokens) string {
	t.Helper()
	token, fault, err := tokens.Token(t.Context())
	require.NoError(t, err)
	require.Nil(t, fault)
	return token
}

func TestATokenIsAskedForWithTheCredentialsInTheBody(t *testing.T) {
	t.Parallel()
	asked := make(chan *http.Request, 1)
	tokens := newTokens(roundTrip(func(r *http.Request) (*http.Response, error) {
		asked <- r
		return (&issuer{}).RoundTrip(r)
	}))
	assert.Equal(t, "token-1", mustToken(t, tokens))
	r := <-asked
	body, err := r.GetBody()
	require.NoError(t, err)
	form, err := io.ReadAll(body)
	require.NoError(t, err)
	assert.Equal(t, "client_id=client-id&client_secret=h1dden-secret&grant_type=client_credentials&scope=scope-a", string(form))
	assert.Equal(t, http.MethodPost, r.Method)
	assert.Equal(t, tokenURL, r.URL.String())
	assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
	assert.Empty(t, r.Header.Get("Authorization"))
}

func TestATokenIsKeptAndRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		life  string
		renew time.Duration // after which it is asked for anew
	}{
		"an hour: five minutes before": {"3600", 55 * time.Minute},
		"a minute: a tenth before":     {"60", 54 * time.Second},
		"written as text":              {`"60"`, 54 * time.Second},
		"not stated":                   {"", 270 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{life: tc.life}
				tokens := newTokens(i)
				assert.Equal(t, "token-1", mustToken(t, tokens))
				time.Sleep(tc.renew - time.Nanosecond)
				assert.Equal(t, "token-1", mustToken(t, tokens))
				time.Sleep(time.Nanosecond)
				assert.Equal(t, "token-2", mustToken(t, tokens))
				assert.Equal(t, "token-2", mustToken(t, tokens))
				assert.Equal(t, int32(2), i.requests.Load())
			})
		})
	}
	t.Run("one that has ended when it comes is used once", func(t *testing.T) {
		t.Parallel()
		i := &issuer{life: "-10"}
		tokens := newTokens(i)
		assert.Equal(t, "token-1", mustToken(t, tokens))
		assert.Equal(t, "token-2", mustToken(t, tokens))
	})
}

func TestOneRequestIsMadeHoweverManyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: "3600", takes: 2 * time.Second}
		tokens := newTokens(i)
		for round, want := range []string{"token-1", "token-2"} {
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() { assert.Equal(t, want, mustToken(t, tokens)) })
			}
			all.Wait()
			assert.Equal(t, int32(round+1), i.requests.Load())
			time.Sleep(time.Hour) // all find it ended at once
		}
	})
}

func TestWhoGivesUpWaitingTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"the one who asked": true, "one who waited": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{life: "3600", takes: 5 * time.Second}
				tokens := newTokens(i)
				var all sync.WaitGroup
				impatient := func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					began := time.Now()
					token, fault, err := tokens.Token(ctx)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					assert.Empty(t, token)
					assert.Nil(t, fault)
					assert.Equal(t, time.Second, time.Since(began))
				}
				patients := func() {
					for range 10 {
						all.Go(func() { assert.Equal(t, "token-1", mustToken(t, tokens)) })
					}
					synctest.Wait()
				}
				if first {
					all.Go(impatient)
					synctest.Wait()
					patients()
				} else {
					patients()
					all.Go(impatient)
				}
				all.Wait()
				assert.Equal(t, int32(1), i.requests.Load())
			})
		})
	}
}

func TestATokenThatIsNotAcceptedIsForgottenOnce(t *testing.T) {
	t.Parallel()
	i := &issuer{life: "3600"}
	tokens := newTokens(i)
	old := mustToken(t, tokens)
	tokens.Forget("another")
	assert.Equal(t, old, mustToken(t, tokens), "a token that is not in use is not forgotten")
	tokens.Forget(old)
	assert.Equal(t, "token-2", mustToken(t, tokens))
	tokens.Forget(old)
	assert.Equal(t, "token-2", mustToken(t, tokens), "the fresh token is not forgotten with the old one")
	assert.Equal(t, int32(2), i.requests.Load())
}

func TestWhyThereIsNoToken(t *testing.T) {
	t.Parallel()
	jsonReply := func(status int, body string) roundTrip {
		return func(r *http.Request) (*http.Response, error) {
			response, err := replies(status, body)(r)
			response.Header.Set("Content-Type", "application/json")
			response.Header.Set("Retry-After", "7")
			return response, err
		}
	}
	for name, tc := range map[string]struct {
		now   roundTrip
		kind  providers.Kind
		code  string
		after time.Duration
		words string
	}{
		"wrong credentials": {
			jsonReply(400, `{"error":"invalid_client","error_description":"h1dden-secret"}`), providers.Refused, "unauthorized", 0, "invalid_client",
		},
		"401":                    {jsonReply(401, `{"error":"invalid_client"}`), providers.Refused, "unauthorized", 0, "invalid_client"},
		"403 without a word":     {jsonReply(403, ``), providers.Refused, "unauthorized", 0, `"default"`},
		"no such endpoint":       {jsonReply(404, `<html>`), providers.Refused, "unauthorized", 0, "404"},
		"an error of no form":    {jsonReply(400, `{"error":"h1dden-secret and more"}`), providers.Refused, "unauthorized", 0, "400"},
		"an error of no length":  {jsonReply(400, `{"error":"`+strings.Repeat("hidden_", 6)+`"}`), providers.Refused, "unauthorized", 0, "400"},
		"throttled":              {jsonReply(429, ``), providers.Unavailable, "rate_limited", 7 * time.Second, "429"},
		"out of order":           {jsonReply(503, `{"error":"server_error"}`), providers.Unavailable, "http_503", 7 * time.Second, "503"},
		"a redirect":             {jsonReply(302, ``), providers.Unavailable, "redirect", 7 * time.Second, "302"},
		"HTML":                   {jsonReply(200, `<html>h1dden-secret</html>`), providers.Unavailable, "token_unreadable", 0, "cannot be read"},
		"nothing":                {jsonReply(200, ``), providers.Unavailable, "token_unreadable", 0, "cannot be read"},
		"no token":               {jsonReply(200, `{"token_type":"Bearer"}`), providers.Unavailable, "token_unreadable", 0, "cannot be read"},
		"an error with HTTP 200": {jsonReply(200, `{"error":"invalid_client"}`), providers.Unavailable, "token_unreadable", 0, "cannot be read"},
		"too much": {
			jsonReply(200, `{"access_token":"`+strings.Repeat("x", 1<<20)+`"}`), providers.Unavailable, "token_unreadable", 0, "cannot be read",
		},
		"a token that fits into no header": {
			jsonReply(200, `{"access_token":"a\r\nX-Api-Key: h1dden"}`), providers.Unavailable, "token_unreadable", 0, "cannot be read",
		},
		"a token without end": {
			jsonReply(200, `{"access_token":"`+strings.Repeat("x", 9000)+`"}`), providers.Unavailable, "token_unreadable", 0, "cannot be read",
		},
		"a broken connection": {breaks, providers.Unavailable, "connection", 0, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := true
			i := &issuer{life: "3600", before: func() *roundTrip {
				if broken {
					return &tc.now
				}
				return nil
			}}
			tokens := newTokens(i)
			token, fault, err := tokens.Token(t.Context())
			require.NoError(t, err)
			assert.Empty(t, token)
			require.NotNil(t, fault)
			assert.Equal(t, tc.kind, fault.Kind)
			assert.Equal(t, tc.code, fault.Code)
			assert.Equal(t, tc.after, fault.RetryAfter)
			assert.Contains(t, fault.Message, tc.words)
			assert.NotContains(t, fault.Message, "h1dden")
			assert.NotContains(t, fault.Message, "hidden")

			broken = false
			assert.Equal(t, "token-2", mustToken(t, tokens), "the next one asks again")
		})
	}
}

func TestAllWhoWaitLearnWhyThereIsNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refuse := roundTrip(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return nil, errors.New("connection reset")
		})
		i := &issuer{before: func() *roundTrip { return &refuse }}
		tokens := newTokens(i)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				_, fault, _ := tokens.Token(t.Context())
				if assert.NotNil(t, fault) {
					assert.Equal(t, providers.CodeConnection, fault.Code)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(1), i.requests.Load())
	})
}

func TestTheTokenEndpointHasLimitsOfItsOwn(t *testing.T) {
	t.Parallel()
	t.Run("its failures do not stop the provider", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			dead := roundTrip(breaks)
			s := limits()
			i := &issuer{before: func() *roundTrip { return &dead }}
			transport := providers.NewTransport(s, providers.Options{RoundTripper: hosts{"auth.example.com": i, "api.example.com": replies(200, "{}")}})
			tokens := providers.NewTokens(transport, "default", tokenURL, "client-id", "h1dden-secret")
			for range s.Breaker.Failures {
				_, fault, _ := tokens.Token(t.Context())
				require.Equal(t, providers.CodeConnection, fault.Code)
			}
			_, fault, _ := tokens.Token(t.Context())
			assert.Equal(t, providers.CodeBreakerOpen, fault.Code)
			assert.Equal(t, int32(s.Breaker.Failures), i.requests.Load())
			_, fault = mustGet(t, transport, nowhere)
			assert.Nil(t, fault, "an account with a key of its own is asked on")
			time.Sleep(s.Breaker.Open)
			i.before = nil
			mustToken(t, tokens)
		})
	})
	t.Run("who uses up the account's rate is not in its way", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := limits()
			s.Rate = 2
			transport := providers.NewTransport(s, providers.Options{RoundTripper: hosts{"auth.example.com": &issuer{}, "api.example.com": replies(200, "{}")}})
			tokens := providers.NewTokens(transport, "default", tokenURL, "client-id", "h1dden-secret")
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() { mustGet(t, transport, nowhere) })
			}
			synctest.Wait()
			began := time.Now()
			mustToken(t, tokens)
			assert.Zero(t, time.Since(began))
			all.Wait()
		})
	})
	t.Run("who shares its fault comes back at another time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := limits()
			s.Rate = 10
			throttles := replies(429, "", "Retry-After", "7")
			i := &issuer{takes: time.Second, before: func() *roundTrip { return &throttles }}
			tokens := providers.NewTokens(providers.NewTransport(s, providers.Options{RoundTripper: i}), "default", tokenURL, "client-id", "h1dden-secret")
			var mu sync.Mutex
			back := map[time.Duration]int{}
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					_, fault, _ := tokens.Token(t.Context())
					mu.Lock()
					defer mu.Unlock()
					back[fault.RetryAfter]++
				})
			}
			all.Wait()
			assert.Equal(t, int32(1), i.requests.Load())
			for wait, n := range back {
				assert.GreaterOrEqual(t, wait, 7*time.Second)
				assert.LessOrEqual(t, n, 10, "within one second")
			}
		})
	})
}

// hosts leads requests to the host that they name.
type hosts map[string]http.RoundTripper

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) { return h[r.URL.Host].RoundTrip(r) }
