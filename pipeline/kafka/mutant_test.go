package kafka_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var mutants = flag.Bool("mutants", false, "break the code on purpose and see that the schedules notice")

// Each mutant is this package with one mistake in its tracker, lanes, committer or hand-over. The random schedules have to find it.
// It takes the go command and some minutes: go test ./pipeline/kafka -run Mutant -mutants.
func TestMutantsAreCaught(t *testing.T) {
	t.Parallel()
	if !*mutants {
		t.Skip("only with -mutants")
	}
	for name, m := range map[string]struct{ file, right, wrong string }{
		"tracker: unfinished records count as done": {
			"tracker.go", "t.seen[t.head].done {", "(t.seen[t.head].done || len(t.seen)-t.head > 3) {",
		},
		"tracker: one too many": {
			"tracker.go", "return t.seen[t.head].offset", "return t.seen[t.head].offset + 1",
		},
		"lane: the next starts before the ack": {
			"deliver.go", "if busy {", "if busy && len(l.waiting) > 0 {",
		},
		"lane: last in, first out": {
			"deliver.go", "	t := l.waiting[0]\n", "	l.waiting[0], l.waiting[len(l.waiting)-1] = l.waiting[len(l.waiting)-1], l.waiting[0]\n	t := l.waiting[0]\n",
		},
		"lane: a nack counts as an ack": {
			"deliver.go", "		g.nacked(t)\n", "		g.acked(t)\n",
		},
		"lane: a nacked message comes twice": {
			"deliver.go", "	t.current = nil\n	t.pause =", "	t.current = nil\n	g.offer(t)\n	t.pause =",
		},
		"fetch: a record is skipped": {
			"deliver.go", "	for _, record := range records {\n", "	for i, record := range records {\n		if i == 7 {\n			continue\n		}\n",
		},
		"committer: what was read instead of what is done": {
			"commit.go", "if w := p.tracker.watermark(); w > p.committed {", "if w := p.tracker.next; w > p.committed {",
		},
		"committer: commits that go back": {
			"commit.go", "if w := p.tracker.watermark(); w > p.committed {", "if w := max(0, p.tracker.watermark()-int64(time.Now().Second()%2)); w != p.committed {",
		},
		"committer: goes on after the hand-over": {
			"generation.go", "	g.lastCommit(ctx)\n", "	defer func() { go func() { time.Sleep(300 * time.Millisecond); g.lastCommit(ctx) }() }()\n",
		},
		"hand-over: the lease goes on": {
			"generation.go", "	g.lease.end()\n	close(g.over)", "	close(g.over)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, caught := runMutant(t, m.file, m.right, m.wrong)
			assert.True(t, caught, "nobody noticed:\n%s", out)
		})
	}
}

// runMutant runs schedules against the package with one place changed, and tells whether the model found it out.
func runMutant(t *testing.T, file, right, wrong string) (out string, caught bool) {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(source, []byte(right)), "the place to break in %s has changed", file)
	require.NotEqual(t, right, wrong)
	directory := t.TempDir()
	broken, overlay, binary := filepath.Join(directory, file), filepath.Join(directory, "overlay.json"), filepath.Join(directory, "test")
	require.NoError(t, os.WriteFile(broken, bytes.Replace(source, []byte(right), []byte(wrong), 1), 0o600))
	original, err := filepath.Abs(file)
	require.NoError(t, err)
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: broken}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	built, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", built)
	ran, err := exec.CommandContext(t.Context(), binary, "-test.run=NoSchedule", "-test.failfast", "-schedules=60", "-schedule-seed=1").CombinedOutput()
	return string(ran), err != nil && strings.Contains(string(ran), "a promise is broken")
}
