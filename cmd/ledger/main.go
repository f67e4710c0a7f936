// Command ledger keeps double-entry books of what becomes of payments: a reference consumer of status events, to be read, run and copied.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/consumer"
	"github.com/paystatus/paystatus/cmd/ledger/book"
)

func main() { os.Exit(cli.Main(root())) }

// root is the command line.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   book.Name,
		Short: "Keeps double-entry books of what becomes of payments",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	program := &cli.Consumer{Name: book.Name, Migrations: book.Migrations}
	program.DatabaseFlag(cmd)
	run := program.RunCommand("Consume status events and post what they come to",
		`Consume status events and post what they come to: the difference between where a payment stands and what is posted of it. A correction takes
back what was posted, line by line, and posts anew. Every transaction adds up to zero in every currency, which the database checks, too.`,
		func(*cobra.Command) (consumer.Effect, error) { return book.Effect, nil })
	cmd.AddCommand(run, balanceCommand(program), entriesCommand(program), questionsCommand(program), program.RefusedCommand())
	cli.Strict(cmd)
	return cmd
}
