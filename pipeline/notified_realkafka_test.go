//go:build realkafka

package pipeline_test

import (
	"testing"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestRealKafkaNotifiedKillPoints(t *testing.T) {
	t.Parallel()
	testNotifiedKillPoints(t, pipelinetest.RealKafka(t))
}
