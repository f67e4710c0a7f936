//go:build realkafka

package backfill_test

import (
	"testing"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestRealKafkaABackfillThatIsKilledAndBegunAgain(t *testing.T) {
	t.Parallel()
	killed(t, pipelinetest.RealKafka(t), 600, 10, 100)
}
