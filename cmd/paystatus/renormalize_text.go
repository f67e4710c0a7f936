package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/renormalize"
)

// renormalizeDocument is the sum of a renormalization, for programs.
type renormalizeDocument struct {
	Records int64                `json:"records"`
	Events  int64                `json:"events"`
	Foreign int64                `json:"foreign"`
	Differs int64                `json:"differs"`
	Last    int64                `json:"last"`
	Emitted *renormalize.Emitted `json:"emitted"`
}

func (f *renormalizeFlags) printRows(cmd *cobra.Command, r *renormalize.Report) error {
	out := cmd.OutOrStdout()
	if f.output == cli.OutputJSON {
		for _, row := range r.Rows {
			if err := cli.PrintJSON(out, row); err != nil {
				return err
			}
		}
		return nil
	}
	if len(r.Rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "PROVIDER\tFINDING\tEVENTS\tLAST\tCHANGE\tEXAMPLES\n")
	for _, row := range r.Rows {
		last := ""
		if row.Finding == renormalize.Differs {
			last = strconv.FormatInt(row.Last, 10)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n",
			dash(deadletters.Plain(row.Provider, nil)), row.Finding, row.Events, last, dash(row.Change()), dash(exampleWords(row.Examples)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

// shownExamples is how many examples a line of the table has.
const shownExamples = 3

func exampleWords(examples []renormalize.Example) string {
	var words []string
	for _, e := range examples[:min(len(examples), shownExamples)] {
		word := deadletters.Plain(e.PaymentID, []string{e.PaymentID}) + " at " + e.At
		if e.OldSums != nil && e.NewSums != nil {
			word += fmt.Sprintf(" (authorized/captured/refunded %d/%d/%d → %d/%d/%d)", e.OldSums.Authorized, e.OldSums.Captured, e.OldSums.Refunded,
				e.NewSums.Authorized, e.NewSums.Captured, e.NewSums.Refunded)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func (f *renormalizeFlags) printSum(cmd *cobra.Command, r *renormalize.Report, sum *renormalize.Emitted) error {
	differs, last := r.Differences()
	out := cmd.OutOrStdout()
	if f.output == cli.OutputJSON {
		return cli.PrintJSON(out, renormalizeDocument{r.Records, r.Events, r.Foreign, differs, last, sum})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Read %d records of %s: %d status events, of which %d differ; %d of these are the last of their payments.\n",
		r.Records, f.what, r.Events, differs, last)
	switch {
	case sum != nil:
		fmt.Fprintf(&b, "%s: %d corrections were due, %d asked for", sum.ReplayID, sum.Due, sum.Asked)
		for _, what := range slices.Sorted(maps.Keys(sum.Outcomes)) {
			fmt.Fprintf(&b, ", %d %s", sum.Outcomes[what], deadletters.Plain(what, nil))
		}
		if sum.Before > 0 {
			fmt.Fprintf(&b, "; %d were done before", sum.Before)
		}
		if sum.Superseded > 0 {
			fmt.Fprintf(&b, "; of %d something else was said since", sum.Superseded)
		}
		if sum.Waiting > 0 {
			fmt.Fprintf(&b, "; %d have come to no outcome yet", sum.Waiting)
		}
		b.WriteString(".\n")
	case last > 0:
		b.WriteString("Nothing was written; --emit has these corrected.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
