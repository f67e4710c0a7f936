package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	s := r.Settings
	var b strings.Builder
	fmt.Fprintf(&b, "%s messages of %s keys in %d partitions, %s in flight, a provider that takes %g to %g ms, %s broker; medians of %d rounds\n",
		grouped(s.Messages), grouped(s.Keys), s.Partitions, grouped(s.InFlight), s.ProviderMin, s.ProviderMax, s.Broker, s.Rounds)
	fmt.Fprintf(&b, "%d CPUs, %s, %s", r.System.CPUs, r.System.OS, r.System.Go)
	if r.System.LoadAverage != "" {
		fmt.Fprintf(&b, ", load average before %s", r.System.LoadAverage)
	}
	b.WriteString("\n\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\tmsg/s\tratio\tCPU/msg\tratio\tbroker\tprovider\tpeak RSS\tratio\tGC\tadded p50\tp99\tat msg/s\t")
	for _, c := range r.Contenders {
		row := []string{
			c.Contender, grouped(int(c.Throughput)), ratio(c.Ratios, func(r Ratios) float64 { return r.Throughput }),
			micros(c.CPU), ratio(c.Ratios, func(r Ratios) float64 { return r.CPU }), micros(c.BrokerCPU), micros(c.ProviderCPU),
			fmt.Sprintf("%d MB", c.PeakRSS/1e6), ratio(c.Ratios, func(r Ratios) float64 { return r.PeakRSS }), fmt.Sprintf("%.0f %%", 100*c.GC),
		}
		if c.Latency != nil {
			row = append(row, fmt.Sprintf("%.0f ms", c.Latency.P50), fmt.Sprintf("%.0f ms", c.Latency.P99), grouped(int(c.HalfLoad)))
		} else {
			row = append(row, "", "", "")
		}
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t")+"\t")
	}
	_ = table.Flush() // into memory
	b.WriteString(r.checksText())
	_, err := io.WriteString(w, b.String())
	return err
}

// checksText says what was found when the answers were read back.
func (r *Report) checksText() string {
	messages, all := 0, Checks{}
	disordered := 0 // by the bare loop, which promises nothing else
	for _, run := range r.Runs {
		messages += run.Messages
		all.Missing += run.Checks.Missing
		all.Repeated += run.Checks.Repeated
		all.Uncommitted += run.Checks.Uncommitted
		if run.Contender == NameBare {
			disordered += run.Checks.OutOfOrder
		} else {
			all.OutOfOrder += run.Checks.OutOfOrder
		}
	}
	return fmt.Sprintf("\nOf %s messages %d have no answer, %d more than one; "+
		"%d answers are out of order (and %d of the bare loop), %d records not committed.\n",
		grouped(messages), all.Missing, all.Repeated, all.OutOfOrder, disordered, all.Uncommitted)
}

func ratio(r *Ratios, of func(Ratios) float64) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%.2f", of(*r))
}

func micros(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f µs", v)
}

// grouped writes 20000 as 20,000.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// ProgressTo writes progress: on a terminal a line that changes, else a line for each run that ended.
func ProgressTo(w io.Writer, terminal bool) func(Progress) {
	return func(p Progress) {
		what := fmt.Sprintf("%s, round %d of %d", p.Contender, p.Round, p.Rounds)
		if p.Round == 0 {
			what = p.Contender + " at half load"
		}
		begin, end := "", "\n"
		if terminal {
			begin, end = "\r\x1b[K", ""
		}
		switch {
		case p.Run != nil && p.Run.Latency != nil:
			_, _ = fmt.Fprintf(w, "%s%s: %s messages, adds %.0f ms (p50), %.0f ms (p99)\n",
				begin, what, grouped(p.Messages), p.Run.Latency.P50, p.Run.Latency.P99)
		case p.Run != nil:
			_, _ = fmt.Fprintf(w, "%s%s: %s messages, %s/s\n", begin, what, grouped(p.Messages), grouped(int(p.Run.Throughput)))
		case terminal:
			_, _ = fmt.Fprintf(w, "%s%s: %s of %s%s", begin, what, grouped(p.Done), grouped(p.Messages), end)
		}
	}
}
