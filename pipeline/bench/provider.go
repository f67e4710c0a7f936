package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/paystatus/paystatus/providers/sandbox"
)

// stub is a provider that answers as Liquido does about a settled charge, whoever asks, after a time between least and most.
// The time is drawn by the reference, so that every contender draws the same times.
type stub struct {
	least, most time.Duration
	body        [][]byte // the pieces of an answer between which the reference stands
}

const (
	referenceMark = "REFERENCE-MARK"
	heldMark      = "4815162342"
	heldField     = "heldNanos"     // how long an answer was held back, in the answer
	tokenPath     = "/oauth2/token" //nolint:gosec // a path
	chargePath    = "/v1/payments/charges/"
)

func newStub(least, most time.Duration) *stub {
	whole := sandbox.LiquidoCharge(sandbox.Payment{
		Reference: referenceMark, Status: "SETTLED", Created: time.Now(), Since: time.Now(),
		Script: sandbox.Script{Amount: sandbox.Amount{Value: amount, Currency: currency}},
		Step:   sandbox.Step{Fields: map[string]any{heldField: 4815162342}},
	})
	return &stub{least: least, most: most, body: bytes.Split(whole, []byte(referenceMark))}
}

// serve answers until ctx ends.
func (s *stub) serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+tokenPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"bench","expires_in":3600,"token_type":"Bearer"}`)
	})
	mux.HandleFunc("GET "+chargePath+"{reference}", s.charge)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *stub) charge(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	reference := r.PathValue("reference")
	timer := time.NewTimer(s.draw(reference))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return
	}
	body := bytes.Join(s.body, []byte(reference))
	body = bytes.Replace(body, []byte(heldMark), strconv.AppendInt(nil, time.Since(began).Nanoseconds(), 10), 1)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // JSON, to our own client
}

func (s *stub) draw(reference string) time.Duration {
	if s.least == s.most {
		return s.least
	}
	hash := fnv.New64a()
	_, _ = io.WriteString(hash, reference)
	return s.least + time.Duration(rand.New(rand.NewPCG(hash.Sum64(), 0)).Int64N(int64(s.most-s.least)))
}

// Caller asks the provider.
type Caller struct {
	client *http.Client
	url    string
}

// NewCaller makes a Caller that keeps as many connections as calls may be in flight.
func NewCaller(load Load) *Caller {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented by net/http
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.DisableCompression = 0, load.InFlight, true
	transport.ReadBufferSize, transport.WriteBufferSize = 2<<10, 1<<10 // of thousands of connections
	return &Caller{client: &http.Client{Transport: transport}, url: load.Provider + chargePath}
}

// Ask gives the provider's answer about a reference.
func (c *Caller) Ask(ctx context.Context, reference string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+reference, nil)
	if err != nil {
		return nil, fmt.Errorf("ask about %s: %w", reference, err)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask about %s: %w", reference, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask about %s: %w", reference, err)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask about %s: HTTP %d", reference, response.StatusCode)
	}
	return body, nil
}
