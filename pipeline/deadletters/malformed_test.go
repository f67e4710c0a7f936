package deadletters_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// TestEveryMalformedMessageIsADeadLetterAndMendedOnesReachTheirEnd gives a pipeline a generated corpus of malformed messages on
// all topics that others can write to, among payments that are well and payments of a provider that is not configured yet; then
// that is mended, and what it concerns given back.
func TestEveryMalformedMessageIsADeadLetterAndMendedOnesReachTheirEnd(t *testing.T) {
	t.Parallel()
	corpus, payments := 10_000, 100
	if testing.Short() {
		corpus, payments = 1000, 30
	}
	const seed = 20260131
	w := newWorld(t)
	antom := w.Config.Providers["antom"]
	delete(w.Config.Providers, "antom")
	require.NoError(t, w.CommitStarts(t.Context()))

	c := &mixed{world: w, random: rand.New(rand.NewPCG(seed, seed))}
	for i := range payments {
		c.well(fmt.Sprintf("well-%d", i))
		c.unserved(fmt.Sprintf("unserved-%d", i))
	}
	names := slices.Sorted(maps.Keys(ways))
	for i := range corpus {
		c.malformed(ways[names[i%len(names)]], fmt.Sprintf("malformed-%d", i))
	}
	c.write()
	stop := w.Start()
	dealtWith := func(letters, events int) {
		require.Eventually(t, func() bool {
			return w.Count(w.Topics.DeadLetters()) >= letters && w.Count(w.Topics.StatusChanged) >= events
		}, 2*time.Minute, 200*time.Millisecond)
	}
	dealtWith(corpus+payments, payments)
	stop()
	letters, _ := w.walk(deadletters.Filter{})
	require.Len(t, letters, corpus+payments)
	c.holdsExactly(letters)
	assert.Equal(t, payments, w.Count(w.Topics.StatusChanged), "the others were neither held up nor joined by what was malformed")
	reasons := map[watch.Code]int{}
	for _, l := range letters {
		reasons[l.Reason]++
	}
	t.Logf("seed %d: %v", seed, reasons)

	w.Config.Providers["antom"] = antom
	stop = w.Start()
	defer stop()
	mended := deadletters.Redrive{Filter: deadletters.Filter{
		Reasons: []watch.Code{handlers.CodeUnknownProvider}, Provider: "antom", Handler: handlers.NameIntake,
	}}
	require.Equal(t, payments, w.given(mended))
	dealtWith(corpus+2*payments, 2*payments) // a marker for each that was given back
	ended := map[string]int{}
	for _, r := range w.Records(w.Topics.StatusChanged) {
		assert.Contains(t, string(r.Value), `"status":"captured"`)
		ended[string(r.Key)]++
	}
	for i := range payments {
		assert.Equal(t, 1, ended[fmt.Sprintf("well-%d", i)])
		assert.Equal(t, 1, ended[fmt.Sprintf("unserved-%d", i)])
	}

	before := w.written()
	assert.Zero(t, w.given(mended), "a second time")
	assert.Equal(t, before, w.written())
	left, _ := w.walk(deadletters.Filter{})
	assert.Len(t, left, corpus, "what was not mended is still there")
}

// mixed is what is written to the topics of a world.
type mixed struct {
	*world

	random   *rand.Rand
	messages map[string][]*message.Message // by topic
	wells    map[string]bool               // keys of what is no dead letter
}

func (c *mixed) add(topic string, key, value []byte, headers ...handlers.Header) {
	if c.messages == nil {
		c.messages, c.wells = map[string][]*message.Message{}, map[string]bool{}
	}
	c.messages[topic] = append(c.messages[topic], record(key, value, headers...))
}

// well is a payment that ends.
func (c *mixed) well(payment string) {
	c.At(payment, "SETTLED")
	c.add(c.Topics.Initiated, []byte(payment), []byte(event(payment, "300")))
	c.wells[payment] = true
}

// unserved is a payment that would end, but that its provider is not configured.
func (c *mixed) unserved(payment string) {
	c.T.Helper()
	script := sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "EUR"}, Steps: []sandbox.Step{{Status: "SUCCESS CAPTURE"}}}
	require.NoError(c.T, c.Sandbox.Store("antom").Put(payment, script))
	all := members(payment)
	all[1].value, all[3].value, all[5].value = `"antom"`, `{"value":300,"currency":"EUR"}`, `{"payment_request_id":`+strconv.Quote(payment)+`}`
	c.add(c.Topics.Initiated, []byte(payment), []byte(object(all[:required])))
}

// malformed has a key, as most do, and headers of its own.
func (c *mixed) malformed(way func(*rand.Rand, string) malformed, payment string) {
	m := way(c.random, payment)
	var key []byte
	if c.random.IntN(4) > 0 {
		key = []byte(payment)
	}
	topic := map[string]string{"initiated": c.Topics.Initiated, "notified": c.Topics.Notified, "checks": c.Topics.Checks()}[m.topic]
	trace := handlers.Header{Key: "x-trace", Value: []byte(noise(c.random, c.random.IntN(8)))}
	c.add(topic, key, []byte(m.value), append([]handlers.Header{trace}, m.headers...)...)
}

// write publishes all in an order that chance decides.
func (c *mixed) write() {
	c.T.Helper()
	for _, topic := range slices.Sorted(maps.Keys(c.messages)) {
		all := c.messages[topic]
		c.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for batch := range slices.Chunk(all, 500) {
			require.NoError(c.T, c.Writer.Publish(topic, batch...))
		}
	}
}

// holdsExactly holds the letters against the records that they come from: one for each, with its key, bytes and headers.
func (c *mixed) holdsExactly(letters []deadletters.Letter) {
	c.T.Helper()
	from := map[deadletters.Origin]deadletters.Letter{}
	for _, l := range letters {
		from[l.From] = l
	}
	for topic := range c.messages {
		for _, r := range c.Records(topic) {
			l, given := from[deadletters.Origin{Topic: topic, Partition: strconv.Itoa(r.Partition), Offset: strconv.FormatInt(r.Offset, 10)}]
			if topic == c.Topics.Checks() && !given && len(r.Headers) == 0 { // what intake asked for
				continue
			}
			if c.wells[string(r.Key)] {
				assert.False(c.T, given, "%s: is well", r.Key)
				continue
			}
			if !given {
				c.T.Errorf("%s: no letter for %q %q", topic, r.Key, r.Value[:min(len(r.Value), 300)])
				continue
			}
			if !bytes.Equal(l.Value, r.Value) || !bytes.Equal(l.Key, r.Key) || (l.Key == nil) != (r.Key == nil) {
				c.T.Errorf("%s: another key or other bytes than %q %q", topic, r.Key, r.Value[:min(len(r.Value), 300)])
			}
			for i, h := range r.Headers {
				assert.Equal(c.T, h, l.Headers[i], "the original headers")
			}
		}
	}
}
