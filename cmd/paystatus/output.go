package main

import (
	"encoding/json"
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
	complete(cmd, "output", outputText, outputJSON)
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
	path := cmd.Flags().StringP("config", "c", "", "the configuration file (YAML); without one, the environment alone")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	return path
}

// complete names the values of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// loadConfig reads the configuration; the error names everything that is wrong with it.
func loadConfig(path string) (*config.Config, error) {
	c, problems := config.Load(path, os.Environ(), pipeline.Providers)
	return c, config.Err(problems)
}

// logger writes logs to stderr, as the configuration wants them.
func logger(c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // the configuration was checked
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: readableDurations}
	text := c.Format == config.FormatText || c.Format == config.FormatAuto && term.IsTerminal(int(os.Stderr.Fd()))
	if text {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

// readableDurations writes "1.5s" in JSON, too, where slog writes nanoseconds.
func readableDurations(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
