package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/schemas"
)

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show everything at once: embedded broker, simulated providers, payments with different fates",
		Long: `Start an embedded broker, simulators of the four providers and the pipeline, send payments with different fates through them,
show each status event as it happens, and end when every payment has ended.`,
		Args: cobra.NoArgs,
	}
	output := outputFlag(cmd)
	payments := cmd.Flags().Int("payments", 12, "how many payments")
	keep := cmd.Flags().Bool("keep", false, "go on running afterwards")
	verbose := cmd.Flags().Bool("verbose", false, "show the logs")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *payments < 1 {
			return misuse{errors.New("--payments must be at least 1")}
		}
		log := slog.New(slog.DiscardHandler)
		if *verbose {
			log = slog.New(slog.NewTextHandler(os.Stderr, nil))
		}
		var viewer demo.Viewer = &table{out: cmd.OutOrStdout(), keep: *keep, last: map[schemas.Status]int{}}
		if *output == outputJSON {
			viewer = lines{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
		}
		return demo.Run(cmd.Context(), demo.Options{Payments: *payments, Keep: *keep, Viewer: viewer, Log: log})
	}
	return cmd
}

// table shows each event as a row.
type table struct {
	out  io.Writer
	keep bool
	last map[schemas.Status]int // how many payments ended there
	none int                    // and how many unresolved
	rows int
}

const row = "%-10s  %-8s  %-18s  %-5s  %-9s  %5s  %s\n"

// Started is part of demo.Viewer.
func (t *table) Started(brokers []string, sandbox string, payments int) {
	_, _ = fmt.Fprintf(t.out, "Kafka (embedded) on %s, simulated providers on %s, %d payments on their way.\n\n", strings.Join(brokers, ","), sandbox, payments)
	_, _ = fmt.Fprintf(t.out, row, "PAYMENT", "PROVIDER", "STATUS", "FINAL", "FUNDS", "AGE", "THE PROVIDER SAID")
}

// Seen is part of demo.Viewer.
func (t *table) Seen(record kafka.Record, age time.Duration) error {
	var c schemas.Change
	if err := json.Unmarshal(record.Value, &c); err != nil {
		return fmt.Errorf("read a status event: %w", err)
	}
	status, words := string(c.Status), word(c.ProviderStatus)
	unresolved := headerOf(record, "ce_type") == schemas.TypeStatusUnresolved
	if unresolved {
		status, words = "unresolved", "("+c.Reason.Code+") "+c.Reason.Message
	}
	final := ""
	if c.Final {
		final = "yes"
		if unresolved {
			t.none++
		} else {
			t.last[c.Status]++
		}
	}
	t.rows++
	_, err := fmt.Fprintf(t.out, row, c.PaymentID, c.Provider, status, final, c.Funds, fmt.Sprintf("%.1fs", age.Seconds()), words)
	return err
}

// word is the provider's own word for the status.
func word(said map[string]any) string {
	for _, name := range []string{"status", "payment_status", "last_event", "transfer_status"} {
		if w, ok := said[name].(string); ok {
			return w
		}
	}
	return ""
}

// Ended is part of demo.Viewer.
func (t *table) Ended(payments int, took time.Duration) {
	var parts []string
	for _, s := range schemas.Statuses {
		if n := t.last[s.Status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.Status))
		}
	}
	if t.none > 0 {
		parts = append(parts, fmt.Sprintf("%d unresolved", t.none))
	}
	_, _ = fmt.Fprintf(t.out, "\nAll %d payments ended after %.1f s with %d events: %s.\n", payments, took.Seconds(), t.rows, strings.Join(parts, ", "))
	if t.keep {
		_, _ = fmt.Fprintln(t.out, "Still running; stop with Ctrl-C.")
	}
}

// lines prints each event as a structured CloudEvent.
type lines struct{ out, err io.Writer }

// Started is part of demo.Viewer.
func (l lines) Started(brokers []string, sandbox string, payments int) {
	_, _ = fmt.Fprintf(l.err, "kafka %s, sandbox %s, %d payments\n", strings.Join(brokers, ","), sandbox, payments)
}

// Seen is part of demo.Viewer.
func (l lines) Seen(record kafka.Record, _ time.Duration) error {
	event, err := structured(record)
	if err != nil {
		return err
	}
	return printJSON(l.out, event)
}

// Ended is part of demo.Viewer.
func (l lines) Ended(payments int, took time.Duration) {
	_, _ = fmt.Fprintf(l.err, "all %d payments ended after %.1f s\n", payments, took.Seconds())
}

// structured makes a structured CloudEvent of a binary one.
func structured(record kafka.Record) (cloudevents.Event, error) {
	e := cloudevents.New()
	for _, h := range record.Headers {
		value := string(h.Value)
		switch h.Key {
		case "ce_id":
			e.SetID(value)
		case "ce_type":
			e.SetType(value)
		case "ce_source":
			e.SetSource(value)
		case "ce_subject":
			e.SetSubject(value)
		case "ce_dataschema":
			e.SetDataSchema(value)
		case "ce_time":
			at, err := time.Parse(time.RFC3339Nano, value)
			if err != nil {
				return e, fmt.Errorf("ce_time: %w", err)
			}
			e.SetTime(at)
		}
	}
	e.SetDataContentType("application/json")
	e.DataEncoded = record.Value
	if err := e.Validate(); err != nil {
		return e, fmt.Errorf("the event is no CloudEvent: %w", err)
	}
	return e, nil
}

func headerOf(record kafka.Record, name string) string {
	for _, h := range record.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
