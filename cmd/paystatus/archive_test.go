package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// says writes a status event of a payment to the log.
func (n *letterTown) says(payment string) {
	n.t.Helper()
	msg := message.NewMessage("", []byte(`{"payment_id":"`+payment+`","provider":"liquido","status":"pending"}`))
	kafka.SetKey(msg, []byte(payment))
	kafka.SetHeaders(msg, []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("id of " + payment)}, {Key: "ce_type", Value: []byte("payment.status_changed")},
	})
	require.NoError(n.t, n.writer.Publish("payments.status_changed", msg))
}

// call runs any command at the town's broker.
func (n *letterTown) call(stdin string, args ...string) (out, progress string, err error) {
	n.t.Helper()
	cmd := root()
	var stdout, stderr bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetArgs(append(args, "--config", n.config))
	err = cmd.ExecuteContext(n.t.Context())
	return stdout.String(), stderr.String(), err
}

func TestStatusEventsAreExportedAndImported(t *testing.T) {
	t.Parallel()
	n := newLetterTown(t)
	n.says("order-1")
	n.says("order-2")
	file := filepath.Join(t.TempDir(), "events.jsonl.gz")

	out, _, err := n.call("", "export", file, "--dry-run")
	require.NoError(t, err)
	assert.Contains(t, out, "2 status events would be written to "+file)
	out, _, err = n.call("order-2\n", "export", file, "--payments", "-", "-o", "json")
	require.NoError(t, err)
	assert.Contains(t, out, `{"records":2,"events":1,"foreign":0,"bytes":`)
	out, progress, err := n.call("", "export", "-", "--provider", "liquido", "--offsets", "0:0-1", "--since", "1h")
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(out, "\n"), out)
	assert.Contains(t, out, `"key":"order-1","headers":[["ce_specversion","1.0"],["ce_id","id of order-1"]`)
	assert.Contains(t, progress, "1 status events written to standard output")

	for _, args := range [][]string{{}, {"--dry-run"}} {
		_, _, err = n.call("", append([]string{"import", file, "--topic", "nowhere"}, args...)...)
		require.ErrorContains(t, err, "there is no topic nowhere, create it first")
	}
	printed, _, err := n.call("", "import", file, "--dry-run")
	require.NoError(t, err)
	assert.Equal(t, "1 lines of "+file+" looked at, 0 records written to payments.status_changed.\n", printed)
	printed, _, err = n.call("", "import", file, "--rate", "1000", "-o", "json")
	require.NoError(t, err)
	assert.JSONEq(t, `{"lines":1,"written":1,"before":0}`, printed)
	printed, _, err = n.call(out, "import", "-")
	require.NoError(t, err)
	assert.Contains(t, printed, "1 records written")
	again, _, err := n.call("", "export", "-")
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(again, "\n"))

	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	_, _, err = n.call("", "import", file)
	require.Error(t, err)
	assert.Equal(t, cli.ExitFailed, cli.ExitCode(err))
}

func TestArchivesRefuseWhatTheyDoNotUnderstand(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no file":               {"export"},
		"two files":             {"import", "a", "b"},
		"a time that is none":   {"export", "-", "--since", "yesterday"},
		"offsets that are none": {"export", "-", "--offsets", "x"},
		"a negative rate":       {"import", "-", "--rate", "-1"},
	} {
		cmd := root()
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		cmd.SetArgs(args)
		assert.Equal(t, cli.ExitMisuse, cli.ExitCode(cmd.ExecuteContext(t.Context())), name)
	}
}
