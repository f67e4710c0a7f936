package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Time-outs of the listener.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second // headers and body
	writeTimeout      = readTimeout + patience + 2*time.Second
	idleTimeout       = time.Minute
	maxHeader         = 16 << 10 // bytes
)

// Serve answers on a listener until ctx ends, then no more, and waits for those who are being answered for as long as drain.
func (e *Endpoint) Serve(ctx context.Context, listener net.Listener, drain time.Duration) error {
	server := &http.Server{
		Handler: e, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(e.options.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("webhooks: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) { // their notifications are not acknowledged and come again
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("webhooks: stop: %w", err)
	}
	return nil
}
