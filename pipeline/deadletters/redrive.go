package deadletters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// DefaultMax is how often a letter may be given back, unless the operator says otherwise. What failed three times fails again.
const DefaultMax = 3

// Verdict is what became of a letter in a redrive.
type Verdict string

// The verdicts.
const (
	GivenBack  Verdict = "given_back"  // or would be, in a dry run
	TooOften   Verdict = "too_often"   // it was given back Max times already: the loop guard
	NotTakable Verdict = "not_takable" // no handler takes it back
)

// Redrive gives letters back: each goes to the topic of redriven letters, byte for byte, and then a marker goes to the topic of
// dead letters, so that no later run gives it back again. A crash between the two, or two runs at the same time, give a letter back
// twice: that repeats a query, never the id of an event.
type Redrive struct {
	Publisher message.Publisher
	Topic     string // of redriven letters

	// Starts commits where the consumer groups begin (pipeline.CommitStarts); it is called before the first letter is written.
	Starts func(context.Context) error

	Filter Filter // Given is not looked at: what was given back is not given back again
	Limit  int    // letters at most; 0: all
	Max    int    // how often a letter may be given back in all
	Rate   int    // letters a second; 0: as fast as it goes
	DryRun bool   // write nothing

	By, Why string // for the record

	// Told is told what became of each letter, after that is written. It may be nil.
	Told func(Letter, Verdict) error
	// Progress is told how much of the snapshot has been read, and how many letters were given back. It may be nil.
	Progress func(records int64, given int)
}

// What is written at once.
const (
	batch      = 100     // letters at most
	batchBytes = 8 << 20 // and a little more than this
)

// Summary is what a redrive came to.
type Summary struct {
	Counts

	Verdicts map[Verdict]int
}

// Run gives back the letters of a snapshot, the oldest first. After an error the summary tells how far it came; running it again
// goes on from there.
func (r *Redrive) Run(ctx context.Context, s *Snapshot) (Summary, error) {
	run := &running{Redrive: r, letters: s.Topic, verdicts: map[Verdict]int{}, size: batch}
	if r.Rate > 0 {
		run.limiter = ratelimiter.NewSmooth[any](uint(r.Rate), time.Second)
		run.size = min(max(r.Rate/10, 1), batch) // what is written in a tenth of a second
	}
	filter := r.Filter
	filter.Given = false
	counts, err := s.Walk(ctx, filter, func(l Letter, c Counts) error { return run.take(ctx, l, c) })
	if err == nil {
		err = run.flush(ctx)
	}
	if r.Progress != nil {
		r.Progress(counts.Records, run.verdicts[GivenBack])
	}
	return Summary{Counts: counts, Verdicts: run.verdicts}, err
}

// running is a redrive under way.
type running struct {
	*Redrive

	letters  string // the topic of dead letters
	limiter  ratelimiter.RateLimiter[any]
	size     int
	waiting  []Letter // chosen, not yet written
	bytes    int      // of their values
	verdicts map[Verdict]int
	started  bool // Starts was called
}

func (r *running) take(ctx context.Context, l Letter, c Counts) error {
	if r.Progress != nil {
		r.Progress(c.Records, r.verdicts[GivenBack])
	}
	switch {
	case !l.Takeable():
		return r.tell(l, NotTakable)
	case l.RedriveCount >= r.Max:
		return r.tell(l, TooOften)
	}
	if r.limiter != nil && !r.DryRun {
		if err := r.limiter.AcquirePermit(ctx); err != nil {
			return fmt.Errorf("redrive: %w", err)
		}
	}
	r.waiting, r.bytes = append(r.waiting, l), r.bytes+len(l.Value)
	enough := r.Limit > 0 && r.verdicts[GivenBack]+len(r.waiting) >= r.Limit
	if len(r.waiting) >= r.size || r.bytes >= batchBytes || enough {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if enough {
		return ErrEnough
	}
	return nil
}

// flush writes what waits: all letters, then all markers. Between the two it does not look at ctx, so that an interrupt repeats
// nothing.
func (r *running) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("redrive: %w", err)
	}
	letters := r.waiting
	r.waiting, r.bytes = nil, 0
	if !r.DryRun && len(letters) > 0 {
		if err := r.start(ctx); err != nil {
			return err
		}
		given := Given{At: time.Now(), By: r.By, Why: r.Why}
		var back, markers []*message.Message
		for _, l := range letters {
			back = append(back, outgoing(l.Key, l.Value, l.back()))
			markers = append(markers, outgoing(l.Key, nil, given.markerHeaders(l.Position)))
		}
		if err := r.Publisher.Publish(r.Topic, back...); err != nil {
			return fmt.Errorf("redrive: %w", err)
		}
		if err := r.Publisher.Publish(r.letters, markers...); err != nil {
			return fmt.Errorf("redrive: mark %d letters that were given back: %w", len(letters), err)
		}
	}
	var err error
	for _, l := range letters {
		err = errors.Join(err, r.tell(l, GivenBack))
	}
	return err
}

func (r *running) start(ctx context.Context) error {
	if r.started {
		return nil
	}
	if err := r.Starts(ctx); err != nil {
		return fmt.Errorf("redrive: commit where the consumer groups begin: %w", err)
	}
	r.started = true
	return nil
}

func (r *running) tell(l Letter, v Verdict) error {
	r.verdicts[v]++
	if r.Told == nil {
		return nil
	}
	return r.Told(l, v)
}

// back are the headers of a letter that is given back: its own, that route it, and one more time in the count; but the
// provider's answer stays behind.
func (l *Letter) back() []kafka.Header {
	left := []string{handlers.HeaderAnswer, handlers.HeaderAnswerSHA256, handlers.HeaderRedriveCount}
	headers := slices.DeleteFunc(slices.Clone(l.Headers), func(h kafka.Header) bool { return slices.Contains(left, h.Key) })
	return append(headers, kafka.Header{Key: handlers.HeaderRedriveCount, Value: strconv.AppendInt(nil, int64(l.RedriveCount+1), 10)})
}

func outgoing(key, value []byte, headers []kafka.Header) *message.Message {
	msg := message.NewMessage("", value)
	kafka.SetKey(msg, key)
	kafka.SetHeaders(msg, headers)
	return msg
}
