// Command paystatus tells a company what became of each of its payments.
package main

import (
	"log" //nolint:depguard // to silence it
	"os"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
)

func main() {
	log.SetOutput(standardLog{os.Stderr})
	os.Exit(cli.Main(root()))
}

// root is the command line.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "paystatus",
		Short:   "Reliably tells what became of each payment, whichever provider it went through",
		Version: versionText(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	cmd.AddCommand(runCommand(), demoCommand(), queryCommand(), normalizeCommand(), statusesCommand(), configCommand(), topicsCommand(),
		sandboxCommand(), brokerCommand(), versionCommand(), scheduleCommand(), deadLettersCommand(), benchCommand(), benchPartCommand(), notifyCommand(),
		exportCommand(), importCommand(), backfillCommand(), whyCommand(), renormalizeCommand())
	cli.Strict(cmd)
	return cmd
}
