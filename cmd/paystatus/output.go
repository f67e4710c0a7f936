package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
)

// configFlag adds --config.
func configFlag(cmd *cobra.Command) *string {
	path := cmd.Flags().StringP("config", "c", "", "the configuration file (YAML); without one, the environment alone")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	return path
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
