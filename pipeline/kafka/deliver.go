package kafka

import (
	"bytes"
	"context"
	"fmt"
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
type queue struct {
	tasks []*task
	head  int
}

func (q *queue) push(t *task) { q.tasks = append(q.tasks, t) }

func (q *queue) pop() *task {
	if q.head == len(q.tasks) {
		return nil
	}
	t := q.tasks[q.head]
	q.tasks[q.head] = nil
	if q.head++; q.head == len(q.tasks) {
		q.tasks, q.head = q.tasks[:0], 0
	}
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
		g.runnable.push(t)
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
	g.runnable.push(t)
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
			g.release()
			return
		}
	}
}

// take gives the next task to hand out, and counts it as running, or nil.
func (g *generation) take() *task {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.quiet || g.running >= g.sub.options.InFlight {
		return nil
	}
	t := g.runnable.pop()
	if t != nil {
		g.running++
	}
	return t
}

func (g *generation) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave()
}

// leave ends the running of a message.
func (g *generation) leave() {
	g.running--
	wake(g.dispatch)
	if g.running == 0 {
		wake(g.idle)
	}
}

// message makes a fresh message of a record. Its context ends with it, or when the generation is handed over.
func (g *generation) message(t *task) (*message.Message, *delivery) {
	r := t.record
	msg := message.NewMessage("", bytes.Clone(r.Value)) // a handler may change its copy
	for _, h := range r.Headers {
		if h.Key == UUIDHeader {
			msg.UUID = string(h.Value)
		} else {
			msg.Metadata[h.Key] = string(h.Value)
		}
	}
	if msg.UUID == "" {
		msg.UUID = fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)
	}
	ctx, cancel := context.WithCancel(g.messages)
	d := &delivery{record: r, lease: g.lease, draining: g.draining, generation: g, task: t, cancel: cancel}
	msg.SetContext(context.WithValue(ctx, deliveryContext{}, d))
	g.mu.Lock()
	defer g.mu.Unlock()
	t.current = d
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
		g.runnable.push(l.next())
	case l.shared:
		delete(g.lanes, l.name)
	}
	g.leave()
}

// done marks a record as handled.
func (g *generation) done(t *task) {
	t.seen.done = true
	p := t.partition
	p.pending--
	p.bytes -= t.bytes()
	if p.full && g.room(p) {
		p.full = false
		g.wakeLoop(p.leader)
	}
}

// nacked leaves the message at the head of its lane and hands it out again after a pause, unless the drain comes first.
func (g *generation) nacked(t *task) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.revoked {
		return
	}
	g.leave()
	t.current = nil
	t.pause = min(max(2*t.pause, firstNackPause), g.sub.options.NackPause)
	time.AfterFunc(t.pause, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.quiet {
			g.runnable.push(t)
			wake(g.dispatch)
		}
	})
}
