package bench

import (
	"sync"
	"sync/atomic"
	"time"
)

// Score is told by a contender how it gets on. Its methods may be called at the same time.
type Score struct {
	messages int64
	ready    func()

	begin    sync.Once
	began    time.Time
	done     atomic.Int64
	finished chan struct{} // closed with the last message
}

func newScore(messages int, ready func()) *Score {
	return &Score{messages: int64(messages), ready: sync.OnceFunc(ready), finished: make(chan struct{})}
}

// Ready tells that the contender has its share of the topic, so that messages may come.
func (s *Score) Ready() { s.ready() }

// Begin tells that a message begins to be handled. The first one counts.
func (s *Score) Begin() { s.begin.Do(func() { s.began = time.Now() }) }

// Done tells that the answers to n more messages are acknowledged by the broker.
func (s *Score) Done(n int) {
	before := s.done.Add(int64(n)) - int64(n)
	if before < s.messages && before+int64(n) >= s.messages {
		close(s.finished)
	}
}
