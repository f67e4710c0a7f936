// Package kafkametrics makes Prometheus metrics of what the hooks of package kafka are told. It stands outside, so that the adapter needs no
// metrics library.
package kafkametrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Metrics are the Kafka metrics of a process. Their labels are the names of handlers and topics only.
type Metrics struct {
	partitions   *prometheus.GaugeVec
	stopped      *prometheus.GaugeVec
	lag          *prometheus.GaugeVec
	inFlight     *prometheus.GaugeVec
	waiting      *prometheus.GaugeVec
	laneDepth    *prometheus.GaugeVec
	span         *prometheus.GaugeVec
	commitAge    *prometheus.GaugeVec
	heartbeatAge *prometheus.GaugeVec

	assigned      *prometheus.CounterVec
	cancelled     *prometheus.CounterVec
	drain         *prometheus.HistogramVec
	heartbeats    *prometheus.CounterVec
	fetchErrors   *prometheus.CounterVec
	commitErrors  *prometheus.CounterVec
	publishErrors *prometheus.CounterVec
	unpublished   *prometheus.CounterVec
}

// New registers the metrics, all of whose names begin with namespace_kafka_.
func New(r prometheus.Registerer, namespace string) *Metrics {
	handler := []string{"handler", "topic"}
	topic := []string{"topic"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Subsystem: "kafka", Name: name, Help: help}, handler)
		r.MustRegister(g)
		return g
	}
	counter := func(name, help string, labels []string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Subsystem: "kafka", Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	m := &Metrics{
		partitions: gauge("partitions", "Partitions that this instance holds."),
		stopped:    gauge("stopped_partitions", "Partitions that stopped because going on would skip records."),
		lag:        gauge("lag", "Offsets from the first unfinished record to the end, over the partitions of this instance."),
		inFlight:   gauge("in_flight", "Messages that run."),
		waiting:    gauge("waiting", "Records read ahead that do not run yet."),
		laneDepth:  gauge("lane_depth", "Records in the deepest lane, with the one that runs."),
		span:       gauge("span", "Records read from the first unfinished one on, of the partition with the most: what a crash may repeat."),
		commitAge:  gauge("commit_age_seconds", "Time since a commit last succeeded or there was nothing to commit."),
		heartbeatAge: gauge("heartbeat_age_seconds",
			"Time since the sending of the last acknowledged heartbeat; at the session timeout the share is lost."),

		assigned:     counter("assignments_total", "Shares of partitions that began: one for each rebalance.", handler),
		cancelled:    counter("cancelled_total", "Messages that outlived a drain and come again.", handler),
		heartbeats:   counter("heartbeat_errors_total", "Heartbeats that were not acknowledged, or asked to rebalance.", handler),
		fetchErrors:  counter("fetch_errors_total", "Fetches that failed and are tried again.", handler),
		commitErrors: counter("commit_errors_total", "Commits that failed.", handler),
		publishErrors: counter("publish_errors_total",
			"Attempts to write that failed, whether or not they were made again.", topic),
		unpublished: counter("unpublished_total", "Messages that were given up: their handlers run again.", topic),
		drain: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "kafka", Name: "drain_seconds", Help: "How long running messages took to finish before a hand-over.",
			Buckets: []float64{.01, .1, .3, 1, 3, 10, 30},
		}, handler),
	}
	r.MustRegister(m.drain)
	return m
}

// Handler is the hook of a handler's Subscriber.
func (m *Metrics) Handler(name string) kafka.Hook { return subscriber{m, name} }

// Publisher is the hook of a Publisher.
func (m *Metrics) Publisher() kafka.Hook { return publisher{m} }

type subscriber struct {
	*Metrics

	name string
}

var _ interface {
	kafka.HookSample
	kafka.HookAssigned
	kafka.HookRevoked
	kafka.HookHeartbeat
	kafka.HookFetchError
	kafka.HookCommitError
} = subscriber{}

func (s subscriber) OnSample(now kafka.Sample) {
	set := func(g *prometheus.GaugeVec, value float64) { g.WithLabelValues(s.name, now.Topic).Set(value) }
	set(s.partitions, float64(now.Partitions))
	set(s.stopped, float64(now.Stopped))
	set(s.lag, float64(now.Lag))
	set(s.inFlight, float64(now.InFlight))
	set(s.waiting, float64(now.Waiting))
	set(s.laneDepth, float64(now.LaneDepth))
	set(s.span, float64(now.Span))
	set(s.commitAge, now.CommitAge.Seconds())
	set(s.heartbeatAge, now.HeartbeatAge.Seconds())
}

func (s subscriber) OnAssigned(a kafka.Assignment) { s.assigned.WithLabelValues(s.name, a.Topic).Inc() }

func (s subscriber) OnRevoked(r kafka.Revocation) {
	s.drain.WithLabelValues(s.name, r.Topic).Observe(r.Drained.Seconds())
	s.cancelled.WithLabelValues(s.name, r.Topic).Add(float64(r.Cancelled))
}

func (s subscriber) OnHeartbeat(topic string, _ time.Duration, err error) {
	if err != nil {
		s.heartbeats.WithLabelValues(s.name, topic).Inc()
	}
}

func (s subscriber) OnFetchError(topic string, _ error) {
	s.fetchErrors.WithLabelValues(s.name, topic).Inc()
}

func (s subscriber) OnCommitError(topic string, _ error) {
	s.commitErrors.WithLabelValues(s.name, topic).Inc()
}

type publisher struct{ *Metrics }

var _ kafka.HookPublishError = publisher{}

func (p publisher) OnPublishError(topic string, messages int, again bool, _ error) {
	p.publishErrors.WithLabelValues(topic).Inc()
	if !again {
		p.unpublished.WithLabelValues(topic).Add(float64(messages))
	}
}
