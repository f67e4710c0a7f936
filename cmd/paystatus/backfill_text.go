package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// kindTable tells what the kinds of difference mean, for --help.
func kindTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range backfill.Kinds {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", k.Kind, k.Meaning)
	}
	_ = w.Flush()
	return b.String()
}

// wrapped is a list of words in a line of its own.
func wrapped(words []string) string { return "  " + strings.Join(words, ", ") }

// flagsOf are the flags that mean a range whenever they are given: who goes on with a backfill names them.
func flagsOf(s *snapshot.Snapshot) string {
	flags := "--offsets " + s.Spans.String()
	if !s.Since.IsZero() {
		flags += " --since " + s.Since.UTC().Format(time.RFC3339Nano)
	}
	if !s.Until.IsZero() {
		flags += " --until " + s.Until.UTC().Format(time.RFC3339Nano)
	}
	return flags
}

// paceWords are the rate and the rest of what is under way.
func paceWords(p backfill.Progress) string {
	words := "no outcome yet"
	if p.Rate > 0 {
		words = fmt.Sprintf("%.1f a second, %s left", p.Rate, p.Left)
	}
	if p.Underway > 0 {
		words += fmt.Sprintf(", %d on their way", p.Underway)
	}
	return words
}

// printSources says what was read, and what of it makes no payment.
func printSources(w io.Writer, p *backfill.Payments) error {
	var b strings.Builder
	c := p.Counts()
	fmt.Fprintf(&b, "%d initiated events and %d emitted events read\n", c.Records, c.Events)
	note := func(n int64, what string) {
		if n > 0 {
			fmt.Fprintf(&b, "left out: %d %s\n", n, what)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(c.Refused)) {
		note(c.Refused[code], "that intake refuses, too: "+string(code))
	}
	note(c.Conflicts, "that contradict an earlier one of their payment")
	note(c.Ignored, "of another type")
	note(c.Gone, "that the topic no longer holds")
	if missing := p.Missing(); len(missing) > 0 {
		const most = 10
		shown := deadletters.Plain(strings.Join(missing[:min(len(missing), most)], ", "), missing)
		if len(missing) > most {
			shown += ", …"
		}
		fmt.Fprintf(&b, "unknown: %d payments of the list: %s\n", len(missing), shown)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printBackfill says what a check came to.
func printBackfill(w io.Writer, s backfill.Summary, output string) error {
	if output == cli.OutputJSON {
		return cli.PrintJSON(w, map[string]any{"summary": s})
	}
	var b strings.Builder
	if s.DryRun {
		fmt.Fprintf(&b, "%d payments, of which %d were done before and %d are on their way: %d would be asked about%s.\n",
			s.Payments, s.Before, s.Resumed, s.Asked, tally(s.ByProvider))
		if s.Takes > 0 {
			fmt.Fprintf(&b, "At this rate that takes %s at least.\n", s.Takes.Round(time.Second))
		}
	} else {
		fmt.Fprintf(&b, "%d payments: %d done before, %d were on their way, %d asked about now%s.\n",
			s.Payments, s.Before, s.Resumed, s.Asked, tally(s.ByProvider))
		fmt.Fprintf(&b, "Outcomes: %d%s.\n", sumOf(s.Outcomes), tally(s.Outcomes))
		fmt.Fprintf(&b, "Statuses: %d%s.\n", sumOf(s.Statuses), tally(s.Statuses))
		fmt.Fprintf(&b, "Events emitted: %d, with the ids that they have always had.\n", s.Events)
		if s.Open > 0 {
			fmt.Fprintf(&b, "Without an outcome: %d.\n", s.Open)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func sumOf[K comparable](counts map[K]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

// tally is ", of which …" in words: " (captured 3, pending 1)".
func tally[K ~string](counts map[K]int) string {
	if len(counts) == 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// printReport says what a verify found.
func printReport(w io.Writer, r backfill.Report, output string) error {
	all := slices.Concat(r.Differences, r.Unasked)
	if output == cli.OutputJSON {
		for _, d := range all {
			if err := cli.PrintJSON(w, d); err != nil {
				return err
			}
		}
		return cli.PrintJSON(w, map[string]any{"summary": r})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(all) > 0 {
		_, _ = fmt.Fprint(t, "KIND\tPROVIDER\tACCOUNT\tPAYMENT\tLAST SAID\tTHE PROVIDER SAYS\n")
	}
	for _, d := range all {
		found := standingWords(d.Found)
		if d.Reason != nil {
			found = d.Reason.Code + ": " + d.Reason.Message
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Kind, d.Provider, d.Account,
			deadletters.Plain(d.PaymentID, []string{d.PaymentID}), standingWords(d.Said), found)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	_, err := fmt.Fprintf(w, "%d payments compared: %d agree, %d differ, %d could not be asked about%s.\n",
		r.Payments, r.Agree, len(r.Differences), len(r.Unasked), tally(r.ByKind))
	return err
}

// standingWords is what is said about a payment: "captured (final), captured 300".
func standingWords(s *backfill.Standing) string {
	if s == nil {
		return "–"
	}
	words := string(s.Status)
	if s.Final {
		words += " (final)"
	}
	sum := func(name string, n int64) {
		if n != 0 {
			words += fmt.Sprintf(", %s %d", name, n)
		}
	}
	sum("authorized", s.Sums.Authorized)
	sum("captured", s.Sums.Captured)
	sum("refunded", s.Sums.Refunded)
	if s.Dispute != nil {
		words += ", dispute " + string(s.Dispute.Outcome)
	}
	return words
}
