//go:build realkafka

package renormalize_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRealKafkaLastEventsAreCorrectedOnce(t *testing.T) {
	t.Parallel()
	brokers := os.Getenv("KAFKA_BROKERS")
	require.NotEmpty(t, brokers, "set KAFKA_BROKERS, or run: deployments/kafka/kafka run -- go test -tags=realkafka -run RealKafka ./...")
	testLastEventsAreCorrectedOnce(t, strings.Split(brokers, ","))
}
