package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
)

// Table prints rows in columns.
type Table struct{ w *tabwriter.Writer }

// NewTable makes a table with these titles; nothing of it is printed where the output is JSON.
func NewTable(cmd *cobra.Command, output string, titles ...string) *Table {
	to := cmd.OutOrStdout()
	if output == OutputJSON {
		to = io.Discard
	}
	t := &Table{tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)}
	_ = t.line(titles) // kept until Flush
	return t
}

// Row adds a row. What cannot be seen in a cell is left out, so that no text of somebody else's commands the terminal.
func (t *Table) Row(cells ...any) error {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, fmt.Sprint(c))
	}
	return t.line(texts)
}

func (t *Table) line(cells []string) error {
	if _, err := fmt.Fprintln(t.w, strings.Join(cells, "\t")); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Flush prints the table.
func (t *Table) Flush() error {
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Money is an amount for people: in whole units, with as many decimals as its unit has.
func Money(value int64, currency string, exponent int) string {
	sign, magnitude := "", uint64(value) //nolint:gosec // a negative one wraps around, and back below
	if value < 0 {
		sign, magnitude = "-", -magnitude
	}
	digits := fmt.Sprintf("%0*d", exponent+1, magnitude)
	if exponent > 0 {
		digits = digits[:len(digits)-exponent] + "." + digits[len(digits)-exponent:]
	}
	return sign + digits + " " + currency
}
