package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

// newReplayTown has payments order-1, order-2… at Liquido, which are what statuses say.
func newReplayTown(t *testing.T, statuses ...string) *town {
	t.Helper()
	n := newTown(t)
	for i, status := range statuses {
		id := fmt.Sprintf("order-%d", i+1)
		n.At(id, status)
		n.Initiate(pipelinetest.Initiated(id))
	}
	return n
}

func (n *town) backfill(stdin string, args ...string) result {
	n.T.Helper()
	return n.tries(stdin, append([]string{"backfill"}, args...)...)
}

func TestABackfillIsRehearsedAskedAndComparedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	n := newReplayTown(t, "SETTLED", "FAILED")

	dry := n.backfill("", "--dry-run", "--rate", "2")
	assert.Zero(t, dry.code, dry.stderr)
	assert.Equal(t, "2 payments, of which 0 were done before and 0 are on their way: 2 would be asked about (liquido 2).\n"+
		"At this rate that takes 1s at least.\n", dry.stdout)
	assert.Contains(t, dry.stderr, "reading 2 initiated events: --offsets 0:0-2\n")

	silent := n.backfill("", "--mode", "verify")
	assert.Equal(t, cli.ExitFailed, silent.code)
	assert.Regexp(t, `(?m)^silent  liquido   default  order-1  – +captured \(final\)`, silent.stdout)
	assert.Regexp(t, `(?m)^2 payments compared: 0 agree, 2 differ, 0 could not be asked about \(silent 2\)\.$`, silent.stdout)

	service := start(t, "run", "--config", n.Path)
	asked := n.backfill("order-2\n", "--payments", "-", "--replay-id", "again", "-o", "json")
	require.Zero(t, asked.code, asked.stderr)
	lines := strings.Split(strings.TrimSpace(asked.stdout), "\n")
	require.Len(t, lines, 2)
	var outcome handlers.ReplayOutcome
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &outcome))
	assert.Equal(t, []any{"again", "order-2", "declined"}, []any{outcome.ReplayID, outcome.PaymentID, string(outcome.Status)})
	var sum struct {
		Summary backfill.Summary `json:"summary"`
	}
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &sum))
	assert.Equal(t, 1, sum.Summary.Asked)

	again := n.backfill("order-2\nnobody\n", "--payments", "-", "--replay-id", "again")
	assert.Equal(t, cli.ExitFailed, again.code, "one is unknown")
	assert.Contains(t, again.stdout, "1 payments: 1 done before, 0 were on their way, 0 asked about now.\n")
	assert.Contains(t, again.stderr, "unknown: 1 payments of the list: nobody\n")

	var same result
	require.Eventually(t, func() bool {
		same = n.backfill("", "--mode", "verify", "--since", "1h", "-o", "json")
		return same.code == 0
	}, patience, 100*time.Millisecond, "the service has said everything")
	require.Zero(t, service.end(os.Interrupt))
	assert.JSONEq(t, `{"summary": {"payments": 2, "agree": 2, "by_kind": {}}}`, same.stdout)
}

func TestAFileWithBadLinesIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	n := newReplayTown(t)
	path := filepath.Join(t.TempDir(), "payments.csv")
	require.NoError(t, os.WriteFile(path, []byte("payment_id,provider,value,currency,initiated_at,reference.idempotency_key\n"+
		"order-1,liquido,300,COP,2026-01-31T12:00:00Z,order-1\norder-2,liquido,three,COP,2026-01-31T12:00:00Z,order-2\n"), 0o600))
	r := n.backfill("", "--file", path)
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stderr, path+", line 3: amount.value: must be an integer in minor units")
	assert.Empty(t, r.stdout)
	assert.Equal(t, cli.ExitFailed, n.backfill("{}", "--file", "-").code)
}

func TestABackfillRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--mode ask":                  "--mode is check or verify",
		"--since yesterday":           "--since is an RFC 3339 time, or a duration",
		"--offsets 1-2":               `--offsets cannot be used: "1-2" is not a range of offsets`,
		"--file f --since 1h":         "--file names the payments itself",
		"--partition 1 --offsets 2":   "--offsets names the partitions itself",
		"--mode verify --replay-id x": "--mode verify writes nothing",
		"--mode verify --dry-run":     "--mode verify writes nothing",
		"--rate -1":                   "--rate must be at least 0",
		"--concurrency 0":             "--concurrency must be at least 1",
		"--provider paypal":           "--provider is checkout, antom, worldpay or liquido",
		"--status paid":               "there is no status",
		"--replay-id=":                "--replay-id must not be empty",
		"a-payment":                   "",
		"--status none --status captured --account a --rate x": `--rate must be at least 0, not "x"`,
	} {
		r := inProcess(t.Context(), "", append([]string{"backfill"}, strings.Fields(flags)...)...)
		assert.Equal(t, cli.ExitMisuse, r.code, flags)
		assert.Contains(t, r.stderr, want, flags)
	}
}

func TestTheHelpOfABackfillNamesEveryFieldOfItsDocuments(t *testing.T) {
	t.Parallel()
	have := fields(reflect.TypeFor[handlers.ReplayOutcome](), reflect.TypeFor[backfill.Summary](), reflect.TypeFor[backfill.Difference](),
		reflect.TypeFor[backfill.Report]())
	delete(have, "-")
	delete(have, "category") // the answers of a query have none
	for field := range have {
		assert.Contains(t, backfillCommand().Long, `"`+field+`"`)
	}
}
