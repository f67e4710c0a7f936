package pipeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers/sandbox"
)

func TestEndToEnd(t *testing.T) {
	t.Parallel()
	testEndToEnd(t, embeddedBrokers(t))
}

// testEndToEnd follows payments from their initiated event to their last status event.
func testEndToEnd(t *testing.T, brokers []string) {
	w := newWorld(t, brokers)
	require.NoError(t, w.sandbox.Store("liquido").Put("order-1", sandbox.Script{
		Amount: sandbox.Amount{Value: 300, Currency: "COP"},
		Steps:  []sandbox.Step{{Status: "not_found"}, {Status: "IN_PROGRESS"}, {Status: "SETTLED"}},
	}))
	stop := w.start()
	defer stop()
	w.initiate(map[string]any{
		"payment_id": "pay-1", "provider": "liquido", "amount": map[string]any{"value": 300, "currency": "COP"},
		"initiated_at": time.Now().UTC().Format(time.RFC3339), "reference": map[string]any{"idempotency_key": "order-1"},
	})
	w.eventually(func() bool { return len(w.eventsOf("pay-1")) == 2 }, "two events")
	assert.Equal(t, []string{"pending", "captured (final)"}, statuses(w.eventsOf("pay-1")))
	assert.Empty(t, w.deadLetters())
}
