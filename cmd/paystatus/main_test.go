package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/cmd/internal/cli"
)

func TestTheExitCodeTellsMisuseFromFailure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		code int
		says string // on stderr
	}{
		{"", 0, ""},
		{"--help", 0, ""},
		{"help run", 0, ""},
		{"--version", 0, ""},
		{"version", 0, ""},
		{"statuses", 0, ""},
		{"config check", 0, "Nothing is wrong, but `paystatus run` would not start: kafka.brokers is empty"},

		{"bogus", 2, `there is no command "paystatus bogus"`},
		{"help bogus", 2, `there is no command "paystatus bogus"`},
		{"help topics destroy", 2, `there is no command "paystatus topics destroy"`},
		{"help topics create", 0, ""},
		{"norm x", 2, "did you mean normalize?"},
		{"topics", 2, `"paystatus topics" needs a command: check or create`},
		{"topics destroy", 2, `there is no command "paystatus topics destroy"`},
		{"config show", 2, `there is no command "paystatus config show"`},
		{"completion tcsh", 2, `there is no command "paystatus completion tcsh"`},
		{"run --bogus", 2, "unknown flag: --bogus"},
		{"run now", 2, `unknown command "now" for "paystatus run"`},
		{"demo --payments 0", 2, "--payments must be at least 1"},
		{"demo --payments many", 2, `--payments must be at least 1, not "many"`},
		{"statuses --output xml", 2, `--output is text or json, not "xml"`},
		{"query", 2, "--payment is missing"},
		{"why", 2, "name one payment by its payment_id"},
		{"normalize x", 2, "--provider is missing"},
		{"normalize --provider checkout", 2, "give one file with the answer's body, or - for standard input; there are 0"},
		{"normalize --provider paypal x", 2, `--provider is checkout, antom, worldpay or liquido, not "paypal"`},
		{"normalize --provider checkout --from hearsay x", 2, `--from is query, notification or initiation, not "hearsay"`},
		{"normalize --provider checkout --http-status 42 x", 2, "--http-status is no HTTP status: 42"},
		{"normalize --provider checkout --header Retry-After x", 2, "--header must be 'Name: value'"},
		{"normalize --provider checkout --previous paid x", 2, `--previous is no status: "paid"`},
		{"normalize --provider checkout --payment - -", 2, "only one of the answer and --payment can be standard input"},

		{"normalize --provider checkout nothing-here.json", 1, "open nothing-here.json: no such file or directory"},
		{"query --payment nothing-here.json", 1, "open nothing-here.json: no such file or directory"},
		{"run", 1, "kafka.brokers is empty: name your brokers in the configuration, or start with --embedded"},
		{"run --embedded", 1, "no provider is configured: add one below providers"},
		{"run --config nothing-here.yaml", 1, "nothing-here.yaml: the configuration file cannot be read: no such file or directory"},
		{"topics check", 1, "kafka.brokers is empty"},
		{"broker --listen :9092", 1, "needs a host"},
		{"sandbox --listen nowhere", 1, "--listen: listen tcp: address nowhere: missing port in address"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			r := paystatus(t, strings.Fields(tt.args)...)
			assert.Equal(t, tt.code, r.code, r.stderr)
			if tt.code == 0 {
				assert.NotEmpty(t, r.stdout)
				assert.Equal(t, tt.says == "", r.stderr == "", r.stderr)
				assert.Contains(t, r.stderr, tt.says)
				return
			}
			assert.Empty(t, r.stdout, "results only")
			assert.Contains(t, r.stderr, "paystatus: ")
			assert.Contains(t, r.stderr, tt.says)
			assert.Equal(t, tt.code == cli.ExitMisuse, strings.Contains(r.stderr, "--help'."), "a misuse is told where to read on")
		})
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	for _, cmd := range root().Commands() {
		assert.NotEmpty(t, cmd.Short, cmd.Name())
		for _, sub := range cmd.Commands() {
			assert.NotEmpty(t, sub.Short, sub.CommandPath())
		}
	}
}

func TestTheShellCompletesCommandsAndValues(t *testing.T) {
	t.Parallel()
	for shell, begins := range map[string]string{"bash": "# bash completion", "zsh": "#compdef paystatus", "fish": "# fish completion"} {
		r := paystatus(t, "completion", shell)
		assert.Zero(t, r.code, r.stderr)
		assert.True(t, strings.HasPrefix(r.stdout, begins), shell)
	}
	tests := []struct {
		line []string
		want string
	}{
		{[]string{"topics", ""}, "check\tSay what is wrong with the topics\ncreate\tCreate the topics that are missing\n:4\n"},
		{[]string{"normalize", "--provider", ""}, "checkout\nantom\nworldpay\nliquido\n:4\n"},
		{[]string{"normalize", "--from", ""}, "query\nnotification\ninitiation\n:4\n"},
		{[]string{"statuses", "--output", ""}, "text\njson\n:4\n"},
		{[]string{"run", "--config", ""}, "yaml\nyml\n:8\n"}, // files with these endings
		{[]string{"normalize", ""}, ":0\n"},                  // files
		{[]string{"demo", ""}, ":4\n"},                       // nothing
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, inProcess(t.Context(), "", append([]string{"__complete"}, tt.line...)...).stdout, "%v", tt.line)
	}
}
