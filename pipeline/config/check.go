package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
)

// check names what is wrong with values that can be read. What has been complained about already is not said twice.
func (d *decoder) check(c *Config) []Problem {
	v := &checking{d: d}
	v.kafka(c)
	v.topics(c.Topics, c.Embedded)
	v.rest(c)
	v.providers(c)
	v.schedules(c.Schedules)
	return v.problems
}

type checking struct {
	d        *decoder
	problems []Problem
}

// requiref notes a problem at key unless ok.
func (v *checking) requiref(ok bool, key, format string, args ...any) {
	if ok || v.known(key) {
		return
	}
	v.problems = append(v.problems, v.d.at(key, fmt.Sprintf(format, args...)))
}

// known reports whether reading the key, or the file that holds it, has failed.
func (v *checking) known(key string) bool {
	return slices.ContainsFunc(v.d.problems, func(p Problem) bool {
		return p.Key == key || p.Key == key+fileSuffix || strings.HasPrefix(p.Key, key+"[")
	})
}

// oneOf requires one of the words.
func (v *checking) oneOf(value, key string, words ...string) {
	v.requiref(slices.Contains(words, value), key, "must be one of %s", strings.Join(words, ", "))
}

// address requires host:port.
func (v *checking) address(value, key string) {
	host, port, err := net.SplitHostPort(value)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	broker, example := key == "kafka.brokers", "127.0.0.1:8080"
	if broker {
		example = "kafka-1:9092"
	}
	v.requiref(err == nil && notNumber == nil && (!broker || host != "" && number > 0), key, "must be host:port, like %s", example)
	if key == "embedded.listen" {
		v.requiref(err != nil || host != "", key, "needs a host, because clients are told to connect to it")
	}
}

// The bounds of a session: shorter ones are lost to a pause of the network or the garbage collector, longer ones no broker
// accepts by default.
const (
	shortestSession = time.Second
	longestSession  = 30 * time.Minute
)

func (v *checking) kafka(c *Config) {
	for _, broker := range c.Kafka.Brokers {
		v.address(broker, "kafka.brokers")
	}
	v.requiref(topicName.MatchString(c.Kafka.Group), "kafka.group", "must be letters, digits, '.', '_' and '-'")
	session := c.Kafka.SessionTimeout
	v.requiref(session >= shortestSession && session <= longestSession, "kafka.session_timeout",
		"must be from 1s to 30m; brokers accept 6s and more unless configured otherwise")
	tls := c.Kafka.TLS
	v.requiref(tls.Enabled || tls.CAFile == "" && tls.CertFile == "" && tls.KeyFile == "" && tls.ServerName == "", "kafka.tls.enabled",
		"must be true for the other keys of tls to mean anything")
	v.requiref((tls.CertFile == "") == (tls.KeyFile == ""), "kafka.tls", "needs both cert_file and key_file, or neither")
	sasl := c.Kafka.SASL
	if sasl.Mechanism != "" {
		v.oneOf(sasl.Mechanism, "kafka.sasl.mechanism", "plain", "scram-sha-256", "scram-sha-512")
	}
	if sasl.Mechanism == "" {
		v.requiref(sasl.Username == "" && sasl.Password == "", "kafka.sasl.mechanism", "is missing: plain, scram-sha-256 or scram-sha-512")
	} else {
		v.requiref(sasl.Username != "", "kafka.sasl.username", "is missing")
		v.requiref(sasl.Password != "", "kafka.sasl.password", "is missing")
	}
	if c.Embedded.Enabled {
		v.address(c.Embedded.Listen, "embedded.listen")
		v.requiref(c.Embedded.DataDir != "", "embedded.data_dir", "is missing: without a directory nothing survives a restart")
	}
}

// topicName is what Kafka takes for the name of a topic, and we for that of a group.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func (v *checking) topics(t Topics, e Embedded) {
	first := map[string]string{}
	for _, topic := range []struct{ key, name string }{
		{"topics.initiated", t.Initiated}, {"topics.notified", t.Notified}, {"topics.status_changed", t.StatusChanged},
	} {
		v.requiref(topicName.MatchString(topic.name) && topic.name != "." && topic.name != "..", topic.key,
			"must be the name of a Kafka topic: letters, digits, '.', '_' and '-', at most 249 of them")
		v.requiref(first[topic.name] == "", topic.key, "is the same topic as %s", first[topic.name])
		first[topic.name] = topic.key
		v.requiref(!t.isInternal(topic.name), topic.key, "is the name of an internal topic; change it or topics.prefix")
	}
	v.requiref(topicName.MatchString(t.Prefix+DeadLettersTopic), "topics.prefix", "must be the beginning of a topic's name: letters, digits, '.', '_' and '-'")
	v.requiref(t.Partitions > 0, "topics.partitions", "must be more than zero")
	v.requiref(t.Replication > 0, "topics.replication", "must be more than zero")
	v.requiref(t.MinInsync > 0, "topics.min_insync", "must be more than zero")
	v.requiref(t.MinInsync <= t.Replication || t.Replication <= 0, "topics.min_insync", "must not be more than topics.replication (%d)", t.Replication)
	v.requiref(!e.Enabled || t.Replication <= 1, "topics.replication", "must be 1 with the embedded broker, which is one node")
}

func (v *checking) rest(c *Config) {
	v.oneOf(c.Events.Mode, "events.mode", ModeBinary, ModeStructured)
	v.oneOf(c.Events.Raw, "events.raw", RawInline, RawNone)
	v.requiref(c.Events.Source != "", "events.source", "must not be empty: CloudEvents demands a source")
	v.requiref(!slices.Contains(c.Events.InitiatedTypes, ""), "events.initiated_types", "must not hold an empty type")

	v.address(c.HTTP.Listen, "http.listen")
	if n := c.Notifications; n.Listen != "" {
		v.address(n.Listen, "notifications.listen")
		v.requiref(n.Listen != c.HTTP.Listen || strings.HasSuffix(n.Listen, ":0"), "notifications.listen",
			"is the address of http.listen; the outside world needs one of its own")
	}
	v.requiref(c.Notifications.MaxAge > 0, "notifications.max_age", "must be more than zero")
	v.oneOf(c.Notifications.UnknownPayments, "notifications.unknown_payments", DeadLetter, Ignore)
	for _, name := range slices.Sorted(maps.Keys(c.Notifications.PaymentID)) {
		v.providerName(name, "notifications.payment_id")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Notifications.Allow)) {
		v.providerName(name, "notifications.allow")
		v.requiref(len(c.Notifications.Allow[name]) > 0, "notifications.allow."+name, "names no network; leave it out where webhooks may come from anywhere")
	}

	v.oneOf(c.Log.Level, "log.level", "debug", "info", "warn", "error")
	v.oneOf(c.Log.Format, "log.format", FormatAuto, FormatText, FormatJSON)

	v.requiref(c.Limits.InFlight > 0, "limits.in_flight", "must be more than zero")
	v.requiref(c.Limits.Drain > 0, "limits.drain", "must be more than zero")
}

// providerName requires that a key of the mapping at path names a provider.
func (v *checking) providerName(name, path string) {
	_, ok := v.d.definitions[name]
	v.requiref(ok, join(path, name), "is not a provider; there are %s", strings.Join(slices.Sorted(maps.Keys(v.d.definitions)), ", "))
}

func (v *checking) providers(c *Config) {
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		settings, path := c.Providers[name], "providers."+name
		for _, problem := range settings.Validate() {
			v.requiref(false, join(path, problem.Key), "%s", problem.Text)
		}
		v.requiref(settings.Common().Timeout <= c.Limits.Drain, join(path, "timeout"),
			"must not be more than limits.drain (%s): a whole check must fit into what a shutdown waits for", c.Limits.Drain)
	}
}

func (v *checking) schedules(s Schedules) {
	const path = "schedules"
	v.requiref(!v.d.said("schedules.default.methods"), "schedules.default.methods", "methods differ by provider; put them below one")
	for key, at := range v.d.places {
		name, below := strings.CutPrefix(key, path+".")
		if _, ok := v.d.definitions[name]; below && !ok && name != defaultSchedule && !strings.Contains(name, ".") {
			v.problems = append(v.problems, Problem{File: at.file, Line: at.line, Key: key, Text: "is not a provider"})
		}
	}
	general := scheduleFaults(s.For("", ""))
	v.faults(join(path, defaultSchedule), general, nil)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if name == defaultSchedule {
			continue
		}
		base := scheduleFaults(s.For(name, ""))
		v.faults(join(path, name), base, general)
		for _, method := range slices.Sorted(maps.Keys(s[name].Methods)) {
			v.faults(join(join(path, name), "methods."+method), scheduleFaults(s.For(name, method)), base)
		}
	}
}

// faults notes those that have not been noted for the schedule above.
func (v *checking) faults(path string, found, above []fault) {
	for _, f := range found {
		if !slices.Contains(above, f) {
			v.requiref(false, join(path, f.key), "%s", f.text)
		}
	}
}

type fault struct{ key, text string }

// scheduleFaults are what is wrong with a schedule.
func scheduleFaults(s watch.Schedule) []fault {
	var all []fault
	require := func(ok bool, key, text string) {
		if !ok {
			all = append(all, fault{key, text})
		}
	}
	const positive = "must be more than zero"
	for _, phase := range []struct {
		key string
		watch.Rhythm
	}{{"open", s.Open}, {"authorized", s.Authorized}, {"refund", s.Refund}} {
		require(!slices.ContainsFunc(phase.Delays, func(d time.Duration) bool { return d <= 0 }), phase.key+".delays", "must all be more than zero")
		require(phase.Every > 0, phase.key+".every", positive)
		require(phase.Deadline > 0, phase.key+".deadline", positive)
	}
	require(s.Recheck > 0, "recheck", positive)
	require(s.Jitter >= 0 && s.Jitter < 1, "jitter", "must be at least 0 and less than 1")
	require(s.Unavailable.Initial > 0, "unavailable.initial", positive)
	require(s.Unavailable.Max >= s.Unavailable.Initial, "unavailable.max", "must not be less than initial")
	require(s.Unreadable.Initial > 0, "unreadable.initial", positive)
	require(s.Unreadable.Max >= s.Unreadable.Initial, "unreadable.max", "must not be less than initial")
	require(s.Unreadable.Limit > 0, "unreadable.limit", positive)
	require(s.RefusedEvery > 0, "refused.every", positive)
	return all
}
