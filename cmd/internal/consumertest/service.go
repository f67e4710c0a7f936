package consumertest

import (
	"bytes"
	"context"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/consumer"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Run runs a consumer's command line.
func Run(t testing.TB, root *cobra.Command, args ...string) (stdout string, code int, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), cli.ExitCode(err), err
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
	return consumer.Options{Kafka: s.log.Kafka, Topic: s.log.Topic, Group: group, Start: kafka.Earliest, Log: s.log.Kafka.Logger}
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

// Survives consumes the stories that the log was told, by a process that dies between the database and Kafka again and again; then everything is
// read again by a new group. Check is called after each: the effects are to be the same.
func (s *Service) Survives(check func()) {
	s.t.Helper()
	for range 2 {
		s.TakeAndDie("first", 50)
	}
	s.TakeAll("first")
	check()
	counts := s.TakeAll("second")
	assert.Zero(s.t, counts.News, "a full re-read brings nothing new")
	assert.Equal(s.t, s.log.told, counts.Duplicates+counts.Regressions, "everything was read again")
	assert.Zero(s.t, counts.Refused)
	check()
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
