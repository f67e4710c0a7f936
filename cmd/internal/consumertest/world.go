package consumertest

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/consumer"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Embedded starts a broker in memory.
func Embedded(t testing.TB) []string {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	return []string{broker.Addr()}
}

// RealKafka gives the brokers that deployments/kafka/kafka run started.
func RealKafka(t testing.TB) []string {
	t.Helper()
	brokers := os.Getenv("KAFKA_BROKERS")
	require.NotEmpty(t, brokers, "deployments/kafka/kafka run sets KAFKA_BROKERS")
	return strings.Split(brokers, ",")
}

// Log is a topic of status events.
type Log struct {
	Topic string

	t         testing.TB
	config    kafka.Config
	publisher *kafka.Publisher
}

// NewLog makes a topic of its own.
func NewLog(t testing.TB, brokers []string) *Log {
	t.Helper()
	l := OpenLog(t, brokers, "status-"+uuid.NewString())
	client, err := kafka.NewClient(l.config)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	require.NoError(t, client.CreateTopics(t.Context(), kafka.Topic{Name: l.Topic, Partitions: 4, Replication: 1}))
	return l
}

// OpenLog opens a topic that is there.
func OpenLog(t testing.TB, brokers []string, topic string) *Log {
	t.Helper()
	l := &Log{t: t, Topic: topic, config: kafka.Config{Brokers: brokers, Logger: slog.New(slog.DiscardHandler)}}
	var err error
	l.publisher, err = kafka.NewPublisher(l.config, kafka.PublisherOptions{OmitUUID: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.publisher.Close() })
	return l
}

// Write writes events, in their order.
func (l *Log) Write(events ...Event) {
	l.t.Helper()
	messages := make([]*message.Message, len(events))
	for i, e := range events {
		headers, value := e.Record(l.t)
		messages[i] = message.NewMessage("", value)
		kafka.SetKey(messages[i], []byte(e.Payment))
		all := make([]kafka.Header, len(headers))
		for j, h := range headers {
			all[j] = kafka.Header(h)
		}
		kafka.SetHeaders(messages[i], all)
	}
	require.NoError(l.t, l.publisher.Publish(l.Topic, messages...))
}

// WriteRaw writes a record as it is.
func (l *Log) WriteRaw(key string, value []byte, headers ...kafka.Header) {
	l.t.Helper()
	msg := message.NewMessage("", value)
	kafka.SetKey(msg, []byte(key))
	kafka.SetHeaders(msg, headers)
	require.NoError(l.t, l.publisher.Publish(l.Topic, msg))
}

// Service is a consumer with its database.
type Service struct {
	Name   string
	DB     *store.DB
	Effect consumer.Effect

	t   testing.TB
	log *Log
}

// NewService opens a consumer's database.
func NewService(t testing.TB, l *Log, database, name string, migrations fs.FS, effect consumer.Effect) *Service {
	t.Helper()
	db, err := store.Open(t.Context(), database, name, migrations)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return &Service{Name: name, DB: db, Effect: effect, t: t, log: l}
}

func (s *Service) options(group string) consumer.Options {
	return consumer.Options{Kafka: s.log.config, Topic: s.log.Topic, Group: group, Start: kafka.Earliest, Log: s.log.config.Logger}
}

// Take consumes until ctx ends, or what the log holds.
func (s *Service) Take(ctx context.Context, group string, untilEnd bool) (consumer.Counts, error) {
	o := s.options(group)
	o.UntilEnd = untilEnd
	return consumer.Run(ctx, s.DB, s.Effect, o)
}

// TakeAll consumes what the log holds.
func (s *Service) TakeAll(group string) consumer.Counts {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	counts, err := s.Take(ctx, group, true)
	require.NoError(s.t, err)
	require.NoError(s.t, ctx.Err(), "the end was not reached in time")
	return counts
}

// TakeAndDie consumes, and is gone after so many events were committed to the database and not to Kafka.
func (s *Service) TakeAndDie(group string, committed int64) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	f := &forgetful{after: committed, die: cancel}
	o := s.options(group)
	o.Around = func(s message.Subscriber) message.Subscriber {
		f.Subscriber = s
		return f
	}
	_, err := consumer.Run(ctx, s.DB, s.Effect, o)
	require.NoError(s.t, err)
	require.GreaterOrEqual(s.t, f.forgot.Load(), committed, "it died too early")
}

// forgetful is a subscriber whose acknowledgements never arrive.
type forgetful struct {
	message.Subscriber

	after  int64
	die    func()
	forgot atomic.Int64
}

// Subscribe gives copies of the messages. That one of them was acknowledged, the log never hears.
func (f *forgetful) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	in, err := f.Subscriber.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		var running sync.WaitGroup
		defer running.Wait()
		for original := range in {
			running.Go(func() {
				f.deliver(ctx, original, out)
				original.Nack()
			})
		}
	}()
	return out, nil
}

func (f *forgetful) deliver(ctx context.Context, original *message.Message, out chan<- *message.Message) {
	c := original.CopyWithContext()
	select {
	case out <- c:
	case <-ctx.Done():
		return
	}
	select {
	case <-c.Acked():
		if f.forgot.Add(1) == f.after {
			f.die()
		}
	case <-c.Nacked():
	}
}

// Databases gives the databases to test on: SQLite, and PostgreSQL where PAYSTATUS_TEST_POSTGRES names one. Each is empty.
func Databases(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{"SQLite": SQLite(t)}
	if os.Getenv(postgresVariable) != "" {
		all["PostgreSQL"] = Postgres(t)
	}
	return all
}

// SQLite gives an empty database.
func SQLite(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state.db")
}

const postgresVariable = "PAYSTATUS_TEST_POSTGRES"

// Postgres gives an empty database on the server that PAYSTATUS_TEST_POSTGRES names, a URL.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(postgresVariable)
	require.NotEmpty(t, server, "deployments/postgres/postgres run sets it")
	db, err := sql.Open("pgx", server)
	require.NoError(t, err)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err = db.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
		if err != nil {
			t.Log(err)
		}
		_ = db.Close()
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}
