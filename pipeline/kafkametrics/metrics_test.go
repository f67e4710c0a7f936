package kafkametrics_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/kafkametrics"
)

func TestWhatHooksAreToldBecomesMetrics(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	tell(t, kafkametrics.New(r, "test"))

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

func TestWhatHooksAreToldBecomesOpenTelemetryMetrics(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	m, err := kafkametrics.NewOTel(metric.NewMeterProvider(metric.WithReader(reader)).Meter("test"), "test")
	require.NoError(t, err)
	tell(t, m)

	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	got := map[string]string{}
	for _, one := range all.ScopeMetrics[0].Metrics {
		assert.NotEmpty(t, one.Description)
		switch data := one.Data.(type) {
		case metricdata.Gauge[float64]:
			require.Len(t, data.DataPoints, 1)
			got[one.Name] = fmt.Sprint(data.DataPoints[0].Value, " ", one.Unit, " ", data.DataPoints[0].Attributes.Encoded(attribute.DefaultEncoder()))
		case metricdata.Sum[float64]:
			require.Len(t, data.DataPoints, 1)
			got[one.Name] = fmt.Sprint("+", data.DataPoints[0].Value, " ", data.DataPoints[0].Attributes.Encoded(attribute.DefaultEncoder()))
		case metricdata.Histogram[float64]:
			require.Len(t, data.DataPoints, 1)
			got[one.Name] = fmt.Sprint("sum ", data.DataPoints[0].Sum, " ", one.Unit, " ", data.DataPoints[0].Attributes.Encoded(attribute.DefaultEncoder()))
		}
	}
	const check, events = " handler=check,topic=checks", " topic=events"
	assert.Equal(t, map[string]string{
		"test.kafka.partitions": "4 1" + check, "test.kafka.stopped_partitions": "1 1" + check, "test.kafka.lag": "100 1" + check,
		"test.kafka.in_flight": "20 1" + check, "test.kafka.waiting": "30 1" + check, "test.kafka.lane_depth": "7 1" + check,
		"test.kafka.span": "60 1" + check, "test.kafka.commit_age": "1.5 s" + check, "test.kafka.heartbeat_age": "0.5 s" + check,
		"test.kafka.assignments": "+1" + check, "test.kafka.cancelled": "+3" + check, "test.kafka.drain": "sum 2 s" + check,
		"test.kafka.heartbeat_errors": "+1" + check, "test.kafka.fetch_errors": "+1" + check, "test.kafka.commit_errors": "+1" + check,
		"test.kafka.publish_errors": "+2" + events, "test.kafka.unpublished": "+5" + events,
	}, got)
}

// tell tells every hook something.
func tell(t *testing.T, m *kafkametrics.Metrics) {
	t.Helper()
	check, failed := m.Handler("check"), errors.New("failed")
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
}

// told is the hook as one of its interfaces.
func told[H any](t *testing.T, hook kafka.Hook) H {
	t.Helper()
	h, ok := hook.(H)
	require.True(t, ok)
	return h
}
