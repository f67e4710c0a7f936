//go:build realkafka

package pipeline_test

import (
	"testing"
	"time"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestRealKafkaEndToEnd(t *testing.T) {
	t.Parallel()
	testEndToEnd(t, pipelinetest.RealKafka(t))
}

func TestRealKafkaKillPoints(t *testing.T) {
	t.Parallel()
	testKillPoints(t, pipelinetest.RealKafka(t))
}

func TestRealKafkaTiers(t *testing.T) {
	t.Parallel()
	brokers := pipelinetest.RealKafka(t)
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
