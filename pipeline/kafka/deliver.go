package kafka

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

const firstNackPause = 100 * time.Millisecond

// task is one record on its way through a lane.
type task struct {
	record    Record
	partition *partition
	seen      *seen
	lane      *lane
	pause     time.Duration // before it was handed out again last; 0: it was not nacked
	current   *delivery     // the one that is out; nil: none
}

func (t *task) bytes() int { return len(t.record.Key) + len(t.record.Value) }

// lane holds the records that wait for the one before them. The one at its head is not in waiting: it is runnable, running or pausing.
type lane struct {
	shared  bool   // known to generation.lanes
	name    string // there
	waiting []*task
}

// next takes the first of those that wait.
func (l *lane) next() *task {
	t := l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	return t
}

// queue is first in, first out.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) push(item T) {
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 { // it may never be empty: use what was left behind
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

// pop takes the first item; there must be one.
func (q *queue[T]) pop() T {
	var none T
	item := q.items[q.head]
	q.items[q.head] = none
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return item
}

// offer makes a task runnable. Partitions take turns, so that a long one delays the others little.
func (g *generation) offer(t *task) {
	if t.partition.runnable.len() == 0 {
		g.turns.push(t.partition)
	}
	t.partition.runnable.push(t)
	g.runnable++
}

// next takes the task whose turn it is; there must be one.
func (g *generation) next() *task {
	p := g.turns.pop()
	t := p.runnable.pop()
	if p.runnable.len() > 0 {
		g.turns.push(p)
	}
	g.runnable--
	return t
}

// read puts fetched records into their lanes; next is where to fetch on, end where the log ends for now.
func (g *generation) read(p *partition, records []Record, next, end int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.quiet {
		return
	}
	for _, record := range records {
		t := &task{record: record, partition: p, seen: p.tracker.read(record.Offset)}
		p.pending++
		p.bytes += t.bytes()
		g.enter(t)
	}
	p.tracker.skipTo(next)
	p.end = end
	wake(g.dispatch)
}

// enter puts a task at the end of its lane.
func (g *generation) enter(t *task) {
	name, shared := g.laneOf(t.record)
	if !shared {
		t.lane = &lane{}
		g.offer(t)
		return
	}
	l, busy := g.lanes[name]
	if busy {
		t.lane = l
		l.waiting = append(l.waiting, t)
		return
	}
	t.lane = &lane{shared: true, name: name}
	g.lanes[name] = t.lane
	g.offer(t)
}

// laneOf names the lane that a record shares with others, if it does.
func (g *generation) laneOf(r Record) (name string, shared bool) {
	switch g.sub.options.Lanes {
	case LaneByKey:
		return string(r.Key), r.Key != nil
	case LaneByPartition:
		return strconv.Itoa(r.Partition), true
	case LaneFree:
	}
	return "", false
}

// dispatchLoop hands out runnable messages, InFlight at once, until the drain.
func (g *generation) dispatchLoop() {
	for {
		t := g.take()
		if t == nil {
			select {
			case <-g.dispatch:
				continue
			case <-g.draining:
				return
			}
		}
		msg, d := g.message(t)
		select {
		case g.sub.out <- msg:
			go g.await(t, msg, d)
		case <-g.draining:
			d.cancel()
			g.waiters.Done()
			g.release(t)
			return
		}
	}
}

// take gives the next task to hand out, with its delivery, and counts it as running, or nil.
func (g *generation) take() *task {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.quiet || g.runnable == 0 || g.running >= g.sub.options.InFlight {
		return nil
	}
	t := g.next()
	g.running++
	g.waiters.Add(1)
	t.partition.running++
	t.current = &delivery{lease: g.lease, draining: g.draining, generation: g, task: t}
	g.roomAgain(t.partition)
	if g.runnable == max(1, g.sub.options.InFlight/2)-1 { // it kept all partitions from being read
		for _, loop := range g.loops {
			wake(loop)
		}
	}
	return t
}

func (g *generation) release(t *task) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(t)
}

// leave ends the running of a message.
func (g *generation) leave(t *task) {
	t.partition.running--
	g.running--
	wake(g.dispatch)
	if g.running == 0 {
		wake(g.idle)
	}
}

// message makes a fresh message of a record. Its context ends with it, or when the generation is handed over.
func (g *generation) message(t *task) (*message.Message, *delivery) {
	r, d := &t.record, t.current
	msg := message.NewMessage("", bytes.Clone(r.Value)) // a handler may change its copy
	for _, h := range r.Headers {
		if h.Key == UUIDHeader {
			msg.UUID = string(h.Value)
		} else {
			msg.Metadata[h.Key] = string(h.Value)
		}
	}
	if msg.UUID == "" {
		msg.UUID = r.Topic + "/" + strconv.Itoa(r.Partition) + "/" + strconv.FormatInt(r.Offset, 10)
	}
	ctx, cancel := context.WithCancel(g.messages)
	d.cancel = cancel
	msg.SetContext(context.WithValue(ctx, deliveryContext{}, d))
	return msg, d
}

// behind makes records that wait behind a message that is out part of it, as long as take says so.
func (g *generation) behind(d *delivery, take func(Record) bool) []Record {
	g.mu.Lock()
	if d.task.current != d {
		g.mu.Unlock()
		return nil
	}
	waiting := d.task.lane.waiting[d.taken:] // only the end of d shortens it
	g.mu.Unlock()
	var taken []Record
	for _, t := range waiting {
		if !take(t.record) {
			break
		}
		taken = append(taken, t.record)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	d.taken += len(taken)
	return taken
}

// await waits for what becomes of a message that was handed out.
func (g *generation) await(t *task, msg *message.Message, d *delivery) {
	defer g.waiters.Done()
	defer d.cancel()
	select {
	case <-msg.Acked():
		g.acked(t)
	case <-msg.Nacked():
		g.nacked(t)
	case <-g.over:
	}
}

func (g *generation) acked(t *task) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.revoked {
		return
	}
	l := t.lane
	g.done(t)
	if t.current != nil {
		for range t.current.taken {
			g.done(l.next())
		}
		t.current = nil
	}
	switch {
	case len(l.waiting) > 0:
		g.offer(l.next())
	case l.shared:
		delete(g.lanes, l.name)
	}
	g.leave(t)
}

// done marks a record as handled.
func (g *generation) done(t *task) {
	t.seen.done = true
	p := t.partition
	p.pending--
	p.bytes -= t.bytes()
	g.roomAgain(p)
}

// nacked leaves the message at the head of its lane and hands it out again after a pause, unless the drain comes first.
func (g *generation) nacked(t *task) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.revoked {
		return
	}
	g.leave(t)
	t.current = nil
	t.pause = min(max(2*t.pause, firstNackPause), g.sub.options.NackPause)
	time.AfterFunc(t.pause, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.quiet {
			g.offer(t)
			wake(g.dispatch)
		}
	})
}
