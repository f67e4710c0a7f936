package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

// allTopics are those of the default configuration.
var allTopics = []string{
	"payments.initiated", "payments.status_changed", "payments.notified", "paystatus.checks", "paystatus.redriven", "paystatus.replays",
	"paystatus.dead_letters", "paystatus.delay.1s", "paystatus.delay.5s", "paystatus.delay.30s", "paystatus.delay.2m", "paystatus.delay.10m",
	"paystatus.delay.1h", "paystatus.delay.6h",
}

// broker is an embedded broker and a configuration that names it, followed by more.
func broker(t *testing.T, more string) (address, config string) {
	t.Helper()
	address = pipelinetest.Embedded(t)[0]
	return address, file(t, "paystatus.yaml", fmt.Sprintf(
		"kafka: {brokers: [%q], session_timeout: 6s}\ntopics: {partitions: 2, replication: 1, min_insync: 1}\nhttp: {listen: \"127.0.0.1:0\"}\n%s", address, more))
}

func TestTopicsAreCheckedAndCreated(t *testing.T) {
	t.Parallel()
	address, config := broker(t, "")
	topics := func(args ...string) result {
		return inProcess(t.Context(), "", append(append([]string{"topics"}, args...), "--config", config)...)
	}
	r := topics("check")
	assert.Equal(t, cli.ExitFailed, r.code)
	for _, topic := range allTopics {
		assert.Contains(t, r.stdout, "topic "+topic+" does not exist\n")
	}
	assert.Equal(t, "the topics are not as they must be (14 problems); `paystatus topics create` creates what is missing", r.stderr)

	// Nothing is written with --dry-run.
	for range 2 {
		r = topics("create", "--dry-run")
		assert.Equal(t, result{stdout: "missing " + strings.Join(allTopics, "\nmissing ") + "\n"}, r)
	}
	assert.Equal(t, map[string]bool{}, created(t, topics("create", "--dry-run", "-o", "json"), false))
	assert.Len(t, created(t, topics("create", "-o", "json"), true), len(allTopics))
	assert.Equal(t, result{stdout: "all topics are there\n"}, topics("create"))
	assert.Equal(t, result{}, topics("create", "-o", "json"), "no result, no line")
	assert.Equal(t, result{stdout: "the topics are as they must be\n"}, topics("check"))
	assert.Equal(t, result{}, topics("check", "-o", "json"))

	// One that somebody else made is named with what is wrong with it.
	client, err := kafka.NewClient(kafka.Config{Brokers: []string{address}})
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	require.NoError(t, client.CreateTopics(t.Context(), kafka.Topic{Name: "other.checks", Partitions: 1, Replication: 1}))
	path := file(t, "other.yaml", fmt.Sprintf("kafka: {brokers: [%q]}\ntopics: {prefix: other., partitions: 2, replication: 1, min_insync: 1}\n", address))
	assert.Zero(t, inProcess(t.Context(), "", "topics", "create", "-c", path).code)
	r = inProcess(t.Context(), "", "topics", "check", "-c", path, "--output", "json")
	assert.Equal(t, cli.ExitFailed, r.code)
	var problems []string
	for line := range strings.Lines(r.stdout) {
		var p map[string]string
		require.NoError(t, json.Unmarshal([]byte(line), &p))
		problems = append(problems, p["problem"])
	}
	assert.Contains(t, problems, "topic other.delay.1s: has 2 partitions but other.checks has 1; internal topics need equal counts")
	assert.Contains(t, problems, `topic other.checks: message.timestamp.type is "CreateTime" and must be "LogAppendTime"`)
}

// created are the topics that were created; each line says so, or that it is missing.
func created(t *testing.T, r result, want bool) map[string]bool {
	t.Helper()
	require.Zero(t, r.code, r.stderr)
	all := map[string]bool{}
	for line := range strings.Lines(r.stdout) {
		var d struct {
			Topic   string `json:"topic"`
			Created *bool  `json:"created"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &d))
		require.NotNil(t, d.Created)
		assert.Equal(t, want, *d.Created)
		assert.Contains(t, allTopics, d.Topic)
		if *d.Created {
			all[d.Topic] = true
		}
	}
	return all
}

func TestTopicsSaysThatNoBrokerAnswers(t *testing.T) {
	t.Parallel()
	r := inProcess(t.Context(), "", "topics", "check", "--config", file(t, "c.yaml", "kafka: {brokers: [\"127.0.0.1:1\"]}"))
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stderr, "kafka: describe topics: broker 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused")
}
