package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// TestAnotherProcessKnowsWhatWasSaid ends a payment, lets another process take over, and asks about the payment again: what the
// log says was said is not said again, also where the emitted log has another number of partitions.
func TestAnotherProcessKnowsWhatWasSaid(t *testing.T) {
	t.Parallel()
	for name, partitions := range map[string]int{"with equal partition counts": 4, "with other partition counts": 7} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, embeddedBrokers(t), func(client *kafka.Client, statusTopic string) {
				require.NoError(t, client.CreateTopics(t.Context(), kafka.Topic{Name: statusTopic, Partitions: partitions, Replication: 1}))
			})
			payments := []string{"p1", "p2", "p3", "p4", "p5"}
			stop := w.start()
			for _, id := range payments {
				w.settling(id, sandbox.Step{Status: "IN_PROGRESS"}, sandbox.Step{Status: "SETTLED"})
				w.initiate(initiated(id, "liquido", 300, "COP", map[string]any{"idempotency_key": id}))
			}
			w.eventually(func() bool { return len(w.events()) == 2*len(payments) }, "two events each")
			w.quiet()
			stop()

			stop = w.start()
			defer stop()
			for _, id := range payments {
				asked := w.asked(id)
				w.initiate(initiated(id, "liquido", 300, "COP", map[string]any{"idempotency_key": id}))
				w.eventually(func() bool { return w.asked(id) == asked+1 }, "the provider is asked again")
			}
			w.quiet()
			for _, id := range payments {
				assert.Equal(t, []string{"pending", "captured (final)"}, statuses(w.eventsOf(id)), id)
			}
			assert.Empty(t, w.deadLetters())
		})
	}
}
