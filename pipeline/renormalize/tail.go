package renormalize

import (
	"context"
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/schemas"
)

// tail reads on in the emitted log, from where it was read before.
type tail struct{ snapshot.Tail }

// read tells what was said meanwhile about the payments that are wanted, and until when by this host's clock.
func (t *tail) read(ctx context.Context, told func(key schemas.PaymentKey, eventID string), wanted func(payment string) bool) (time.Time, error) {
	now := time.Now()
	err := t.Read(ctx, func(r kafka.Record) error {
		if !wanted(string(r.Key)) {
			return nil
		}
		if e, err := ReadEvent(snapshot.MessageOf(r)); err == nil && e.Type != schemas.TypeStatusUnresolved {
			told(e.Data.PaymentKey, e.ID)
		}
		return nil
	})
	return now, err
}
