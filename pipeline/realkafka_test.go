//go:build realkafka

package pipeline_test

import (
	"os"
	"strings"
	"testing"
	"time"

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

func TestRealKafkaTiers(t *testing.T) {
	t.Parallel()
	brokers := realBrokers(t)
	t.Run("composition", func(t *testing.T) {
		t.Parallel()
		testComposition(t, brokers)
	})
	t.Run("members that come and go", func(t *testing.T) {
		t.Parallel()
		testRebalances(t, brokers)
	})
	for name, by := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run("the writer's clock an hour "+name, func(t *testing.T) {
			t.Parallel()
			testWrongWriter(t, brokers, by)
		})
		t.Run("the reader's clock an hour "+name, func(t *testing.T) {
			t.Parallel()
			testWrongReader(t, brokers, by)
		})
	}
}
