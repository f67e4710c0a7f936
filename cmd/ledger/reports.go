package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/cmd/ledger/book"
)

func balanceCommand(program *cli.Consumer) *cobra.Command {
	cmd := &cobra.Command{
		Use: "balance", Short: "Print the trial balance; exit 1 if it does not balance", Args: cobra.NoArgs,
		Long: `Print what stands on each account, and the sum of debits and credits in each unit: a currency with the number of decimals that the
provider counts it with. Exit 1 if the sums differ, or if the lines of any transaction do not add up to zero.`,
	}
	output := cli.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return program.Look(cmd.Context(), func(db *store.DB) error {
			b, err := book.TrialBalance(cmd.Context(), db)
			if err != nil {
				return err
			}
			if *output == cli.OutputJSON {
				err = cli.PrintJSON(cmd.OutOrStdout(), b)
			} else {
				err = printBalance(cmd, b)
			}
			if err == nil && !b.Balanced() {
				err = errors.New("the books do not balance")
			}
			return err
		})
	}
	return cmd
}

func printBalance(cmd *cobra.Command, b book.Balance) error {
	table := cli.NewTable(cmd, cli.OutputText, "ACCOUNT", "DEBITS", "CREDITS", "BALANCE")
	for _, a := range b.Accounts {
		money := func(value int64) string { return cli.Money(value, a.Currency, a.Exponent) }
		if err := table.Row(a.Account, money(a.Debits), money(a.Credits), money(a.Balance)); err != nil {
			return err
		}
	}
	for _, t := range b.Totals {
		money := func(value int64) string { return cli.Money(value, t.Currency, t.Exponent) }
		if err := table.Row("TOTAL", money(t.Debits), money(t.Credits), money(t.Debits-t.Credits)); err != nil {
			return err
		}
	}
	for _, id := range b.Unbalanced {
		cmd.PrintErrln("not balanced: transaction", id)
	}
	return table.Flush()
}

func entriesCommand(program *cli.Consumer) *cobra.Command {
	cmd := &cobra.Command{Use: "entries [PAYMENT_ID]", Short: "List what was posted, of one payment or of all", Args: cobra.MaximumNArgs(1)}
	output := cli.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		payment := ""
		if len(args) == 1 {
			payment = args[0]
		}
		table := cli.NewTable(cmd, *output, "NUMBER", "OBSERVED", "PAYMENT", "STATUS", "PART", "ACCOUNT", "DEBIT", "CREDIT")
		err := program.Look(cmd.Context(), func(db *store.DB) error {
			return book.Entries(cmd.Context(), db, payment, func(e book.Entry) error {
				if *output == cli.OutputJSON {
					return cli.PrintJSON(cmd.OutOrStdout(), e)
				}
				debit, credit := cli.Money(e.Amount, e.Currency, e.Exponent), ""
				if e.Amount < 0 {
					debit, credit = "", cli.Money(-e.Amount, e.Currency, e.Exponent)
				}
				return table.Row(e.Number, e.ObservedAt.UTC().Format(time.RFC3339), e.PaymentID, e.Status, e.Part, e.Account, debit, credit)
			})
		})
		if err != nil {
			return err
		}
		return table.Flush()
	}
	return cmd
}

func questionsCommand(program *cli.Consumer) *cobra.Command {
	cmd := &cobra.Command{
		Use: "questions", Short: "List payments whose events leave open what to post", Args: cobra.NoArgs,
		Long: `List payments whose events leave open what to post, such as a refund without a sum. A person or a provider's statement has to answer;
a later event that answers takes the payment off the list.`,
	}
	output := cli.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		table := cli.NewTable(cmd, *output, "PAYMENT", "PROVIDER", "STATUS", "QUESTION")
		err := program.Look(cmd.Context(), func(db *store.DB) error {
			return book.Questions(cmd.Context(), db, func(o book.Open) error {
				if *output == cli.OutputJSON {
					return cli.PrintJSON(cmd.OutOrStdout(), o)
				}
				return table.Row(o.PaymentID, o.Provider+" "+o.Account, o.Status, o.Question)
			})
		})
		if err != nil {
			return err
		}
		return table.Flush()
	}
	return cmd
}
