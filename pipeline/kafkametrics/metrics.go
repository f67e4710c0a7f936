// Package kafkametrics makes metrics of what the hooks of package kafka are told, for Prometheus or OpenTelemetry. It stands outside, so that
// the adapter needs no metrics library.
package kafkametrics

import (
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Metrics are the Kafka metrics of a process. Their labels are the names of handlers and topics only.
type Metrics struct {
	partitions   set
	stopped      set
	lag          set
	inFlight     set
	waiting      set
	laneDepth    set
	span         set
	commitAge    set
	heartbeatAge set

	assigned      set
	cancelled     set
	drain         set
	heartbeats    set
	fetchErrors   set
	commitErrors  set
	publishErrors set
	unpublished   set
}

// set takes a value of a metric: the present one of a gauge, what a counter grows by, one of a histogram. Labels are the values of
// the metric's labels, in order.
type set func(value float64, labels ...string)

// instruments make metrics. Names of counters end with _total, those of times with _seconds.
type instruments interface {
	gauge(name, help string, labels []string) set
	counter(name, help string, labels []string) set
	histogram(name, help string, buckets []float64, labels []string) set
}

func declare(i instruments) *Metrics {
	handler, topic := []string{"handler", "topic"}, []string{"topic"}
	gauge := func(name, help string) set { return i.gauge(name, help, handler) }
	return &Metrics{
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

		assigned:     i.counter("assignments_total", "Shares of partitions that began: one for each rebalance.", handler),
		cancelled:    i.counter("cancelled_total", "Messages that outlived a drain and come again.", handler),
		heartbeats:   i.counter("heartbeat_errors_total", "Heartbeats that were not acknowledged, or asked to rebalance.", handler),
		fetchErrors:  i.counter("fetch_errors_total", "Fetches that failed and are tried again.", handler),
		commitErrors: i.counter("commit_errors_total", "Commits that failed.", handler),
		publishErrors: i.counter("publish_errors_total",
			"Attempts to write that failed, whether or not they were made again.", topic),
		unpublished: i.counter("unpublished_total", "Messages that were given up: their handlers run again.", topic),
		drain: i.histogram("drain_seconds", "How long running messages took to finish before a hand-over.",
			[]float64{.01, .1, .3, 1, 3, 10, 30}, handler),
	}
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
	s.partitions(float64(now.Partitions), s.name, now.Topic)
	s.stopped(float64(now.Stopped), s.name, now.Topic)
	s.lag(float64(now.Lag), s.name, now.Topic)
	s.inFlight(float64(now.InFlight), s.name, now.Topic)
	s.waiting(float64(now.Waiting), s.name, now.Topic)
	s.laneDepth(float64(now.LaneDepth), s.name, now.Topic)
	s.span(float64(now.Span), s.name, now.Topic)
	s.commitAge(now.CommitAge.Seconds(), s.name, now.Topic)
	s.heartbeatAge(now.HeartbeatAge.Seconds(), s.name, now.Topic)
}

func (s subscriber) OnAssigned(a kafka.Assignment) { s.assigned(1, s.name, a.Topic) }

func (s subscriber) OnRevoked(r kafka.Revocation) {
	s.drain(r.Drained.Seconds(), s.name, r.Topic)
	s.cancelled(float64(r.Cancelled), s.name, r.Topic)
}

func (s subscriber) OnHeartbeat(topic string, _ time.Duration, err error) {
	if err != nil {
		s.heartbeats(1, s.name, topic)
	}
}

func (s subscriber) OnFetchError(topic string, _ error) { s.fetchErrors(1, s.name, topic) }

func (s subscriber) OnCommitError(topic string, _ error) { s.commitErrors(1, s.name, topic) }

type publisher struct{ *Metrics }

var _ kafka.HookPublishError = publisher{}

func (p publisher) OnPublishError(topic string, messages int, again bool, _ error) {
	p.publishErrors(1, topic)
	if !again {
		p.unpublished(float64(messages), topic)
	}
}
