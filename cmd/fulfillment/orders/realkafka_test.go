//go:build realkafka

package orders_test

import (
	"testing"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestRealKafkaAnOrderIsReleasedOnceInPostgreSQL(t *testing.T) {
	t.Parallel()
	testAnOrderIsReleasedOnce(t, pipelinetest.RealKafka(t), consumertest.Postgres(t))
}
