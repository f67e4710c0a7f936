package pipeline_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// dying is a publisher of a process that is killed after its nth write: the record is written, but the process does not live
// to hear of it, and writes nothing more.
type dying struct {
	message.Publisher

	left atomic.Int64
	dead chan struct{}
}

var errKilled = errors.New("killed")

func (d *dying) Publish(topic string, messages ...*message.Message) error {
	left := d.left.Add(-1)
	if left < 0 {
		return errKilled
	}
	if err := d.Publisher.Publish(topic, messages...); err != nil {
		return err
	}
	if left == 0 {
		close(d.dead)
		return errKilled
	}
	return nil
}

func TestAKillBetweenAnyTwoWritesLosesNothingAndRepeatsNoID(t *testing.T) {
	t.Parallel()
	testKillPoints(t, pipelinetest.Embedded(t))
}

func testKillPoints(t *testing.T, brokers []string) {
	t.Helper()
	steps := []sandbox.Step{{Status: "not_found"}, {Status: "IN_PROGRESS"}, {Status: "SETTLED"}}
	// The writes of this payment: checks; tier, checks; event, tier, checks; event.
	const writes = 7
	for n := 1; n <= writes; n++ {
		t.Run(fmt.Sprintf("after write %d", n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, brokers)
			w.Scripted("p", steps...)
			w.Initiate(initiated("p", "liquido", 300, "COP", map[string]any{"idempotency_key": "p"}))
			d := &dying{dead: make(chan struct{})}
			d.left.Store(int64(n))
			options := w.options
			options.Around = func(p message.Publisher) message.Publisher {
				d.Publisher = p
				return d
			}
			stop := w.StartWith(options)
			<-d.dead
			stop()

			stop = w.start()
			defer stop()
			w.Eventually(func() bool {
				events := w.EventsOf("p")
				return len(events) > 0 && events[len(events)-1].Data.Final
			}, "the payment ends")
			w.quiet()
			ids, words := map[string]string{}, map[string]string{}
			for _, e := range w.EventsOf("p") {
				status := string(e.Data.Status)
				assert.Contains(t, []string{"", status}, ids[e.ID], "one id for two changes")
				assert.Contains(t, []string{"", e.ID}, words[status], "two ids for one change")
				ids[e.ID], words[status] = status, e.ID
			}
			assert.Contains(t, words, "captured")
			assert.LessOrEqual(t, w.asked("p"), len(steps)+2, "a forked chain asks more often")
			assert.Empty(t, w.deadLetters())
		})
	}
}
