package kafka

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
)

const (
	linger         = 5 * time.Millisecond // how long the first record of a request waits for others
	batchBytes     = 1_000_000            // of one partition in a request; below Kafka's default max.message.bytes, which limits it
	requestBytes   = 8 << 20              // a request with as many is not lingered over
	requestsAtOnce = 5                    // to one leader; meanwhile the next one grows
	writeTimeout   = 10 * time.Second
	routeLifetime  = time.Second // of what is known about a topic's leaders
)

// writer writes records with one request to each leader for all that came within some milliseconds. kafka-go's Writer makes one for each
// partition, with a timer and a goroutine of its own: with 12 partitions about ten times as many, which both sides have to pay for. A
// failed request is not made again: Publish does that, so that nothing is written after it has returned an error.
type writer struct {
	client   *Client // its transport carries the requests
	to       kafkago.RoundTripper
	onAppend func(time.Time)

	mu       sync.Mutex
	routes   map[string]*route  // by topic
	outboxes map[string]*outbox // by leader
	closed   bool
	writes   sync.WaitGroup // calls of write
}

// letter is a record on its way, with the lease that it is written under.
type letter struct {
	record kafkago.Message
	lease  *Lease
	alone  bool // it may not share a batch: together they were too large

	partition int
	err       error // of the last attempt
	done      *sync.WaitGroup
}

func (l *letter) size() int {
	size := len(l.record.Key) + len(l.record.Value) + 64
	for _, h := range l.record.Headers {
		size += len(h.Key) + len(h.Value) + 16
	}
	return size
}

func (l *letter) finish(err error) {
	l.err = err
	l.done.Done()
}

// route is where the partitions of a topic are led.
type route struct {
	until   time.Time
	ids     []int
	leaders map[int]string // address; empty: none
}

// outbox gathers the letters to one leader.
type outbox struct {
	letters []*letter
	bytes   int
	timer   *time.Timer
	ticking bool
	sending int  // requests under way
	due     bool // to be sent when one of them has ended
}

func newWriter(client *Client, onAppend func(time.Time)) *writer {
	return &writer{client: client, to: client.transport, onAppend: onAppend, routes: map[string]*route{}, outboxes: map[string]*outbox{}}
}

// write makes one attempt for letters to a topic and leaves in each what came of it.
func (w *writer) write(topic string, letters []*letter) {
	route, err := w.route(topic)
	if err != nil {
		for _, l := range letters {
			l.err = err
		}
		return
	}
	for _, l := range letters {
		l.partition = kafkago.Murmur2Balancer{}.Balance(l.record, route.ids...)
	}
	var done sync.WaitGroup
	w.mu.Lock()
	closed := w.closed
	if !closed {
		w.writes.Add(1)
		defer w.writes.Done()
	}
	for _, l := range letters {
		leader := route.leaders[l.partition]
		switch {
		case closed:
			l.err = ErrClosed
		case leader == "":
			l.err = kafkago.LeaderNotAvailable
			delete(w.routes, topic)
		default:
			done.Add(1)
			l.done = &done
			w.post(leader, l)
		}
	}
	w.mu.Unlock()
	done.Wait()
}

// route gives what is known about a topic's leaders.
func (w *writer) route(topic string) (*route, error) {
	now := time.Now()
	w.mu.Lock()
	r := w.routes[topic]
	if r != nil && now.Before(r.until) {
		w.mu.Unlock()
		return r, nil
	}
	if r != nil {
		r.until = now.Add(routeLifetime) // for the others, while this one asks
	}
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	leaders, err := w.client.leaders(ctx, topic)
	if err != nil {
		return nil, err
	}
	r = &route{until: now.Add(routeLifetime), leaders: leaders}
	for id := range leaders {
		r.ids = append(r.ids, id)
	}
	slices.Sort(r.ids)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.routes[topic] = r
	return r, nil
}

// post puts a letter into the outbox for its leader.
func (w *writer) post(leader string, l *letter) {
	o := w.outboxes[leader]
	if o == nil {
		o = &outbox{ticking: true}
		o.timer = time.AfterFunc(linger, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			o.ticking = false
			w.send(o)
		})
		w.outboxes[leader] = o
	}
	o.letters = append(o.letters, l)
	o.bytes += l.size()
	switch {
	case o.bytes >= requestBytes:
		w.send(o)
	case !o.ticking:
		o.ticking = true
		o.timer.Reset(linger)
	}
}

// send begins a request with what is in the outbox, or waits with it while too many are under way.
func (w *writer) send(o *outbox) {
	if o.due = o.sending == requestsAtOnce; o.due || len(o.letters) == 0 {
		return
	}
	letters := o.letters
	o.letters, o.bytes = make([]*letter, 0, len(letters)), 0
	o.sending++
	go func() {
		left := w.request(letters)
		w.mu.Lock()
		defer w.mu.Unlock()
		o.sending--
		o.letters = append(o.letters, left...)
		if o.due || len(left) > 0 {
			w.send(o)
		}
	}()
}

// bundle is what goes to one partition.
type bundle struct {
	topic     string
	partition int32
	letters   []*letter
}

func (b bundle) compare(topic string, partition int32) int {
	return cmp.Or(cmp.Compare(b.topic, topic), cmp.Compare(b.partition, partition))
}

// request writes letters to one leader. It gives back those that must go with a later request.
func (w *writer) request(letters []*letter) (left []*letter) {
	bundles, left := sorted(letters)
	request := &produce.Request{Acks: int16(kafkago.RequireAll), Timeout: int32(writeTimeout.Milliseconds())} //nolint:gosec // some seconds
	for _, b := range bundles {
		if n := len(request.Topics); n == 0 || request.Topics[n-1].Topic != b.topic {
			request.Topics = append(request.Topics, produce.RequestTopic{Topic: b.topic})
		}
		topic := &request.Topics[len(request.Topics)-1]
		topic.Partitions = append(topic.Partitions, produce.RequestPartition{
			Partition: b.partition, RecordSet: protocol.RecordSet{Records: &recordsOf{letters: b.letters}},
		})
	}
	if len(bundles) == 0 {
		return left
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	answer, err := w.to.RoundTrip(ctx, w.client.network.addr(), request)
	response, ok := answer.(*produce.Response)
	if err == nil && !ok {
		err = errors.New("an answer of another kind")
	}
	if err == nil {
		bundles = w.answered(bundles, response)
		err = errors.New("the answer leaves the partition out")
	}
	for _, b := range bundles {
		w.finish(b, fmt.Errorf("write to %s/%d: %w", b.topic, b.partition, err))
	}
	return left
}

// answered finishes the bundles that the response speaks of, and gives the others.
func (w *writer) answered(bundles []bundle, response *produce.Response) []bundle {
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			i, known := slices.BinarySearchFunc(bundles, p.Partition, func(b bundle, partition int32) int { return b.compare(topic.Topic, partition) })
			switch {
			case !known:
				continue
			case p.ErrorCode != 0:
				w.finish(bundles[i], kafkago.Error(p.ErrorCode))
			default:
				if w.onAppend != nil && p.LogAppendTime > 0 {
					w.onAppend(time.UnixMilli(p.LogAppendTime))
				}
				w.finish(bundles[i], nil)
			}
			bundles[i].letters = nil
		}
	}
	return slices.DeleteFunc(bundles, func(b bundle) bool { return b.letters == nil })
}

// finish tells the letters of a batch what came of them. After an error its topic may have other leaders.
func (w *writer) finish(b bundle, err error) {
	if err != nil {
		w.mu.Lock()
		delete(w.routes, b.topic)
		w.mu.Unlock()
	}
	for _, l := range b.letters {
		l.finish(err)
	}
}

// sorted makes bundles of letters, in the order of topics and partitions. Those that would make one too large are left. A letter
// whose lease is lost is finished.
func sorted(letters []*letter) (bundles []bundle, left []*letter) {
	letters = slices.DeleteFunc(letters, func(l *letter) bool {
		err := l.lease.Err()
		if err != nil {
			l.finish(err)
		}
		return err != nil
	})
	slices.SortStableFunc(letters, func(a, b *letter) int {
		return cmp.Or(cmp.Compare(a.record.Topic, b.record.Topic), cmp.Compare(a.partition, b.partition))
	})
	kept, bytes, all := 0, 0, 0
	for _, l := range letters {
		partition := int32(l.partition) //nolint:gosec // came as int32
		size, n := l.size(), len(bundles)
		first := n == 0 || bundles[n-1].compare(l.record.Topic, partition) != 0
		switch {
		case !first && (l.alone || bundles[n-1].letters[0].alone || bytes+size > batchBytes), n > 0 && all+size > requestBytes:
			left = append(left, l)
			continue
		case first:
			bundles = append(bundles, bundle{topic: l.record.Topic, partition: partition, letters: letters[kept:kept]})
			bytes = 0
		}
		letters[kept] = l
		kept++
		b := &bundles[len(bundles)-1]
		b.letters = b.letters[:len(b.letters)+1]
		bytes += size
		all += size
	}
	return bundles, left
}

// recordsOf are the records of letters. It looks at their leases while the request is being encoded, before any of it is sent: a process that was
// frozen after it gathered them writes nothing when it thaws.
type recordsOf struct {
	letters    []*letter
	next       int
	record     protocol.Record
	key, value byteReader
}

// ReadRecord is part of protocol.RecordReader.
func (r *recordsOf) ReadRecord() (*protocol.Record, error) {
	if r.next == len(r.letters) {
		return nil, io.EOF
	}
	l := r.letters[r.next]
	r.next++
	if err := l.lease.Err(); err != nil {
		return nil, fmt.Errorf("a record of the request: %w", err)
	}
	r.record = protocol.Record{Time: l.record.Time, Headers: l.record.Headers}
	if l.record.Key != nil {
		r.key.Reset(l.record.Key)
		r.record.Key = &r.key
	}
	if l.record.Value != nil {
		r.value.Reset(l.record.Value)
		r.record.Value = &r.value
	}
	return &r.record, nil
}

type byteReader struct{ bytes.Reader }

// Close is part of protocol.Bytes.
func (*byteReader) Close() error { return nil }

// close waits for the letters under way; write fails from then on.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	for _, o := range w.outboxes {
		w.send(o)
	}
	w.mu.Unlock()
	w.writes.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.outboxes {
		o.timer.Stop()
	}
}
