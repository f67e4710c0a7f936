//go:build realkafka

package orders_test

import (
	"testing"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
)

func TestRealKafkaAnOrderIsReleasedOnceInPostgreSQL(t *testing.T) {
	t.Parallel()
	testAnOrderIsReleasedOnce(t, consumertest.RealKafka(t), consumertest.Postgres(t))
}
