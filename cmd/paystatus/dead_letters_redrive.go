package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/deadletters"
)

func deadLettersRedriveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "redrive [PARTITION/OFFSET …]",
		Short: "Give dead letters back to the handler that gave them up",
		Long: `Give dead letters back to the handler that gave them up, once their cause is mended: those named, or all that the flags choose.

A letter is written to the topic of redriven letters, byte for byte, and then marked as given back in the topic of dead letters,
so that running this twice changes nothing and an interrupted run goes on where it stopped. What fails again is a new letter,
which remembers how often it was given back; --max is the end of that.

Letters of the check handler ask the provider anew; nothing is said twice under another id.

--output json prints a line for each letter: what list prints, and {…, "verdict": "given_back", "dry_run": false}; the verdict is
given_back, too_often (--max) or not_takable (no handler takes it back).`,
		Args: cobra.ArbitraryArgs,
	}
	path, output := configFlag(cmd), cli.OutputFlag(cmd)
	var flags letterFlags
	flags.add(cmd)
	r := &deadletters.Redrive{Max: deadletters.DefaultMax}
	cmd.Flags().BoolVar(&r.DryRun, "dry-run", false, "only say what would be given back")
	cli.AtLeast(cmd, 0, &r.Rate, "rate", "letters a second at most; 0: as fast as it goes")
	cli.AtLeast(cmd, 1, &r.Max, "max", "leave letters that were given back so often already")
	cmd.Flags().StringVar(&r.Why, "why", "", "why they are given back, for the record")
	cmd.Flags().StringVar(&r.By, "by", operator(), "who gives them back, for the record")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := flags.read(args); err != nil {
			return err
		}
		r.Filter, r.Limit = flags.Filter, flags.limit
		b, err := connect(*path)
		if err != nil {
			return err
		}
		defer b.close()
		return b.redrive(cmd, r, *output)
	}
	return cmd
}

// operator names who runs this command.
func operator() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

func (b *connection) redrive(cmd *cobra.Command, r *deadletters.Redrive, output string) error {
	publisher, err := b.publisher(b.topics.DeadLetters(), b.topics.Redriven())
	if err != nil {
		return err
	}
	defer func() { _ = publisher.Close() }()
	r.Publisher, r.Topic, r.Starts = publisher, b.topics.Redriven(), b.starts
	s, err := deadletters.Take(cmd.Context(), b.client, b.topics.DeadLetters(), r.Filter.Since)
	if err != nil {
		return err
	}
	bar := cli.NewProgress(cmd.ErrOrStderr(), "records read", s.Records())
	r.Progress = func(records int64, given int) { bar.At(records, fmt.Sprintf("%d letters given back", given)) }
	r.Told = func(l deadletters.Letter, v deadletters.Verdict) error {
		switch {
		case output == cli.OutputJSON:
			bar.Clear()
			return cli.PrintJSON(cmd.OutOrStdout(), verdictDocument{l.Document(), v, r.DryRun})
		case v == deadletters.GivenBack && !r.DryRun:
			return nil // the summary counts them
		}
		bar.Clear()
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%-8s  %s: %s, %s\n", l.Position, verdictWords(v, r.DryRun), deadletters.Plain(string(l.Reason), nil),
			dash(deadletters.Plain(l.About.PaymentID, []string{l.About.PaymentID})))
		return err
	}
	summary, err := r.Run(cmd.Context(), s)
	bar.Clear()
	if missing := int64(len(r.Filter.Positions)) - summary.Chosen; err == nil && missing > 0 && r.Limit == 0 {
		err = fmt.Errorf("%d of the letters named are not in %s, or not among those that the flags choose", missing, s.Topic)
	}
	out := cmd.OutOrStdout()
	if output == cli.OutputJSON {
		out = cmd.ErrOrStderr()
	}
	return errors.Join(err, printSummary(out, r, s, summary))
}

// verdictDocument is what became of a letter, for programs.
type verdictDocument struct {
	deadletters.Document

	Verdict deadletters.Verdict `json:"verdict"`
	DryRun  bool                `json:"dry_run"`
}

func verdictWords(v deadletters.Verdict, dry bool) string {
	switch {
	case v == deadletters.TooOften:
		return "left, given back too often"
	case v == deadletters.NotTakable:
		return "left, no handler takes it back"
	case dry:
		return "would be given back"
	default:
		return "given back"
	}
}

func printSummary(w io.Writer, r *deadletters.Redrive, s *deadletters.Snapshot, sum deadletters.Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Scanned %d records in %d partitions of %s: %d letters, %d asked for.\n",
		sum.Records, s.Partitions(), s.Topic, sum.Letters, sum.Chosen)
	fmt.Fprintf(&b, "%d %s.\n", sum.Verdicts[deadletters.GivenBack], verdictWords(deadletters.GivenBack, r.DryRun))
	if sum.Hidden > 0 {
		fmt.Fprintf(&b, "%d had been given back before.\n", sum.Hidden)
	}
	if n := sum.Verdicts[deadletters.TooOften]; n > 0 {
		fmt.Fprintf(&b, "%d left: given back %d times already, and they came back; --max allows more.\n", n, r.Max)
	}
	if n := sum.Verdicts[deadletters.NotTakable]; n > 0 {
		fmt.Fprintf(&b, "%d left: no handler takes them back.\n", n)
	}
	if sum.Verdicts[deadletters.GivenBack] > 0 && !r.DryRun {
		b.WriteString("What cannot go on now either becomes a letter again; `paystatus dead-letters list` shows it.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
