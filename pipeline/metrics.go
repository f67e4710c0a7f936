package pipeline

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/kafkametrics"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Metrics are the pipeline's Prometheus metrics. Labels are names of ours, never identifiers or URLs.
type Metrics struct {
	inputs  *prometheus.CounterVec
	asked   *prometheus.HistogramVec
	events  *prometheus.CounterVec
	skipped *prometheus.CounterVec
	alarms  *prometheus.CounterVec
	overdue *prometheus.HistogramVec
	kafka   *kafkametrics.Metrics
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "paystatus", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		kafka:   kafkametrics.New(r, "paystatus"),
		inputs:  counter("inputs_total", "Records that intake and notification read, by what became of them.", "handler", "result"),
		events:  counter("events_total", "Status events written.", "provider", "type", "status"),
		skipped: counter("checks_skipped_total", "Check messages that were done before.", "provider"),
		alarms:  counter("alarms_total", "What people must hear of.", "provider", "alarm"),
		asked: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "paystatus", Name: "check_seconds", Help: "How long a check took to ask, by outcome.",
			Buckets: []float64{.01, .03, .1, .3, 1, 2, 4, 8, 16},
		}, []string{"provider", "outcome", "code"}),
		overdue: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "paystatus", Name: "tier_overdue_seconds",
			Help:    "How long after they were due records went on from a tier; their count is that of the records moved.",
			Buckets: []float64{.01, .03, .1, .25, 1, 5, 30, 300, 3600},
		}, []string{"tier"}),
	}
	r.MustRegister(m.inputs, m.events, m.skipped, m.alarms, m.asked, m.overdue)
	return m
}

func (m *Metrics) counter(handler string) func(string) {
	if m == nil {
		return nil
	}
	return func(result string) { m.inputs.WithLabelValues(handler, result).Inc() }
}

func (m *Metrics) subscriber(handler string) []kafka.Hook {
	if m == nil {
		return nil
	}
	return []kafka.Hook{m.kafka.Handler(handler)}
}

func (m *Metrics) publisher() []kafka.Hook {
	if m == nil {
		return nil
	}
	return []kafka.Hook{m.kafka.Publisher()}
}

func (m *Metrics) checks() handlers.CheckWatcher {
	if m == nil {
		return nil
	}
	return m
}

// Checked is part of handlers.CheckWatcher.
func (m *Metrics) Checked(provider string, outcome providers.Kind, code string, took time.Duration) {
	m.asked.WithLabelValues(provider, string(outcome), code).Observe(took.Seconds())
}

// Said is part of handlers.CheckWatcher.
func (m *Metrics) Said(provider, eventType string, status schemas.Status) {
	m.events.WithLabelValues(provider, eventType, string(status)).Inc()
}

// Skipped is part of handlers.CheckWatcher.
func (m *Metrics) Skipped(provider string) { m.skipped.WithLabelValues(provider).Inc() }

// Alarmed is part of handlers.CheckWatcher.
func (m *Metrics) Alarmed(provider string, code watch.Code) {
	m.alarms.WithLabelValues(provider, string(code)).Inc()
}

func (m *Metrics) moved(t delay.Tier, overdue time.Duration) {
	if m != nil {
		m.overdue.WithLabelValues(t.Name).Observe(overdue.Seconds())
	}
}
