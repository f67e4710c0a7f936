package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

// asProgram makes the test binary the program itself, so that tests run it as users do: signals, exit codes, both outputs.
const asProgram = "TEST_BINARY_IS_PAYSTATUS"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is the program, in a directory and an environment in which nothing is configured.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "TMPDIR=" + os.TempDir()}
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// result is what came of a run.
type result struct {
	code           int
	stdout, stderr string
}

func finished(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// paystatus runs the program to its end.
func paystatus(t *testing.T, args ...string) result {
	t.Helper()
	return finished(t, program(t, args...))
}

// inProcess runs a command without a process of its own, for tests of what it prints.
func inProcess(ctx context.Context, stdin string, args ...string) result {
	cmd := root()
	var stdout, stderr bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	code := 0
	if err := cmd.ExecuteContext(ctx); err != nil {
		code = cli.ExitCode(err)
		stderr.WriteString(err.Error())
	}
	return result{code, stdout.String(), stderr.String()}
}

// town is a paystatus with one partition of each topic, around which commands are given.
type town struct{ *pipelinetest.World }

func newTown(t *testing.T) *town {
	t.Helper()
	return &town{pipelinetest.New(t, pipelinetest.Setup{Partitions: 1, Settings: "log: {level: error}\nhttp: {listen: \"127.0.0.1:0\"}\n"})}
}

// tries runs a command there.
func (n *town) tries(stdin string, args ...string) result {
	n.T.Helper()
	return inProcess(n.T.Context(), stdin, append(args, "--config", n.Path)...)
}

// runs gives what a command prints that must succeed.
func (n *town) runs(args ...string) (out, progress string) {
	n.T.Helper()
	r := n.tries("", args...)
	require.Zero(n.T, r.code, r.stderr)
	return r.stdout, r.stderr
}

// requireMisuse holds command lines to be wrong; the keys say why.
func requireMisuse(t *testing.T, command []string, lines map[string][]string) {
	t.Helper()
	for why, args := range lines {
		r := inProcess(t.Context(), "", slices.Concat(command, args)...)
		assert.Equal(t, cli.ExitMisuse, r.code, "%s: %s", why, r.stderr)
	}
}

// documented are the fields that a help text names.
func documented(help string) map[string]bool {
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`"([a-z_0-9]+)":`).FindAllStringSubmatch(help, -1) {
		names[match[1]] = true
	}
	return names
}

// fields are the JSON names in types of structs, pointers and slices.
func fields(types ...reflect.Type) map[string]bool {
	all := map[string]bool{}
	for _, t := range types {
		switch t.Kind() {
		case reflect.Slice, reflect.Pointer:
			maps.Copy(all, fields(t.Elem()))
		case reflect.Struct:
			for f := range t.Fields() {
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
					all[name] = true
				}
				maps.Copy(all, fields(f.Type))
			}
		default:
		}
	}
	return all
}

// process is a program that runs until it is told to end.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	ended          chan struct{}
	stdout, stderr *output
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return started(t, program(t, args...))
}

func started(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, ended: make(chan struct{}), stdout: &output{}, stderr: &output{}}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%v\nstdout:\n%s\nstderr:\n%s", cmd.Args[1:], p.stdout, p.stderr)
		}
	})
	return p
}

// end sends a signal and gives the exit code.
func (p *process) end(signal os.Signal) int {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(signal))
	return p.exit()
}

// exit waits for the end and gives the exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		require.Fail(p.t, "the process does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// logged waits for a log line and gives one of its attributes.
func (p *process) logged(msg, attribute string) string {
	p.t.Helper()
	found := ""
	eventually(p.t, func() bool {
		for line := range strings.Lines(p.stderr.String()) {
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == msg {
				found, _ = entry[attribute].(string)
				return true
			}
		}
		return false
	}, "the log line "+msg)
	return found
}

// patience is how long a process may take for anything, on a busy machine.
const patience = 60 * time.Second

// eventually waits for what processes do in real time.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, patience, 20*time.Millisecond, what)
}

// output is what a running process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// file writes a file and gives its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
