package pipeline

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnInternalTopicThatGrowsMakesTheProcessNotReady(t *testing.T) {
	t.Parallel()
	g := &growth{log: slog.New(slog.DiscardHandler)}
	before := map[string]int{"checks": 4, "delay.1s": 4}
	g.compare(before, map[string]int{"checks": 4, "delay.1s": 4})
	assert.False(t, g.grown.Load())
	g.compare(before, map[string]int{"checks": 4, "delay.1s": 6})
	assert.True(t, g.grown.Load())
	assert.False(t, (&Pipeline{growth: g}).Ready())
}
