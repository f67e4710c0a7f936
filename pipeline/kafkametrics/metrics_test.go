package kafkametrics_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/kafkametrics"
)

func TestWhatHooksAreToldBecomesMetrics(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	m := kafkametrics.New(r, "test")
	check := m.Handler("check")
	failed := errors.New("failed")

	told[kafka.HookSample](t, check).OnSample(kafka.Sample{
		Topic: "checks", Partitions: 4, Stopped: 1, Lag: 100, InFlight: 20, Waiting: 30, LaneDepth: 7, Span: 60,
		CommitAge: 1500 * time.Millisecond, HeartbeatAge: 500 * time.Millisecond,
	})
	told[kafka.HookAssigned](t, check).OnAssigned(kafka.Assignment{Topic: "checks"})
	told[kafka.HookRevoked](t, check).OnRevoked(kafka.Revocation{
		Assignment: kafka.Assignment{Topic: "checks"}, Drained: 2 * time.Second, Cancelled: 3,
	})
	told[kafka.HookHeartbeat](t, check).OnHeartbeat("checks", time.Millisecond, nil)
	told[kafka.HookHeartbeat](t, check).OnHeartbeat("checks", time.Millisecond, failed)
	told[kafka.HookFetchError](t, check).OnFetchError("checks", failed)
	told[kafka.HookCommitError](t, check).OnCommitError("checks", failed)
	told[kafka.HookPublishError](t, m.Publisher()).OnPublishError("events", 5, true, failed)
	told[kafka.HookPublishError](t, m.Publisher()).OnPublishError("events", 5, false, failed)

	answer := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	got := answer.Body.String()
	for _, line := range []string{
		`test_kafka_partitions{handler="check",topic="checks"} 4`,
		`test_kafka_stopped_partitions{handler="check",topic="checks"} 1`,
		`test_kafka_lag{handler="check",topic="checks"} 100`,
		`test_kafka_in_flight{handler="check",topic="checks"} 20`,
		`test_kafka_waiting{handler="check",topic="checks"} 30`,
		`test_kafka_lane_depth{handler="check",topic="checks"} 7`,
		`test_kafka_span{handler="check",topic="checks"} 60`,
		`test_kafka_commit_age_seconds{handler="check",topic="checks"} 1.5`,
		`test_kafka_heartbeat_age_seconds{handler="check",topic="checks"} 0.5`,
		`test_kafka_assignments_total{handler="check",topic="checks"} 1`,
		`test_kafka_cancelled_total{handler="check",topic="checks"} 3`,
		`test_kafka_drain_seconds_sum{handler="check",topic="checks"} 2`,
		`test_kafka_heartbeat_errors_total{handler="check",topic="checks"} 1`,
		`test_kafka_fetch_errors_total{handler="check",topic="checks"} 1`,
		`test_kafka_commit_errors_total{handler="check",topic="checks"} 1`,
		`test_kafka_publish_errors_total{topic="events"} 2`,
		`test_kafka_unpublished_total{topic="events"} 5`,
	} {
		assert.Contains(t, got, "\n"+line+"\n")
	}
	assert.Equal(t, 17, strings.Count(got, "# TYPE "), "and no other metric")
}

// told is the hook as one of its interfaces.
func told[H any](t *testing.T, hook kafka.Hook) H {
	t.Helper()
	h, ok := hook.(H)
	require.True(t, ok)
	return h
}
