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
	for name, test := range map[string]func(*testing.T){
		"composition":                  func(t *testing.T) { testComposition(t, brokers) },
		"members that come and go":     func(t *testing.T) { testRebalances(t, brokers) },
		"the writer's clock is ahead":  func(t *testing.T) { testWrongWriter(t, brokers, time.Hour) },
		"the writer's clock is behind": func(t *testing.T) { testWrongWriter(t, brokers, -time.Hour) },
		"the reader's clock is ahead":  func(t *testing.T) { testWrongReader(t, brokers, time.Hour) },
		"the reader's clock is behind": func(t *testing.T) { testWrongReader(t, brokers, -time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}
