//go:build realkafka

package consumertest_test

import (
	"testing"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestRealKafkaACorrectedMistakeTakesEffectOnceInPostgreSQL(t *testing.T) {
	t.Parallel()
	testACorrectedMistakeTakesEffectOnce(t, pipelinetest.RealKafka(t), consumertest.Postgres)
}
