package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestAProviderThatKeepsTheRulesPasses(t *testing.T) {
	t.Parallel()
	Run(t, subject(mutant{}))
}

func TestAProviderWithAMistakeFails(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	for name, row := range map[string]struct {
		mistake mutant
		fails   []string
	}{
		"reads names in any letter case, and one of two": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				var loose struct {
					ID       string `json:"id"`
					Currency string `json:"currency"`
					State    string `json:"state"`
					Amount   int64  `json:"amount"`
				}
				if json.Unmarshal(a.Last().Body, &loose) == nil && a.Last().HTTPStatus == http.StatusOK && loose.ID != "" {
					page := a.Last()
					if body, err := json.Marshal(loose); err == nil {
						page.Body = body
					}
					a.Pages = []providers.Page{page}
				}
				return f.read(a, p)
			}},
			[]string{"names in another letter case are not read", "a name that stands twice with different values is unreadable"},
		},
		"does not compare the amount": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				o := f.read(a, p)
				if o.Code == providers.CodeOtherAmount {
					return f.read(a, providers.Payment{})
				}
				return o
			}},
			[]string{"an answer with 1001 for 1000 is other_amount", "asking: an answer about another amount is never a status"},
		},
		"always compares the amount": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				o := f.read(a, p)
				if o.Observation != nil && bytes.Contains(a.Last().Body, []byte("1001")) {
					return providers.Failure(providers.Mismatch, providers.CodeOtherAmount, "another amount")
				}
				return o
			}},
			[]string{"without a payment an answer with 1001 for 1000 is read", "an answer with 1001 for 1000 can be accepted"},
		},
		"takes an unknown word for pending": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				o := f.read(a, p)
				if o.Observation != nil && o.Observation.Status == schemas.Unknown {
					o.Observation.Status = schemas.Pending
				}
				return o
			}},
			[]string{
				"a status word without a row in the mapping is unknown, and kept", "a null status is unknown", "a blank status is unknown",
				"an empty status is unknown", "a missing status is unknown", "a status of another type is never guessed at",
			},
		},
		"forgets Retry-After": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				o := f.read(a, p)
				o.RetryAfter = 0
				return o
			}},
			[]string{
				"Retry-After counts with HTTP 429", "Retry-After counts with HTTP 503", "asking: Retry-After is kept",
				"what kept an answer from coming is the outcome",
			},
		},
		"takes every HTTP error for not found": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				if a.Last().HTTPStatus >= 400 {
					return providers.Failure(providers.NotFound, providers.CodeNotFound, "not found")
				}
				return f.read(a, p)
			}},
			[]string{"HTTP 401 is refused", "HTTP 429 is unavailable", "HTTP 503 is unavailable", "asking: 503 is unavailable"},
		},
		"shows the body": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				o := f.read(a, p)
				o.Message += string(a.Last().Body)
				return o
			}},
			[]string{"HTML and text are not JSON", "HTTP 503 is unavailable"},
		},
		"is not pure": {
			mutant{read: func(f *fake, a providers.Answer, p providers.Payment) providers.Outcome {
				o := f.read(a, p)
				if o.Observation != nil {
					o.Observation.AVS = time.Unix(reads.Add(1), 0).String()
				}
				return o
			}},
			[]string{"reading is pure"},
		},
		"names a status that does not exist": {
			mutant{rows: []providers.Row{{Value: "PAID", Status: "paid"}}},
			[]string{"every row of its mapping names a word and a status, once"},
		},
		"says what it was told with": {
			mutant{ask: func(f *fake, ctx context.Context, p providers.Payment) (providers.Answer, error) {
				a, err := f.ask(ctx, p)
				if a.Fault != nil {
					a.Fault.Message += " with " + f.settings.Accounts["default"].ClientSecret.Reveal()
				}
				return a, err
			}},
			[]string{"asking: wrong credentials are refused", "asking: reset is unavailable"},
		},
		"makes an outcome of a context that ended": {
			mutant{ask: func(f *fake, ctx context.Context, p providers.Payment) (providers.Answer, error) {
				a, err := f.ask(ctx, p)
				if err != nil {
					fault := providers.Failure(providers.Unavailable, providers.CodeTimeout, "no answer")
					a.Fault = &fault
				}
				return a, nil
			}},
			[]string{"asking: a context that ends gives its error and no outcome"},
		},
		"asks for a token every time": {
			mutant{ask: func(f *fake, ctx context.Context, p providers.Payment) (providers.Answer, error) {
				account := f.settings.Accounts["default"]
				fresh := *f
				fresh.tokens = map[string]*providers.Tokens{
					"default": providers.NewTokens(f.transport, "default", f.settings.TokenURL, account.ClientID, account.ClientSecret),
				}
				return fresh.ask(ctx, p)
			}},
			[]string{"asking: many at once share a token"},
		},
		"asks where an event says": {
			mutant{ask: func(f *fake, ctx context.Context, p providers.Payment) (providers.Answer, error) {
				astray := *f
				settings := *f.settings
				if strings.HasPrefix(p.Reference["id"], "https://") {
					settings.BaseURL = p.Reference["id"]
				}
				astray.settings = &settings
				a, err := astray.ask(ctx, p)
				if ctx.Err() == nil {
					err = nil
				}
				return a, err
			}},
			[]string{"straying: the links of an event lead nowhere"},
		},
		"goes on where an answer says": {
			mutant{ask: func(f *fake, ctx context.Context, p providers.Payment) (providers.Answer, error) {
				a, err := f.ask(ctx, p)
				var body struct {
					Next string `json:"next"`
				}
				if err != nil || json.Unmarshal(a.Last().Body, &body) != nil || body.Next == "" {
					return a, err
				}
				request, err := providers.NewRequest(ctx, http.MethodGet, body.Next, "", nil)
				if err == nil {
					_, _, err = f.transport.Do(ctx, p.Account, request)
				}
				if ctx.Err() == nil {
					err = nil
				}
				return a, err
			}},
			[]string{"straying: the links of an answer lead nowhere"},
		},
		"follows redirects": {
			mutant{round: following{}},
			[]string{"asking: a redirect is never followed", "asking: redirect is unavailable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := map[string]bool{}
			for _, c := range checks(subject(row.mistake)) {
				failed[c.name] = fails(c)
			}
			for _, want := range row.fails {
				verdict, exists := failed[want]
				require.True(t, exists, "no check is called %q", want)
				assert.True(t, verdict, "%q must fail", want)
			}
			assert.False(t, failed["the subject is whole"])
		})
	}
}

func TestASubjectThatLacksSomethingFails(t *testing.T) {
	t.Parallel()
	s := subject(mutant{})
	s.Identity = nil
	for _, c := range checks(s) {
		assert.Equal(t, c.name == "the subject is whole", fails(c), c.name)
	}
}

// fails runs a check and tells whether it failed.
func fails(c check) bool {
	var r recorder
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(&r)
	}()
	<-done
	return r.failed
}

// recorder keeps that a check failed. FailNow leaves the goroutine, as that of a testing.T does.
type recorder struct{ failed bool }

func (r *recorder) Errorf(string, ...any) { r.failed = true }

func (r *recorder) FailNow() {
	r.failed = true
	runtime.Goexit()
}

// following is HTTP that follows redirects by itself.
type following struct{}

func (following) RoundTrip(r *http.Request) (*http.Response, error) {
	outgoing := r.Clone(r.Context())
	outgoing.RequestURI = ""
	return (&http.Client{}).Do(outgoing)
}
