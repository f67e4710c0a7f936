package pipeline_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

// swift tiers stand to each other like the service's 1s, 5s and 1h.
var swift = delay.Tiers{{Name: "100ms", Delay: 100 * time.Millisecond}, {Name: "500ms", Delay: 500 * time.Millisecond}, {Name: "1h", Delay: time.Hour}}

// newTiers is a world in which nothing happens but that records wait.
func newTiers(t testing.TB, brokers []string) *world {
	t.Helper()
	name := pipelinetest.Name(t)
	log := slog.New(slog.NewTextHandler(logWriter(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := &world{World: &pipelinetest.World{
		Broker: pipelinetest.Connect(t, kafka.Config{Brokers: brokers, ClientID: name, Logger: log}),
		Topics: pipeline.Topics{Tiers: swift, Topics: config.Topics{
			Initiated: name + ".initiated", Notified: name + ".notified", StatusChanged: name + ".status_changed", Prefix: name + ".",
			Partitions: 4, Replication: 1, MinInsync: 1,
		}},
	}}
	w.options = pipeline.Options{Kafka: w.Kafka, Group: name, SessionTimeout: 30 * time.Second, Topics: w.Topics, Drain: 30 * time.Second, Log: log}
	return w
}

// createTiers creates the topics, with what a test made of them.
func (w *world) createTiers() {
	w.T.Helper()
	w.options.Topics = w.Topics
	_, err := pipeline.CreateTopics(w.T.Context(), w.Client, w.Topics)
	require.NoError(w.T, err)
}

func (w *world) startTiers(o pipeline.Options) (stop func()) {
	w.T.Helper()
	require.NoError(w.T, pipeline.CommitStarts(w.T.Context(), w.Client, w.Topics, w.options.Group, kafka.Earliest, true))
	p, err := pipeline.NewTiers(o)
	require.NoError(w.T, err)
	return w.Run(p)
}

// delayed makes records numbered from first on wait, in one write.
func (w *world) delayed(after time.Duration, first, count int) {
	w.T.Helper()
	var messages []*message.Message
	tiers := w.Topics.Tiers
	waiting := tiers.Begin(after, []handlers.Header{{Key: "kept", Value: []byte("as it was")}})
	for i := range count {
		msg := message.NewMessage("", fmt.Append(nil, first+i))
		kafka.SetKey(msg, fmt.Append(nil, "p-", (first+i)%20))
		var headers []kafka.Header
		for _, h := range waiting.Headers {
			headers = append(headers, kafka.Header(h))
		}
		kafka.SetHeaders(msg, headers)
		messages = append(messages, msg)
	}
	require.NoError(w.T, w.Writer.Publish(w.Topics.Tier(waiting.Tier), messages...))
}

// arrived counts how often each record came back to work.
func (w *world) arrived() map[string]int {
	w.T.Helper()
	all := map[string]int{}
	for _, r := range w.Records(w.Topics.Checks()) {
		all[string(r.Value)]++
	}
	return all
}

func (w *world) arrive(count int) {
	w.T.Helper()
	w.Eventually(func() bool { return w.Count(w.Topics.Checks()) >= count && len(w.arrived()) == count }, "all go back to work")
}

// each is every one of count records, that many times.
func each(count, times int) map[string]int {
	all := map[string]int{}
	for i := range count {
		all[strconv.Itoa(i)] = times
	}
	return all
}

// lateness is how much longer each record waited than it should have, by the broker's clock.
func (w *world) lateness(after time.Duration) map[string]time.Duration {
	w.T.Helper()
	began := map[string]time.Time{}
	for _, r := range w.Records(w.Topics.Tier(w.Topics.Tiers.Begin(after, nil).Tier)) {
		if at, ok := began[string(r.Value)]; !ok || r.Time.Before(at) {
			began[string(r.Value)] = r.Time
		}
	}
	all := map[string]time.Duration{}
	for _, r := range w.Records(w.Topics.Checks()) {
		if at, ok := began[string(r.Value)]; ok {
			all[string(r.Value)] = r.Time.Sub(at) - after
		}
	}
	return all
}

// late is generous: the machine may be busy. A wrong tier, or a clock that is believed, makes an hour.
const late = time.Minute

func (w *world) inTime(after time.Duration, count int) {
	w.T.Helper()
	lateness := w.lateness(after)
	assert.Len(w.T, lateness, count)
	for value, by := range lateness {
		assert.GreaterOrEqual(w.T, by, time.Duration(0), "%s came early", value)
		assert.Less(w.T, by, late, "%s came late", value)
	}
}

func TestADelayIsWaitedThroughItsTiers(t *testing.T) {
	t.Parallel()
	testComposition(t, pipelinetest.Embedded(t))
}

func testComposition(t *testing.T, brokers []string) {
	t.Helper()
	w := newTiers(t, brokers)
	w.createTiers()
	defer w.startTiers(w.options)()
	w.delayed(700*time.Millisecond, 0, 40) // 500 + 100 + 100
	w.arrive(40)
	assert.Len(t, w.Records(w.Topics.Tier("500ms")), 40)
	assert.Len(t, w.Records(w.Topics.Tier("100ms")), 80)
	w.inTime(700*time.Millisecond, 40)
	for _, r := range w.Records(w.Topics.Checks()) {
		assert.Equal(t, []kafka.Header{{Key: "kept", Value: []byte("as it was")}}, r.Headers)
		assert.Contains(t, string(r.Key), "p-")
	}
}

func TestRecordsOfAPaymentKeepTheirOrderInATier(t *testing.T) {
	t.Parallel()
	w := newTiers(t, pipelinetest.Embedded(t))
	w.createTiers()
	defer w.startTiers(w.options)()
	for i := range 20 {
		w.delayed(100*time.Millisecond, 100*i, 100)
	}
	w.arrive(2000)
	order := func(topic string) map[string][]string {
		all := map[string][]string{}
		for _, r := range w.Records(topic) {
			all[string(r.Key)] = append(all[string(r.Key)], string(r.Value))
		}
		return all
	}
	assert.Equal(t, order(w.Topics.Tier("100ms")), order(w.Topics.Checks()))
}

func TestATierGoesOnAfterARestartWhereItWas(t *testing.T) {
	t.Parallel()
	w := newTiers(t, pipelinetest.Embedded(t))
	w.createTiers()
	stop := w.startTiers(w.options)
	written := 0
	for range 10 {
		w.delayed(500*time.Millisecond, written, 50)
		written += 50
		<-time.After(50 * time.Millisecond)
	}
	w.Eventually(func() bool { return w.Count(w.Topics.Checks()) > 0 }, "some are due")
	for stop(); w.Count(w.Topics.Checks()) == written; stop() { // not in the middle
		stop = w.startTiers(w.options)
		w.delayed(500*time.Millisecond, written, 50)
		written += 50
	}
	defer w.startTiers(w.options)()
	w.arrive(written)
	assert.Equal(t, each(written, 1), w.arrived(), "an orderly restart repeats nothing")
	w.inTime(500*time.Millisecond, written)
}

func TestAHandOverDoesNotWaitForWhatWaits(t *testing.T) {
	t.Parallel()
	w := newTiers(t, pipelinetest.Embedded(t))
	w.options.Drain = 2 * time.Minute
	registry := prometheus.NewRegistry()
	w.options.Metrics = pipeline.NewMetrics(registry)
	w.createTiers()
	stop := w.startTiers(w.options)
	w.delayed(time.Hour, 0, 100)
	w.Eventually(func() bool { return measured(t, registry, "paystatus_kafka_lag", "wake.1h") == 100 }, "they are read and waited for")
	began := time.Now()
	stop()
	assert.Less(t, time.Since(began), w.options.Drain)
	assert.Empty(t, w.arrived())
	assert.Equal(t, 100, w.Lag(pipeline.GroupOf(w.options.Group, "wake.1h"), w.Topics.Tier("1h")))
}

func TestAWrongHostClockDelaysNobody(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour behind": -time.Hour} {
		t.Run("the writer's "+name, func(t *testing.T) {
			t.Parallel()
			testWrongWriter(t, pipelinetest.Embedded(t), by)
		})
	}
	t.Run("the reader's an hour behind", func(t *testing.T) {
		t.Parallel()
		testWrongReader(t, pipelinetest.Embedded(t), -time.Hour)
	})
}

func testWrongWriter(t *testing.T, brokers []string, by time.Duration) {
	t.Helper()
	w := newTiers(t, brokers)
	w.createTiers()
	defer w.startTiers(w.options)()
	wrong := &kafkago.Writer{Addr: kafkago.TCP(brokers...), Topic: w.Topics.Tier("500ms"), Balancer: kafkago.Murmur2Balancer{}, BatchTimeout: time.Millisecond}
	defer func() { _ = wrong.Close() }()
	for i := range 10 {
		w.Eventually(func() bool { // it may not know the new topic yet
			return wrong.WriteMessages(t.Context(), kafkago.Message{
				Key: fmt.Append(nil, "p-", i), Value: fmt.Append(nil, 100+i), Time: time.Now().Add(by),
			}) == nil
		}, "the topic is known")
		w.delayed(500*time.Millisecond, 10*i, 10)
	}
	w.arrive(110)
	w.inTime(500*time.Millisecond, 110)
}

func testWrongReader(t *testing.T, brokers []string, by time.Duration) {
	t.Helper()
	w := newTiers(t, brokers)
	w.createTiers()
	w.options.Clock = func() time.Time { return time.Now().Add(by) }
	defer w.startTiers(w.options)()
	w.delayed(100*time.Millisecond, 0, 20) // the first that it moves tell it the brokers' time
	w.arrive(20)
	w.delayed(500*time.Millisecond, 20, 20)
	w.arrive(40)
	w.inTime(500*time.Millisecond, 20)
}

func TestAKillBetweenForwardAndCommitOnlyRepeats(t *testing.T) {
	t.Parallel()
	w := newTiers(t, pipelinetest.Embedded(t))
	w.createTiers()
	w.delayed(100*time.Millisecond, 0, 200)
	d := &dying{dead: make(chan struct{})}
	d.left.Store(2)
	options := w.options
	options.Around = func(p message.Publisher) message.Publisher {
		d.Publisher = p
		return d
	}
	stop := w.startTiers(options)
	<-d.dead
	stop()
	before := w.Count(w.Topics.Checks())
	require.Positive(t, before)
	defer w.startTiers(w.options)()
	w.arrive(200)
	w.Eventually(func() bool {
		return w.Lag(pipeline.GroupOf(w.options.Group, "wake.100ms"), w.Topics.Tier("100ms")) == 0
	}, "all is committed")
	total := 0
	for value, times := range w.arrived() {
		assert.LessOrEqual(t, times, 2, value)
		total += times
	}
	assert.Greater(t, total, 200, "what was written before the kill comes again")
	assert.LessOrEqual(t, total, 200+before)
}

func TestMembersThatComeAndGoLoseNothing(t *testing.T) {
	t.Parallel()
	testRebalances(t, pipelinetest.Embedded(t))
}

func testRebalances(t *testing.T, brokers []string) {
	t.Helper()
	w := newTiers(t, brokers)
	w.createTiers()
	var writing sync.WaitGroup
	const bursts, burst = 60, 40
	delays := []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 700 * time.Millisecond}
	writing.Go(func() {
		for i := range bursts {
			w.delayed(delays[rand.IntN(len(delays))], burst*i, burst)
			<-time.After(50 * time.Millisecond)
		}
	})
	first := w.startTiers(w.options)
	second := w.startTiers(w.options)
	first()
	first = w.startTiers(w.options)
	second()
	defer first()
	writing.Wait()
	w.arrive(bursts * burst)
	assert.Equal(t, each(bursts*burst, 1), w.arrived(), "orderly hand-overs repeat nothing")
}

// counting counts what is written at once.
type counting struct {
	message.Publisher

	mu    sync.Mutex
	sizes []int
}

func (c *counting) Publish(topic string, messages ...*message.Message) error {
	c.mu.Lock()
	c.sizes = append(c.sizes, len(messages))
	c.mu.Unlock()
	return c.Publisher.Publish(topic, messages...)
}

func TestWhatIsDueMovesInWholeBatches(t *testing.T) {
	t.Parallel()
	w := newTiers(t, pipelinetest.Embedded(t))
	w.Topics.Partitions = 1
	w.createTiers()
	w.delayed(100*time.Millisecond, 0, 1800)
	<-time.After(100 * time.Millisecond)
	c := &counting{}
	registry := prometheus.NewRegistry()
	w.options.Metrics = pipeline.NewMetrics(registry)
	w.options.Around = func(p message.Publisher) message.Publisher {
		c.Publisher = p
		return c
	}
	stop := w.startTiers(w.options)
	w.arrive(1800)
	stop()
	assert.Equal(t, []int{500, 500, 500, 300}, c.sizes)
	assert.InDelta(t, 1800, measured(t, registry, "paystatus_tier_overdue_seconds", "100ms"), 0)
}

// measured is a gauge, or the count of a histogram, that has a label.
func measured(t *testing.T, registry *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

// unsteady fails every other write.
type unsteady struct {
	message.Publisher

	mu sync.Mutex
	n  int
}

func (u *unsteady) Publish(topic string, messages ...*message.Message) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n++; u.n%2 == 1 {
		return errors.New("not now")
	}
	return u.Publisher.Publish(topic, messages...)
}

func TestAWriteThatFailsIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newTiers(t, pipelinetest.Embedded(t))
	w.createTiers()
	u := &unsteady{}
	w.options.Around = func(p message.Publisher) message.Publisher {
		u.Publisher = p
		return u
	}
	defer w.startTiers(w.options)()
	for i := range 10 {
		w.delayed(100*time.Millisecond, 50*i, 50)
	}
	w.arrive(500)
	assert.Equal(t, slices.Sorted(maps.Keys(each(500, 1))), slices.Sorted(maps.Keys(w.arrived())))
}
