package cli

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestProgressIsLinesWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := NewProgress(&out, "records read", 10)
	p.At(3, "1 letter")
	assert.Empty(t, out.String(), "what is quick shows none")
	p.next = p.next.Add(-progressPause)
	p.At(4, "2 letters")
	p.At(5, "3 letters")
	assert.Equal(t, "4 of 10 records read, 2 letters\n", out.String())
}
