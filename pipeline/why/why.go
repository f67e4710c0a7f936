// Package why tells the story of one payment from the topics, because whoever asks "why is this order not released?" must not need to know
// which topic holds which part of the answer: what was initiated, each check and what it came to, each event, where the payment waits
// now and until when, dead letters, notifications and replays.
//
// It writes nothing and belongs to no consumer group. What is keyed by payment_id lies in one partition of each topic, so only that one is
// read, within bounds of time, and of the topics in which everything waits only what is still waiting. The initiated events are not searched: each check
// names the record that it comes from. A story says what was read for it, what was not, and what the topics no longer keep.
package why

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Window is how far back a story looks where nothing else is asked for. The internal topics keep no more by default.
const Window = 7 * 24 * time.Hour

// Question asks for the story of one payment.
type Question struct {
	PaymentID string
	Since     time.Time // zero: Window before now, and as far as is needed where that shows the end of a story only
	Until     time.Time // zero: now; what waits is always told as it is now

	// AllPartitions reads all partitions of topics that are keyed by payment_id, not only the one where the payment belongs: for topics
	// whose partition count was changed.
	AllPartitions bool

	Client   *kafka.Client
	Topics   pipeline.Topics
	Group    string                                       // prefix of the consumer groups
	Schedule func(provider, method string) watch.Schedule // says until when is watched; nil: not told
	Now      func() time.Time                             // nil: time.Now
}

// Tell reads the story. Of a payment that the topics do not know the story has no Payments.
func Tell(ctx context.Context, q Question) (*Story, error) {
	if q.PaymentID == "" {
		return nil, errors.New("why: no payment_id")
	}
	if q.Now == nil {
		q.Now = time.Now
	}
	began := time.Now()
	r := &reading{Question: q, now: q.Now(), found: newFound(q.PaymentID, tiersOf(q.Topics))}
	if err := r.run(ctx); err != nil {
		return nil, fmt.Errorf("why %q: %w", q.PaymentID, err)
	}
	story := &Story{PaymentID: q.PaymentID, Payments: []Payment{}}
	for _, part := range r.found.divided() {
		story.Payments = append(story.Payments, r.tell(part))
	}
	story.Scanned = r.scanned
	story.Scanned.total()
	story.Scanned.Seconds = time.Since(began).Seconds()
	return story, nil
}
