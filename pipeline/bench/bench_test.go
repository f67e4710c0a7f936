package bench_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/bench"
)

// short is a bench of some hundred messages.
func short(t *testing.T, contenders ...bench.Contender) bench.Options {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	o := bench.DefaultOptions()
	if len(contenders) > 0 {
		o.Contenders = contenders
	}
	o.Command, o.Log = []string{program, part}, os.Stderr
	o.Messages, o.Keys, o.InFlight, o.Partitions, o.Rounds, o.Paced = 400, 100, 64, 3, 2, 0
	o.ProviderMin, o.ProviderMax = time.Millisecond, 20*time.Millisecond
	return o
}

func TestEveryContenderHandlesEveryMessageAndKeepsItsPromises(t *testing.T) {
	t.Parallel()
	o := short(t)
	o.Paced = 500 * time.Millisecond
	var mu sync.Mutex
	ended := map[string]int{}
	o.Progress = func(p bench.Progress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Run != nil {
			ended[p.Contender]++
		}
	}
	report, err := bench.Measure(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, report.Err(o.Contenders))
	assert.Equal(t, map[string]int{bench.NameBare: 3, bench.NameAdapter: 3, bench.NamePipeline: 3}, ended)

	var turns []string
	for _, run := range report.Runs {
		turns = append(turns, run.Contender)
		assert.Zero(t, run.Checks.Missing, run.Contender)
		assert.Zero(t, run.Checks.Repeated, run.Contender)
		assert.Zero(t, run.Checks.Uncommitted, run.Contender)
		if run.Contender != bench.NameBare {
			assert.Zero(t, run.Checks.OutOfOrder, run.Contender)
		}
		assert.Positive(t, run.Throughput, run.Contender)
		assert.Positive(t, run.ProviderCPU, run.Contender)
		assert.Equal(t, run.Round == 0, run.Latency != nil, "latency is measured at half load")
	}
	there := []string{bench.NameBare, bench.NameAdapter, bench.NamePipeline}
	back := slices.Clone(there)
	slices.Reverse(back)
	assert.Equal(t, slices.Concat(there, back, there), turns, "the rounds alternate, then comes half load")
	assert.InDelta(t, 1, report.Contenders[0].Ratios.Throughput, 0, "the bare loop is the measure")
	for _, c := range report.Contenders {
		assert.Positive(t, c.Latency.Messages, c.Contender)
		assert.GreaterOrEqual(t, c.Latency.P99, c.Latency.P50, c.Contender)
	}
}

func TestTheReportIsAnObjectWithTheseFields(t *testing.T) {
	t.Parallel()
	o := short(t, bench.Contenders()[:1]...)
	o.Rounds, o.Paced = 1, 200*time.Millisecond
	report, err := bench.Measure(t.Context(), o)
	require.NoError(t, err)
	text, err := json.Marshal(report)
	require.NoError(t, err)
	var document map[string]any
	require.NoError(t, json.Unmarshal(text, &document))
	fields := map[string]bool{}
	collect(fields, "", document)
	for path := range strings.FieldsSeq(`
		settings.broker settings.messages settings.keys settings.in_flight settings.partitions settings.replication settings.provider_min_ms
		settings.provider_max_ms settings.rounds system.cpus system.os system.go
		contenders.contender contenders.messages_per_second contenders.cpu_us_per_message contenders.broker_cpu_us_per_message
		contenders.provider_cpu_us_per_message contenders.peak_rss_bytes contenders.gc_share contenders.half_load_rate contenders.latency.p50_ms
		contenders.latency.p99_ms contenders.latency.messages contenders.ratios.messages_per_second contenders.ratios.cpu contenders.ratios.peak_rss
		runs.contender runs.round runs.messages runs.rate runs.seconds runs.messages_per_second runs.cpu_us_per_message
		runs.broker_cpu_us_per_message runs.provider_cpu_us_per_message runs.peak_rss_bytes runs.gc_share runs.latency.p50_ms
		runs.checks.missing runs.checks.repeated runs.checks.out_of_order runs.checks.uncommitted`) {
		assert.Contains(t, fields, path)
	}
	var b strings.Builder
	require.NoError(t, report.WriteText(&b))
	assert.Contains(t, b.String(), "400 messages of 100 keys in 3 partitions, 64 in flight, a provider that takes 1 to 20 ms, embedded broker")
	assert.Regexp(t, `bare +[\d,]+ +1\.00 `, b.String())
}

// collect notes the paths of all values; elements of lists share theirs.
func collect(fields map[string]bool, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			collect(fields, strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case []any:
		for _, inner := range value {
			collect(fields, path, inner)
		}
	default:
		fields[path] = true
	}
}

func TestBrokenPromisesAreFound(t *testing.T) {
	t.Parallel()
	o := short(t, culprits[:3]...)
	o.Messages, o.Keys, o.Partitions, o.Rounds = 12, 4, 1, 1
	report, err := bench.Measure(t.Context(), o)
	require.NoError(t, err)
	var found []bench.Checks
	for _, run := range report.Runs {
		found = append(found, run.Checks)
		assert.Nil(t, report.Contenders[0].Ratios, "there is no bare loop")
	}
	assert.Equal(t, []bench.Checks{
		{Missing: 1, Uncommitted: 12},
		{Repeated: 1, Uncommitted: 12},
		{OutOfOrder: 8, Uncommitted: 12}, // of three messages of each key two come after a later one
	}, found)
	err = report.Err(o.Contenders)
	for _, text := range []string{
		"loses one, round 1: 1 messages have no answer", "turns round, round 1: 8 answers are out of order", "12 records are not committed",
	} {
		require.ErrorContains(t, err, text)
	}
}

func TestAContenderThatEndsEarlyEndsTheBench(t *testing.T) {
	t.Parallel()
	for _, c := range culprits[3:] {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			o := short(t, c)
			o.Log = &log
			_, err := bench.Measure(t.Context(), o)
			require.ErrorContains(t, err, c.Name+": its process ended early")
			assert.Contains(t, log.String(), "bench: "+c.Name)
		})
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*bench.Options){
		"there is nothing to measure":                                  func(o *bench.Options) { o.Contenders = nil },
		"messages, in flight, partitions, replication and rounds must": func(o *bench.Options) { o.Messages = 0 },
		"keys must not be more than messages":                          func(o *bench.Options) { o.Keys = o.Messages + 1 },
		"a key must not have more than 100 messages":                   func(o *bench.Options) { o.Keys = 3 },
		"longest time must not be below its shortest":                  func(o *bench.Options) { o.ProviderMax = 0 },
		"at half load must not be negative":                            func(o *bench.Options) { o.Paced = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := short(t)
			spoil(&o)
			require.ErrorContains(t, o.Validate(), name)
			_, err := bench.Measure(t.Context(), o)
			require.ErrorContains(t, err, name)
		})
	}
}

func TestTheDefaultOptionsMakeSense(t *testing.T) {
	t.Parallel()
	require.NoError(t, bench.DefaultOptions().Validate())
}
