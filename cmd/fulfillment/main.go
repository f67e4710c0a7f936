// Command fulfillment releases orders when their payments come through: a reference consumer of status events, to be read, run and copied.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/consumer"
)

func main() { os.Exit(cli.Main(root())) }

// root is the command line.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   orders.Name,
		Short: "Releases each order once when its payment has come through, holds it when in doubt, asks it back when the money goes back",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	program := &cli.Consumer{Name: orders.Name, Migrations: orders.Migrations}
	program.DatabaseFlag(cmd)
	cmd.AddCommand(runCommand(program), ordersCommand(program), actionsCommand(program), program.RefusedCommand())
	cli.Strict(cmd)
	return cmd
}

func runCommand(program *cli.Consumer) *cobra.Command {
	var releases []string
	var orderFrom string
	cmd := program.RunCommand("Consume status events and decide about orders",
		`Consume status events and decide about orders. What is to be done goes into the outbox, which the command actions lists:

  release         send the goods: once for an order, whatever happens
  hold            send nothing, a person has to look: disputed, unknown, unresolved, a refund that the provider does not confirm
  resume          the reason for a hold or for a return is gone
  request_return  the goods went out, and the money did not come or went back
  partial_refund  part of the money went back
  double_payment  the order is paid already: refund or void this payment`,
		func(*cobra.Command) (consumer.Effect, error) {
			policy, err := orders.ParsePolicy(releases)
			if err != nil {
				return nil, cli.Misuse(err)
			}
			field, err := orders.ParseOrderFrom(orderFrom)
			if err != nil {
				return nil, cli.Misuse(err)
			}
			return orders.Fulfillment{Policy: policy, MetadataField: field}.Effect, nil
		})
	var names, defaults []string
	for _, s := range orders.Releasing {
		names = append(names, string(s))
	}
	for _, s := range orders.DefaultPolicy {
		defaults = append(defaults, string(s))
	}
	cmd.Flags().StringSliceVar(&releases, "release", defaults, "the statuses that release an order; capture_pending does where it is the provider's last word")
	cmd.Flags().StringVar(&orderFrom, "order-from", "payment_id", "what names the order: payment_id, or metadata.FIELD")
	cli.Complete(cmd, "release", names...)
	return cmd
}
