//go:build realkafka

package book_test

import (
	"testing"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
)

func TestRealKafkaEachChangeIsPostedOnceInPostgreSQL(t *testing.T) {
	t.Parallel()
	testEachChangeIsPostedOnce(t, consumertest.RealKafka(t), consumertest.Postgres(t))
}
