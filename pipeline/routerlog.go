package pipeline

import (
	"context"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
)

// routerLevels are for the Router's news about each of its handlers, which only who debugs it wants to read.
var routerLevels = map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug}

// routerLog gives the Router's news to slog. The Router has several about each message; Watermill's own adapter would gather their fields
// even where nobody reads them.
type routerLog struct {
	watermill.LoggerAdapter

	log *slog.Logger
}

// RouterLog is the log of a Router.
func RouterLog(log *slog.Logger) watermill.LoggerAdapter {
	return routerLog{watermill.NewSlogLoggerWithLevelMapping(log, routerLevels), log}
}

// Trace is part of watermill.LoggerAdapter.
func (l routerLog) Trace(msg string, fields watermill.LogFields) {
	if l.log.Enabled(context.Background(), watermill.LevelTrace) {
		l.LoggerAdapter.Trace(msg, fields)
	}
}

// With is part of watermill.LoggerAdapter.
func (l routerLog) With(fields watermill.LogFields) watermill.LoggerAdapter {
	return routerLog{l.LoggerAdapter.With(fields), l.log}
}
