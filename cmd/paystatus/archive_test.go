package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// says writes a status event of a payment to the log.
func (n *town) says(payment string) {
	n.T.Helper()
	n.Produce(n.Topics.StatusChanged, payment, []byte(`{"payment_id":"`+payment+`","provider":"liquido","status":"pending"}`),
		kafka.Header{Key: "ce_specversion", Value: []byte("1.0")}, kafka.Header{Key: "ce_id", Value: []byte("id of " + payment)},
		kafka.Header{Key: "ce_type", Value: []byte("payment.status_changed")})
}

func TestStatusEventsAreExportedAndImported(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.says("order-1")
	n.says("order-2")
	file := filepath.Join(t.TempDir(), "events.jsonl.gz")

	out, _ := n.runs("export", file, "--dry-run")
	assert.Contains(t, out, "2 status events would be written to "+file)
	assert.Contains(t, n.tries("order-2\n", "export", file, "--payments", "-", "-o", "json").stdout, `{"records":2,"events":1,"foreign":0,"bytes":`)
	out, progress := n.runs("export", "-", "--provider", "liquido", "--offsets", "0:0-1", "--since", "1h")
	assert.Equal(t, 1, strings.Count(out, "\n"), out)
	assert.Contains(t, out, `"key":"order-1","headers":[["ce_specversion","1.0"],["ce_id","id of order-1"]`)
	assert.Contains(t, progress, "1 status events written to standard output")

	for _, args := range [][]string{{}, {"--dry-run"}} {
		r := n.tries("", append([]string{"import", file, "--topic", "nowhere"}, args...)...)
		assert.Contains(t, r.stderr, "there is no topic nowhere, create it first")
	}
	printed, _ := n.runs("import", file, "--dry-run")
	assert.Equal(t, "1 lines of "+file+" looked at, 0 records written to payments.status_changed.\n", printed)
	printed, _ = n.runs("import", file, "--rate", "1000", "-o", "json")
	assert.JSONEq(t, `{"lines":1,"written":1,"before":0}`, printed)
	assert.Contains(t, n.tries(out, "import", "-").stdout, "1 records written")
	again, _ := n.runs("export", "-")
	assert.Equal(t, 4, strings.Count(again, "\n"))

	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	assert.Equal(t, cli.ExitFailed, n.tries("", "import", file).code)
}

func TestArchivesRefuseWhatTheyDoNotUnderstand(t *testing.T) {
	t.Parallel()
	requireMisuse(t, nil, map[string][]string{
		"no file":               {"export"},
		"two files":             {"import", "a", "b"},
		"a time that is none":   {"export", "-", "--since", "yesterday"},
		"offsets that are none": {"export", "-", "--offsets", "x"},
		"a negative rate":       {"import", "-", "--rate", "-1"},
	})
}
