package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline"
)

func topicsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "topics", Short: "Create or check the Kafka topics"}
	cmd.AddCommand(topicsCreateCommand(), topicsCheckCommand())
	return cmd
}

func topicsCreateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "create", Short: "Create the topics that are missing", Args: cobra.NoArgs}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	dry := cmd.Flags().Bool("dry-run", false, "only say which would be created")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		create := pipeline.CreateTopics
		if *dry {
			create = pipeline.MissingTopics
		}
		names, err := create(cmd.Context(), b.client, b.topics)
		for _, name := range names {
			if *output == cli.OutputJSON {
				err = errors.Join(err, cli.PrintJSON(cmd.OutOrStdout(), map[string]any{"topic": name, "created": !*dry}))
				continue
			}
			word := "created"
			if *dry {
				word = "missing"
			}
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", word, name)
		}
		if err == nil && len(names) == 0 && *output == cli.OutputText {
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), "all topics are there")
		}
		return err
	}
	return cmd
}

func topicsCheckCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "check", Short: "Say what is wrong with the topics", Args: cobra.NoArgs}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		problems, err := pipeline.CheckTopics(cmd.Context(), b.client, b.topics)
		for _, p := range problems {
			if *output == cli.OutputJSON {
				err = errors.Join(err, cli.PrintJSON(cmd.OutOrStdout(), map[string]string{"problem": p}))
				continue
			}
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), p)
		}
		switch {
		case err != nil:
			return err
		case len(problems) > 0:
			return fmt.Errorf("the topics are not as they must be (%d problems); `paystatus topics create` creates what is missing", len(problems))
		case *output == cli.OutputText:
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), "the topics are as they must be")
		}
		return nil
	}
	return cmd
}
