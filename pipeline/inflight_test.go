package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// BenchmarkAThousandPaymentsAtASlowProvider tells how long a thousand payments take whose provider answers after 500 ms, and one
// alone: a pipeline that asks about one payment at a time per partition would need minutes.
func BenchmarkAThousandPaymentsAtASlowProvider(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("payments=%d", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b, pipelinetest.Embedded(b))
				for i := range n {
					id := fmt.Sprintf("p-%d", i)
					w.Scripted(id, sandbox.Step{Status: "SETTLED", Delay: sandbox.Duration(500 * time.Millisecond)})
					w.Initiate(initiated(id, "liquido", 300, "COP", map[string]any{"idempotency_key": id}))
				}
				stop := w.start()
				b.StartTimer()
				for w.Count(w.Topics.StatusChanged) < n {
					time.Sleep(5 * time.Millisecond)
				}
				b.StopTimer()
				stop()
				b.StartTimer()
			}
		})
	}
}
