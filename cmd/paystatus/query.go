package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/providers"
)

func queryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "query --payment FILE --config FILE",
		Short: "Ask the provider about one payment, once, and print what it says",
		Args:  cobra.NoArgs,
	}
	path, output := configFlag(cmd), outputFlag(cmd)
	file := cmd.Flags().String("payment", "", "a file with the initiated event's data; - for standard input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *file == "" {
			return misuse{errors.New("--payment is missing")}
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
			return fmt.Errorf("provider %q is not configured", event.Provider)
		}
		payment, err := identify(provider, event)
		if err != nil {
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
