package backfill

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Check asks about payments through the pipeline: it writes checks to the work topic and follows what they come to. It may be
// ended at any moment, and begun again with the same ReplayID: what has come to an outcome is not asked again, and what is on
// its way is waited for.
type Check struct {
	Client    *kafka.Client
	Publisher message.Publisher
	Topics    pipeline.Topics
	Group     string // prefix of the pipeline's consumer groups

	// Starts commits where the consumer groups begin (pipeline.CommitStarts); it is called before the first check is written.
	Starts func(context.Context) error

	ReplayID string // names the backfill, in outcome records and in every event that it emits
	Resume   bool   // the backfill may have been begun before

	Rate        int  // checks a second; 0: as many as Concurrency allows
	Concurrency int  // checks of one provider that have not come to an outcome, at most
	DryRun      bool // write nothing

	// Told is told each outcome, in this run. It may be nil.
	Told func(handlers.ReplayOutcome) error
	// Progress is told how far the backfill has come. It may be nil.
	Progress func(Progress)
	Log      *slog.Logger
}

// How the loop of a Check waits.
const (
	pollEvery = 100 * time.Millisecond // outcomes are looked for
	maxBatch  = 100                    // checks are written at once
	silence   = 30 * time.Second       // without an outcome until people hear of it
)

// Progress is how far a backfill has come.
type Progress struct {
	Done, Total int
	Underway    int           // asked, without an outcome yet
	Rate        float64       // payments a second, in this run
	Left        time.Duration // how long the rest takes at this rate; 0: not known yet
}

// pace measures the rate of a run.
type pace struct {
	began time.Time
	done  int
}

func (p *pace) progress(done, total, underway int) Progress {
	progress := Progress{Done: done, Total: total, Underway: underway}
	if took := time.Since(p.began); p.done > 0 && took > 0 {
		progress.Rate = float64(p.done) / took.Seconds()
		progress.Left = time.Duration(float64(total-done) / progress.Rate * float64(time.Second)).Round(time.Second)
	}
	return progress
}

// Summary is what a backfill has come to, over all its runs.
type Summary struct {
	ReplayID string `json:"replay_id"`
	DryRun   bool   `json:"dry_run"`
	Payments int    `json:"payments"`
	Before   int    `json:"done_before"` // in earlier runs
	Resumed  int    `json:"underway"`    // found on their way when this run began
	Asked    int    `json:"asked"`       // in this run; in a dry run: would be
	Open     int    `json:"open"`        // without an outcome when this run ended

	ByProvider map[string]int         `json:"by_provider"` // of those asked
	Outcomes   map[providers.Kind]int `json:"outcomes"`    // of the payments
	Statuses   map[schemas.Status]int `json:"statuses"`    // that providers stated
	Events     int                    `json:"events"`      // emitted: repetitions, and changes
	Takes      time.Duration          `json:"-"`           // dry run: how long asking takes at the rate; 0: as fast as it goes
}

// Unasked is how many payments could not be asked about, or were not yet.
func (s Summary) Unasked() int {
	n := s.Open
	for kind, count := range s.Outcomes {
		if !Conclusive(kind) {
			n += count
		}
	}
	return n
}

// Run asks about payments. After an error, ctx's among them, the summary tells how far it came.
func (c *Check) Run(ctx context.Context, payments []Payment) (Summary, error) {
	r := &running{
		Check: c, total: len(payments), left: map[string][]Payment{}, underway: map[schemas.PaymentKey]bool{}, busy: map[string]int{},
		results: map[schemas.PaymentKey]result{}, asked: map[string]int{}, ours: map[schemas.PaymentKey]bool{}, heard: time.Now(),
	}
	if err := r.begin(ctx, payments); err != nil {
		return r.summary(), err
	}
	if c.DryRun {
		for provider, left := range r.left {
			r.asked[provider] = len(left)
		}
		s := r.summary()
		if s.Open = 0; c.Rate > 0 {
			s.Takes = time.Duration(float64(s.Asked) / float64(c.Rate) * float64(time.Second))
		}
		return s, nil
	}
	r.pace.began = time.Now()
	err := r.ask(ctx)
	r.tellProgress()
	return r.summary(), err
}

// running is a Check under way.
type running struct {
	*Check

	outcomes *snapshot.Outcomes
	limiter  ratelimiter.RateLimiter[any]
	total    int
	ours     map[schemas.PaymentKey]bool // the payments of this run
	left     map[string][]Payment        // to be asked, by provider
	turn     int                         // whose provider's turn it is
	underway map[schemas.PaymentKey]bool
	busy     map[string]int // how many are under way, by provider
	results  map[schemas.PaymentKey]result

	before, resumed int
	asked           map[string]int // by provider
	pace            pace
	heard           time.Time // when the last outcome came, or somebody was told that none does
}

// result is what a payment has come to.
type result struct {
	kind   providers.Kind
	status schemas.Status
	events int
}

// begin finds out what is to be done.
func (r *running) begin(ctx context.Context, payments []Payment) (err error) {
	for _, p := range payments {
		r.ours[p.PaymentKey] = true
	}
	if !r.DryRun {
		if err := r.Starts(ctx); err != nil {
			return fmt.Errorf("backfill: commit where the consumer groups begin: %w", err)
		}
	}
	if r.Rate > 0 {
		r.limiter = ratelimiter.NewSmooth[any](uint(r.Rate), time.Second)
	}
	r.outcomes = &snapshot.Outcomes{Tail: snapshot.Tail{Client: r.Client, Topic: r.Topics.Replays()}, ReplayID: r.ReplayID}
	if r.Resume {
		err = r.resume(ctx)
	} else if r.outcomes.Next, err = r.Client.ListOffsets(ctx, r.outcomes.Topic, kafka.Latest); err != nil {
		err = fmt.Errorf("backfill: %w", err)
	}
	if err != nil {
		return err
	}
	for _, p := range payments {
		if last, known := r.results[p.PaymentKey]; known && Conclusive(last.kind) {
			r.before++
			continue
		}
		delete(r.results, p.PaymentKey) // it is asked about again
		if !r.underway[p.PaymentKey] {
			r.left[p.Provider] = append(r.left[p.Provider], p)
		}
	}
	return nil
}

// resume finds what is on its way, then reads what has come to an outcome: what comes to one in between is in both.
func (r *running) resume(ctx context.Context) error {
	found, err := underway(ctx, r.Client, r.Topics, r.Group, r.ReplayID)
	if err != nil {
		return err
	}
	err = r.outcomes.Read(ctx, func(o handlers.ReplayOutcome, written time.Time) error {
		r.keep(o)
		if !written.Before(found[o.PaymentKey]) {
			delete(found, o.PaymentKey)
		}
		return nil
	})
	for key := range found {
		if r.ours[key] && !Conclusive(r.results[key].kindOr(providers.Unavailable)) {
			r.underway[key] = true
			r.busy[key.Provider]++
			r.resumed++
		}
	}
	return err
}

func (r result) kindOr(none providers.Kind) providers.Kind {
	if r.kind == "" {
		return none
	}
	return r.kind
}

// keep notes an outcome. One that tells something is not replaced by one that does not.
func (r *running) keep(o handlers.ReplayOutcome) {
	if !r.ours[o.PaymentKey] {
		return
	}
	if last, known := r.results[o.PaymentKey]; known && Conclusive(last.kind) && !Conclusive(o.Outcome) {
		return
	}
	r.results[o.PaymentKey] = result{o.Outcome, o.Status, len(o.Events)}
}

// ask writes checks and follows their outcomes until every payment has one.
func (r *running) ask(ctx context.Context) error {
	polled := time.Time{}
	for {
		if time.Since(polled) >= pollEvery {
			if err := r.outcomes.Read(ctx, r.came); err != nil {
				return err
			}
			polled = time.Now()
			r.tellProgress()
		}
		batch := r.pick()
		if len(batch) == 0 {
			if len(r.underway) == 0 && !r.anyLeft() {
				return nil
			}
			r.tellSilence()
			if err := pause(ctx, pollEvery); err != nil {
				return fmt.Errorf("backfill: %w", err)
			}
			continue
		}
		if err := r.write(ctx, batch); err != nil {
			return err
		}
	}
}

func (r *running) anyLeft() bool {
	for _, left := range r.left {
		if len(left) > 0 {
			return true
		}
	}
	return false
}

// came takes in an outcome.
func (r *running) came(o handlers.ReplayOutcome, _ time.Time) error {
	r.keep(o)
	if !r.underway[o.PaymentKey] {
		return nil // a repetition, or that of somebody who goes on with the same backfill
	}
	delete(r.underway, o.PaymentKey)
	r.busy[o.Provider]--
	r.pace.done++
	r.heard = time.Now()
	if r.Told == nil {
		return nil
	}
	return r.Told(o)
}

// pick chooses what is asked next: of each provider in turn, as far as its concurrency allows.
func (r *running) pick() []Payment {
	size := maxBatch
	if r.Rate > 0 {
		size = min(max(r.Rate/10, 1), maxBatch) // what is written in a tenth of a second
	}
	names := slices.Sorted(maps.Keys(r.left))
	var batch []Payment
	for idle := 0; idle < len(names) && len(batch) < size; r.turn++ {
		name := names[r.turn%len(names)]
		if len(r.left[name]) == 0 || r.busy[name] >= r.Concurrency {
			idle++
			continue
		}
		idle = 0
		batch = append(batch, r.left[name][0])
		r.left[name] = r.left[name][1:]
		r.busy[name]++
	}
	return batch
}

// write hands checks over to the pipeline. It does not look at ctx once it has leave to write.
func (r *running) write(ctx context.Context, batch []Payment) error {
	if r.limiter != nil {
		if err := r.limiter.AcquirePermits(ctx, uint(len(batch))); err != nil {
			return fmt.Errorf("backfill: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("backfill: %w", err)
	}
	messages := make([]*message.Message, len(batch))
	for i, p := range batch {
		check := watch.Check{
			PaymentKey: p.PaymentKey, Kind: watch.KindBackfill, Context: p.Context, Cause: schemas.CauseBackfill,
			ReplayID: r.ReplayID, AskedAt: time.Now().UTC(),
		}
		if p.Said.Has() {
			check.Said = &p.Said
		}
		value, err := check.Encode()
		if err != nil {
			return fmt.Errorf("backfill: %w", err)
		}
		messages[i] = message.NewMessage("", value)
		kafka.SetKey(messages[i], []byte(p.PaymentID))
		r.underway[p.PaymentKey] = true
		r.asked[p.Provider]++
	}
	if err := r.Publisher.Publish(r.Topics.Checks(), messages...); err != nil {
		return fmt.Errorf("backfill: %w", err)
	}
	if r.pace.done == 0 {
		r.heard = time.Now()
	}
	return nil
}

func (r *running) tellProgress() {
	if r.Progress != nil {
		r.Progress(r.pace.progress(r.before+r.pace.done, r.total, len(r.underway)))
	}
}

// tellSilence tells people when nothing comes back: nobody may be asking.
func (r *running) tellSilence() {
	if time.Since(r.heard) < silence {
		return
	}
	r.heard = time.Now()
	r.Log.Warn("no outcome comes: is `paystatus run` serving, and do the providers answer?", "underway", len(r.underway), "for_at_least", silence)
}

func (r *running) summary() Summary {
	s := Summary{
		ReplayID: r.ReplayID, DryRun: r.DryRun, Payments: r.total, Before: r.before, Resumed: r.resumed, ByProvider: map[string]int{},
		Outcomes: map[providers.Kind]int{}, Statuses: map[schemas.Status]int{}, Open: r.total - len(r.results),
	}
	for provider, n := range r.asked {
		s.Asked += n
		s.ByProvider[provider] = n
	}
	for _, result := range r.results {
		s.Outcomes[result.kind]++
		s.Events += result.events
		if result.status != "" {
			s.Statuses[result.status]++
		}
	}
	return s
}

// pause waits, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
