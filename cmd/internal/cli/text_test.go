package cli

import (
	"bytes"
	"math"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMoneyForPeople(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]struct {
		value    int64
		exponent int
	}{
		"0.00 EUR": {0, 2}, "0.05 EUR": {5, 2}, "-0.05 EUR": {-5, 2}, "12.34 EUR": {1234, 2}, "-12.34 EUR": {-1234, 2}, "5 EUR": {5, 0}, "-5 EUR": {-5, 0},
		"1.2345 EUR": {12345, 4}, "-92233720368547758.08 EUR": {math.MinInt64, 2},
	} {
		assert.Equal(t, want, Money(m.value, "EUR", m.exponent))
	}
}

func TestATableLetsNoCellCommandTheTerminal(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{OutputText: "A     B\nx[2J  yz\n", OutputJSON: ""} {
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		table := NewTable(cmd, output, "A", "B")
		require.NoError(t, table.Row("x\x1b[2J\n", "y\tz"))
		require.NoError(t, table.Flush())
		assert.Equal(t, want, out.String())
	}
}
