package cli

import (
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATimeIsAMomentOrAWhileAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"": {}, "36h": now.Add(-36 * time.Hour), "2026-01-30T10:00:00+01:00": now.Add(-27 * time.Hour)} {
		at, err := parseTime(text, now)
		require.NoError(t, err)
		assert.True(t, want.Equal(at), text)
	}
	for _, text := range []string{"-1h", "yesterday", "2026-01-30", "36"} {
		_, err := parseTime(text, now)
		require.Error(t, err, text)
	}
}

func TestAFlagThatCannotBeReadIsAMisuseInWordsOfItsOwn(t *testing.T) {
	t.Parallel()
	rate, kind := 7, ""
	var since time.Time
	run := func(args ...string) error {
		kind = ""
		cmd := &cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error { return nil }}
		AtLeast(cmd, 0, &rate, "rate", "")
		OneOf(cmd, &kind, "kind", "", "a", "b", "c")
		Time(cmd, &since, "since", "")
		OutputFlag(cmd)
		Strict(cmd)
		cmd.SetArgs(args)
		return cmd.Execute()
	}
	require.NoError(t, run())
	assert.Equal(t, 7, rate, "what was there before")
	require.NoError(t, run("--rate", "0", "--kind", "b", "--since", "2026-01-30T10:00:00Z", "-o", "json"))
	assert.Equal(t, []any{0, "b", 30}, []any{rate, kind, since.Day()})
	require.NoError(t, run("--kind", ""), "as if it were not given")
	for want, args := range map[string][]string{
		`--rate must be at least 0, not "-1"`:     {"--rate", "-1"},
		`--rate must be at least 0, not "many"`:   {"--rate", "many"},
		`--kind is a, b or c, not "d"`:            {"--kind=d"},
		`--since is ` + TimeHelp + `, not "noon"`: {"--since", "noon"},
		`--output is text or json, not "xml"`:     {"-o", "xml"},
		`unknown flag: --bogus`:                   {"--bogus"},
	} {
		err := run(args...)
		require.EqualError(t, err, want)
		assert.Equal(t, ExitMisuse, ExitCode(err), want)
	}
}
