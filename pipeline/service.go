package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Service is what `paystatus run` serves: the pipeline, its health and metrics, the webhook listener and the embedded broker
// where there are any.
type Service struct {
	Config            *config.Config
	Log               *slog.Logger
	AcceptLostOffsets bool         // start although an internal topic holds records and its group has no offset
	Webhooks          net.Listener // for webhooks; nil: the one that notifications.listen says, if any
}

// Servable says what a configuration without a mistake lacks to be served; the commands that only look may not need it.
func Servable(c *config.Config) error {
	switch {
	case len(c.Kafka.Brokers) == 0 && !c.Embedded.Enabled:
		return errors.New("kafka.brokers is empty: name your brokers in the configuration, or start with --embedded")
	case len(c.Providers) == 0:
		return errors.New("no provider is configured: add one below providers")
	}
	return nil
}

// Run serves until ctx ends, then drains. That ctx ends before there is anything to drain is no error either.
func (s *Service) Run(ctx context.Context) error {
	c := s.Config
	if err := Servable(c); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	health, err := listenHealth(ctx, c.HTTP.Listen, registry)
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "answering /healthz, /readyz and /metrics", "url", health.url())

	var group run.Group
	group.Add(func() error { return s.serve(ctx, health, registry) }, func(error) { stop() })
	group.Add(health.serve, func(error) { health.close() })
	return group.Run()
}

// serve runs the broker, where there is one, and the pipeline.
func (s *Service) serve(ctx context.Context, health *health, registry *prometheus.Registry) error {
	c := s.Config
	if c.Embedded.Enabled {
		broker, err := embedded.Start(embedded.Options{Listen: c.Embedded.Listen, DataDir: c.Embedded.DataDir})
		if err != nil {
			return err
		}
		defer broker.Close()
		c.Kafka.Brokers = []string{broker.Addr()}
		s.Log.InfoContext(ctx, "the embedded broker is listening", "address", broker.Addr(), "data", c.Embedded.DataDir)
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
		if ctx.Err() != nil { // told to stop meanwhile
			return nil
		}
		return err
	}
	options.Metrics = NewMetrics(registry)
	webhooks, err := s.listenWebhooks(ctx, options, registry)
	if err != nil {
		return err
	}
	pipeline, err := New(options)
	if err != nil {
		return errors.Join(err, webhooks.close())
	}
	health.serving.Store(pipeline)
	s.Log.InfoContext(ctx, "serving", "providers", accounts(options), "brokers", c.Kafka.Brokers, "initiated", c.Topics.Initiated,
		"status_changed", c.Topics.StatusChanged, "group", c.Kafka.Group)
	told := make(chan struct{})
	untold := context.AfterFunc(ctx, func() {
		defer close(told)
		s.Log.InfoContext(ctx, "draining", "at_most", c.Limits.Drain)
	})
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return pipeline.Run(running) })
	group.Go(func() error { return webhooks.run(running) })
	err = group.Wait()
	if !untold() {
		<-told // the log says first that it drains
	}
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "drained")
	return nil
}

// accounts are the providers that are served: "checkout/default".
func accounts(o Options) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(o.Providers)) {
		for _, account := range slices.Sorted(slices.Values(o.Providers[name].Accounts())) {
			all = append(all, name+"/"+account)
		}
	}
	return all
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
		return fmt.Errorf("the topics are not as they must be; `paystatus topics create` creates what is missing:\n  %s", strings.Join(problems, "\n  "))
	}
	return CommitStarts(ctx, client, o.Topics, o.Group, o.Start, s.AcceptLostOffsets)
}
