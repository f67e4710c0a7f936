package kafka_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is a broker with a client for it: the embedded one, or with KAFKA_BROKERS=host:port,… a real one.
type cluster struct {
	t       testing.TB
	config  kafka.Config
	client  *kafka.Client
	suffix  string        // of names, so that tests do not meet on a real broker
	session time.Duration // a short session timeout, for tests that wait for longer than that
}

// patience is how long a test waits for what must happen. Sessions last half as long where their end is not the subject, so that none ends while
// a busy machine stands still.
const patience = time.Minute

func newCluster(t testing.TB) *cluster {
	t.Helper()
	if brokers := os.Getenv("KAFKA_BROKERS"); brokers != "" {
		c := clusterAt(t, strings.Split(brokers, ",")...)
		c.suffix, c.session = "-"+rand.Text()[:8], 6*time.Second
		return c
	}
	broker, err := embedded.Start(embedded.Options{MinSessionTimeout: 100 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	return clusterAt(t, broker.Addr())
}

func clusterAt(t testing.TB, brokers ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, session: 5 * time.Second, config: kafka.Config{
		Brokers: brokers, ClientID: "test", Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	var err error
	c.client, err = kafka.NewClient(c.config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.client.Close()) })
	return c
}

// group is the consumer group that subscribers are in unless they say otherwise.
func (c *cluster) group() string { return "group" + c.suffix }

// topic creates a topic.
func (c *cluster) topic(name string, partitions int) string {
	c.t.Helper()
	name += c.suffix
	require.NoError(c.t, c.client.CreateTopics(c.t.Context(), kafka.Topic{Name: name, Partitions: partitions, Replication: 1}))
	return name
}

func (c *cluster) publisher() *kafka.Publisher {
	c.t.Helper()
	p, err := kafka.NewPublisher(c.config, kafka.PublisherOptions{})
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, p.Close()) })
	return p
}

// subscriber in the cluster's group, and with a long session, unless the options say otherwise.
func (c *cluster) subscriber(options kafka.SubscriberOptions) *kafka.Subscriber {
	c.t.Helper()
	if options.Group == "" {
		options.Group = c.group()
	}
	if options.SessionTimeout == 0 {
		options.SessionTimeout = patience / 2
	}
	s, err := kafka.NewSubscriber(c.config, options)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, s.Close()) })
	return s
}

func (c *cluster) subscribe(s *kafka.Subscriber, topic string) <-chan *message.Message {
	c.t.Helper()
	messages, err := s.Subscribe(c.t.Context(), topic)
	require.NoError(c.t, err)
	return messages
}

// committed of a group on partition 0; -1: none.
func (c *cluster) committed(group, topic string) int64 {
	c.t.Helper()
	offsets, err := c.client.CommittedOffsets(context.Background(), group, topic)
	require.NoError(c.t, err)
	if offset, ok := offsets[0]; ok {
		return offset
	}
	return -1
}

func keyed(key string, payload any) *message.Message {
	msg := message.NewMessage("", []byte(fmt.Sprint(payload)))
	kafka.SetKey(msg, []byte(key))
	return msg
}

// receive gives the next message or fails.
func receive(t *testing.T, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case msg, ok := <-messages:
		require.True(t, ok, "the channel is closed")
		return msg
	case <-time.After(patience):
		require.FailNow(t, "no message came")
		return nil
	}
}

// eventually asks, on the test's own goroutine, until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); <-time.After(10 * time.Millisecond) {
		require.Less(t, time.Now(), deadline, "not in time: %s", what)
	}
}

// never asks whether the condition holds, for a while.
func never(t testing.TB, what string, while time.Duration, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(while); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		require.False(t, condition(), what)
	}
}

// journal collects what handlers saw, by key, and fails when two of a key run at once.
type journal struct {
	mu      sync.Mutex
	running map[string]bool
	seen    map[string][]string
	overlap bool
}

func newJournal() *journal {
	return &journal{running: map[string]bool{}, seen: map[string][]string{}}
}

func (j *journal) enter(msg *message.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := string(kafka.Key(msg))
	j.overlap = j.overlap || j.running[key]
	j.running[key] = true
	j.seen[key] = append(j.seen[key], string(msg.Payload))
}

func (j *journal) leave(msg *message.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.running, string(kafka.Key(msg)))
}

func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for _, seen := range j.seen {
		n += len(seen)
	}
	return n
}
