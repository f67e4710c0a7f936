package renormalize

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/schemas"
)

// Source gives status events, those of one payment in their order, by several goroutines at a time. It can be read twice.
type Source interface {
	// Walk gives every record to fn. Chosen is false for one that was not asked for; it may say what was said later.
	Walk(ctx context.Context, fn func(m handlers.Message, chosen bool) error) error
}

// place is where a record of the source stands.
type place struct {
	partition int
	offset    int64
}

func placeOf(m handlers.Message) place { return place{m.Partition, m.Offset} }

func (p place) String() string {
	return strconv.Itoa(p.partition) + "/" + strconv.FormatInt(p.offset, 10)
}

// due is a correction that is due: the last event of a payment differs.
type due struct {
	at      place
	eventID string
}

// Scan reads a source again.
type Scan struct {
	Reader *Reader
	Source Source
	Range  snapshot.Range // its provider and payments are looked at here

	// Workers is how many goroutines read answers; 0: one for each processor.
	Workers int

	// Progress is told how many records were read; by several goroutines. It may be nil.
	Progress func(records int64)
}

// Scanned is a report with what is due.
type Scanned struct {
	Report

	due map[schemas.PaymentKey]due
}

// handful is how many records go to a worker at once.
const handful = 64

// Run reads all of the source. Each payment belongs to one worker, so that its events stay in order.
func (s *Scan) Run(ctx context.Context) (*Scanned, error) {
	workers := s.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	shards := make([]*shard, workers)
	group, ctx := errgroup.WithContext(ctx)
	for i := range shards {
		shards[i] = &shard{scan: s, rows: map[kind]*Row{}, last: map[schemas.PaymentKey]*candidate{}, in: make(chan []item, 16)}
		group.Go(func() error { return shards[i].run(ctx) })
	}
	var records atomic.Int64
	group.Go(func() error {
		defer func() {
			for _, w := range shards {
				close(w.in)
			}
		}()
		return s.distribute(ctx, shards, &records)
	})
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("renormalize: %w", err)
	}
	out := &Scanned{Report: Report{Records: records.Load()}, due: map[schemas.PaymentKey]due{}}
	parts := make([]map[kind]*Row, len(shards))
	for i, w := range shards {
		w.settle(out.due)
		parts[i] = w.rows
		out.Events += w.events
		out.Foreign += w.foreign
	}
	out.Rows = merge(parts)
	return out, nil
}

// item is a record on its way to a worker.
type item struct {
	message handlers.Message
	chosen  bool
}

// distribute gives the records to the workers by their keys, a handful at a time. The source's goroutines have hands of their own,
// one for each partition, because those of a partition come in order.
func (s *Scan) distribute(ctx context.Context, shards []*shard, records *atomic.Int64) error {
	seed := maphash.MakeSeed()
	var hands hands
	give := func(to *shard, items []item) error {
		select {
		case to.in <- items:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := s.Source.Walk(ctx, func(m handlers.Message, chosen bool) error {
		if n := records.Add(1); s.Progress != nil && n%256 == 0 {
			s.Progress(n)
		}
		if wanted := s.Range.Payments; wanted != nil && !wanted[string(m.Key)] {
			return nil
		}
		to := int(maphash.Bytes(seed, m.Key) % uint64(len(shards))) //nolint:gosec // below the number of shards
		hand := hands.of(m.Partition, len(shards))
		hand[to] = append(hand[to], item{m, chosen})
		if len(hand[to]) < handful {
			return nil
		}
		full := hand[to]
		hand[to] = make([]item, 0, handful)
		return give(shards[to], full)
	})
	if err != nil {
		return err
	}
	for _, hand := range hands.all() {
		for to, items := range hand {
			if err := give(shards[to], items); err != nil {
				return err
			}
		}
	}
	return nil
}

// shard is a worker with the payments that are its own.
type shard struct {
	scan            *Scan
	in              chan []item
	rows            map[kind]*Row
	last            map[schemas.PaymentKey]*candidate // payments whose last event differs
	events, foreign int64
}

// candidate is an event that differs and is the last of its payment so far.
type candidate struct {
	due

	row     *Row
	example Example
	shown   int // its number among the row's examples; -1: it is none
}

func (w *shard) run(ctx context.Context) error {
	for {
		select {
		case items, open := <-w.in:
			if !open {
				return nil
			}
			for _, i := range items {
				w.take(i)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *shard) take(i item) {
	e, err := ReadEvent(i.message)
	if errors.Is(err, handlers.ErrNoStatusEvent) {
		if i.chosen {
			w.foreign++
		}
		return
	}
	key := e.Data.PaymentKey
	if e.Type != schemas.TypeStatusUnresolved && w.last[key] != nil && w.last[key].eventID != e.ID {
		delete(w.last, key)
	}
	if !i.chosen || !w.scan.Range.Has(key.Provider) {
		return
	}
	w.events++
	r := w.scan.Reader.Read(e)
	k := kindOf(key.Provider, r)
	row := w.rows[k]
	if row == nil {
		row = &Row{Provider: k.provider, Finding: k.finding, Code: k.code}
		if k.finding == Differs {
			row.Old, row.New = &k.old, &k.new
		}
		w.rows[k] = row
	}
	at := placeOf(i.message)
	example := Example{PaymentID: key.PaymentID, Account: key.Account, EventID: e.ID, At: at.String()}
	if k.old.Sums {
		was, is := r.Old.Facts().Sums, r.New.Facts().Sums
		example.OldSums, example.NewSums = &was, &is
	}
	number := -1
	if r.Finding != Same && r.Finding != Unresolved {
		number = row.add(example)
	} else {
		row.Events++
	}
	if r.Finding == Differs {
		w.last[key] = &candidate{due{at, e.ID}, row, example, number}
	}
}

// settle says which events were the last of their payments.
func (w *shard) settle(all map[schemas.PaymentKey]due) {
	for key, c := range w.last {
		all[key] = c.due
		c.example.Last = true
		switch {
		case c.shown >= 0:
			c.row.Examples[c.shown] = c.example
		case c.row.Last < maxExamples:
			c.row.Examples = append(c.row.Examples, c.example)
		}
		c.row.Last++
	}
}
