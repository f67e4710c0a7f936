package consumer

import (
	"context"
	"time"

	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/schemas/consume"
)

// writer commits events: those that wait while a transaction runs share the next one, so that a slow disk makes larger transactions rather
// than fewer events.
type writer struct {
	db     *store.DB
	effect Effect
	batch  int
	queue  chan *job
}

// job is one event and what came of it.
type job struct {
	event consume.Event
	delta consume.Delta
	done  chan error
}

func newWriter(db *store.DB, effect Effect, batch int) *writer {
	return &writer{db: db, effect: effect, batch: batch, queue: make(chan *job)}
}

// write returns when the event is committed, or why it is not.
func (w *writer) write(ctx context.Context, e consume.Event) (consume.Delta, error) {
	j := &job{event: e, done: make(chan error, 1)}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return consume.Delta{}, ctx.Err()
	}
	err := <-j.done // which comes, for a transaction has an end
	return j.delta, err
}

// run writes until ctx ends.
func (w *writer) run(ctx context.Context) {
	for {
		select {
		case first := <-w.queue:
			w.commit(ctx, w.gather(first))
		case <-ctx.Done():
			return
		}
	}
}

// gather takes the jobs that wait, without waiting for more.
func (w *writer) gather(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < w.batch {
		select {
		case j := <-w.queue:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commit takes all in one transaction. If one of them fails, each gets one of its own, so that it fails alone.
func (w *writer) commit(ctx context.Context, jobs []*job) {
	err := w.inTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, j := range jobs {
			if err := w.take(ctx, tx, j); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || len(jobs) == 1 {
		for _, j := range jobs {
			j.done <- err
		}
		return
	}
	for _, j := range jobs {
		j.done <- w.inTx(ctx, func(ctx context.Context, tx *store.Tx) error { return w.take(ctx, tx, j) })
	}
}

// patience is how long a transaction may take; a database that hangs must not keep a process from ending.
const patience = time.Minute

func (w *writer) inTx(ctx context.Context, fn func(context.Context, *store.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return w.db.InTx(ctx, func(tx *store.Tx) error { return fn(ctx, tx) })
}

func (w *writer) take(ctx context.Context, tx *store.Tx, j *job) (err error) {
	j.delta, err = consume.Handle(ctx, tx, j.event, func(d consume.Delta) error { return w.effect(ctx, tx, j.event, d) })
	return err
}
