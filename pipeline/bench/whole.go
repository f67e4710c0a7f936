package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
)

// runPipeline is the whole pipeline as `paystatus run` runs it, from the initiated event to the status event at the first check.
func runPipeline(ctx context.Context, load Load, score *Score) error {
	pipeline.CollectLess() // as paystatus run does
	c, err := pipelineConfig(load)
	if err != nil {
		return err
	}
	log := partLog()
	k := kafka.Config{Brokers: load.Brokers, ClientID: "paystatus-bench", Logger: log}
	options, err := pipeline.FromConfig(c, k, log)
	if err != nil {
		return err
	}
	if err := preparePipeline(ctx, k, options); err != nil {
		return err
	}
	options.Metrics = pipeline.NewMetrics(prometheus.NewRegistry())
	options.Around = func(p message.Publisher) message.Publisher { return statusScored{p, load.Sink, score} }
	p, err := pipeline.New(options)
	if err != nil {
		return err
	}
	go score.readyWhen(ctx, p.Ready)
	return p.Run(ctx)
}

// pipelineConfig is the default configuration with the load's names and limits.
func pipelineConfig(load Load) (*config.Config, error) {
	c, problems := config.Load("", nil, pipeline.Providers)
	if err := config.Err(problems); err != nil {
		return nil, err
	}
	settings, ok := liquido.Definition.Settings().(*liquido.Settings)
	if !ok {
		return nil, errors.New("liquido's settings are of another type")
	}
	settings.BaseURL, settings.TokenURL = load.Provider, load.Provider+tokenPath
	settings.Concurrency, settings.Rate, settings.Timeout = load.InFlight, 0, time.Minute
	settings.Accounts = map[string]liquido.Account{}
	for turn := range load.turns() {
		settings.Accounts[accountName(turn)] = liquido.Account{ClientID: "bench", ClientSecret: "bench", APIKey: "bench"}
	}
	c.Providers = map[string]providers.ProviderSettings{settingsName: settings}
	c.Kafka.Brokers, c.Kafka.Group = load.Brokers, pipelineGroup(load)
	c.Topics = config.Topics{
		Initiated: load.Source, StatusChanged: load.Sink, Notified: load.Prefix + "notified", Prefix: load.Prefix,
		Partitions: load.Partitions, Replication: load.Replication, MinInsync: 1,
	}
	c.Limits.InFlight = load.InFlight
	return c, nil
}

var settingsName = liquido.Definition.Name

func preparePipeline(ctx context.Context, k kafka.Config, o pipeline.Options) error {
	client, err := kafka.NewClient(k)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if _, err := pipeline.CreateTopics(ctx, client, o.Topics); err != nil {
		return err
	}
	return pipeline.CommitStarts(ctx, client, o.Topics, o.Group, o.Start, false)
}

func pipelineGroup(l Load) string { return l.Prefix + "pipeline" }

func pipelineGroups(l Load) map[string]string {
	checks := l.Prefix + config.ChecksTopic
	return map[string]string{
		l.Source: pipeline.GroupOf(pipelineGroup(l), handlers.NameIntake), checks: pipeline.GroupOf(pipelineGroup(l), handlers.NameCheck),
	}
}

// statusScored counts the status events that were published.
type statusScored struct {
	message.Publisher

	sink  string
	score *Score
}

// Publish is part of message.Publisher.
func (s statusScored) Publish(topic string, messages ...*message.Message) error {
	s.score.Begin()
	err := s.Publisher.Publish(topic, messages...)
	if err == nil && topic == s.sink {
		s.score.Done(len(messages))
	}
	return err
}

// rawBody is the provider's answer inside a status event.
func rawBody(value []byte) ([]byte, error) {
	var event struct {
		Status string `json:"status"`
		Final  bool   `json:"final"`
		Raw    struct {
			Body string `json:"body"`
		} `json:"raw"`
	}
	if err := json.Unmarshal(value, &event); err != nil {
		return nil, fmt.Errorf("read a status event: %w", err)
	}
	if !event.Final {
		return nil, fmt.Errorf("the status event %q is not final", event.Status)
	}
	return []byte(event.Raw.Body), nil
}
