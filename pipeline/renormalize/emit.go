package renormalize

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Emit has the corrections made that a scan found due. Each goes to the work topic; the check handler looks once more whether
// the event is still the last of its payment, and writes what came of it to the topic of outcomes, from which this counts.
type Emit struct {
	Client    *kafka.Client
	Publisher message.Publisher

	Checks, Replays, StatusChanged string // topics

	// Starts commits where the consumer groups begin (pipeline.CommitStarts); it is called before the first check is written.
	Starts func(context.Context) error

	Reader   *Reader
	Source   Source
	ReplayID string
	Rate     int           // corrections a second; 0: as fast as it goes
	Patience time.Duration // how long no outcome may come before this stops waiting; 0: DefaultPatience

	// From is how far the emitted log was read, by partition; nil: the source is no log, and all of it is read once to see which events
	// are the last of their payments there.
	From map[int]int64

	// Progress is told how many corrections were asked for, and how many came to an outcome. It may be nil.
	Progress func(asked, done int)
}

// DefaultPatience is how long no outcome may come before Emit stops waiting.
const DefaultPatience = 2 * time.Minute

// Emitted is what became of the corrections that were due.
type Emitted struct {
	ReplayID   string           `json:"replay_id"`
	Due        int              `json:"due"`
	Before     int              `json:"before"`     // came to an outcome in a run that this one goes on with
	Superseded int              `json:"superseded"` // something else was said since, or the event is not in the log
	Asked      int              `json:"asked"`
	Outcomes   map[string]int64 `json:"outcomes"` // of those asked: corrected, superseded, …
	Waiting    int              `json:"waiting"`  // asked, and not come to an outcome yet
}

const (
	batch = 100 // corrections that are asked for at once
	poll  = 200 * time.Millisecond
)

// Run asks for what is due and waits for the outcomes. After an error the result says how far it came; run again with the same
// replay id it goes on from there.
func (x *Emit) Run(ctx context.Context, s *Scanned) (Emitted, error) {
	run := &emitting{
		Emit: x, due: maps.Clone(s.due), payments: map[string]bool{}, asked: map[schemas.PaymentKey]bool{},
		sum: Emitted{ReplayID: x.ReplayID, Due: len(s.due), Outcomes: map[string]int64{}},
	}
	for key := range s.due {
		run.payments[key.PaymentID] = true
	}
	err := run.run(ctx)
	run.sum.Waiting = len(run.asked)
	if err != nil {
		return run.sum, fmt.Errorf("renormalize: %w", err)
	}
	return run.sum, nil
}

// emitting is an Emit under way.
type emitting struct {
	*Emit

	payments map[string]bool // the ids of what is due; it does not change

	mu       sync.Mutex
	due      map[schemas.PaymentKey]due
	asked    map[schemas.PaymentKey]bool // without an outcome yet
	sum      Emitted
	outcomes *snapshot.Outcomes
	tail     *tail
	limiter  ratelimiter.RateLimiter[any]
	waiting  []waiting
	started  bool
}

// waiting is a correction that is not asked for yet.
type waiting struct {
	key     schemas.PaymentKey
	eventID string
	event   *Event
	reading Reading
}

func (x *emitting) run(ctx context.Context) error {
	x.outcomes = &snapshot.Outcomes{Tail: snapshot.Tail{Client: x.Client, Topic: x.Replays}, ReplayID: x.ReplayID}
	err := x.outcomes.Read(ctx, func(o handlers.ReplayOutcome, _ time.Time) error {
		if _, is := x.due[o.PaymentKey]; is && conclusive(o.Outcome) {
			delete(x.due, o.PaymentKey)
			x.sum.Before++
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.tail = &tail{snapshot.Tail{Client: x.Client, Topic: x.StatusChanged, Next: x.From}}
	if err := x.confirm(ctx); err != nil {
		return err
	}
	if x.Rate > 0 {
		x.limiter = ratelimiter.NewSmooth[any](uint(x.Rate), time.Second)
	}
	if len(x.due) > 0 {
		if err := x.Source.Walk(ctx, func(m handlers.Message, chosen bool) error { return x.take(ctx, m, chosen) }); err != nil {
			return err
		}
		x.mu.Lock()
		err := x.flush(ctx)
		x.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return x.await(ctx)
}

// confirm finds out what is the last event of each payment, where the source does not tell.
func (x *emitting) confirm(ctx context.Context) error {
	if x.From != nil {
		return nil
	}
	last := map[schemas.PaymentKey]string{}
	if _, err := x.tail.read(ctx, func(key schemas.PaymentKey, id string) { last[key] = id }, x.isDue); err != nil {
		return err
	}
	for key, d := range x.due {
		if last[key] != d.eventID {
			delete(x.due, key)
			x.sum.Superseded++
		}
	}
	return nil
}

func (x *emitting) isDue(payment string) bool { return x.payments[payment] }

// take collects the events that are due, and asks when there are enough.
func (x *emitting) take(ctx context.Context, m handlers.Message, chosen bool) error {
	if !chosen || !x.isDue(string(m.Key)) {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	e, err := ReadEvent(m)
	if errors.Is(err, handlers.ErrNoStatusEvent) {
		return nil
	}
	key := e.Data.PaymentKey
	if d, is := x.due[key]; !is || d.at != placeOf(m) {
		return nil
	}
	r := x.Reader.Read(e)
	if r.Finding != Differs {
		delete(x.due, key)
		x.sum.Outcomes[string(r.Finding)]++ // time has decided it
		return nil
	}
	if x.limiter != nil {
		if err := x.limiter.AcquirePermit(ctx); err != nil {
			return fmt.Errorf("keep to the rate: %w", err)
		}
	}
	x.waiting = append(x.waiting, waiting{key, e.ID, e, r})
	if len(x.waiting) < batch && (x.Rate == 0 || len(x.waiting) < max(x.Rate/10, 1)) {
		return nil
	}
	return x.flush(ctx)
}

// flush asks for what is collected, but for what something else was said about meanwhile.
func (x *emitting) flush(ctx context.Context) error {
	collected := x.waiting
	x.waiting = nil
	if len(collected) == 0 {
		return ctx.Err() //nolint:wrapcheck // interrupted
	}
	readUntil, err := x.tail.read(ctx, func(key schemas.PaymentKey, id string) {
		if d, is := x.due[key]; is && d.eventID != id {
			delete(x.due, key)
			x.sum.Superseded++
		}
	}, x.isDue)
	if err != nil {
		return err
	}
	if !x.started {
		if err := x.Starts(ctx); err != nil {
			return fmt.Errorf("commit where the consumer groups begin: %w", err)
		}
		x.started = true
	}
	var messages []*message.Message
	for _, w := range collected {
		if _, is := x.due[w.key]; !is {
			continue
		}
		delete(x.due, w.key)
		x.asked[w.key] = true
		value, err := check(w.event, w.reading, x.ReplayID, readUntil).Encode()
		if err != nil {
			return err //nolint:wrapcheck // names the payment
		}
		msg := message.NewMessage("", value)
		kafka.SetKey(msg, []byte(w.key.PaymentID))
		kafka.SetHeaders(msg, nil)
		messages = append(messages, msg)
	}
	if len(messages) > 0 {
		if err := x.Publisher.Publish(x.Checks, messages...); err != nil {
			return err //nolint:wrapcheck // names the topic
		}
		x.sum.Asked += len(messages)
	}
	return x.count(ctx)
}

// count reads the outcomes so far.
func (x *emitting) count(ctx context.Context) error {
	err := x.outcomes.Read(ctx, func(o handlers.ReplayOutcome, _ time.Time) error {
		if x.asked[o.PaymentKey] {
			delete(x.asked, o.PaymentKey)
			x.sum.Outcomes[o.Code]++
		}
		return nil
	})
	if err == nil && x.Progress != nil {
		x.Progress(x.sum.Asked, x.sum.Asked-len(x.asked))
	}
	return err
}

// await waits for the outcomes of all that was asked, as long as some come.
func (x *emitting) await(ctx context.Context) error {
	patience := x.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	ticks := time.NewTicker(poll)
	defer ticks.Stop()
	lately, left := time.Now(), len(x.asked)
	for len(x.asked) > 0 {
		if err := x.count(ctx); err != nil {
			return err
		}
		switch {
		case len(x.asked) < left:
			lately, left = time.Now(), len(x.asked)
		case len(x.asked) > 0 && time.Since(lately) > patience:
			return fmt.Errorf("%d corrections came to no outcome for %s: is the service running? Their checks wait in %s", len(x.asked), patience, x.Checks)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // interrupted
		}
	}
	return nil
}

// conclusive reports whether a correction that came to this needs no other try.
func conclusive(outcome providers.Kind) bool {
	return outcome != providers.Unavailable && outcome != providers.Refused
}
