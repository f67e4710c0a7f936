//go:build realkafka

package pipeline_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// realBrokers are those of an Apache Kafka that the environment names.
func realBrokers(t *testing.T) []string {
	t.Helper()
	brokers := os.Getenv("KAFKA_BROKERS")
	require.NotEmpty(t, brokers, "set KAFKA_BROKERS, or run: deployments/kafka/kafka run -- go test -tags=realkafka -run RealKafka ./...")
	return strings.Split(brokers, ",")
}

func TestRealKafkaEndToEnd(t *testing.T) {
	t.Parallel()
	testEndToEnd(t, realBrokers(t))
}

func TestRealKafkaKillPoints(t *testing.T) {
	t.Parallel()
	testKillPoints(t, realBrokers(t))
}
