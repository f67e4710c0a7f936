package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// connection is the broker as the configuration says it is reached, with what else is configured.
type connection struct {
	config *config.Config
	kafka  kafka.Config
	log    *slog.Logger
	client *kafka.Client
	topics pipeline.Topics
}

// connect opens it; close ends it.
func connect(path string) (*connection, error) {
	c, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	if len(c.Kafka.Brokers) == 0 && c.Embedded.Enabled {
		c.Kafka.Brokers = []string{c.Embedded.Listen} // of the process that runs the broker
	}
	if len(c.Kafka.Brokers) == 0 {
		return nil, errors.New("kafka.brokers is empty: name your brokers in the configuration")
	}
	b := &connection{config: c, log: logger(c.Log), topics: pipeline.Topics{Topics: c.Topics}}
	if b.kafka, err = pipeline.KafkaConfig(c, b.log); err != nil {
		return nil, err
	}
	if b.client, err = kafka.NewClient(b.kafka); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *connection) close() { _ = b.client.Close() }

// publisher writes to some topics; whoever asks for it closes it.
func (b *connection) publisher(topics ...string) (*kafka.Publisher, error) {
	return kafka.NewPublisher(b.kafka, kafka.PublisherOptions{Topics: topics, OmitUUID: true})
}

// starts commits where the consumer groups begin, before anything is written that they are to find.
func (b *connection) starts(ctx context.Context) error {
	o, err := pipeline.FromConfig(b.config, b.kafka, b.log)
	if err != nil {
		return err
	}
	return pipeline.CommitStarts(ctx, b.client, o.Topics, o.Group, o.Start, false)
}
