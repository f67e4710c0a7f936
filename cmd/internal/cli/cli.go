// Package cli is what the command lines of this repository have in common: exit codes, the error of a misuse, the formats of results, and
// how a consumer is told where to read and where to keep its state.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	ExitFailed = 1 // it could not be done; the reason is on stderr
	ExitMisuse = 2 // the command line is wrong
)

// Main runs a program's command line and gives its exit code. A first SIGINT or SIGTERM ends the command's context, a second the process,
// with the exit code that shells give to that signal.
func Main(root *cobra.Command) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		// The second is not left to its default action: a process that a script started in the background ignores SIGINT.
		if n, ok := (<-signals).(syscall.Signal); ok {
			os.Exit(128 + int(n))
		}
	}()
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := ExitCode(err)
	cmd.PrintErrln(root.Name()+":", err)
	if code == ExitMisuse {
		cmd.PrintErrf("See '%s --help'.\n", cmd.CommandPath())
	}
	return code
}

// ExitCode is that of a command that ended with an error.
func ExitCode(err error) int {
	switch _, wrong := errors.AsType[misuse](err); {
	case err == nil:
		return 0
	case wrong:
		return ExitMisuse
	default:
		return ExitFailed
	}
}

// misuse is an error of the command line.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// Misuse makes an error one of the command line; nil stays nil.
func Misuse(err error) error {
	if err == nil {
		return nil
	}
	return misuse{err}
}

// Strict makes wrong flags, arguments and commands a misuse, everywhere, and errors the business of Main.
func Strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = func(_ *cobra.Command, args []string) error { return knownCommand(root, args) }
	}
	root.InitDefaultCompletionCmd()
	strict(root)
}

func strict(cmd *cobra.Command) {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if wrong, ours := errors.AsType[misuse](err); ours {
			return wrong // in words of its own
		}
		return misuse{err}
	})
	args := cmd.Args
	if cmd.HasSubCommands() {
		args = noSuchCommand
		if cmd.HasParent() {
			cmd.RunE = whichCommand
		}
	}
	if args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error { return Misuse(args(cmd, given)) }
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// knownCommand refuses help about a command that does not exist.
func knownCommand(root *cobra.Command, args []string) error {
	about, left, err := root.Find(args)
	if err != nil || len(left) > 0 {
		return noSuchCommand(about, append(left, args...))
	}
	return nil
}

// noSuchCommand refuses what stands where the name of a command belongs.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0])
	if alike := cmd.SuggestionsFor(args[0]); len(alike) > 0 {
		text += "; did you mean " + strings.Join(alike, " or ") + "?"
	}
	return errors.New(text)
}

// whichCommand is what a group of commands does by itself.
func whichCommand(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return misuse{fmt.Errorf("%q needs a command: %s", cmd.CommandPath(), strings.Join(names, " or "))}
}

// The formats of results.
const (
	OutputText = "text"
	OutputJSON = "json"
)

// OutputFlag adds --output.
func OutputFlag(cmd *cobra.Command) *string {
	output := OutputText
	oneOf(cmd, &output, "output", "o", "text for people, json for programs: one document a line", []string{OutputText, OutputJSON})
	return &output
}

// Complete names the values of a flag to the shell.
func Complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// PrintJSON writes one document as a line.
func PrintJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
