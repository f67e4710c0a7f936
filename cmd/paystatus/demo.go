package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/demo"
)

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show everything at once: embedded broker, simulated providers, payments with different fates",
		Long: `Start an embedded broker, simulators of the four providers and the pipeline, send payments with different fates through them,
show each status event as it happens, and end when every payment has ended. --output json prints the events themselves, each a
structured CloudEvent.

With --keep it goes on, and with --write-config other commands find it:
  paystatus demo --keep --write-config demo.yaml
  paystatus why order-0013 --config demo.yaml`,
		Args: cobra.NoArgs,
	}
	output := cli.OutputFlag(cmd)
	payments := demo.EveryFate
	cli.AtLeast(cmd, 1, &payments, "payments", "how many payments")
	keep := cmd.Flags().Bool("keep", false, "go on running afterwards, until Ctrl-C")
	config := cmd.Flags().String("write-config", "", "write the configuration to this file, for other commands: with --keep")
	verbose := cmd.Flags().Bool("verbose", false, "show the logs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *config != "" && !*keep {
			return cli.Misuse(errors.New("--write-config is of use with --keep only"))
		}
		log := slog.New(slog.DiscardHandler)
		if *verbose {
			log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
		}
		var viewer demo.Viewer = &table{out: cmd.OutOrStdout(), keep: *keep, config: *config}
		if *output == cli.OutputJSON {
			viewer = eventLines{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
		}
		return demo.Run(cmd.Context(), demo.Options{Payments: payments, Keep: *keep, Config: *config, Viewer: viewer, Log: log})
	}
	return cmd
}

// eventLines prints each event as it was written, a line each.
type eventLines struct{ out, err io.Writer }

// Started is part of demo.Viewer.
func (l eventLines) Started(broker, sandbox string, payments int) {
	_, _ = fmt.Fprintf(l.err, "Kafka (embedded) on %s, simulated providers on %s, %s.\n", broker, sandbox, counted(payments, "payment"))
}

// Seen is part of demo.Viewer.
func (l eventLines) Seen(e demo.Event) error {
	_, err := fmt.Fprintf(l.out, "%s\n", e.JSON)
	return err
}

// Ended is part of demo.Viewer.
func (l eventLines) Ended(endings []demo.Ending, events int, took time.Duration) {
	_, _ = fmt.Fprintln(l.err, ended(endings, events, took))
}

// ended says that every payment has ended.
func ended(endings []demo.Ending, events int, took time.Duration) string {
	return fmt.Sprintf("Every payment has ended: %s, %s, %.1f seconds.", counted(len(endings), "payment"), counted(events, "event"), took.Seconds())
}

// counted is a number of things: "1 payment", "14 payments".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
