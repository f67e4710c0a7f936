package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/renormalize"
)

func TestAnswersAreReadAgain(t *testing.T) {
	t.Parallel()
	n := newLetterTown(t)
	n.says("order-1")
	n.says("order-2")

	out, _, err := n.call("", "renormalize")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^liquido +no_memory +2 +– +order-1 at 0/0, order-2 at 0/1$`, out)
	assert.Contains(t, out, "Read 2 records of 1 partitions of payments.status_changed: 2 status events, of which 0 differ; 0 of these are the last of their payments.\n")

	out, _, err = n.call("", "renormalize", "--payment", "order-2", "-o", "json")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	var row renormalize.Row
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &row))
	assert.Equal(t, []any{"liquido", renormalize.NoMemory, int64(1), "order-2"}, []any{row.Provider, row.Finding, row.Events, row.Examples[0].PaymentID})
	assert.JSONEq(t, `{"records":2,"events":1,"foreign":0,"differs":0,"last":0,"emitted":null}`, lines[1])

	file := filepath.Join(t.TempDir(), "events.jsonl")
	_, _, err = n.call("", "export", file)
	require.NoError(t, err)
	for _, args := range [][]string{{"renormalize", "--file", file, "--config", n.config}, {"renormalize", "--file", file}} {
		cmd := root()
		var stdout bytes.Buffer
		cmd.SetOut(&stdout)
		cmd.SetErr(&bytes.Buffer{})
		cmd.SetArgs(args)
		require.NoError(t, cmd.ExecuteContext(t.Context()), "a file needs no broker")
		assert.Contains(t, stdout.String(), "Read 2 records of "+file)
	}

	out, progress, err := n.call("", "renormalize", "--emit", "--replay-id", "mapping-2")
	require.NoError(t, err)
	assert.Contains(t, out, "mapping-2: 0 corrections were due, 0 asked for.\n")
	assert.Contains(t, progress, "--replay-id mapping-2")
}

func TestRenormalizeRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"a negative rate":            {"--rate", "-1"},
		"emitting in a dry run":      {"--emit", "--dry-run"},
		"a name of what is not done": {"--replay-id", "x"},
		"a time that is none":        {"--until", "tomorrow"},
		"an argument":                {"x"},
	} {
		cmd := root()
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		cmd.SetArgs(append([]string{"renormalize"}, args...))
		assert.Equal(t, cli.ExitMisuse, cli.ExitCode(cmd.ExecuteContext(t.Context())), name)
	}
}

func TestTheHelpOfRenormalizeNamesEveryFieldOfItsDocuments(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, match := range regexp.MustCompile(`"([a-z_0-9]+)":`).FindAllStringSubmatch(renormalizeCommand().Long, -1) {
		documented[match[1]] = true
	}
	fields := map[string]bool{}
	for _, document := range []reflect.Type{reflect.TypeFor[renormalize.Row](), reflect.TypeFor[renormalizeDocument]()} {
		collect(fields, document)
	}
	for _, of := range []string{"authorized", "refunded"} {
		delete(fields, of) // like captured
	}
	delete(documented, "corrected") // one of the outcomes
	assert.Equal(t, fields, documented)
}
