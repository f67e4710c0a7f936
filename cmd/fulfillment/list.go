package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/store"
)

func ordersCommand(program *cli.Consumer) *cobra.Command {
	cmd := &cobra.Command{Use: "orders", Short: "List orders with their payments", Args: cobra.NoArgs}
	output := cli.OutputFlag(cmd)
	var state orders.State
	cli.OneOf(cmd, &state, "state", fmt.Sprintf("only orders in this state: one of %v", orders.States), orders.States...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		table := cli.NewTable(cmd, *output, "ORDER", "STATE", "PAYMENT", "PROVIDER", "STATUS", "NOTE")
		err := program.Look(cmd.Context(), func(db *store.DB) error {
			return orders.List(cmd.Context(), db, state, func(o orders.Listed) error {
				if *output == cli.OutputJSON {
					return cli.PrintJSON(cmd.OutOrStdout(), o)
				}
				for _, a := range o.Attempts {
					if err := table.Row(o.OrderID, o.State, a.PaymentID, a.Provider+" "+a.Account, a.Status, note(a)); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
		return table.Flush()
	}
	return cmd
}

func note(a orders.ListedAttempt) string {
	switch {
	case a.Held != "":
		return "held: " + a.Held
	case a.Double:
		return "double payment"
	case a.Released:
		return "released for this"
	default:
		return ""
	}
}

func actionsCommand(program *cli.Consumer) *cobra.Command {
	cmd := &cobra.Command{
		Use: "actions", Short: "List what is to be done: the outbox", Args: cobra.NoArgs,
		Long: `List what is to be done, in the order in which it was decided. Each action has a key of its own: remember the keys of those that were
carried out, and carry none out twice. --after gives the later ones.`,
	}
	output := cli.OutputFlag(cmd)
	var chosen orders.Chosen
	cli.OneOf(cmd, &chosen.Kind, "kind", fmt.Sprintf("only this kind: one of %v", orders.Kinds), orders.Kinds...)
	cmd.Flags().StringVar(&chosen.Order, "order", "", "only of this order")
	cmd.Flags().Int64Var(&chosen.After, "after", 0, "only actions with a larger number")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		table := cli.NewTable(cmd, *output, "NUMBER", "ACTION", "ORDER", "PAYMENT", "PROVIDER", "REASON", "AMOUNT", "DECIDED")
		err := program.Look(cmd.Context(), func(db *store.DB) error {
			return orders.Actions(cmd.Context(), db, chosen, func(a orders.ListedAction) error {
				if *output == cli.OutputJSON {
					return cli.PrintJSON(cmd.OutOrStdout(), a)
				}
				amount := ""
				if a.Amount != nil {
					amount = cli.Money(a.Amount.Value, a.Amount.Currency, a.Amount.Exponent)
				}
				return table.Row(a.Number, a.Kind, a.OrderID, a.PaymentID, a.Provider+" "+a.Account, a.Reason, amount, a.DecidedAt.UTC().Format(time.RFC3339))
			})
		})
		if err != nil {
			return err
		}
		return table.Flush()
	}
	return cmd
}
