//go:build realkafka

package backfill_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRealKafkaABackfillThatIsKilledAndBegunAgain(t *testing.T) {
	t.Parallel()
	brokers := os.Getenv("KAFKA_BROKERS")
	require.NotEmpty(t, brokers, "set KAFKA_BROKERS, or run: deployments/kafka/kafka run -- go test -tags=realkafka -run RealKafka ./...")
	killed(t, strings.Split(brokers, ","), 600, 10, 100)
}
