package providers_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

// roundTrip carries requests in tests.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// replies answers every request in the same way.
func replies(status int, body string, header ...string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// hangs answers nothing until the request ends.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func limits() providers.Settings {
	s := providers.DefaultSettings("https://api.example.com")
	s.Rate = 0
	return s
}

// get makes one request for an account.
func get(ctx context.Context, t *testing.T, transport *providers.Transport, account, url string) (providers.Page, *providers.Outcome, error) {
	t.Helper()
	request, err := providers.NewRequest(ctx, http.MethodGet, url, "/payments/secret-id", nil)
	require.NoError(t, err)
	return transport.Do(ctx, account, request)
}

// mustGet makes one request that is not given up.
func mustGet(t *testing.T, transport *providers.Transport, url string) (providers.Page, *providers.Outcome) {
	t.Helper()
	page, fault, err := get(t.Context(), t, transport, "default", url)
	require.NoError(t, err)
	return page, fault
}

const nowhere = "https://api.example.com"

func TestAnAnswerComesWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{RoundTripper: replies(418, "short and stout")}), nowhere)
		require.Nil(t, fault)
		assert.Equal(t, 418, page.HTTPStatus)
		assert.Equal(t, "short and stout", string(page.Body))
		assert.Equal(t, time.Now(), page.ReceivedAt)
		assert.False(t, page.Cut || page.TooLarge)
	})
}

func TestAProviderThatHangsIsATimeout(t *testing.T) {
	t.Parallel()
	stalls := func(r *http.Request) (*http.Response, error) { // in the middle of the body
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		go func() { _, _ = writer.Write([]byte(`{"a":`)) }()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: reader, Request: r}, nil
	}
	for name, round := range map[string]roundTrip{"before the answer": hangs, "in the body": stalls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{RoundTripper: round}), nowhere)
				require.NotNil(t, fault)
				assert.Equal(t, providers.Unavailable, fault.Kind)
				assert.Equal(t, providers.CodeTimeout, fault.Code)
				assert.Equal(t, 8*time.Second, time.Since(began))
			})
		})
	}
}

func TestACallerThatGivesUpLearnsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		page, fault, err := get(ctx, t, providers.NewTransport(limits(), providers.Options{RoundTripper: roundTrip(hangs)}), "default", nowhere)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Nil(t, fault)
		assert.Equal(t, providers.Page{}, page)
	})
}

func TestWhatKeptAnAnswerFromComingIsNamed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		code string
	}{
		"reset":                   {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, providers.CodeConnection},
		"refused":                 {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, providers.CodeConnection},
		"closed without answer":   {io.EOF, providers.CodeConnection},
		"closed in the headers":   {io.ErrUnexpectedEOF, providers.CodeConnection},
		"no such host":            {&net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}, providers.CodeConnection},
		"DNS that does not reply": {&net.DNSError{Err: "i/o timeout", IsTimeout: true}, providers.CodeTimeout},
		"dial that takes long":    {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, providers.CodeTimeout},
		"no TLS at all":           {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, providers.CodeTLS},
		"a wrong certificate":     {&tls.CertificateVerificationError{Err: errors.New("expired")}, providers.CodeTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := roundTrip(func(*http.Request) (*http.Response, error) { return nil, tc.err })
			_, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{RoundTripper: broken}), nowhere)
			require.NotNil(t, fault)
			assert.Equal(t, providers.Unavailable, fault.Kind)
			assert.Equal(t, tc.code, fault.Code)
			assert.NotContains(t, fault.Message, "secret-id")
			assert.NotContains(t, fault.Message, "example.com")
		})
	}
}

// serve starts a server on loopback.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestConnectionsThatAreNotSecureAreNamed(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	foreign := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(foreign.Close)
	selective := httptest.NewUnstartedServer(http.NotFoundHandler())
	selective.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	selective.StartTLS()
	t.Cleanup(selective.Close)
	trusting := selective.Client().Transport

	for name, tc := range map[string]struct {
		url   string
		round http.RoundTripper
	}{
		"a server that speaks plain HTTP":           {strings.Replace(plain.URL, "http:", "https:", 1), nil},
		"a certificate of an unknown authority":     {foreign.URL, nil},
		"a server that wants a certificate from us": {selective.URL, trusting},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{RoundTripper: tc.round}), tc.url)
			require.NotNil(t, fault)
			assert.Equal(t, providers.CodeTLS, fault.Code)
		})
	}
}

func TestABodyThatEndsTooEarlyIsCut(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]string{"announced": "100", "in chunks": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				_, _ = w.Write([]byte(`{"a":`))
				assert.NoError(t, http.NewResponseController(w).Flush())
				panic(http.ErrAbortHandler)
			})
			page, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{}), server.URL)
			require.Nil(t, fault)
			assert.True(t, page.Cut)
			assert.Equal(t, `{"a":`, string(page.Body))
		})
	}
}

func TestABodyAboveTheLimitIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	settings := limits()
	settings.MaxAnswer = 1000
	for _, tc := range []struct {
		size     int
		tooLarge bool
	}{{999, false}, {1000, false}, {1001, true}, {1 << 20, true}} {
		page, fault := mustGet(t, providers.NewTransport(settings, providers.Options{RoundTripper: replies(200, strings.Repeat("x", tc.size))}), nowhere)
		require.Nil(t, fault)
		assert.Equal(t, tc.tooLarge, page.TooLarge, tc.size)
		assert.Len(t, page.Body, min(tc.size, 1000))
	}
	t.Run("even if it never ends", func(t *testing.T) {
		t.Parallel()
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		})
		page, fault := mustGet(t, providers.NewTransport(settings, providers.Options{}), server.URL)
		require.Nil(t, fault)
		assert.True(t, page.TooLarge)
	})
}

func TestARedirectIsNeverFollowed(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int32
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { strayed.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		var asked atomic.Int32
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			http.Redirect(w, r, elsewhere.URL, status)
		})
		page, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{}), server.URL)
		require.Nil(t, fault)
		assert.Equal(t, status, page.HTTPStatus)
		assert.Equal(t, int32(1), asked.Load())
	}
	assert.Zero(t, strayed.Load())
}

func TestBodiesAreNotCompressed(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			w.WriteHeader(http.StatusNotAcceptable)
		}
		w.Header().Set("Content-Encoding", "gzip") // nobody asked for it
		zipped := gzip.NewWriter(w)
		_, _ = zipped.Write([]byte("{}"))
		_ = zipped.Close()
	})
	page, fault := mustGet(t, providers.NewTransport(limits(), providers.Options{}), server.URL)
	require.Nil(t, fault)
	assert.Equal(t, http.StatusOK, page.HTTPStatus, "no compression is asked for")
	assert.Equal(t, "\x1f\x8b", string(page.Body[:2]), "and none undone: the bytes are those that were sent")
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	var connections atomic.Int32
	var together sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		together.Done()
		together.Wait() // so that each needs a connection of its own
		_, _ = w.Write([]byte("{}"))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	transport := providers.NewTransport(limits(), providers.Options{})
	for range 3 {
		together.Add(atOnce)
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() {
				_, fault := mustGet(t, transport, server.URL)
				assert.Nil(t, fault)
			})
		}
		all.Wait()
	}
	assert.Equal(t, int32(atOnce), connections.Load())
}

func TestARequestIsBuiltFromAConfiguredURL(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://api.example.com":     "https://api.example.com/v1/a%2Fb",
		"https://api.example.com//":   "https://api.example.com/v1/a%2Fb",
		"https://example.com/prefix/": "https://example.com/prefix/v1/a%2Fb",
	} {
		request, err := providers.NewRequest(t.Context(), http.MethodGet, base, "/v1/a%2Fb", nil)
		require.NoError(t, err)
		assert.Equal(t, want, request.URL.String())
		assert.Equal(t, "application/json", request.Header.Get("Accept"))
	}
	for _, wrong := range []struct{ method, base string }{{http.MethodGet, "https://api.example.com:secret-port"}, {"NO METHOD", "https://api.example.com"}} {
		_, err := providers.NewRequest(t.Context(), wrong.method, wrong.base, "/payments/secret-id", nil)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret-id")
		assert.NotContains(t, fmt.Sprint(err), "%!")
	}
}
