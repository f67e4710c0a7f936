package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// TestAnotherProcessKnowsWhatWasSaid ends a payment, lets another process take over, and asks about the payment again: what the
// log says was said is not said again, also where the emitted log has another number of partitions.
func TestAnotherProcessKnowsWhatWasSaid(t *testing.T) {
	t.Parallel()
	for name, partitions := range map[string]int{"with equal partition counts": 4, "with other partition counts": 7} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, pipelinetest.Embedded(t), func(client *kafka.Client, topics config.Topics) {
				require.NoError(t, client.CreateTopics(t.Context(), kafka.Topic{Name: topics.StatusChanged, Partitions: partitions, Replication: 1}))
			})
			payments := []string{"p1", "p2", "p3", "p4", "p5"}
			stop := w.start()
			for _, id := range payments {
				w.Scripted(id, sandbox.Step{Status: "IN_PROGRESS"}, sandbox.Step{Status: "SETTLED"})
				w.Initiate(initiated(id, "liquido", 300, "COP", map[string]any{"idempotency_key": id}))
			}
			w.Eventually(func() bool { return len(w.Events()) == 2*len(payments) }, "two events each")
			w.quiet()
			stop()

			stop = w.start()
			defer stop()
			for _, id := range payments {
				asked := w.asked(id)
				w.Initiate(initiated(id, "liquido", 300, "COP", map[string]any{"idempotency_key": id}))
				w.Eventually(func() bool { return w.asked(id) == asked+1 }, "the provider is asked again")
			}
			w.quiet()
			for _, id := range payments {
				assert.Equal(t, []string{"pending", "captured (final)"}, statuses(w.EventsOf(id)), id)
			}
			assert.Empty(t, w.deadLetters())
		})
	}
}
