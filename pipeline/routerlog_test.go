package pipeline_test

import (
	"bytes"
	"log/slog"
	"slices"
	"testing"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/pipeline"
)

func TestTheRoutersNewsAreOneLevelLowerThanOurs(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level][]string{
		slog.LevelInfo:       {"error"},
		slog.LevelDebug:      {"error", "info", "debug"},
		watermill.LevelTrace: {"error", "info", "debug", "trace"},
	} {
		var text bytes.Buffer
		log := pipeline.RouterLog(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level}))).With(watermill.LogFields{"handler": "h"})
		log.Error("error", assert.AnError, nil)
		log.Info("info", nil)
		log.Debug("debug", nil)
		log.Trace("trace", watermill.LogFields{"uuid": 1})
		for _, word := range []string{"error", "info", "debug", "trace"} {
			assert.Equal(t, slices.Contains(want, word), bytes.Contains(text.Bytes(), []byte("msg="+word)), "%s at level %s", word, level)
		}
		assert.Contains(t, text.String(), "handler=h")
	}
}
