package handlers

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables of README.md; read the difference before you keep it")

// reasonTable is the table of Reasons in README.md.
func reasonTable() string {
	var b strings.Builder
	b.WriteString("| code | meaning | what to do |\n|---|---|---|\n")
	for _, r := range Reasons {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Code, r.Meaning, r.Remedy)
	}
	return b.String()
}

func TestTheReadmeListsEveryReason(t *testing.T) {
	t.Parallel()
	const path, begin, end = "README.md", "<!-- reasons: go test ./handlers -run Readme -update -->\n", "<!-- end of reasons -->"
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	table, after, closed := strings.Cut(rest, end)
	require.True(t, found && closed, "the markers of the table are missing")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+reasonTable()+end+after), 0o600))
		return
	}
	assert.Equal(t, reasonTable(), table, "README.md is out of date: go test ./handlers -run Readme -update")
}

func TestTheReadmeNamesEveryHeaderOfADeadLetter(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, name := range []string{
		HeaderReason, HeaderDetail, HeaderTopic, HeaderPartition, HeaderOffset, HeaderFailedAt, HeaderHandler, HeaderAnswer, HeaderAnswerSHA256,
		HeaderRedriveCount,
	} {
		assert.Contains(t, string(page), "| `"+name+"` |")
	}
}
