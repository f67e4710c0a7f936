package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

func TestEndToEnd(t *testing.T) {
	t.Parallel()
	testEndToEnd(t, pipelinetest.Embedded(t))
}

// testEndToEnd follows payments of all providers from their initiated event to their last status event.
func testEndToEnd(t *testing.T, brokers []string) {
	t.Helper()
	w := newWorld(t, brokers)
	var payments []string
	pay := func(id, provider string, value int64, currency string, reference map[string]any, scripted string, steps ...sandbox.Step) {
		if len(steps) > 0 {
			script := sandbox.Script{Amount: sandbox.Amount{Value: value, Currency: currency}, Steps: steps}
			require.NoError(t, w.Sandbox.Store(provider).Put(scripted, script))
		}
		w.Initiate(initiated(id, provider, value, currency, reference))
		payments = append(payments, id)
	}
	const pay1, pay2 = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", "pay_bbbbbbbbbbbbbbbbbbbbbbbbbb"
	pay("c-1", "checkout", 1000, "EUR", map[string]any{"payment_id": pay1}, pay1, sandbox.Step{Status: "Pending"}, sandbox.Step{Status: "Captured"})
	pay("c-2", "checkout", 2000, "EUR", map[string]any{"payment_id": pay2}, pay2, sandbox.Step{Fault: sandbox.Fault503, Status: "Pending"}, sandbox.Step{Status: "Declined"})
	pay("a-1", "antom", 3000, "EUR", map[string]any{"payment_request_id": "a-1"}, "a-1", sandbox.Step{Status: "PROCESSING"}, sandbox.Step{Status: "SUCCESS CAPTURE"})
	pay("w-1", "worldpay", 4000, "GBP", map[string]any{"transaction_reference": "w-1"}, "w-1", sandbox.Step{Status: "Authorized", Times: 2}, sandbox.Step{Status: "Sent for Settlement"})
	pay("l-1", "liquido", 300, "COP", map[string]any{"idempotency_key": "l-1"}, "l-1", sandbox.Step{Status: "not_found"}, sandbox.Step{Status: "IN_PROGRESS"}, sandbox.Step{Status: "SETTLED"})
	pay("l-2", "liquido", 300, "COP", map[string]any{"idempotency_key": "l-2"}, "l-2")
	stop := w.start()
	defer stop()

	want := map[string][]string{
		"c-1": {"pending", "captured (final)"},
		"c-2": {"declined (final)"},
		"a-1": {"requires_action", "captured (final)"},
		"w-1": {"authorized", "capture_pending (final)"},
		"l-1": {"pending", "captured (final)"},
		"l-2": {"unresolved:not_found (final)"},
	}
	w.Eventually(func() bool {
		for _, id := range payments {
			events := w.EventsOf(id)
			if len(events) == 0 || !events[len(events)-1].Data.Final {
				return false
			}
		}
		return true
	}, "every payment ends")
	ids := map[string]bool{}
	for _, id := range payments {
		events := w.EventsOf(id)
		assert.Equal(t, want[id], statuses(events), id)
		for _, e := range events {
			assert.False(t, ids[e.ID], "an id was given twice")
			ids[e.ID] = true
			assert.Equal(t, id, e.Data.PaymentID)
		}
	}
	assert.Empty(t, w.deadLetters())
}

// initiated is the data of an initiated event.
func initiated(id, provider string, value int64, currency string, reference map[string]any) map[string]any {
	return map[string]any{
		"payment_id": id, "provider": provider, "amount": map[string]any{"value": value, "currency": currency},
		"initiated_at": time.Now().UTC().Format(time.RFC3339), "reference": reference,
	}
}

func TestTheSameEventTwiceAndARestartMakeOneChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.Scripted("p", sandbox.Step{Status: "IN_PROGRESS", Times: 3}, sandbox.Step{Status: "SETTLED"})
	event := initiated("p", "liquido", 300, "COP", map[string]any{"idempotency_key": "p"})
	w.Initiate(event)
	w.Initiate(event)
	stop := w.start()
	w.Eventually(func() bool { return len(w.EventsOf("p")) == 1 }, "the first event")
	stop()
	stop = w.start()
	defer stop()
	w.Eventually(func() bool { return len(w.EventsOf("p")) >= 2 }, "the last event")
	w.quiet()
	assert.Equal(t, []string{"pending", "captured (final)"}, statuses(w.EventsOf("p")))
	assert.LessOrEqual(t, w.asked("p"), 6, "two chains would ask more often")
}

// asked is how often the provider was asked about a payment.
func (w *world) asked(reference string) int { return w.Sandbox.Store("liquido").Answers(reference) }

// quiet waits until nothing is on its way any more: every group has handled all records of its topic.
func (w *world) quiet() {
	w.T.Helper()
	w.Eventually(func() bool { return w.Idle() }, "all groups have handled everything")
}

func TestAnEventInEveryEnvelopeIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	stop := w.start()
	defer stop()
	for _, id := range []string{"bare", "binary", "structured", "keyless"} {
		w.Scripted(id, sandbox.Step{Status: "SETTLED"})
	}
	data := func(id string) []byte {
		return fmt.Appendf(nil, `{"payment_id":%q,"provider":"liquido","amount":{"value":300,"currency":"COP"},"initiated_at":"2026-01-01T00:00:00Z","reference":{"idempotency_key":%q}}`, id, id)
	}
	w.Produce(w.Topics.Initiated, "bare", data("bare"))
	w.Produce(w.Topics.Initiated, "", data("keyless"))
	w.Produce(w.Topics.Initiated, "other key", data("binary"), header("ce_specversion", "1.0"), header("ce_type", schemas.TypeInitiated),
		header("ce_id", "initiated-1"), header("ce_source", "/shop"), header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	structured := fmt.Appendf(nil, `{"specversion":"1.0","id":"initiated-2","source":"/shop","type":"payment.initiated","datacontenttype":"application/json","data":%s}`, data("structured"))
	w.Produce(w.Topics.Initiated, "x", structured, header("content-type", "application/cloudevents+json; charset=utf-8"))
	w.Produce(w.Topics.Initiated, "x", []byte(`{"other": "event"}`), header("ce_specversion", "1.0"), header("ce_type", "order.placed"), header("ce_id", "1"), header("ce_source", "/shop"))

	w.Eventually(func() bool { return len(w.Events()) == 4 }, "four events")
	assert.Empty(t, w.deadLetters(), "an event of another type is none of ours")
	for _, r := range w.Records(w.Topics.StatusChanged) {
		switch string(r.Key) {
		case "binary":
			assert.Equal(t, "initiated-1", pipelinetest.Header(r, "ce_causationid"))
			assert.Equal(t, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", pipelinetest.Header(r, "traceparent"))
		case "structured":
			assert.Equal(t, "initiated-2", pipelinetest.Header(r, "ce_causationid"))
		}
		assert.Equal(t, "1.0", pipelinetest.Header(r, "ce_specversion"))
		assert.Equal(t, "/paystatus", pipelinetest.Header(r, "ce_source"))
		assert.Equal(t, string(r.Key), pipelinetest.Header(r, "ce_subject"))
		assert.Equal(t, schemas.StatusSchemaID, pipelinetest.Header(r, "ce_dataschema"))
		assert.Equal(t, "application/json", pipelinetest.Header(r, "content-type"))
	}
}
