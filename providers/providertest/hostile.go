package providertest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// fault is one way in which the host of a provider misbehaves, and what a check comes to then.
type fault struct {
	name   string
	answer func(w *wire, good answer) // what the host writes instead of the good answer; then it closes the connection

	kind  providers.Kind // empty: observed
	codes []string       // any when none is named
	after time.Duration  // RetryAfter

	takes time.Duration // how long the check takes
	times int           // how many answers are bad before the host is well again; default: all of the check's
	keeps bool          // the signature of an answer stays good

	greet func(net.Conn) (net.Conn, error) // of a host that is called by https: how it begins a connection
}

const (
	timeout   = 8 * time.Second // of a request in these tests
	mostAsked = 4               // requests of one check, beside those for a token: pages of a list that are too long are asked for anew
)

// runHostile lets the host of a provider misbehave in every way there is, in virtual time over connections in memory. Whatever
// it does, the check ends in time, takes in no more than it may, comes to what it must, says no secret and connects to nobody
// else; and the next check, with the host well again, knows nothing of it.
func runHostile(t *testing.T, s Subject) {
	t.Helper()
	for _, f := range s.faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { s.survives(t, f) })
		})
	}
	if s.TokenPath == "" {
		return
	}
	for _, f := range tokenFaults() {
		t.Run("for a token: "+f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { s.survivesToken(t, f) })
		})
	}
}

func (s Subject) survives(t *testing.T, f fault) {
	t.Helper()
	h := newHost(t, s, f)
	defer h.close()
	h.bad.Store(int64(f.times))
	if f.times == 0 {
		h.bad.Store(1 << 30)
	}
	before := time.Now()
	o := h.check(t)
	assert.Equal(t, f.takes, time.Since(before))
	h.expect(t, o)
	assert.LessOrEqual(t, h.asked.Load(), int64(mostAsked))

	h.bad.Store(0)
	o = h.check(t)
	if f.greet != nil && f.kind != "" {
		return // it has no better greeting
	}
	require.Equal(t, s.GoodStatus, observed(t, o).Status, "the next check")
}

// survivesToken lets the token endpoint misbehave.
func (s Subject) survivesToken(t *testing.T, f fault) {
	t.Helper()
	h := newHost(t, s, f)
	defer h.close()
	h.badTokens.Store(1 << 30)
	before := time.Now()
	o := h.check(t)
	assert.Equal(t, f.takes, time.Since(before))
	h.expect(t, o)
	assert.LessOrEqual(t, h.tokens.Load(), int64(2))

	h.badTokens.Store(0)
	require.Equal(t, s.GoodStatus, observed(t, h.check(t)).Status, "the next check")
}

// expect holds the outcome of a check against the fault's.
func (h *host) expect(t *testing.T, o providers.Outcome) {
	t.Helper()
	f := h.fault
	switch {
	case f.kind == "" && h.subject.Signed && !f.keeps:
		requireFailure(t, o, providers.Unreadable, providers.CodeBadSignature)
	case f.kind == "":
		require.Equal(t, h.subject.GoodStatus, observed(t, o).Status)
	case f.kind == providers.Unreadable && len(f.codes) > 0:
		codes := f.codes
		if !f.keeps {
			codes = append(h.subject.unsigned(f.codes[0]), f.codes...)
		}
		requireFailure(t, o, f.kind, codes...)
	default:
		requireFailure(t, o, f.kind, f.codes...)
	}
	assert.Equal(t, f.after, o.RetryAfter)
	requireNone(t, o, Secrets(h.settings))
	requireNone(t, o, []string{bodyMark})

	synctest.Wait() // until connections are found to be good for nothing more
	h.mu.Lock()
	defer h.mu.Unlock()
	assert.Empty(t, h.strangers, "connections to other hosts")
	for _, taken := range h.taken {
		assert.LessOrEqual(t, taken, int64(h.settings.Common().MaxAnswer)+256<<10, "bytes taken from one connection")
	}
}

// host is the host of a provider: the simulator behind connections in memory, good until it is told to be bad.
type host struct {
	subject   Subject
	fault     fault
	sandbox   *sandbox.Server
	address   string
	settings  providers.ProviderSettings
	provider  providers.Provider
	transport *http.Transport
	payment   providers.Payment
	over      chan struct{} // closed at the end

	bad, badTokens atomic.Int64 // so many answers more are bad
	asked, tokens  atomic.Int64

	mu        sync.Mutex
	open      []net.Conn
	strangers []string
	taken     []int64 // bytes of each connection that had a bad answer
}

func newHost(t *testing.T, s Subject, f fault) *host {
	t.Helper()
	// Sandboxes know when a payment was made, and the event says when: in this order.
	time.Sleep(time.Until(s.Event.InitiatedAt.Add(time.Second))) //nolint:forbidigo // in virtual time
	h := &host{subject: s, fault: f, sandbox: sandbox.NewServer(s.Simulator), address: "127.0.0.1:80", over: make(chan struct{})}
	base := "http://127.0.0.1/"
	if f.greet != nil {
		h.address, base = "provider.test:443", "https://provider.test/"
	}
	h.settings = s.settings(t, base+s.Simulator.Name())
	common := h.settings.Common()
	common.Timeout = timeout
	require.NoError(t, h.sandbox.Store(s.Simulator.Name()).Put(s.Scripted, s.Script))
	h.transport = providers.HTTP(*common)
	h.transport.DialContext = h.dial
	if f.greet != nil {
		h.transport.TLSClientConfig = &tls.Config{RootCAs: authority().pool, MinVersion: tls.VersionTLS12}
	}
	var err error
	h.provider, err = s.Definition.New(h.settings, providers.Options{RoundTripper: h.transport})
	require.NoError(t, err)
	h.payment = s.payment(t)
	return h
}

func (h *host) close() {
	close(h.over)
	h.mu.Lock()
	for _, c := range h.open {
		_ = c.Close()
	}
	h.mu.Unlock()
	h.transport.CloseIdleConnections()
}

func (h *host) check(t *testing.T) providers.Outcome {
	t.Helper()
	_, o, err := providers.Check(context.Background(), h.provider, h.payment)
	require.NoError(t, err)
	return o
}

// dial connects to the host, whatever the address; one that is not its own is noted.
func (h *host) dial(_ context.Context, _, address string) (net.Conn, error) {
	client, server := net.Pipe()
	h.mu.Lock()
	defer h.mu.Unlock()
	if address != h.address {
		h.strangers = append(h.strangers, address)
	}
	h.open = append(h.open, server)
	go h.serve(newEager(server))
	return client, nil
}

// serve answers the requests of one connection, up to the first bad answer.
func (h *host) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	if h.fault.greet != nil {
		greeted, err := h.fault.greet(c)
		if err != nil {
			return
		}
		c = greeted
	}
	r := bufio.NewReader(c)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		bad := &h.bad
		if h.subject.TokenPath != "" && strings.HasSuffix(request.URL.Path, h.subject.TokenPath) {
			h.tokens.Add(1)
			bad = &h.badTokens
		} else {
			h.asked.Add(1)
		}
		recorded := httptest.NewRecorder()
		h.sandbox.ServeHTTP(recorded, request)
		good := answer{recorded.Code, recorded.Header(), recorded.Body.Bytes(), request.URL}
		w := &wire{Conn: c, over: h.over}
		if bad.Load() > 0 && h.fault.answer != nil {
			bad.Add(-1)
			h.fault.answer(w, good)
			h.mu.Lock()
			h.taken = append(h.taken, w.taken)
			h.mu.Unlock()
			return
		}
		if w.head(good); w.say(good.body) != nil {
			return
		}
	}
}

// eager is a connection that takes in what it is sent before somebody reads it, as kernels do.
type eager struct {
	net.Conn

	mu    sync.Mutex
	some  sync.Cond
	taken bytes.Buffer
	err   error
}

func newEager(c net.Conn) *eager {
	e := &eager{Conn: c}
	e.some.L = &e.mu
	go e.take()
	return e
}

func (e *eager) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.taken.Len() == 0 && e.err == nil {
		e.some.Wait()
	}
	if e.taken.Len() > 0 {
		return e.taken.Read(p)
	}
	return 0, e.err
}

func (e *eager) take() {
	buffer := make([]byte, 4<<10)
	for {
		n, err := e.Conn.Read(buffer)
		e.mu.Lock()
		e.taken.Write(buffer[:n])
		e.err = err
		e.mu.Unlock()
		e.some.Broadcast()
		if err != nil {
			return
		}
	}
}

// answer is a good answer.
type answer struct {
	status int
	header http.Header
	body   []byte
	asked  *url.URL
}

// wire is a connection as the host sees it.
type wire struct {
	net.Conn

	over  <-chan struct{}
	taken int64 // bytes that the client has read
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.taken += int64(n)
	return n, err
}

// say writes texts as they are. After an error nobody listens any more.
func (w *wire) say(texts ...any) error {
	for _, text := range texts {
		var err error
		switch text := text.(type) {
		case []byte:
			_, err = w.Write(text)
		default:
			_, err = fmt.Fprint(w, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forever says the same until nobody listens any more, or for long enough.
func (w *wire) forever(text string) {
	for range 1 << 16 {
		if w.say(text) != nil {
			return
		}
	}
}

// drip says a text slowly.
func (w *wire) drip(text string) {
	for i := range len(text) {
		if w.say(text[i:i+1]) != nil {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-w.over:
			return
		}
	}
}

// hang says nothing until the client goes away.
func (w *wire) hang() { _, _ = io.Copy(io.Discard, w.Conn) }

// head writes the status line and the header of a good answer, with its length unless other lines are given for that.
func (w *wire) head(a answer, lines ...string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	_ = a.header.Write(&b)
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("Content-Length: %d", len(a.body))}
	}
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	_ = w.say(b.String(), "\r\n")
}
