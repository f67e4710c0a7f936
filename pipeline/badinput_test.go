package pipeline_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
)

func header(name, value string) kafka.Header {
	return kafka.Header{Key: name, Value: []byte(value)}
}

func TestWhatCannotBeReadIsADeadLetterAndStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	var foreign atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { foreign.Add(1) }))
	t.Cleanup(other.Close)
	stop := w.start()
	defer stop()

	event := func(change func(string) string) string {
		return change(`{"payment_id":"p","provider":"liquido","amount":{"value":300,"currency":"COP"},"initiated_at":"2026-01-01T00:00:00Z","reference":{"idempotency_key":"k"}}`)
	}
	replace := func(old, by string) string {
		return event(func(s string) string { return strings.Replace(s, old, by, 1) })
	}
	for name, tc := range map[string]struct {
		value  string
		reason string
		says   string
	}{
		"not JSON":                    {"hello", "not_json", "not JSON"},
		"an empty value":              {"", "empty", "no event"},
		"an array":                    {"[1]", "invalid_event", "object"},
		"900 KiB of garbage":          {strings.Repeat("\x00\xff\x7fgarbage", 900<<10/10), "not_json", "not JSON"},
		"one name twice":              {replace(`"provider":"liquido"`, `"provider":"liquido","provider":"antom"`), "not_json", "twice"},
		"a field is missing":          {replace(`"payment_id":"p",`, ``), "invalid_event", "payment_id"},
		"a name in other letter case": {replace(`"payment_id"`, `"Payment_ID"`), "invalid_event", "payment_id"},
		"an amount as text":           {replace(`300`, `"300"`), "invalid_event", "amount.value"},
		"an unknown provider":         {replace(`"liquido"`, `"paypal"`), "unknown_provider", "paypal"},
		"an unknown account":          {replace(`"amount"`, `"account":"brazil","amount"`), "unknown_account", "brazil"},
		"no reference":                {replace(`"k"`, `null`), "invalid_reference", "reference"},
		"a path as an id": {
			`{"payment_id":"p","provider":"checkout","amount":{"value":300,"currency":"EUR"},"initiated_at":"2026-01-01T00:00:00Z","reference":{"payment_id":"../payments"}}`,
			"invalid_reference", "reference.payment_id",
		},
		"a 3DS id as a payment's": {
			`{"payment_id":"p","provider":"checkout","amount":{"value":300,"currency":"EUR"},"initiated_at":"2026-01-01T00:00:00Z","reference":{"payment_id":"3ds_ms5rgq3gaqoejdehwibrzpeenu"}}`,
			"invalid_reference", "reference.payment_id",
		},
		"a link to a foreign host": {
			`{"payment_id":"p","provider":"worldpay","amount":{"value":300,"currency":"GBP"},"initiated_at":"2026-01-01T00:00:00Z","reference":{"events_link":"` + other.URL + `/payments/events/x"}}`,
			"invalid_reference", "reference.events_link",
		},
		"a broken envelope": {`{"specversion":"1.0"}`, "invalid_envelope", "CloudEvent"},
	} {
		before := len(w.deadLetters())
		w.Produce(w.Topics.Initiated, "key of "+name, []byte(tc.value), header("x-trace", "1"), header("x-trace", "2"))
		w.Scripted("next "+name, sandbox.Step{Status: "SETTLED"})
		w.Initiate(initiated("next "+name, "liquido", 300, "COP", map[string]any{"idempotency_key": "next " + name}))
		w.Eventually(func() bool { return len(w.deadLetters()) > before && len(w.EventsOf("next "+name)) == 1 }, name)

		letter := w.letterOf("key of " + name)
		assert.True(t, bytes.Equal([]byte(tc.value), letter.Value), "%s: the bytes are not exact", name)
		assert.Equal(t, tc.reason, pipelinetest.Header(letter, "paystatus_reason"), name)
		assert.Contains(t, pipelinetest.Header(letter, "paystatus_detail"), tc.says, name)
		assert.Equal(t, "intake", pipelinetest.Header(letter, "paystatus_handler"), name)
		assert.Equal(t, w.Topics.Initiated, pipelinetest.Header(letter, "paystatus_topic"), name)
		for _, required := range []string{"paystatus_partition", "paystatus_offset", "paystatus_failed_at"} {
			assert.NotEmpty(t, pipelinetest.Header(letter, required), name)
		}
		assert.Equal(t, []kafka.Header{{Key: "x-trace", Value: []byte("1")}, {Key: "x-trace", Value: []byte("2")}}, letter.Headers[:2], name)
	}
	assert.Zero(t, foreign.Load(), "the foreign host saw a request")
}

func (w *world) letterOf(key string) kafka.Record {
	w.T.Helper()
	for _, r := range w.deadLetters() {
		if string(r.Key) == key {
			return r
		}
	}
	w.T.Fatalf("no dead letter with key %q", key)
	return kafka.Record{}
}

func TestAConflictingEventIsADeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.Scripted("p", sandbox.Step{Status: "IN_PROGRESS", Times: 3}, sandbox.Step{Status: "SETTLED"})
	stop := w.start()
	defer stop()
	w.Initiate(initiated("p", "liquido", 300, "COP", map[string]any{"idempotency_key": "p"}))
	w.Eventually(func() bool { return len(w.EventsOf("p")) == 1 }, "the first event")
	w.Initiate(initiated("p", "liquido", 30000, "COP", map[string]any{"idempotency_key": "p"}))
	w.Eventually(func() bool { return len(w.deadLetters()) == 1 && len(w.EventsOf("p")) == 2 }, "a dead letter and the end")
	assert.Equal(t, "conflicting_initiation", pipelinetest.Header(w.deadLetters()[0], "paystatus_reason"))
	assert.Equal(t, []string{"pending", "captured (final)"}, statuses(w.EventsOf("p")))
}

// panicking panics whenever it is asked about one payment.
type panicking struct {
	providers.Provider

	reference string
	times     atomic.Int64
}

func (p *panicking) Ask(ctx context.Context, payment providers.Payment) (providers.Answer, error) {
	if payment.Reference["idempotency_key"] == p.reference {
		p.times.Add(1)
		panic("a bug")
	}
	return p.Provider.Ask(ctx, payment)
}

func TestAHandlerThatPanicsGivesTheMessageUpAfterFiveTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	bug := &panicking{Provider: w.options.Providers["liquido"], reference: "bug"}
	w.options.Providers["liquido"] = bug
	w.Scripted("good", sandbox.Step{Status: "SETTLED"})
	stop := w.start()
	defer stop()
	w.Initiate(initiated("bad", "liquido", 300, "COP", map[string]any{"idempotency_key": "bug"}))
	w.Initiate(initiated("good", "liquido", 300, "COP", map[string]any{"idempotency_key": "good"}))
	w.Eventually(func() bool { return len(w.deadLetters()) == 1 && len(w.EventsOf("good")) == 1 }, "a dead letter, and the other payment ends")
	assert.Equal(t, "internal_error", pipelinetest.Header(w.deadLetters()[0], "paystatus_reason"))
	assert.Equal(t, []string{"unresolved:internal_error (final)"}, statuses(w.EventsOf("bad")))
	assert.Equal(t, int64(5), bug.times.Load())
}
