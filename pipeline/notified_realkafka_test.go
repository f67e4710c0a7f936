//go:build realkafka

package pipeline_test

import "testing"

func TestRealKafkaNotifiedKillPoints(t *testing.T) {
	t.Parallel()
	testNotifiedKillPoints(t, realBrokers(t))
}
