package providertest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// askingChecks ask the simulator over HTTP, well-behaved and not.
func (s Subject) askingChecks() []check {
	var all []check
	for _, row := range []struct {
		fault string
		kind  providers.Kind
		codes []string // any when none is named
	}{
		{sandbox.Fault401, providers.Refused, []string{providers.CodeUnauthorized}},
		{sandbox.Fault403, providers.Refused, []string{providers.CodeForbidden}},
		{sandbox.Fault404, s.Gone, nil},
		{sandbox.Fault429, providers.Unavailable, []string{providers.CodeRateLimited}},
		{sandbox.Fault500, providers.Unavailable, []string{"http_500"}},
		{sandbox.Fault503, providers.Unavailable, []string{"http_503"}},
		{sandbox.Fault502HTML, providers.Unavailable, []string{"http_502"}},
		{sandbox.FaultRedirect, providers.Unavailable, []string{providers.CodeRedirect}},
		{sandbox.FaultReset, providers.Unavailable, []string{providers.CodeConnection}},
		{sandbox.FaultHTML, providers.Unreadable, s.unsigned(providers.CodeNotJSON)},
		{sandbox.FaultEmpty, s.Empty, nil},
		{sandbox.FaultTruncated, providers.Unreadable, s.unsigned(providers.CodeTruncated)},
		{sandbox.FaultCutJSON, providers.Unreadable, s.unsigned(providers.CodeTruncated)},
		{sandbox.FaultTooLarge, providers.Unreadable, s.unsigned(providers.CodeTooLarge)},
	} {
		all = append(all, check{"asking: " + row.fault + " is " + string(row.kind), func(t require.TestingT) {
			w := s.open(t)
			defer w.close()
			w.script(t, sandbox.Step{Fault: row.fault})
			requireFailure(t, w.check(t), row.kind, row.codes...)
			w.requireDiscreet(t)
			require.LessOrEqual(t, w.requests.Load(), int64(4), "a check that fails must not hammer the provider")
		}})
	}
	if s.Signed {
		for _, fault := range []string{sandbox.FaultBadSignature, sandbox.FaultNoSignature} {
			all = append(all, check{"asking: " + fault + " is unreadable", func(t require.TestingT) {
				w := s.open(t)
				defer w.close()
				w.script(t, sandbox.Step{Fault: fault})
				requireFailure(t, w.check(t), providers.Unreadable, providers.CodeBadSignature)
			}})
		}
	}
	return append(all, []check{
		{"asking: the payment's status is observed", func(t require.TestingT) {
			w := s.open(t)
			defer w.close()
			w.script(t, sandbox.Step{})
			require.Equal(t, s.GoodStatus, observed(t, w.check(t)).Status)
			w.requireDiscreet(t)
		}},
		{"asking: a payment that the provider does not know is not found", func(t require.TestingT) {
			w := s.open(t)
			defer w.close()
			requireFailure(t, w.check(t), providers.NotFound)
		}},
		{"asking: an answer about another payment is never a status", func(t require.TestingT) { s.isForeign(t, sandbox.FaultWrongPayment) }},
		{"asking: an answer about another amount is never a status", func(t require.TestingT) { s.isForeign(t, sandbox.FaultWrongAmount) }},
		{"asking: wrong credentials are refused", func(t require.TestingT) {
			w := s.open(t)
			defer w.close()
			w.script(t, sandbox.Step{})
			s.Spoil(w.settings)
			w.provider = s.provider(t, w.settings)
			requireFailure(t, w.check(t), providers.Refused)
			w.requireDiscreet(t)
		}},
		{"asking: a provider that hangs is unavailable, timeout", func(t require.TestingT) {
			w := s.open(t)
			defer w.close()
			w.script(t, sandbox.Step{Fault: sandbox.FaultHang})
			w.settings.Common().Timeout = patience
			w.provider = s.provider(t, w.settings)
			requireFailure(t, w.check(t), providers.Unavailable, providers.CodeTimeout)
		}},
		{"asking: Retry-After is kept", func(t require.TestingT) {
			w := s.open(t)
			defer w.close()
			w.script(t, sandbox.Step{Fault: sandbox.Fault429, RetryAfter: "7"})
			require.Equal(t, 7*time.Second, w.check(t).RetryAfter)
		}},
		{"asking: a redirect is never followed", s.followsNoRedirect},
		{"asking: a context that ends gives its error and no outcome", s.obeysContext},
		{"asking: many at once share a token", s.sharesToken},
	}...)
}

// unsigned are the codes of a body that is spoilt; where answers are signed, the signature fails first.
func (s Subject) unsigned(code string) []string {
	if s.Signed {
		return []string{code, providers.CodeBadSignature}
	}
	return []string{code}
}

// world is a provider and its simulator, connected by loopback.
type world struct {
	subject  Subject
	sandbox  *sandbox.Server
	server   *httptest.Server
	foreign  *httptest.Server // where redirects lead
	settings providers.ProviderSettings
	provider providers.Provider

	requests, tokens, strayed atomic.Int64
	arrived                   chan struct{} // a request has come, not for a token; holds one

	mu   sync.Mutex
	seen []string // URLs asked for
	told []any    // outcomes and errors
}

func (s Subject) open(t require.TestingT) *world {
	w := &world{subject: s, sandbox: sandbox.NewServer(s.Simulator), arrived: make(chan struct{}, 1)}
	w.foreign = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.strayed.Add(1) }))
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	w.settings = s.settings(t, w.server.URL+"/"+s.Simulator.Name())
	w.provider = s.provider(t, w.settings)
	return w
}

func (w *world) close() {
	w.server.CloseClientConnections()
	w.server.Close()
	w.foreign.Close()
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.requests.Add(1)
	w.mu.Lock()
	w.seen = append(w.seen, r.URL.String())
	w.mu.Unlock()
	if w.subject.TokenPath != "" && r.URL.Path == "/"+w.subject.Simulator.Name()+w.subject.TokenPath {
		w.tokens.Add(1)
	} else {
		select {
		case w.arrived <- struct{}{}:
		default:
		}
	}
	w.sandbox.ServeHTTP(&redirecting{ResponseWriter: rw, to: w.foreign.URL}, r)
}

// redirecting lets the simulator's redirects lead to a server that exists.
type redirecting struct {
	http.ResponseWriter
	to string
}

func (r *redirecting) WriteHeader(status int) {
	if _, path, found := strings.Cut(r.Header().Get("Location"), "://elsewhere.invalid"); found {
		r.Header().Set("Location", r.to+path)
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the simulator flush.
func (r *redirecting) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// script lets every step of the payment's script go wrong in one way.
func (w *world) script(t require.TestingT, fault sandbox.Step) {
	script := w.subject.Script
	first := script.Steps[0]
	first.Fault, first.RetryAfter = fault.Fault, fault.RetryAfter
	script.Steps = []sandbox.Step{first}
	require.NoError(t, w.sandbox.Store(w.subject.Simulator.Name()).Put(w.subject.Scripted, script))
}

// check asks once.
func (w *world) check(t require.TestingT) providers.Outcome {
	_, o, err := providers.Check(context.Background(), w.provider, w.subject.payment(t))
	w.mu.Lock()
	w.told = append(w.told, o, o.Message, err)
	w.mu.Unlock()
	require.NoError(t, err)
	return o
}

// requireDiscreet requires that no secret stands in what was said or in a URL.
func (w *world) requireDiscreet(t require.TestingT) {
	hidden := Secrets(w.settings)
	require.NotEmpty(t, hidden, "the settings hold no secret")
	w.mu.Lock()
	defer w.mu.Unlock()
	requireNone(t, w.told, hidden)
	requireNone(t, w.seen, hidden)
}

// isForeign requires a mismatch, or not found where the answer is a list whose other rows are not candidates.
func (s Subject) isForeign(t require.TestingT, fault string) {
	w := s.open(t)
	defer w.close()
	w.script(t, sandbox.Step{Fault: fault})
	require.Contains(t, []providers.Kind{providers.Mismatch, providers.NotFound}, w.check(t).Kind)
}

func (s Subject) followsNoRedirect(t require.TestingT) {
	w := s.open(t)
	defer w.close()
	w.script(t, sandbox.Step{Fault: sandbox.FaultRedirect})
	requireFailure(t, w.check(t), providers.Unavailable, providers.CodeRedirect)
	require.Zero(t, w.strayed.Load(), "credentials were taken to where a redirect led")
}

func (s Subject) obeysContext(t require.TestingT) {
	w := s.open(t)
	defer w.close()
	w.script(t, sandbox.Step{Fault: sandbox.FaultHang})
	payment := s.payment(t)
	for name, begin := range map[string]func(cancel func()){
		"before asking": func(cancel func()) { cancel() },
		"while asking": func(cancel func()) {
			go func() {
				<-w.arrived
				cancel()
			}()
		},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		begin(cancel)
		_, o, err := providers.Check(ctx, w.provider, payment)
		cancel()
		require.ErrorIs(t, err, context.Canceled, name)
		require.Zero(t, o, name)
		requireNone(t, err, Secrets(w.settings))
	}
}

func (s Subject) sharesToken(t require.TestingT) {
	w := s.open(t)
	defer w.close()
	w.script(t, sandbox.Step{})
	payment := s.payment(t)
	outcomes := make([]providers.Outcome, 24)
	errs := make([]error, len(outcomes))
	var all sync.WaitGroup
	for i := range outcomes {
		all.Go(func() { _, outcomes[i], errs[i] = providers.Check(context.Background(), w.provider, payment) })
	}
	all.Wait()
	for i, o := range outcomes {
		require.NoError(t, errs[i])
		require.Equal(t, s.GoodStatus, observed(t, o).Status)
	}
	if s.TokenPath != "" {
		require.Equal(t, int64(1), w.tokens.Load(), "requests for a token")
	}
}
