//go:build realkafka

package book_test

import (
	"testing"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestRealKafkaEachChangeIsPostedOnceInPostgreSQL(t *testing.T) {
	t.Parallel()
	testEachChangeIsPostedOnce(t, pipelinetest.RealKafka(t), consumertest.Postgres(t))
}
