package main

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/renormalize"
)

func TestAnswersAreReadAgain(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.says("order-1")
	n.says("order-2")

	out, _ := n.runs("renormalize")
	assert.Regexp(t, `(?m)^liquido +no_memory +2 +– +order-1 at 0/0, order-2 at 0/1$`, out)
	assert.Contains(t, out, "Read 2 records of 1 partitions of payments.status_changed: 2 status events, of which 0 differ; 0 of these are the last of their payments.\n")

	out, _ = n.runs("renormalize", "--payment", "order-2", "-o", "json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	var row renormalize.Row
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &row))
	assert.Equal(t, []any{"liquido", renormalize.NoMemory, int64(1), "order-2"}, []any{row.Provider, row.Finding, row.Events, row.Examples[0].PaymentID})
	assert.JSONEq(t, `{"records":2,"events":1,"foreign":0,"differs":0,"last":0,"emitted":null}`, lines[1])

	file := filepath.Join(t.TempDir(), "events.jsonl")
	n.runs("export", file)
	for _, args := range [][]string{{"renormalize", "--file", file, "--config", n.Path}, {"renormalize", "--file", file}} {
		r := inProcess(t.Context(), "", args...)
		require.Zero(t, r.code, "a file needs no broker: %s", r.stderr)
		assert.Contains(t, r.stdout, "Read 2 records of "+file)
	}

	out, progress := n.runs("renormalize", "--emit", "--replay-id", "mapping-2")
	assert.Contains(t, out, "mapping-2: 0 corrections were due, 0 asked for.\n")
	assert.Contains(t, progress, "--replay-id mapping-2")
}

func TestRenormalizeRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	requireMisuse(t, []string{"renormalize"}, map[string][]string{
		"a negative rate":            {"--rate", "-1"},
		"emitting in a dry run":      {"--emit", "--dry-run"},
		"a name of what is not done": {"--replay-id", "x"},
		"a time that is none":        {"--until", "tomorrow"},
		"an argument":                {"x"},
	})
}

func TestTheHelpOfRenormalizeNamesEveryFieldOfItsDocuments(t *testing.T) {
	t.Parallel()
	have, told := fields(reflect.TypeFor[renormalize.Row](), reflect.TypeFor[renormalizeDocument]()), documented(renormalizeCommand().Long)
	for _, of := range []string{"authorized", "refunded"} {
		delete(have, of) // like captured
	}
	delete(told, "corrected") // one of the outcomes
	assert.Equal(t, have, told)
}
