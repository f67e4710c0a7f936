package webhooks

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the endpoint's Prometheus metrics. The provider's label is empty for URLs that name none.
type Metrics struct {
	answers *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "paystatus", Name: "webhooks_total", Help: "Requests to the webhook listener, by what became of them.",
		}, []string{"provider", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "paystatus", Name: "webhook_seconds", Help: "How long accepted notifications took until Kafka had acknowledged them.",
			Buckets: []float64{.003, .01, .03, .1, .3, 1, 3, 8},
		}, []string{"provider"}),
	}
	r.MustRegister(m.answers, m.seconds)
	return m
}

func (m *Metrics) answered(provider, result string, took time.Duration) {
	if m == nil {
		return
	}
	m.answers.WithLabelValues(provider, result).Inc()
	if result == accepted.result {
		m.seconds.WithLabelValues(provider).Observe(took.Seconds())
	}
}
