//go:build realkafka && unix

package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

const (
	memberVariable = "KAFKA_TEST_MEMBER" // brokers, group, topic in, topic out
	fieldSeparator = "|"
	processSession = 6 * time.Second // what Apache Kafka allows at least
	generationOf   = "generation"    // header of what a member publishes
)

// The test binary is also the member: a process of its own that can be frozen and killed.
func init() { //nolint:gochecknoinits // before the tests' own main
	if fields := strings.Split(os.Getenv(memberVariable), fieldSeparator); len(fields) == 4 {
		if err := memberProcess(strings.Split(fields[0], ","), fields[1], fields[2], fields[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// memberProcess publishes for each message one with the same key, payload and the number of the generation, until it is terminated.
func memberProcess(brokers []string, group, in, out string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config := kafka.Config{Brokers: brokers}
	publisher, err := kafka.NewPublisher(config, kafka.PublisherOptions{})
	if err != nil {
		return err
	}
	var generation atomic.Int32
	subscriber, err := kafka.NewSubscriber(config, kafka.SubscriberOptions{
		Group: group, SessionTimeout: processSession, Drain: 2 * time.Second,
		OnAssign: func(_ context.Context, a kafka.Assignment) error {
			generation.Store(a.Generation)
			return nil
		},
	})
	if err != nil {
		return err
	}
	messages, err := subscriber.Subscribe(ctx, in)
	if err != nil {
		return err
	}
	var handlers sync.WaitGroup
	for msg := range messages {
		number := strconv.Itoa(int(generation.Load())) // should it be a later one already, the lease is over
		handlers.Go(func() {
			<-time.After(time.Duration(10+rand.IntN(60)) * time.Millisecond)
			result := message.NewMessageWithContext(msg.Context(), "", msg.Payload)
			result.Metadata.Set(generationOf, number)
			if publisher.Publish(out, result) != nil {
				msg.Nack()
				return
			}
			msg.Ack()
		})
	}
	handlers.Wait()
	if err := subscriber.Close(); err != nil {
		return err
	}
	return publisher.Close()
}

// crowd is a group of processes under load.
type crowd struct {
	t         *testing.T
	cluster   *cluster
	in, out   string
	members   []*exec.Cmd
	frozen    []*exec.Cmd
	since     []time.Time // of frozen
	stopLoad  context.CancelFunc
	loaded    sync.WaitGroup
	published map[string]int // by key; belongs to the load until it ended
}

const (
	crowdKeys       = 48
	crowdPartitions = 8
)

func newCrowd(t *testing.T, name string) *crowd {
	t.Helper()
	c := realCluster(t)
	return &crowd{
		t: t, cluster: c, in: c.topic(name+"-in", crowdPartitions), out: c.topic(name+"-out", crowdPartitions), published: map[string]int{},
	}
}

func (c *crowd) join() {
	c.t.Helper()
	member := exec.CommandContext(context.Background(), os.Args[0])
	fields := []string{strings.Join(c.cluster.config.Brokers, ","), c.cluster.group(), c.in, c.out}
	member.Env = append(os.Environ(), memberVariable+"="+strings.Join(fields, fieldSeparator))
	member.Stderr = c.t.Output()
	require.NoError(c.t, member.Start())
	c.members = append(c.members, member)
	c.t.Cleanup(func() { _ = member.Process.Kill() })
}

// take removes the n-th member from those that work.
func (c *crowd) take(n int) *exec.Cmd {
	member := c.members[n]
	c.members = slices.Delete(c.members, n, n+1)
	return member
}

func (c *crowd) kill(n int) {
	c.t.Helper()
	member := c.take(n)
	require.NoError(c.t, member.Process.Kill())
	require.Error(c.t, member.Wait())
}

func (c *crowd) leave(n int) {
	c.t.Helper()
	member := c.take(n)
	require.NoError(c.t, member.Process.Signal(syscall.SIGTERM))
	require.NoError(c.t, member.Wait())
}

func (c *crowd) freeze(n int) {
	c.t.Helper()
	member := c.take(n)
	require.NoError(c.t, member.Process.Signal(syscall.SIGSTOP))
	c.frozen, c.since = append(c.frozen, member), append(c.since, time.Now())
}

// thaw wakes the process that was frozen first.
func (c *crowd) thaw() {
	c.t.Helper()
	member := c.frozen[0]
	c.frozen, c.since = c.frozen[1:], c.since[1:]
	require.NoError(c.t, member.Process.Signal(syscall.SIGCONT))
	c.members = append(c.members, member)
}

// load publishes a message of every key about ten times a second.
func (c *crowd) load() {
	ctx, cancel := context.WithCancel(c.t.Context())
	c.stopLoad = cancel
	publisher := c.cluster.publisher()
	c.loaded.Go(func() {
		for ctx.Err() == nil {
			var round []*message.Message
			for k := range crowdKeys {
				key := strconv.Itoa(k)
				c.published[key]++
				round = append(round, keyed(key, c.published[key]))
			}
			if err := publisher.Publish(c.in, round...); err != nil {
				c.t.Error(err)
				return
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
}

// lag is how many messages are not committed.
func (c *crowd) lag() int64 {
	c.t.Helper()
	ends, err := c.cluster.client.ListOffsets(c.t.Context(), c.in, kafka.Latest)
	require.NoError(c.t, err)
	committed, err := c.cluster.client.CommittedOffsets(c.t.Context(), c.cluster.group(), c.in)
	require.NoError(c.t, err)
	lag := int64(0)
	for partition, end := range ends {
		lag += end - committed[partition]
	}
	return lag
}

// finish ends the load, waits until all is committed, and compares what was published with what the members made of it.
func (c *crowd) finish() {
	c.t.Helper()
	c.stopLoad()
	c.loaded.Wait()
	for len(c.frozen) > 0 {
		c.thaw()
	}
	for deadline := time.Now().Add(time.Minute); c.lag() > 0; <-time.After(200 * time.Millisecond) {
		require.Less(c.t, time.Now(), deadline, "the group does not catch up")
	}
	for len(c.members) > 0 {
		c.leave(0)
	}
	repeated := 0
	last := map[string]int{}   // number by key
	latest := map[string]int{} // generation by key
	ends, err := c.cluster.client.ListOffsets(c.t.Context(), c.out, kafka.Latest)
	require.NoError(c.t, err)
	for partition, end := range ends {
		require.NoError(c.t, c.cluster.client.Scan(c.t.Context(), c.out, partition, 0, end, func(r kafka.Record) error {
			key := string(r.Key)
			number, err := strconv.Atoi(string(r.Value))
			require.NoError(c.t, err)
			generation := 0
			for _, h := range r.Headers {
				if h.Key == generationOf {
					generation, err = strconv.Atoi(string(h.Value))
					require.NoError(c.t, err)
				}
			}
			assert.GreaterOrEqual(c.t, generation, latest[key], "stale: number %d of key %s", number, key)
			assert.LessOrEqual(c.t, number, last[key]+1, "lost before number %d of key %s", number, key)
			if generation == latest[key] {
				assert.GreaterOrEqual(c.t, number, last[key], "out of order: key %s", key)
			}
			if number <= last[key] {
				repeated++
			}
			last[key], latest[key] = number, generation
			return nil
		}))
	}
	assert.Equal(c.t, c.published, last)
	c.t.Logf("%d messages of each of %d keys, %d repeated", c.published["0"], crowdKeys, repeated)
}

func TestRealKafkaAThawedProcessPublishesNothingStale(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, "thawed")
	c.join()
	c.join()
	c.load()
	for range 3 {
		<-time.After(3 * time.Second)
		c.freeze(0)
		<-time.After(processSession + 2*time.Second) // the others took over
		c.thaw()
	}
	<-time.After(3 * time.Second)
	c.finish()
}

func TestRealKafkaTwentyRoundsOfDisorder(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCrowd(t, "rounds")
	for range 3 {
		c.join()
	}
	c.load()
	for round := range 20 {
		<-time.After(time.Duration(2000+random.IntN(2000)) * time.Millisecond)
		if len(c.frozen) > 0 && time.Since(c.since[0]) > processSession+time.Second {
			c.thaw()
		}
		action, n := round%4, random.IntN(len(c.members))
		switch {
		case len(c.members) < 2 || action == 0:
			c.join()
		case action == 1:
			c.kill(n)
			c.join()
		case action == 2:
			c.freeze(n)
		default:
			c.leave(n)
		}
	}
	c.finish()
}
