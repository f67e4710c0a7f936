package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// vocabulary is what `statuses` prints.
type vocabulary struct {
	Statuses    []schemas.StatusInfo       `json:"statuses"`
	Transitions []schemas.Transition       `json:"transitions"`
	Mappings    map[string][]providers.Row `json:"mappings"`
}

func statusesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "statuses", Short: "Print the statuses, their transitions and each provider's decision table", Args: cobra.NoArgs}
	output := cli.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := vocabulary{Statuses: schemas.Statuses, Transitions: schemas.Transitions(), Mappings: map[string][]providers.Row{}}
		for _, name := range pipeline.ProviderNames() {
			provider, err := pipeline.Reader(name)
			if err != nil {
				return err
			}
			v.Mappings[name] = provider.Mapping()
		}
		if *output == cli.OutputJSON {
			return cli.PrintJSON(cmd.OutOrStdout(), v)
		}
		return printVocabulary(cmd, v)
	}
	return cmd
}

func printVocabulary(cmd *cobra.Command, v vocabulary) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("STATUS\tFINAL\tFUNDS\tMEANING")
	for _, s := range v.Statuses {
		line("%s\t%v\t%s\t%s", s.Status, s.Final, s.Funds, s.Meaning)
	}
	line("\nFROM\tTO")
	for _, s := range v.Statuses {
		var to []string
		for _, move := range v.Transitions {
			if move.From == s.Status {
				to = append(to, string(move.To))
			}
		}
		if len(to) > 0 {
			line("%s\t%s", s.Status, strings.Join(to, ", "))
		}
	}
	for _, name := range pipeline.ProviderNames() {
		line("\n%s SAYS\tWHEN\tSTATUS", name)
		for _, row := range v.Mappings[name] {
			line("%s\t%s\t%s", row.Value, row.Condition, row.Status)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
