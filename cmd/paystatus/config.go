package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	check := &cobra.Command{
		Use:   "check",
		Short: "Name everything that is wrong with the configuration, then print what is in effect, secrets masked",
		Args:  cobra.NoArgs,
	}
	path := configFlag(check)
	check.RunE = func(cmd *cobra.Command, _ []string) error {
		c, problems := config.Load(*path, os.Environ(), pipeline.Providers)
		for _, p := range problems {
			if _, err := fmt.Fprintln(cmd.ErrOrStderr(), p); err != nil {
				return err
			}
		}
		if c != nil {
			text, err := c.Effective()
			if err != nil {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(text); err != nil {
				return err
			}
		}
		switch len(problems) {
		case 0:
			if err := pipeline.Servable(c); err != nil {
				cmd.PrintErrln("Nothing is wrong, but `paystatus run` would not start:", err)
			}
			return nil
		case 1:
			return errors.New("the configuration is wrong in one place, named above")
		default:
			return fmt.Errorf("the configuration is wrong in %d places, named above", len(problems))
		}
	}
	cmd.AddCommand(check)
	return cmd
}
