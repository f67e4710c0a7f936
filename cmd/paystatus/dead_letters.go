package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
)

func deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead-letters",
		Short: "Find, understand and give back what could not go on",
		Long: `Find, understand and give back what could not go on: records that could not be read, answers that could not be used.

Each letter stands in the topic of dead letters for 30 days, with its exact bytes and a reason:

` + reasonTable() + `
A letter's name is its place there, PARTITION/OFFSET.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(deadLettersListCommand(), deadLettersShowCommand(), deadLettersRedriveCommand())
	return cmd
}

func reasonTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, code := range deadletters.ReasonCodes() {
		info, _ := deadletters.Explain(watch.Code(code))
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", code, info.Meaning)
	}
	_ = w.Flush()
	return b.String()
}

// letterFlags choose letters.
type letterFlags struct {
	deadletters.Filter

	reasons []string
	limit   int
}

func (f *letterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.reasons, "reason", nil, "only letters with this reason code; may be repeated")
	flags.StringVar(&f.Provider, "provider", "", "only letters that claim to be about this provider")
	flags.StringVar(&f.Payment, "payment", "", "only letters about this payment_id, or with this record key")
	flags.StringVar(&f.Handler, "handler", "", "only letters that this handler gave up: intake, notification, check or redriven")
	cli.Time(cmd, &f.Since, "since", "only letters given up then or later")
	cli.Time(cmd, &f.Until, "until", "only letters given up before")
	cli.AtLeast(cmd, 0, &f.limit, "limit", "so many letters at most, the oldest first; 0: all")
}

// read reads what the flags leave to be read, and the names of letters; what is wrong with them is a misuse.
func (f *letterFlags) read(args []string) error {
	var all []error
	for _, arg := range args {
		p, err := deadletters.ParsePosition(arg)
		if !slices.Contains(f.Positions, p) {
			f.Positions = append(f.Positions, p)
		}
		all = append(all, err)
	}
	var reasons error
	f.Reasons, reasons = deadletters.ParseReasons(f.reasons)
	return cli.Misuse(errors.Join(append(all, reasons)...))
}

func deadLettersListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, the oldest first, and count them by reason",
		Long: `List dead letters, the oldest first, and count them by reason. Letters that were given back are left out, but with --all.

--output json prints a line for each letter, and the counts on stderr:
  {"letter": "3/17", "failed_at": "2026-01-31T12:00:00Z", "reason": "unknown_provider", "detail": "a sentence",
   "handler": "intake", "provider": "liquido", "account": "default", "payment_id": "order-1",   as the letter claims
   "topic": "payments.initiated", "partition": "0", "offset": "8",     the record that first could not go on
   "bytes": 312, "redrive_count": 0,                                   how often it was given back before
   "redriven": null}                    or {"at": "…", "by": "who", "why": "…"}: it was given back since`,
		Args: cobra.NoArgs,
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	var flags letterFlags
	flags.add(cmd)
	cmd.Flags().BoolVar(&flags.Given, "all", false, "also letters that were given back")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := flags.read(nil); err != nil {
			return err
		}
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		snapshot, err := deadletters.Take(cmd.Context(), b.client, b.topics.DeadLetters(), flags.Since)
		if err != nil {
			return err
		}
		return list(cmd, snapshot, flags.Filter, flags.limit, *output)
	}
	return cmd
}

func list(cmd *cobra.Command, s *deadletters.Snapshot, filter deadletters.Filter, limit int, output string) error {
	out, listed := cmd.OutOrStdout(), 0
	counts, err := s.Walk(cmd.Context(), filter, func(l deadletters.Letter, _ deadletters.Counts) error {
		if limit > 0 && listed >= limit {
			return nil // counted all the same
		}
		listed++
		if output == cli.OutputJSON {
			return cli.PrintJSON(out, l.Document())
		}
		if listed == 1 {
			if _, err := fmt.Fprintf(out, letterRow, "LETTER", "GIVEN UP", "REASON", "PROVIDER", "PAYMENT", "DETAIL"); err != nil {
				return err
			}
		}
		return printRow(out, &l)
	})
	if err != nil {
		return err
	}
	if output == cli.OutputJSON {
		out = cmd.ErrOrStderr()
	}
	return printCounts(out, s, counts, listed)
}

const letterRow = "%-8s  %-20s  %-23s  %-8s  %-24s  %s\n"

func printRow(w io.Writer, l *deadletters.Letter) error {
	detail, own := l.Detail, []string{l.About.PaymentID}
	if l.Given != nil {
		detail = "(given back) " + detail
	}
	_, err := fmt.Fprintf(w, letterRow, l.Position, l.FailedAt.UTC().Format(time.RFC3339), deadletters.Plain(string(l.Reason), nil),
		dash(deadletters.Plain(l.About.Provider, nil)), dash(deadletters.Plain(l.About.PaymentID, own)), deadletters.Plain(detail, own))
	return err
}

// printCounts says what was scanned, and how many letters there are of each reason.
func printCounts(w io.Writer, s *deadletters.Snapshot, c deadletters.Counts, listed int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nScanned %d records in %d partitions of %s: %d letters, %d asked for.\n",
		c.Records, s.Partitions(), s.Topic, c.Letters, c.Chosen)
	if c.Hidden > 0 {
		fmt.Fprintf(&b, "Not listed: %d given back since; --all lists them.\n", c.Hidden)
	}
	if more := c.Chosen - c.Hidden - int64(listed); more > 0 {
		fmt.Fprintf(&b, "Not listed: %d beyond --limit.\n", more)
	}
	if len(c.ByReason) > 0 {
		b.WriteString("\n")
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprint(t, "LETTERS\tREASON\tWHAT TO DO\n")
		for _, code := range slices.Sorted(maps.Keys(c.ByReason)) {
			info, _ := deadletters.Explain(code)
			_, _ = fmt.Fprintf(t, "%d\t%s\t%s\n", c.ByReason[code], deadletters.Plain(string(code), nil), dash(info.Remedy))
		}
		_ = t.Flush()
	}
	_, err := io.WriteString(w, b.String())
	return err
}
