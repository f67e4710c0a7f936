// Command paystatus tells a company what became of each of its payments.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitFailed = 1 // it could not be done; the reason is on stderr
	exitMisuse = 2 // the command line is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "paystatus:", err)
		stop()
		os.Exit(exitCode(err)) //nolint:gocritic // stop was called
	}
}

// misuse is an error of the command line.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

func exitCode(err error) int {
	var m misuse
	if errors.As(err, &m) {
		return exitMisuse
	}
	return exitFailed
}

// root is the command line.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "paystatus",
		Short:         "Reliably tells what became of each payment, whichever provider it went through",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(runCommand(), demoCommand(), queryCommand(), normalizeCommand(), statusesCommand(), configCommand(), topicsCommand(),
		sandboxCommand(), brokerCommand(), versionCommand(), scheduleCommand())
	strict(cmd)
	return cmd
}

// strict makes wrong flags and arguments of every command a misuse.
func strict(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	if args := cmd.Args; args != nil {
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
