package providertest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
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

// network is a host whose connections can die without a word, as they do where a router forgets them.
type network struct {
	transport *http.Transport
	asks      *providers.Transport
	url       string
	dialled   atomic.Int32

	mu    sync.Mutex
	lines []*line
}

// line is the host's end of a connection.
type line struct {
	net.Conn

	dead atomic.Bool
}

func (l *line) Write(p []byte) (int, error) {
	if l.dead.Load() {
		return len(p), nil // into the void
	}
	return l.Conn.Write(p)
}

func (l *line) Read(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if err != nil || !l.dead.Load() {
			return n, err
		}
	}
}

// newNetwork makes a host that serves every connection with serve.
func newNetwork(t *testing.T, url string, serve func(net.Conn)) *network {
	t.Helper()
	s := providers.DefaultSettings(url)
	s.Rate, s.Timeout = 0, timeout
	n := &network{transport: providers.HTTP(s), url: url}
	n.transport.TLSClientConfig = &tls.Config{RootCAs: authority().pool, MinVersion: tls.VersionTLS12}
	n.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		n.dialled.Add(1)
		l := &line{Conn: newEager(server)}
		n.mu.Lock()
		n.lines = append(n.lines, l)
		n.mu.Unlock()
		go serve(l)
		return client, nil
	}
	n.asks = providers.NewTransport(s, providers.Options{RoundTripper: n.transport})
	t.Cleanup(func() {
		for _, l := range n.lines {
			_ = l.Close()
		}
		n.transport.CloseIdleConnections()
	})
	return n
}

// die lets every connection so far die.
func (n *network) die() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines {
		l.dead.Store(true)
	}
}

func (n *network) ask(t *testing.T) (providers.Page, *providers.Outcome) {
	t.Helper()
	request, err := providers.NewRequest(t.Context(), http.MethodGet, n.url, "/x", nil)
	require.NoError(t, err)
	page, fault, err := n.asks.Do(t.Context(), "default", request)
	require.NoError(t, err)
	return page, fault
}

// answering serves HTTP/1.1, each answer after a second.
func answering(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	for {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		time.Sleep(time.Second)
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			return
		}
	}
}

func TestOneRequestFindsOutThatIdleConnectionsDied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "http://127.0.0.1", answering)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				_, fault := n.ask(t)
				assert.Nil(t, fault)
			})
		}
		all.Wait()
		synctest.Wait()
		require.Equal(t, int32(10), n.dialled.Load())
		n.die()
		_, fault := n.ask(t)
		require.NotNil(t, fault)
		assert.Equal(t, providers.CodeTimeout, fault.Code)
		for range 10 {
			_, fault = n.ask(t)
			assert.Nil(t, fault)
		}
		assert.Equal(t, int32(11), n.dialled.Load(), "the other nine are not tried one after the other")
	})
}

// http2 serves HTTP/2, each answer after a second.
func http2(c net.Conn) {
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         authority().certify("provider.test", valid),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			_, _ = io.WriteString(w, r.Proto)
		}),
	}
	_ = server.ServeTLS(&single{conn: c, over: make(chan struct{})}, "", "")
}

// single is a listener for one connection.
type single struct {
	conn net.Conn
	once sync.Once
	over chan struct{}
}

func (s *single) Accept() (c net.Conn, err error) {
	err = errors.New("there was one connection")
	s.once.Do(func() { c, err = s.conn, nil })
	return c, err
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return s.conn.LocalAddr() }

func TestADeadHTTP2ConnectionIsGivenUpAlthoughRequestsKeepItBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "https://provider.test", http2)
		page, fault := n.ask(t)
		require.Nil(t, fault)
		require.Equal(t, "HTTP/2.0", string(page.Body), "the provider offers it")
		for range 3 {
			n.ask(t)
		}
		require.Equal(t, int32(1), n.dialled.Load())
		n.die()
		died := time.Now()
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				began := time.Since(died)
				_, fault := n.ask(t)
				if began > timeout {
					assert.Nil(t, fault, "a request %v after the connection died", began)
				}
			})
			time.Sleep(time.Second)
		}
		all.Wait()
		assert.Equal(t, int32(2), n.dialled.Load())
	})
}

func TestAHostWhoseStatusFlapsIsAskedOn(t *testing.T) {
	t.Parallel()
	s := subject(mutant{})
	synctest.Test(t, func(t *testing.T) {
		flaps := 0
		h := newHost(t, s, fault{answer: func(w *wire, a answer) {
			flaps++
			[]func(*wire, answer){plain(503, "", ""), says("HTTP/1.1 200 OK\r\n"), plain(429, "", ""), plain(200, "", "<html>")}[flaps%4](w, a)
		}})
		defer h.close()
		kinds := map[providers.Kind]int{}
		for i := range 200 {
			h.bad.Store(int64(i % 2))
			kinds[h.check(t).Kind]++
		}
		assert.Equal(t, map[providers.Kind]int{providers.Observed: 100, providers.Unavailable: 75, providers.Unreadable: 25}, kinds, "no breaker opens")
	})
}

// It runs alone, because it measures what the whole process allocates.
func TestAnAnswerOfAGigabyteCostsLittleMemory(t *testing.T) {
	const requests = 32
	n := newNetwork(t, "http://127.0.0.1", func(c net.Conn) {
		defer func() { _ = c.Close() }()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		w := &wire{Conn: c}
		_ = w.say("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
		w.forever(strings.Repeat("x", 64<<10))
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			page, fault := n.ask(t)
			assert.Nil(t, fault)
			assert.True(t, page.TooLarge)
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	each := (after.TotalAlloc - before.TotalAlloc) / requests
	t.Logf("%d KiB allocated for each answer of a gigabyte", each>>10)
	assert.Less(t, each, uint64(2<<20))
}
