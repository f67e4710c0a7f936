package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readHeader bounds how long a client of the health endpoint may take to ask.
const readHeader = 5 * time.Second

// health answers /healthz, /readyz and /metrics from the moment the process starts until it has drained.
type health struct {
	listener net.Listener
	server   *http.Server
	serving  atomic.Pointer[Pipeline] // nil before there is one
	stopping context.Context          //nolint:containedctx // ended when the process was told to stop; of no call
}

// listenHealth opens the address, so that one that is taken stops the start. Stopping ends when the process is told to stop.
func listenHealth(stopping context.Context, address string, registry *prometheus.Registry) (*health, error) {
	listener, err := (&net.ListenConfig{}).Listen(stopping, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	h := &health{listener: listener, stopping: stopping}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: readHeader}
	return h, nil
}

// url is where it answers.
func (h *health) url() string { return "http://" + h.listener.Addr().String() }

func (h *health) serve() error {
	if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}

func (h *health) close() { _ = h.server.Close() }

// healthz tells whether the process can work.
func (h *health) healthz(w http.ResponseWriter, _ *http.Request) {
	p := h.serving.Load()
	answer(w, p == nil || p.Err() == nil, "a partition stopped; see the log")
}

// readyz tells whether the process has its share of partitions.
func (h *health) readyz(w http.ResponseWriter, _ *http.Request) {
	p := h.serving.Load()
	switch {
	case h.stopping.Err() != nil:
		answer(w, false, "draining")
	case p == nil:
		answer(w, false, "starting")
	default:
		answer(w, p.Ready(), "waiting for partitions")
	}
}

func answer(w http.ResponseWriter, ok bool, otherwise string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(otherwise + "\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
