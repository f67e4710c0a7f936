package kafkametrics

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// NewOTel makes the metrics with an OpenTelemetry meter. Names begin with namespace.kafka.; endings that repeat what the kind or the unit
// says (_total, _seconds) are left to the exporter. An error is the meter's.
func NewOTel(m metric.Meter, namespace string) (*Metrics, error) {
	i := &meter{Meter: m, prefix: namespace + ".kafka."}
	return declare(i), errors.Join(i.errs...)
}

type meter struct {
	metric.Meter

	prefix string
	errs   []error
}

func (m *meter) gauge(name, help string, labels []string) set {
	g, err := m.Float64Gauge(m.name(name), metric.WithDescription(help), metric.WithUnit(unit(name)))
	m.errs = append(m.errs, err)
	return func(value float64, values ...string) {
		g.Record(context.Background(), value, attributes(labels, values))
	}
}

func (m *meter) counter(name, help string, labels []string) set {
	c, err := m.Float64Counter(m.name(name), metric.WithDescription(help), metric.WithUnit(unit(name)))
	m.errs = append(m.errs, err)
	return func(value float64, values ...string) { c.Add(context.Background(), value, attributes(labels, values)) }
}

func (m *meter) histogram(name, help string, buckets []float64, labels []string) set {
	h, err := m.Float64Histogram(m.name(name), metric.WithDescription(help), metric.WithUnit(unit(name)),
		metric.WithExplicitBucketBoundaries(buckets...))
	m.errs = append(m.errs, err)
	return func(value float64, values ...string) {
		h.Record(context.Background(), value, attributes(labels, values))
	}
}

const seconds = "_seconds"

func (m *meter) name(name string) string {
	return m.prefix + strings.TrimSuffix(strings.TrimSuffix(name, "_total"), seconds)
}

func unit(name string) string {
	if strings.HasSuffix(name, seconds) {
		return "s"
	}
	return "1"
}

func attributes(labels, values []string) metric.MeasurementOption {
	set := make([]attribute.KeyValue, len(labels))
	for i, label := range labels {
		set[i] = attribute.String(label, values[i])
	}
	return metric.WithAttributeSet(attribute.NewSet(set...))
}
