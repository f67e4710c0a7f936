package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// cluster is where the bench takes place, as the bench itself uses it.
type cluster struct {
	brokers  []string
	provider string
	client   *kafka.Client
	name     string // of this bench, the beginning of all names
	runs     int
}

func connect(brokers []string, provider string) (*cluster, error) {
	client, err := newClient(brokers)
	if err != nil {
		return nil, err
	}
	return &cluster{brokers: brokers, provider: provider, client: client, name: "paystatus-bench-" + uuid.NewString()[:8]}, nil
}

func newClient(brokers []string) (*kafka.Client, error) {
	return kafka.NewClient(kafka.Config{Brokers: brokers, ClientID: "paystatus-bench"})
}

func (c *cluster) close() { _ = c.client.Close() }

// load is the next run's.
func (c *cluster) load(messages, keys, inFlight, partitions int) Load {
	c.runs++
	prefix := fmt.Sprintf("%s-%d.", c.name, c.runs)
	return Load{
		Brokers: c.brokers, Source: prefix + "source", Sink: prefix + "sink", Prefix: prefix, Partitions: partitions,
		Provider: c.provider, Messages: messages, Keys: keys, InFlight: inFlight,
	}
}

// create makes the topics. The brokers stamp the records, so that one clock, theirs, tells when a message came and when its answer.
func (c *cluster) create(ctx context.Context, load Load) error {
	var topics []kafka.Topic
	for _, name := range []string{load.Source, load.Sink} {
		topics = append(topics, kafka.Topic{
			Name: name, Partitions: load.Partitions, Replication: load.Replication, Configs: map[string]string{"message.timestamp.type": "LogAppendTime"},
		})
	}
	return c.client.CreateTopics(ctx, topics...)
}

// source is a writer of messages. Its transport is its own: a shared one would not know a new topic yet.
func (c *cluster) source(load Load) (writer *kafkago.Writer, closed func()) {
	transport := &kafkago.Transport{}
	writer = &kafkago.Writer{
		Addr: kafkago.TCP(c.brokers...), Transport: transport, Topic: load.Source, Balancer: kafkago.Murmur2Balancer{},
		RequiredAcks: kafkago.RequireAll, BatchSize: 1000, BatchTimeout: 2 * time.Millisecond,
	}
	return writer, sync.OnceFunc(func() {
		_ = writer.Close() // waits for what is under way
		transport.CloseIdleConnections()
	})
}

// appendChunk is how many messages are handed to the writer at once.
const appendChunk = 10_000

// append writes all messages.
func (c *cluster) append(ctx context.Context, load Load) error {
	writer, closed := c.source(load)
	defer closed()
	now := time.Now()
	for from := 0; from < load.Messages; from += appendChunk {
		chunk, err := load.messages(from, min(from+appendChunk, load.Messages), now)
		if err != nil {
			return err
		}
		if err := writer.WriteMessages(ctx, chunk...); err != nil {
			return fmt.Errorf("write messages: %w", err)
		}
	}
	return nil
}

func (l Load) messages(from, to int, now time.Time) ([]kafkago.Message, error) {
	all := make([]kafkago.Message, 0, to-from)
	for i := from; i < to; i++ {
		m, err := l.message(i, now)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// paceInterval is how often messages are written at a steady rate.
const paceInterval = 10 * time.Millisecond

// pace writes all messages at a rate, in messages a second.
func (c *cluster) pace(ctx context.Context, load Load, rate float64) error {
	var failed atomic.Pointer[error]
	writer, closed := c.source(load)
	defer closed()
	writer.Async = true
	writer.Completion = func(_ []kafkago.Message, err error) {
		if err != nil {
			failed.Store(&err)
		}
	}
	ticker := time.NewTicker(paceInterval)
	defer ticker.Stop()
	began := time.Now()
	for written := 0; written < load.Messages; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		due := min(load.Messages, int(rate*time.Since(began).Seconds()))
		chunk, err := load.messages(written, due, began)
		if err != nil {
			return err
		}
		if len(chunk) == 0 {
			continue
		}
		if err := writer.WriteMessages(ctx, chunk...); err != nil {
			return fmt.Errorf("write messages: %w", err)
		}
		written = due
	}
	closed()
	if err := failed.Load(); err != nil {
		return fmt.Errorf("write messages: %w", *err)
	}
	return nil
}

// cleanUp deletes the topics and groups of a run. What cannot be deleted stays.
func (c *cluster) cleanUp(ctx context.Context, load Load) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addr := kafkago.TCP(c.brokers...)
	client := &kafkago.Client{Addr: addr, Transport: &kafkago.Transport{}}
	defer client.Transport.(*kafkago.Transport).CloseIdleConnections() //nolint:forcetypeassert // made above
	if known, err := client.Metadata(ctx, &kafkago.MetadataRequest{Addr: addr}); err == nil {
		var names []string
		for _, topic := range known.Topics {
			if strings.HasPrefix(topic.Name, load.Prefix) {
				names = append(names, topic.Name)
			}
		}
		if len(names) > 0 {
			_, _ = client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Addr: addr, Topics: names})
		}
	}
	if known, err := client.ListGroups(ctx, &kafkago.ListGroupsRequest{Addr: addr}); err == nil {
		for _, group := range known.Groups {
			if strings.HasPrefix(group.GroupID, load.Prefix) {
				_, _ = client.DeleteGroups(ctx, &kafkago.DeleteGroupsRequest{Addr: addr, GroupIDs: []string{group.GroupID}})
			}
		}
	}
}

// uncommitted counts the records of the groups' topics that are not committed. Its client is its own: the one of the bench may not know
// yet what topics a contender has made.
func (c *cluster) uncommitted(ctx context.Context, groups map[string]string) (int64, error) {
	client, err := newClient(c.brokers)
	if err != nil {
		return 0, err
	}
	defer func() { _ = client.Close() }()
	var all int64
	for topic, group := range groups {
		ends, err := client.ListOffsets(ctx, topic, kafka.Latest)
		if err != nil {
			return 0, err
		}
		committed, err := client.CommittedOffsets(ctx, group, topic)
		if err != nil {
			return 0, err
		}
		for partition, end := range ends {
			all += end - committed[partition]
		}
	}
	return all, nil
}

// scan reads a whole topic, partition by partition.
func (c *cluster) scan(ctx context.Context, topic string, fn func(kafka.Record) error) error {
	ends, err := c.client.ListOffsets(ctx, topic, kafka.Latest)
	if err != nil {
		return err
	}
	for partition, end := range ends {
		if end == 0 {
			continue
		}
		if err := c.client.Scan(ctx, topic, partition, 0, end, fn); err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
	}
	return nil
}

var errNoReference = errors.New("a message without a reference")

func header(r kafka.Record, name string) (string, error) {
	i := slices.IndexFunc(r.Headers, func(h kafka.Header) bool { return h.Key == name })
	if i < 0 {
		return "", errNoReference
	}
	return string(r.Headers[i].Value), nil
}
