package kafkametrics

import "github.com/prometheus/client_golang/prometheus"

// New registers the metrics with Prometheus. All names begin with namespace_kafka_.
func New(r prometheus.Registerer, namespace string) *Metrics {
	return declare(registry{r, namespace})
}

type registry struct {
	prometheus.Registerer

	namespace string
}

const subsystem = "kafka"

func (r registry) gauge(name, help string, labels []string) set {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: r.namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	r.MustRegister(g)
	return func(value float64, labels ...string) { g.WithLabelValues(labels...).Set(value) }
}

func (r registry) counter(name, help string, labels []string) set {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: r.namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	r.MustRegister(c)
	return func(value float64, labels ...string) { c.WithLabelValues(labels...).Add(value) }
}

func (r registry) histogram(name, help string, buckets []float64, labels []string) set {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: r.namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
	}, labels)
	r.MustRegister(h)
	return func(value float64, labels ...string) { h.WithLabelValues(labels...).Observe(value) }
}
