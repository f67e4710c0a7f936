package kafka

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
)

func TestAnOutageIsWarnedOfNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &subscription{log: slog.New(slog.NewTextHandler(&log, nil))}
		warnings := func() int { return bytes.Count(log.Bytes(), []byte("level=WARN")) }
		s.cannotJoin(t.Context(), kafkago.RebalanceInProgress)
		assert.Zero(t, warnings(), "others join, too")
		for range 60 {
			s.cannotJoin(t.Context(), errors.New("connection refused"))
			time.Sleep(time.Second)
		}
		assert.Equal(t, 2, warnings())
	})
}
