package pipeline_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// tierless fails the first writes to delay topics, longer than a Publisher tries.
type tierless struct {
	message.Publisher

	left atomic.Int64
}

func (p *tierless) Publish(topic string, messages ...*message.Message) error {
	if strings.Contains(topic, "delay.") && p.left.Add(-1) >= 0 {
		return errors.New("too few replicas")
	}
	return p.Publisher.Publish(topic, messages...)
}

func TestWhatWasSaidStandsWhenTheNextCheckCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pipelinetest.Embedded(t))
	w.Scripted("p", sandbox.Step{Status: "AUTHORIZED"}, sandbox.Step{Status: "IN_PROGRESS"}, sandbox.Step{Status: "SETTLED"})
	w.options.Around = func(p message.Publisher) message.Publisher {
		failing := &tierless{Publisher: p}
		failing.left.Store(2)
		return failing
	}
	defer w.start()()
	w.Initiate(initiated("p", "liquido", 300, "COP", map[string]any{"idempotency_key": "p"}))
	w.Eventually(func() bool {
		events := w.EventsOf("p")
		return len(events) > 0 && events[len(events)-1].Data.Final
	}, "the payment ends")
	assert.Equal(t, []string{"authorized", "captured (final)"}, statuses(w.EventsOf("p")), "the second answer is a stale read")
	assert.Equal(t, 3, w.asked("p"), "the provider is not asked again because a write fails")
}
