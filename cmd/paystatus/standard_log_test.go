package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shared is a buffer that several write to.
type shared struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// It runs alone, because there is one standard logger.
func TestWhatAServerSendsUnaskedIsNotLogged(t *testing.T) {
	logged := &shared{}
	log.SetOutput(standardLog{logged})
	defer log.SetOutput(os.Stderr)
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of a test
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and then "+request.Header.Get("Authorization"))
		}
	}()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer h1dden")
	transport := &http.Transport{}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	_, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Eventually(t, func() bool { return strings.Contains(logged.String(), "Unsolicited response") }, patience, time.Millisecond)
	assert.NotContains(t, logged.String(), "h1dden")

	log.Print("everything else")
	assert.Contains(t, logged.String(), "everything else\n")
}
