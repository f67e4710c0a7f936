// Package pipelinetest is a whole paystatus for tests: a broker with the topics, simulated providers, and the pipeline when it is
// started.
package pipelinetest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// Setup is what one test's world has of its own.
type Setup struct {
	Settings   string                             // YAML of the configuration, beside the providers, kafka and topics
	Partitions int                                // of each topic; 0: 4
	Brokers    []string                           // topics and groups have the test's name there; nil: a broker in memory
	Before     func(*kafka.Client, config.Topics) // called before the topics are created; may be nil
	Around     func(http.Handler) http.Handler    // stands before the simulated providers; may be nil
	Log        *slog.Logger                       // nil: none
}

// World is a configured paystatus: the broker's topics and the providers are there, a pipeline where one was started.
type World struct {
	*Broker

	Path    string // of the configuration file that leads here
	Config  *config.Config
	Topics  pipeline.Topics
	Sandbox *sandbox.Server
	Log     *slog.Logger
}

// New makes a world that is gone when the test ends.
func New(t testing.TB, s Setup) *World {
	t.Helper()
	simulators := demo.Simulators()
	w := &World{Sandbox: sandbox.NewServer(simulators...), Log: s.Log}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	handler := http.Handler(w.Sandbox)
	if s.Around != nil {
		handler = s.Around(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)

	brokers, ours := s.Brokers, ""
	if brokers == nil {
		brokers = Embedded(t)
	} else {
		ours = Name(t)
	}
	w.Path = filepath.Join(t.TempDir(), "paystatus.yaml")
	text := where(brokers, cmp.Or(s.Partitions, 4), ours) + s.Settings + demo.SandboxConfig(simulators, server.URL)
	require.NoError(t, os.WriteFile(w.Path, []byte(text), 0o600))
	c, problems := config.Load(w.Path, nil, pipeline.Providers)
	require.NoError(t, config.Err(problems))
	for _, provider := range c.Providers {
		provider.Common().Rate = 0 // the simulators take what comes
	}
	w.Config, w.Topics = c, pipeline.Topics{Topics: c.Topics}
	w.Broker = Connect(t, kafka.Config{Brokers: brokers, ClientID: "test", Logger: w.Log})
	if s.Before != nil {
		s.Before(w.Client, c.Topics)
	}
	_, err := pipeline.CreateTopics(t.Context(), w.Client, w.Topics)
	require.NoError(t, err)
	return w
}

// where is the configuration of Kafka; with a name, topics and groups have it.
func where(brokers []string, partitions int, name string) string {
	group, topics := "", ""
	if name != "" {
		group = ", group: " + name
		topics = fmt.Sprintf(", initiated: %[1]s.initiated, notified: %[1]s.notified, status_changed: %[1]s.status_changed, prefix: %[1]s.", name)
	}
	return fmt.Sprintf("kafka: {brokers: [%s], session_timeout: 6s%s}\ntopics: {partitions: %d, replication: 1, min_insync: 1%s}\n",
		strings.Join(brokers, ", "), group, partitions, topics)
}

// Name is a test's name as topics and groups bear it.
func Name(t testing.TB) string {
	t.Helper()
	return strings.NewReplacer("/", ".", " ", "_", "'", "").Replace(t.Name())
}

// CommitStarts lets groups that have not begun begin with what the topics hold.
func (w *World) CommitStarts(ctx context.Context) error {
	return pipeline.CommitStarts(ctx, w.Client, w.Topics, w.Config.Kafka.Group, kafka.Earliest, false)
}

// Options are those of a pipeline as it is configured now.
func (w *World) Options() pipeline.Options {
	w.T.Helper()
	o, err := pipeline.FromConfig(w.Config, w.Kafka, w.Log)
	require.NoError(w.T, err)
	return o
}

// Start runs a pipeline as it is configured now; see StartWith.
func (w *World) Start() (stop func()) {
	w.T.Helper()
	return w.StartWith(w.Options())
}

// StartWith runs a pipeline until stop is called, which waits for its end, or until the test ends.
func (w *World) StartWith(o pipeline.Options) (stop func()) {
	w.T.Helper()
	require.NoError(w.T, w.CommitStarts(w.T.Context()))
	p, err := pipeline.New(o)
	require.NoError(w.T, err)
	return w.Run(p)
}

// Run runs a pipeline as StartWith does, without committing where groups start.
func (w *World) Run(p *pipeline.Pipeline) (stop func()) {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(w.T, err)
		case <-time.After(time.Minute):
			w.T.Error("the pipeline does not end")
		}
	})
	w.T.Cleanup(stop)
	w.Eventually(p.Ready, "the pipeline is not ready")
	return stop
}

// Idle reports whether every group has handled all records of its topic.
func (w *World) Idle() bool {
	w.T.Helper()
	for handler, topic := range w.Topics.Consumed() {
		if w.Lag(pipeline.GroupOf(w.Config.Kafka.Group, handler), topic) > 0 {
			return false
		}
	}
	return true
}
