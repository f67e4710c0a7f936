package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func topicsOf(prefix string) pipeline.Topics {
	return pipeline.Topics{Topics: config.Topics{
		Initiated: prefix + "initiated", Notified: prefix + "notified", StatusChanged: prefix + "status_changed", Prefix: prefix,
		Partitions: 2, Replication: 1, MinInsync: 1,
	}}
}

func TestCreatedTopicsAreAsTheyMustBe(t *testing.T) {
	t.Parallel()
	client, topics := pipelinetest.Connect(t, kafka.Config{Brokers: pipelinetest.Embedded(t)}).Client, topicsOf("a.")
	missing, err := pipeline.MissingTopics(t.Context(), client, topics)
	require.NoError(t, err)
	created, err := pipeline.CreateTopics(t.Context(), client, topics)
	require.NoError(t, err)
	assert.Equal(t, missing, created)
	assert.Contains(t, created, "a.delay.6h")
	problems, err := pipeline.CheckTopics(t.Context(), client, topics)
	require.NoError(t, err)
	assert.Empty(t, problems)
	again, err := pipeline.CreateTopics(t.Context(), client, topics)
	require.NoError(t, err)
	assert.Empty(t, again)
}

func TestWrongTopicsAreNamedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	client, topics := pipelinetest.Connect(t, kafka.Config{Brokers: pipelinetest.Embedded(t)}).Client, topicsOf("b.")
	for name, configs := range map[string]map[string]string{
		"b.initiated":      {"cleanup.policy": "compact"},
		"b.status_changed": {"max.message.bytes": "1048588", "retention.ms": "1000"}, // the company's own business
		"b.checks":         {"cleanup.policy": "compact"},
		"b.delay.1h":       {"message.timestamp.type": "CreateTime"},
		"b.delay.6h":       {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"},
		"b.dead_letters":   {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1000000", "retention.bytes": "1000"},
	} {
		partitions := 2
		if name == "b.delay.1h" {
			partitions = 3
		}
		require.NoError(t, client.CreateTopics(t.Context(), kafka.Topic{Name: name, Partitions: partitions, Replication: 1, Configs: configs}))
	}
	problems, err := pipeline.CheckTopics(t.Context(), client, topics)
	require.NoError(t, err)
	all := strings.Join(problems, "\n")
	for _, want := range []string{
		`topic b.initiated: cleanup.policy is "compact"`,
		`topic b.checks: cleanup.policy is "compact"`,
		`topic b.delay.1h: message.timestamp.type is "CreateTime"`,
		`topic b.delay.1h: has 3 partitions but b.checks has 2`,
		`topic b.delay.6h: retention.ms is 3600000 (1h0m0s) and must be at least`,
		`topic b.dead_letters: max.message.bytes is 1000000`,
		`topic b.dead_letters: retention.bytes is 1000`,
		`topic b.redriven does not exist`,
	} {
		assert.Contains(t, all, want)
	}
	assert.NotContains(t, all, "status_changed")
}

func TestLostOffsetsStopTheStart(t *testing.T) {
	t.Parallel()
	w := pipelinetest.Connect(t, kafka.Config{Brokers: pipelinetest.Embedded(t)})
	client, topics := w.Client, topicsOf("c.")
	_, err := pipeline.CreateTopics(t.Context(), client, topics)
	require.NoError(t, err)
	require.NoError(t, pipeline.CommitStarts(t.Context(), client, topics, "first", kafka.Earliest, false), "empty topics have lost nothing")

	w.Produce(topics.Initiated, "p", []byte("x"))
	require.NoError(t, pipeline.CommitStarts(t.Context(), client, topics, "second", kafka.Earliest, false), "initiated events may be there before us")
	w.Produce(topics.Checks(), "p", []byte("x"))
	require.NoError(t, pipeline.CommitStarts(t.Context(), client, topics, "first", kafka.Earliest, false), "a group with offsets goes on")

	err = pipeline.CommitStarts(t.Context(), client, topics, "third", kafka.Earliest, false)
	require.ErrorIs(t, err, pipeline.ErrOffsetsLost)
	assert.Contains(t, err.Error(), "c.checks")
	require.NoError(t, pipeline.CommitStarts(t.Context(), client, topics, "third", kafka.Earliest, true), "accepted on purpose")

	committed, err := client.CommittedOffsets(t.Context(), pipeline.GroupOf("second", "intake"), topics.Initiated)
	require.NoError(t, err)
	assert.Len(t, committed, 2, "every partition has a start")
	require.NoError(t, pipeline.CommitStarts(t.Context(), client, topics, "fourth", kafka.At(time.Now().Add(time.Hour)), true))
}
