package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/paystatus/paystatus/handlers"
)

// maxPanics is how often a handler may panic on one message before it gives the message up.
const maxPanics = 5

// failures counts the panics of handlers by message, so that a message that cannot be handled stops no partition.
type failures struct {
	mu      sync.Mutex
	panics  map[location]int
	abandon map[string]func(handlers.Message) handlers.Result // by handler; default: a dead letter
	log     *slog.Logger
}

func newFailures(log *slog.Logger) *failures {
	return &failures{panics: map[location]int{}, abandon: map[string]func(handlers.Message) handlers.Result{}, log: log}
}

type location struct {
	topic     string
	partition int
	offset    int64
}

// guard handles a message. A panic is an error, so that the message comes again; after the last one allowed the message is
// given up.
func (f *failures) guard(name string, handle handlers.Handler, ctx context.Context, m handlers.Message) (result handlers.Result, err error) {
	at := location{m.Topic, m.Partition, m.Offset}
	defer func() {
		cause := recover()
		if cause == nil {
			if err == nil {
				f.forget(at)
			}
			return
		}
		n := f.count(at)
		f.log.Error("a handler panicked", "handler", name, "topic", m.Topic, "partition", m.Partition, "offset", m.Offset,
			"times", n, "panic", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
		if n < maxPanics {
			err = fmt.Errorf("%s: panic on %s/%d at %d", name, m.Topic, m.Partition, m.Offset)
			return
		}
		f.forget(at)
		err = nil
		if abandon := f.abandon[name]; abandon != nil {
			result = abandon(m)
			return
		}
		result = handlers.Abandon(name, m)
	}()
	return handle(ctx, m)
}

func (f *failures) count(at location) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.panics[at]++
	return f.panics[at]
}

func (f *failures) forget(at location) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.panics, at)
}
