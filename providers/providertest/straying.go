package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// strayingChecks try to lead requests, and the credentials in them, to another host, by every link that an event or an answer
// can hold.
func (s Subject) strayingChecks() []check {
	return []check{
		{"straying: the links of an event lead nowhere", s.obeysNoEvent},
		{"straying: the links of an answer lead nowhere", s.obeysNoAnswer},
	}
}

// secureBase is where the API is in these tests.
const secureBase = "https://pay.provider.test/"

// foreignLinks are ways to write a link to another host, or to something else at the right one. HOST stands for the right host.
var foreignLinks = func() []string {
	var all []string
	for _, path := range []string{"/", "/payments/events/x", "/paymentQueries/payments/x"} {
		for _, link := range []string{
			"https://evil.test", "http://HOST", "HTTPS://EVIL.TEST", "//evil.test", "///evil.test", "https:evil.test", "https:/evil.test",
			"https:///evil.test", "https:////evil.test", `https:\\evil.test`, `\\evil.test`, "https://HOST.evil.test", "https://evil.test.HOST",
			"https://evilHOST", "https://HOST.", "https://HOST:8443", "https://HOST:80", "https://HOST:443.evil.test", "https://HOST@evil.test",
			"https://HOST:443@evil.test", "https://user:word@HOST", "https://evil.test@HOST", "https://HOST%40evil.test", "https://HOST%2eevil.test",
			"https://HOST%00.evil.test", "https://HOST%2f@evil.test", `https://evil.test\@HOST`, `https://HOST\.evil.test`, `https://HOST\@evil.test`,
			"https://evil.test#@HOST", "https://evil.test?@HOST", "https://HOST#@evil.test", "https://HOST;evil.test", "https://HOST evil.test",
			"https://HOST\t.evil.test", "https://HOST\r\nHost: evil.test\r\n", "https://[::1]", "https://[::ffff:169.254.169.254]",
			"https://[fe80::1%25eth0]", "https://[HOST]", "https://127.0.0.1", "https://2130706433", "https://0x7f000001", "https://0177.0.0.1",
			"http://169.254.169.254", "https://localhost", "https://рay.provider.test", "https://pay。provider.test", "https://pay.provider.test",
			"https://xn--pi-6kc.provider.test", "ftp://HOST", "file://HOST", "gopher://HOST", "javascript:alert(1)", "data:,x", "unix:///var/run/x.sock",
		} {
			all = append(all, link+path)
		}
	}
	return append(all, "/../../x", "/payments/events/../../x", "/payments/events/%2e%2e/x", "..", "%2e%2e", "../x", `..\x`, "..;/x", "?x", "#x", "")
}()

func links(host string) []string {
	all := make([]string, len(foreignLinks))
	for i, link := range foreignLinks {
		all[i] = strings.ReplaceAll(link, "HOST", host)
	}
	return all
}

// lookout carries requests to the simulator, and notes those that lead elsewhere.
type lookout struct {
	subject Subject
	sandbox *sandbox.Server
	change  func(*http.Response) // what it does to answers; may be nil

	mu    sync.Mutex
	asked int
	stray []string
}

func (l *lookout) RoundTrip(r *http.Request) (*http.Response, error) {
	base := must(url.Parse(secureBase + l.subject.Simulator.Name()))
	l.mu.Lock()
	l.asked++
	if r.URL.Scheme != base.Scheme || r.URL.Host != base.Host || r.URL.User != nil || r.Host != "" && r.Host != base.Host || climbs(r.URL) {
		l.stray = append(l.stray, fmt.Sprintf("%s (Host %q)", r.URL, r.Host))
	}
	l.mu.Unlock()
	incoming := r.Clone(r.Context())
	if incoming.Body == nil {
		incoming.Body = http.NoBody
	}
	recorded := httptest.NewRecorder()
	l.sandbox.ServeHTTP(recorded, incoming)
	answer := recorded.Result()
	if l.change != nil {
		l.change(answer)
	}
	return answer, nil
}

// climbs tells whether a path leads upwards, however that is written.
func climbs(u *url.URL) bool {
	path := u.Opaque
	if path == "" {
		path = u.EscapedPath()
	}
	for segment := range strings.SplitSeq(path, "/") {
		plain, _, _ := strings.Cut(segment, ";")
		if plain, err := url.PathUnescape(plain); err != nil || plain == "." || plain == ".." {
			return true
		}
	}
	return false
}

func (s Subject) lookout(t require.TestingT, change func(*http.Response)) (*lookout, providers.Provider) {
	l := &lookout{subject: s, sandbox: sandbox.NewServer(s.Simulator), change: change}
	require.NoError(t, l.sandbox.Store(s.Simulator.Name()).Put(s.Scripted, s.Script))
	provider, err := s.Definition.New(s.settings(t, secureBase+s.Simulator.Name()), providers.Options{RoundTripper: l})
	require.NoError(t, err)
	return l, provider
}

// obeysNoEvent puts foreign links wherever an event can hold one, and asks about what is made of it.
func (s Subject) obeysNoEvent(t require.TestingT) {
	l, provider := s.lookout(t, nil)
	asked := map[string]bool{}
	ask := func(e schemas.Initiated) {
		reference, err := provider.Identify(e)
		name := fmt.Sprint(reference)
		if err != nil || asked[name] { // a dead letter, or all that was in the event is ignored
			return
		}
		asked[name] = true
		_, _, err = providers.Check(context.Background(), provider, providers.PaymentOf(e, reference))
		require.NoError(t, err)
	}
	ask(s.Event)
	require.NotZero(t, l.asked)
	for _, link := range links("pay.provider.test") {
		for name := range referenceNames {
			e := s.Event
			e.Reference = schemas.Reference{name: link}
			ask(e)
		}
		for _, query := range []string{"", "?cko-payment-id=pay_mbabizu24mvu3mela5njyhpit4", "?cko-session-id=sid_y3oqhf46pyzuxjbcn2giaqnb44"} {
			e := s.Event
			e.ReturnURL = link + query
			ask(e)
			e.Reference = nil
			ask(e)
		}
		for _, reference := range []schemas.Reference{nil, s.Event.Reference} {
			e := s.Event
			e.Reference = reference
			e.InitiationResponse = &schemas.InitiationResponse{HTTPStatus: http.StatusCreated, Body: string(withLinks([]byte("{}"), link))}
			ask(e)
		}
	}
	require.Empty(t, l.stray)
}

// referenceNames are the names that references hold.
var referenceNames = map[string]bool{
	"payment_id": true, "session_id": true, "reference": true, "payment_request_id": true, "events_link": true, "transaction_reference": true,
	"entity": true, "idempotency_key": true, "id": true,
}

// withLinks puts a link into an answer wherever providers have one.
func withLinks(body []byte, link string) []byte {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return body
	}
	hrefs := map[string]any{}
	for _, rel := range []string{
		"self", "next", "prev", "first", "last", "redirect", "actions", "refund", "cardPayments:events", "payments:events", "curies",
	} {
		hrefs[rel] = map[string]any{"href": link}
	}
	object["_links"] = hrefs
	for _, name := range []string{
		"normalUrl", "schemeUrl", "applinkUrl", "redirectUrl", "redirect_url", "paymentRedirectUrl", "callbackUrl", "next", "links", "url", "href",
	} {
		object[name] = link
	}
	return must(json.Marshal(object))
}

// obeysNoAnswer puts foreign links into good answers, and into the header.
func (s Subject) obeysNoAnswer(t require.TestingT) {
	payment := s.payment(t)
	var link string
	var status int
	l, provider := s.lookout(t, func(answer *http.Response) {
		body := withLinks(must(io.ReadAll(answer.Body)), link)
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer.StatusCode = status
		for _, name := range []string{"Location", "Content-Location", "Refresh", "Link", "Alt-Svc"} {
			answer.Header.Set(name, link)
		}
	})
	for _, link = range links("pay.provider.test") {
		for _, status = range []int{http.StatusOK, http.StatusFound} {
			l.asked = 0
			_, _, err := providers.Check(context.Background(), provider, payment)
			require.NoError(t, err)
			require.Empty(t, l.stray)
			require.NotZero(t, l.asked)
		}
	}
}
