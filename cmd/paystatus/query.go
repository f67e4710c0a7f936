package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/providers"
)

func queryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "query --payment FILE --config FILE",
		Short: "Ask the provider about one payment, once, and print what it says",
		Long: `Make one check of a payment, as the service would make it, and print the data of the status event that the answer makes, or why
it makes none. Nothing is written to Kafka.`,
		Args: cobra.NoArgs,
	}
	path, output, file := configFlag(cmd), cli.OutputFlag(cmd), paymentFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *file == "" {
			return cli.Misuse(errors.New("--payment is missing"))
		}
		event, err := readEvent(cmd, *file)
		if err != nil {
			return err
		}
		c, err := loadConfig(*path)
		if err != nil {
			return err
		}
		connected, err := pipeline.Connect(c, nil)
		if err != nil {
			return err
		}
		provider := connected[event.Provider]
		if provider == nil {
			return fmt.Errorf("provider %s is not configured: add it below providers", event.Provider)
		}
		payment, err := identify(provider, event, *file)
		if err != nil {
			return err
		}
		if err := knows(provider, payment.Account); err != nil {
			return err
		}
		answer, outcome, err := providers.Check(cmd.Context(), provider, payment)
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		return printDocument(cmd, providers.Describe(provider, answer, outcome, payment, ""), *output)
	}
	return cmd
}
