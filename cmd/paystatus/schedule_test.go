package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
)

// explainSchedule runs `schedule explain` with a configuration.
func explainSchedule(t *testing.T, config string, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	cmd := root()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append([]string{"schedule", "explain", "--config", path}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func documents(t *testing.T, text string) []planDocument {
	t.Helper()
	var all []planDocument
	for line := range strings.Lines(text) {
		var d planDocument
		require.NoError(t, json.Unmarshal([]byte(line), &d))
		all = append(all, d)
	}
	return all
}

func TestScheduleExplainPrintsALineForEachProviderMethodAndPhase(t *testing.T) {
	t.Parallel()
	out, err := explainSchedule(t, "schedules: {checkout: {methods: {Voucher: {open: {deadline: 240h}}}}}", "--output", "json")
	require.NoError(t, err)
	deadlines := map[string]string{}
	for _, d := range documents(t, out) {
		deadlines[strings.Join([]string{d.Provider, d.Method, string(d.Phase)}, " ")] = d.Deadline
		ends, err := time.ParseDuration(d.Ends)
		require.NoError(t, err)
		deadline, err := time.ParseDuration(d.Deadline)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, ends, deadline)
		checks := 0
		for _, r := range d.Runs {
			checks += r.Checks
		}
		assert.Equal(t, d.Checks, checks)
	}
	for _, provider := range pipeline.ProviderNames() {
		assert.Equal(t, "72h", deadlines[provider+"  open"])
		assert.Equal(t, "720h", deadlines[provider+"  refund"])
	}
	assert.Equal(t, "240h", deadlines["checkout voucher open"])
	assert.Equal(t, "720h", deadlines["checkout voucher authorized"])
	assert.Equal(t, "96h", deadlines["liquido pse open"])
}

func TestScheduleExplainCanBeAskedForOneMethod(t *testing.T) {
	t.Parallel()
	out, err := explainSchedule(t, "", "--provider", "liquido", "--method", "PSE", "--output", "json")
	require.NoError(t, err)
	all := documents(t, out)
	require.Len(t, all, 3)
	open := all[0]
	assert.Equal(t, runDocument{First: "8m47s", Last: "8m47s", Checks: 1, Delay: "5m", Wait: "5m", Tiers: []string{"2m", "2m", "30s", "30s"}}, open.Runs[7])
	assert.Equal(t, "30m", open.Runs[9].Delay)
	assert.Equal(t, backoffDocument{Initial: "2s", Max: "10m", Limit: 20}, open.Unreadable)
	assert.Equal(t, endDocument{Ends: "15m17s", Checks: 9}, open.NotFound)
}

func TestScheduleExplainShowsOnlyTheConfiguredProviders(t *testing.T) {
	t.Parallel()
	out, err := explainSchedule(t, "providers: {checkout: {accounts: {default: {secret_key: sk_x}}}}")
	require.NoError(t, err)
	assert.Contains(t, out, "CHECKOUT\n")
	assert.NotContains(t, out, "LIQUIDO")
}

func TestScheduleExplainFoldsWhatRepeats(t *testing.T) {
	t.Parallel()
	out, err := explainSchedule(t, "", "--provider", "liquido")
	require.NoError(t, err)
	for _, line := range []string{
		"  2      2s        2s                       1s + 1s\n",
		"  11–81  1h48m47s  1h                       1h  then every 1h until 2d 23h48m47s: 70 more\n",
		"  82     3d 17s    11m13s, comes to 11m30s  10m + 30s + 30s + 30s\n",
		"LIQUIDO PSE\n",
		"authorized: as liquido in general\n",
		"All else is as liquido in general.\n",
		"after 2s to 4s, then 2s to 8s, then 2s to 16s, … at most 10m; the 20th in a row is a dead letter",
	} {
		assert.Contains(t, out, line)
	}
	assert.Equal(t, 2, strings.Count(out, "the credentials or the configuration are mended"), "of all methods only pse has another pace")
	for line := range strings.Lines(out) {
		assert.Equal(t, strings.TrimRight(line, " \n"), strings.TrimSuffix(line, "\n"), "no blanks at the end of a line")
	}
}

func TestScheduleExplainRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--provider", "paypal"}, {"--method", "pse"}, {"--output", "xml"}, {"now"}} {
		_, err := explainSchedule(t, "", args...)
		require.Error(t, err)
		assert.Equal(t, cli.ExitMisuse, cli.ExitCode(err), "%v", args)
	}
}

func TestTheHelpOfScheduleExplainNamesEveryFieldOfItsDocument(t *testing.T) {
	t.Parallel()
	assert.Equal(t, fields(reflect.TypeFor[planDocument]()), documented(scheduleExplainCommand().Long))
}
