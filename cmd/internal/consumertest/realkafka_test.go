//go:build realkafka

package consumertest_test

import (
	"testing"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
)

func TestRealKafkaACorrectedMistakeTakesEffectOnceInPostgreSQL(t *testing.T) {
	t.Parallel()
	testACorrectedMistakeTakesEffectOnce(t, consumertest.RealKafka(t), consumertest.Postgres)
}
