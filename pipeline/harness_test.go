package pipeline_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/schemas"
)

// world is a paystatus whose pipeline has options of the test's own.
type world struct {
	*pipelinetest.World

	options pipeline.Options
}

func newWorld(t testing.TB, brokers []string) *world {
	t.Helper()
	return newWorldWith(t, brokers, nil)
}

// newWorldWith lets a test create topics of its own first.
func newWorldWith(t testing.TB, brokers []string, before func(*kafka.Client, config.Topics)) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(logWriter(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := &world{World: pipelinetest.New(t, pipelinetest.Setup{Brokers: brokers, Before: before, Log: log})}
	connected, err := pipeline.Connect(w.Config, nil)
	require.NoError(t, err)
	w.options = pipeline.Options{
		Kafka: w.Kafka, Group: w.Config.Kafka.Group, SessionTimeout: 30 * time.Second, Topics: w.Topics, InFlight: 4096, Lookback: 15 * time.Minute,
		Drain: 5 * time.Second, Providers: connected, Schedule: func(string, string) watch.Schedule { return quick },
		Events: handlers.Events{Source: "/paystatus"}, InitiatedTypes: []string{schemas.TypeInitiated}, Log: log,
	}
	return w
}

// logWriter shows the pipeline's logs with PAYSTATUS_TEST_LOG=1.
func logWriter() *os.File {
	if os.Getenv("PAYSTATUS_TEST_LOG") != "" {
		return os.Stderr
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	return null
}

// quick is a schedule for tests: everything happens within seconds.
var quick = watch.Schedule{
	Open:          watch.Rhythm{Delays: []time.Duration{time.Second}, Every: time.Second, Deadline: time.Minute},
	Authorized:    watch.Rhythm{Every: time.Second, Deadline: time.Minute},
	Refund:        watch.Rhythm{Every: time.Second, Deadline: time.Minute},
	NotFoundGrace: 5 * time.Second, ReferenceWindow: 2 * time.Second, Recheck: time.Second,
	Unavailable: watch.Backoff{Initial: time.Second, Max: 2 * time.Second}, Unreadable: watch.Backoff{Initial: time.Second, Max: 2 * time.Second, Limit: 3},
	RefusedEvery: time.Second,
}

// start runs a pipeline with the world's options.
func (w *world) start() (stop func()) {
	w.T.Helper()
	return w.StartWith(w.options)
}

// deadLetters reads every dead letter so far.
func (w *world) deadLetters() []kafka.Record {
	w.T.Helper()
	return w.Records(w.Topics.DeadLetters())
}

// statuses are the words of events, in order.
func statuses(events []pipelinetest.Event) []string {
	var words []string
	for _, e := range events {
		word := string(e.Data.Status)
		if e.Type == schemas.TypeStatusUnresolved {
			word = "unresolved:" + e.Data.Reason.Code
		}
		if e.Data.Final {
			word += " (final)"
		}
		words = append(words, word)
	}
	return words
}
