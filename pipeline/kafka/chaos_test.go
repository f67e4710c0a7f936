package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

var (
	schedules    = flag.Int("schedules", 8, "how many random schedules to run")
	scheduleSeed = flag.Uint64("schedule-seed", 0, "seed of the first schedule; 0: a random one")
)

const (
	schedulesAtOnce = 12
	settleTime      = 90 * time.Second
	chaosTopic      = "chaos"
	chaosGroup      = "group"
)

// Members come, go and freeze, handlers fail and are slow, leaders and coordinators move, requests fail or are applied and seem to fail:
// whatever happens, the model finds nothing wrong. `-schedules=1000` runs more, `-schedule-seed=N -schedules=1` one again.
func TestNoScheduleBreaksThePromises(t *testing.T) {
	t.Parallel()
	seed := *scheduleSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	count := *schedules
	if testing.Short() {
		count = min(count, 4)
	}
	t.Logf("%d schedules from seed %d", count, seed)
	var group errgroup.Group
	group.SetLimit(schedulesAtOnce)
	for i := range uint64(count) {
		group.Go(func() error {
			if t.Failed() { // one broken schedule is enough to read
				return nil
			}
			s := newSchedule(seed + i)
			var log bytes.Buffer
			if problems := s.run(t.Context(), slog.New(slog.NewTextHandler(&synced{to: &log}, nil))); len(problems) > 0 {
				lines := strings.Split(log.String(), "\n")
				assert.Failf(t, "a promise is broken", "%s\n\n%s\n\nthe log:\n%s\n\nagain: go test -run NoSchedule -schedules=1 -schedule-seed=%d",
					strings.Join(problems, "\n"), s, strings.Join(lines[max(0, len(lines)-80):], "\n"), s.seed)
			}
			return nil
		})
	}
	_ = group.Wait() // every failure was told
}

// synced is a writer for several goroutines.
type synced struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (s *synced) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(line)
}

// chaos is a schedule under way.
type chaos struct {
	schedule  schedule
	fake      *kfake.Cluster
	config    kafka.Config
	client    *kafka.Client
	publisher *kafka.Publisher
	model     *model
	random    *rand.Rand
	members   []*chaosMember
	joined    int
	published map[string]int

	mu     sync.Mutex
	frozen map[string]time.Time // by member: until when
	drops  map[kmsg.Key]int
	faults []*kfake.FaultHandle
}

// run gives what went wrong.
func (s schedule) run(ctx context.Context, log *slog.Logger) []string {
	fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.SeedTopics(int32(s.partitions), chaosTopic))
	if err != nil {
		return []string{err.Error()}
	}
	defer fake.Close()
	c := &chaos{
		schedule: s, fake: fake, model: newModel(s), random: rand.New(rand.NewPCG(s.seed, 2)), published: map[string]int{},
		config: kafka.Config{Brokers: fake.ListenAddrs(), Logger: log}, frozen: map[string]time.Time{}, drops: map[kmsg.Key]int{},
	}
	c.client, err = kafka.NewClient(c.config)
	if err != nil {
		return []string{err.Error()}
	}
	c.publisher, err = kafka.NewPublisher(c.config, kafka.PublisherOptions{})
	if err != nil {
		return []string{err.Error()}
	}
	fake.Control(c.control)
	err = c.play()
	if err == nil {
		err = c.settle()
	}
	var leaving errgroup.Group
	for _, m := range c.members {
		leaving.Go(m.leave)
	}
	err = errors.Join(err, leaving.Wait())
	records, readErr := c.log(ctx)
	problems := c.model.finish(records, c.published)
	for _, err := range []error{err, readErr, c.publisher.Close(), c.client.Close()} {
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}

func (c *chaos) play() error {
	for _, step := range c.schedule.steps {
		if err := c.act(step); err != nil {
			return fmt.Errorf("%s: %w", step.action, err)
		}
		<-time.After(step.pause)
		c.look()
	}
	return nil
}

func (c *chaos) act(s step) error {
	switch s.action {
	case publishes:
		return c.publish(s.number)
	case joins:
		return c.join()
	case leaves:
		m := c.members[s.number]
		c.members = slices.Delete(c.members, s.number, s.number+1)
		return m.leave()
	case freezes:
		c.locked(func() { c.frozen[c.members[s.number].name] = time.Now().Add(scheduleFreeze) })
	case movesLeaders:
		c.fake.ShufflePartitionLeaders()
	case movesCoordinators:
		c.fake.RehashCoordinators()
	case commitsTimeOut:
		c.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut, Count: 1 + s.number})
	case writesTimeOut:
		c.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 1 + s.number})
	case fetchesFail:
		c.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: 1 + s.number})
	case shareIsTaken:
		c.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, TopLevel: true})
	case dropsConnections:
		c.locked(func() {
			for _, key := range []kmsg.Key{kmsg.Fetch, kmsg.Heartbeat, kmsg.OffsetCommit, kmsg.Metadata, kmsg.FindCoordinator} {
				c.drops[key]++
			}
		})
	}
	return nil
}

func (c *chaos) locked(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *chaos) fault(f kfake.Fault) { c.faults = append(c.faults, c.fake.Fault(f)) }

func (c *chaos) publish(count int) error {
	batch := make([]*message.Message, count)
	for i := range batch {
		key := strconv.Itoa(c.random.IntN(c.schedule.keys))
		c.published[key]++
		batch[i] = keyed(key, c.published[key])
	}
	return c.publisher.Publish(chaosTopic, batch...)
}

// control sees every request before the broker does.
func (c *chaos) control(request kmsg.Request) (kmsg.Response, error, bool) {
	c.fake.KeepControl()
	member := ""
	switch r := request.(type) {
	case *kmsg.HeartbeatRequest:
		member = r.MemberID
	case *kmsg.JoinGroupRequest:
		member = r.MemberID
		// kfake, unlike Apache Kafka, waits anew for lost members whenever somebody joins: with the long wait that members ask for, those
		// that give up and come again one after the other keep each other waiting for ever.
		r.RebalanceTimeoutMillis = 3000
	case *kmsg.SyncGroupRequest:
		member = r.MemberID
	case *kmsg.OffsetCommitRequest:
		member = r.MemberID
		c.model.commits(r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, until := range c.frozen {
		if strings.HasPrefix(member, name+"-") && time.Now().Before(until) {
			return nil, errors.New("frozen"), true
		}
	}
	if key := kmsg.Key(request.Key()); c.drops[key] > 0 {
		c.drops[key]--
		return nil, errors.New("dropped"), true
	}
	return nil, nil, false
}

// look reads what the group has committed.
func (c *chaos) look() map[int]int64 {
	committed := map[int]int64{}
	if info := c.fake.GroupInfo(chaosGroup); info != nil {
		for p, commit := range info.Commits[chaosTopic] {
			committed[int(p)] = commit.Offset
		}
	}
	c.model.reads(committed)
	return committed
}

// settle lets the disorder end and waits until everything is handled and committed.
func (c *chaos) settle() error {
	c.locked(func() {
		clear(c.frozen)
		clear(c.drops)
	})
	for _, f := range c.faults {
		f.Remove()
	}
	if err := c.publish(10); err != nil {
		return fmt.Errorf("the last messages: %w", err)
	}
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		committed, done := c.look(), true
		for p := range c.schedule.partitions {
			done = done && committed[p] == c.fake.PartitionInfo(chaosTopic, int32(p)).HighWatermark
		}
		if done {
			return nil
		}
	}
	return fmt.Errorf("not everything was committed: %v", c.look())
}

// log reads the whole topic.
func (c *chaos) log(ctx context.Context) (map[int][]kafka.Record, error) {
	out := map[int][]kafka.Record{}
	for p := range c.schedule.partitions {
		end := c.fake.PartitionInfo(chaosTopic, int32(p)).HighWatermark
		err := c.client.Scan(ctx, chaosTopic, p, 0, end, func(r kafka.Record) error {
			out[p] = append(out[p], r)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// chaosMember is a member of the group with its handlers.
type chaosMember struct {
	name       string
	model      *model
	subscriber *kafka.Subscriber
	turns      chan func() // run between two messages
	wg         sync.WaitGroup
	generation *modelGeneration // belongs to the goroutine that receives
}

func (c *chaos) join() error {
	c.joined++
	m := &chaosMember{name: fmt.Sprintf("m%d", c.joined), model: c.model, turns: make(chan func())}
	config := c.config
	config.ClientID, config.Logger = m.name, config.Logger.With("member", m.name)
	var err error
	m.subscriber, err = kafka.NewSubscriber(config, kafka.SubscriberOptions{
		Group: chaosGroup, Lanes: c.schedule.lanes, InFlight: c.schedule.inFlight, SessionTimeout: scheduleSession, Drain: scheduleDrain,
		OnAssign: func(_ context.Context, a kafka.Assignment) error {
			m.turn(func() { m.generation = c.model.assigned(m.name, a) })
			return nil
		},
		OnRevoke: func(kafka.Assignment) {
			m.turn(func() { c.model.revoked(m.generation) })
		},
	})
	if err != nil {
		return err
	}
	messages, err := m.subscriber.Subscribe(context.Background(), chaosTopic)
	if err != nil {
		return err
	}
	c.members = append(c.members, m)
	m.wg.Go(func() { m.receive(messages) })
	return nil
}

// turn waits until the receiving goroutine did it, so that it is known which messages came before.
func (m *chaosMember) turn(do func()) {
	done := make(chan struct{})
	m.turns <- func() {
		defer close(done)
		do()
	}
	<-done
}

func (m *chaosMember) receive(messages <-chan *message.Message) {
	for {
		select {
		case do := <-m.turns:
			do()
		case msg, ok := <-messages:
			if !ok {
				return
			}
			g, does := m.model.begins(m.generation, msg)
			m.wg.Go(func() {
				<-time.After(does.takes) // it does not care for its context: the ack may come too late
				if m.model.ends(g, msg, !does.nacks) {
					msg.Ack()
				} else {
					msg.Nack()
				}
			})
		}
	}
}

func (m *chaosMember) leave() error {
	err := m.subscriber.Close()
	m.wg.Wait()
	return err
}
