// Command paystatus tells a company what became of each of its payments.
package main

import (
	"context"
	"errors"
	"fmt"
	"log" //nolint:depguard // to silence it
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitFailed = 1 // it could not be done; the reason is on stderr
	exitMisuse = 2 // the command line is wrong
)

func main() {
	log.SetOutput(standardLog{os.Stderr})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	cmd, err := root().ExecuteContextC(ctx)
	if err != nil {
		code := exitCode(err)
		cmd.PrintErrln("paystatus:", err)
		if code == exitMisuse {
			cmd.PrintErrf("See '%s --help'.\n", cmd.CommandPath())
		}
		os.Exit(code)
	}
}

// misuse is an error of the command line.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// exitCode is that of a command that failed.
func exitCode(err error) int {
	if _, wrong := errors.AsType[misuse](err); wrong {
		return exitMisuse
	}
	return exitFailed
}

// root is the command line.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "paystatus",
		Short:         "Reliably tells what became of each payment, whichever provider it went through",
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	cmd.AddCommand(runCommand(), demoCommand(), queryCommand(), normalizeCommand(), statusesCommand(), configCommand(), topicsCommand(),
		sandboxCommand(), brokerCommand(), versionCommand(), scheduleCommand(), deadLettersCommand(), benchCommand(), benchPartCommand(), notifyCommand(),
		exportCommand(), importCommand(), backfillCommand(), whyCommand(), renormalizeCommand())
	cmd.InitDefaultHelpCmd()
	knowsCommand(cmd)
	cmd.InitDefaultCompletionCmd()
	strict(cmd)
	return cmd
}

// strict makes wrong flags, arguments and commands a misuse, everywhere.
func strict(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	args := cmd.Args
	if cmd.HasSubCommands() {
		args = noSuchCommand
		if cmd.HasParent() {
			cmd.RunE = whichCommand
		}
	}
	if args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return misuse{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// knowsCommand lets help about a command that does not exist be a misuse.
func knowsCommand(root *cobra.Command) {
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	help.Args = func(_ *cobra.Command, args []string) error {
		about, left, err := root.Find(args)
		if err != nil || len(left) > 0 {
			return noSuchCommand(about, append(left, args...))
		}
		return nil
	}
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
