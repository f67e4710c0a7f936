package renormalize

import (
	"context"
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/statuslog"
	"github.com/paystatus/paystatus/schemas"
)

// tail reads on in the emitted log, from where it was read before.
type tail struct {
	client *kafka.Client
	topic  string
	next   map[int]int64 // nil: from the beginning
}

// read tells what was said meanwhile about the payments that are wanted, and until when by this host's clock.
func (t *tail) read(ctx context.Context, told func(key schemas.PaymentKey, eventID string), wanted func(payment string) bool) (time.Time, error) {
	now := time.Now()
	next, err := statuslog.Onwards(ctx, t.client, t.topic, t.next, func(r kafka.Record) error {
		if !wanted(string(r.Key)) {
			return nil
		}
		if e, err := ReadEvent(statuslog.MessageOf(r)); err == nil && e.Type != schemas.TypeStatusUnresolved {
			told(e.Data.PaymentKey, e.ID)
		}
		return nil
	})
	t.next = next
	return now, err
}
