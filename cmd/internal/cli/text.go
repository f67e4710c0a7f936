package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Table prints rows in columns; the title stands above the first one.
type Table struct {
	w     *tabwriter.Writer
	title []string
}

// NewTable makes a table with these titles.
func NewTable(out io.Writer, title ...string) *Table {
	return &Table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), title}
}

// Row adds a row. What cannot be seen in a cell is left out, so that no text of somebody else's commands the terminal.
func (t *Table) Row(cells ...any) error {
	if t.title != nil {
		title := t.title
		t.title = nil
		if err := t.line(title); err != nil {
			return err
		}
	}
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
