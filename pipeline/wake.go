package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// wake moves what is due in one tier. It is given the head of each partition and waits until that is due: nothing behind it
// can be due earlier. Then it moves the head, and all behind it that are due, too, with one write for each topic that they go to. A crash
// between that write and the commit moves them again; the step of a check tells that it was done before.
type wake struct {
	*Pipeline

	tier delay.Tier
}

const (
	// wakeBatch is how many records are moved at once.
	wakeBatch = 500
	// wakeAhead is how many bytes of a partition are held in memory: enough to move some thousand records a second, and little
	// enough that seven tiers of a dozen partitions take less than 64 MiB.
	wakeAhead = 128 << 10
)

func (w *wake) handle(msg *message.Message) error {
	head, ok := kafka.RecordOf(msg.Context())
	if !ok {
		return fmt.Errorf("%s: a message without a record", wakeName(w.tier))
	}
	w.clock.Saw(head.Time)
	if err := w.clock.Wait(msg.Context(), kafka.Draining(msg.Context()), w.due(head)); err != nil {
		return err
	}
	now, room := w.clock.Now(), wakeBatch-1
	behind := kafka.Behind(msg.Context(), func(r kafka.Record) bool {
		room--
		return room >= 0 && !w.due(r).After(now)
	})
	return w.move(msg.Context(), append([]kafka.Record{head}, behind...))
}

func (w *wake) due(r kafka.Record) time.Time { return r.Time.Add(w.tier.Delay) }

// move writes records to where they go next, in their order.
func (w *wake) move(ctx context.Context, batch []kafka.Record) error {
	t := w.options.Topics
	var topics []string
	moves := map[string][]*message.Message{}
	for _, r := range batch {
		m := snapshot.MessageOf(r)
		next := t.tiers().Forward(m.Headers)
		topic := t.Checks()
		switch {
		case next.Tier != "":
			topic = t.Tier(next.Tier)
		case handlers.Returning(next.Headers):
			topic = t.Redriven()
		}
		if moves[topic] == nil {
			topics = append(topics, topic)
		}
		moves[topic] = append(moves[topic], w.message(ctx, m.Key, m.Value, next.Headers))
	}
	for _, topic := range topics {
		if err := w.publish(topic, moves[topic]...); err != nil {
			return err
		}
	}
	now := w.clock.Now()
	for _, r := range batch {
		w.options.Metrics.moved(w.tier, now.Sub(w.due(r)))
	}
	return nil
}
