package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
)

// The formats of results.
const (
	outputText = "text"
	outputJSON = "json"
)

// outputFlag adds --output.
func outputFlag(cmd *cobra.Command) *string {
	output := cmd.Flags().StringP("output", "o", outputText, "text for people, json for programs: one document a line")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *output != outputText && *output != outputJSON {
			return misuse{fmt.Errorf("--output is text or json, not %q", *output)}
		}
		return nil
	}
	return output
}

// printJSON writes one document as a line.
func printJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// configFlag adds --config.
func configFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("config", "c", "", "the configuration file (YAML); without one, the environment alone")
}

// loadConfig reads the configuration; the error names everything that is wrong with it.
func loadConfig(path string) (*config.Config, error) {
	c, problems := config.Load(path, os.Environ(), pipeline.Providers)
	if err := config.Err(problems); err != nil {
		return nil, errors.Join(errors.New("the configuration is not right:"), err)
	}
	return c, nil
}

// logger writes logs to stderr, as the configuration wants them.
func logger(c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // the configuration was checked
	options := &slog.HandlerOptions{Level: level}
	text := c.Format == config.FormatText || c.Format == config.FormatAuto && term.IsTerminal(int(os.Stderr.Fd()))
	if text {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}
