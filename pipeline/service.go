package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Service is what `paystatus run` serves: the pipeline, its health and metrics, and the embedded broker where there is one.
type Service struct {
	Config            *config.Config
	Log               *slog.Logger
	AcceptLostOffsets bool // start although an internal topic holds records and its group has no offset
}

// Run serves until ctx ends, then drains.
func (s *Service) Run(ctx context.Context) error {
	c := s.Config
	if c.Embedded.Enabled {
		broker, err := embedded.Start(embedded.Options{Listen: c.Embedded.Listen, DataDir: c.Embedded.DataDir})
		if err != nil {
			return fmt.Errorf("embedded broker: %w", err)
		}
		defer broker.Close()
		c.Kafka.Brokers = []string{broker.Addr()}
		s.Log.Info("the embedded broker is listening", "address", broker.Addr(), "data", c.Embedded.DataDir)
	}
	if len(c.Kafka.Brokers) == 0 {
		return errors.New("kafka.brokers is empty: name your brokers, or start with --embedded")
	}
	if len(c.Providers) == 0 {
		return errors.New("no provider is configured: add one below providers")
	}
	k, err := KafkaConfig(c, s.Log)
	if err != nil {
		return err
	}
	options, err := FromConfig(c, k, s.Log)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, k, options); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	options.Metrics = NewMetrics(registry)
	pipeline, err := New(options)
	if err != nil {
		return err
	}
	return s.serve(ctx, pipeline, registry)
}

// prepare verifies the topics, or creates them in the embedded broker, and commits where the groups begin.
func (s *Service) prepare(ctx context.Context, k kafka.Config, o Options) error {
	client, err := kafka.NewClient(k)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer func() { _ = client.Close() }()
	if s.Config.Embedded.Enabled {
		if _, err := CreateTopics(ctx, client, o.Topics); err != nil {
			return err
		}
	}
	problems, err := CheckTopics(ctx, client, o.Topics)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("the topics are not as they must be:\n  %s", strings.Join(problems, "\n  "))
	}
	return CommitStarts(ctx, client, o.Topics, o.Group, o.Start, s.AcceptLostOffsets)
}

// readHeader bounds how long a client of the health endpoint may take to ask.
const readHeader = 5 * time.Second

func (s *Service) serve(ctx context.Context, p *Pipeline, registry *prometheus.Registry) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Config.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	server := &http.Server{Handler: health(p, registry), ReadHeaderTimeout: readHeader}
	s.Log.Info("serving", "health", listener.Addr().String(), "providers", len(p.options.Providers), "brokers", s.Config.Kafka.Brokers)

	ctx, stop := context.WithCancel(ctx)
	var group run.Group
	group.Add(func() error { return p.Run(ctx) }, func(error) { stop() })
	group.Add(func() error {
		// Health is answered until the pipeline has drained.
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("http: %w", err)
		}
		return nil
	}, func(error) { _ = server.Close() })
	if err := group.Run(); err != nil {
		return err
	}
	s.Log.Info("drained")
	return nil
}

func health(p *Pipeline, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, p.Err() == nil, "a partition stopped; see the log")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.Ready(), "not assigned, or draining") })
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
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
