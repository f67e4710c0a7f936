package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
)

const (
	batchTimeout  = 5 * time.Millisecond // how long the first message of a batch waits for others
	batchMessages = 50                   // the writer allocates room for as many with each batch
	batchBytes    = 1_000_000            // below Kafka's default max.message.bytes, which limits a whole batch
	writeTimeout  = 10 * time.Second
)

// ErrClosed is returned by what was closed.
var ErrClosed = errors.New("kafka: closed")

// PublisherOptions say how a Publisher publishes; the zero value has the defaults.
type PublisherOptions struct {
	// Deadline is how long Publish tries again when a partition has no leader, too few replicas are in sync, or the brokers
	// cannot be reached; default 30s. The last attempt may end up to 10s later.
	Deadline time.Duration
	// Topics limits the metadata that is asked for, continually, to these topics; empty: all topics of the cluster.
	Topics []string
	// OmitUUID leaves out the header UUIDHeader.
	OmitUUID bool
	// OnAppend is told when, by a broker's clock, messages were appended that were just acknowledged, if their topic has
	// message.timestamp.type=LogAppendTime. It is called by several goroutines and must not block.
	OnAppend func(time.Time)
	// Hooks are told what happens inside, see Hook.
	Hooks []Hook
}

// Publisher is a Watermill Publisher. It partitions by key as the Java client does (murmur2), without a key at random.
type Publisher struct {
	options   PublisherOptions
	transport *kafkago.Transport
	fence     *fence
	batched   *kafkago.Writer
	single    *kafkago.Writer // for messages that fill a batch by themselves
	closed    chan struct{}
	close     sync.Once
}

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher makes a Publisher; it connects with the first Publish.
func NewPublisher(config Config, options PublisherOptions) (*Publisher, error) {
	n, err := config.network()
	if err != nil {
		return nil, err
	}
	if err := checkHooks(options.Hooks); err != nil {
		return nil, err
	}
	if options.Deadline == 0 {
		options.Deadline = 30 * time.Second
	}
	p := &Publisher{options: options, transport: n.transport(options.Topics...), closed: make(chan struct{})}
	p.fence = newFence(p.transport)
	p.batched = p.writer(n, batchMessages, batchBytes)
	p.single = p.writer(n, 1, 1<<31-1)
	return p, nil
}

// writer makes one attempt per batch: Publish repeats, so that nothing is written after Publish has returned an error.
func (p *Publisher) writer(n *network, messages int, bytes int64) *kafkago.Writer {
	return &kafkago.Writer{
		Addr: n.addr(), Transport: p.fence, Balancer: kafkago.Murmur2Balancer{}, RequiredAcks: kafkago.RequireAll,
		MaxAttempts: 1, BatchSize: messages, BatchBytes: bytes, BatchTimeout: batchTimeout,
		ReadTimeout: writeTimeout, WriteTimeout: writeTimeout, Completion: p.completed,
	}
}

// completed is called when a batch was acknowledged, or failed. The messages of a batch are appended at the same time.
func (p *Publisher) completed(batch []kafkago.Message, err error) {
	if p.options.OnAppend != nil && err == nil && len(batch) > 0 && !batch[0].Time.IsZero() {
		p.options.OnAppend(batch[0].Time)
	}
}

// Publish returns nil when all in-sync replicas of every message's partition acknowledged it. Messages of one key are written
// one after the other, in the order given. After an error some may have been written; when the error wraps ErrLeaseLost and
// there was one message, or none were tried before, nothing was. A message whose context carries a Lease is written only while
// that holds: it is looked at last while the request is being encoded. The contexts' cancellation and deadlines are not looked at:
// a write cannot be taken back.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	letters := make([]letter, len(messages))
	for i, msg := range messages {
		letters[i] = letter{record: p.record(topic, msg), lease: LeaseOf(msg.Context())}
	}
	if err := leases(letters); err != nil {
		return fmt.Errorf("kafka: publish to %s: %w", topic, err)
	}
	deadline := time.Now().Add(p.options.Deadline)
	for _, round := range rounds(letters) {
		if err := p.publish(topic, round, deadline); err != nil {
			return fmt.Errorf("kafka: publish to %s: %w", topic, err)
		}
	}
	return nil
}

// letter is a message as kafka-go's Writer takes it, with the lease that it is written under.
type letter struct {
	record kafkago.Message
	lease  *Lease
}

func (l letter) size() int {
	size := len(l.record.Key) + len(l.record.Value) + 64
	for _, h := range l.record.Headers {
		size += len(h.Key) + len(h.Value) + 16
	}
	return size
}

// rounds splits letters so that no key occurs twice in a round.
func rounds(letters []letter) [][]letter {
	if len(letters) < 2 {
		return [][]letter{letters}
	}
	var out [][]letter
	seen := map[string]int{}
	for _, l := range letters {
		round := 0
		if key := l.record.Key; key != nil {
			round = seen[string(key)]
			seen[string(key)]++
		}
		if round == len(out) {
			out = append(out, nil)
		}
		out[round] = append(out[round], l)
	}
	return out
}

func leases(letters []letter) error {
	for _, l := range letters {
		if err := l.lease.Err(); err != nil {
			return err
		}
	}
	return nil
}

// publish writes one round, and again what failed for a passing reason, until the deadline.
func (p *Publisher) publish(topic string, round []letter, deadline time.Time) error {
	batched, single := round, []letter(nil)
	if slices.ContainsFunc(round, letter.large) {
		batched = nil
		for _, l := range round {
			if l.large() {
				single = append(single, l)
			} else {
				batched = append(batched, l)
			}
		}
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if err := leases(round); err != nil {
			return err
		}
		batchedFailed, err := p.write(p.batched, batched)
		if errors.Is(err, kafkago.MessageSizeTooLarge) { // the batch may have been, not its messages
			single, batchedFailed, err = append(single, batchedFailed...), nil, nil
		}
		singleFailed, singleErr := p.write(p.single, single)
		err = errors.Join(err, singleErr)
		if err == nil {
			return nil
		}
		batched, single = batchedFailed, singleFailed
		round = slices.Concat(batched, single)
		lasting, late := !passing(err), time.Now().Add(pause).After(deadline)
		tell(p.options.Hooks, func(h HookPublishError) { h.OnPublishError(topic, len(round), !lasting && !late, err) })
		switch {
		case lasting:
			return err
		case late:
			return fmt.Errorf("after %s: %w", p.options.Deadline, err)
		}
		select {
		case <-time.After(pause):
		case <-p.closed:
			return errors.Join(ErrClosed, err)
		}
	}
}

// large tells that a message fills a batch by itself.
func (l letter) large() bool { return l.size() >= batchBytes }

// write makes one attempt and gives the letters that were not written, with the reasons.
func (p *Publisher) write(w *kafkago.Writer, letters []letter) ([]letter, error) {
	if len(letters) == 0 {
		return nil, nil
	}
	records := make([]kafkago.Message, len(letters))
	for i := range letters {
		records[i] = letters[i].record
	}
	defer p.fence.guard(records, letters)()
	err := w.WriteMessages(context.Background(), records...)
	var each kafkago.WriteErrors
	switch {
	case err == nil:
		return nil, nil
	case errors.Is(err, io.ErrClosedPipe):
		return letters, ErrClosed
	case !errors.As(err, &each):
		return letters, err
	}
	var failed []letter
	var reasons []error
	for i, err := range each {
		if err == nil {
			continue
		}
		failed = append(failed, letters[i])
		if !slices.ContainsFunc(reasons, func(known error) bool { return known.Error() == err.Error() }) {
			reasons = append(reasons, err)
		}
	}
	return failed, errors.Join(reasons...)
}

// passing tells whether every cause may be gone by itself. What is not known is tried again.
func passing(err error) bool {
	for _, lasting := range []error{
		ErrClosed, kafkago.MessageSizeTooLarge, kafkago.InvalidTopic, kafkago.TopicAuthorizationFailed,
		kafkago.ClusterAuthorizationFailed, kafkago.SASLAuthenticationFailed, kafkago.InvalidRecord, kafkago.InvalidTimestamp,
		kafkago.PolicyViolation, kafkago.InvalidRequiredAcks, kafkago.UnsupportedVersion, kafkago.UnsupportedForMessageFormat,
	} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return true
}

func (p *Publisher) record(topic string, msg *message.Message) kafkago.Message {
	out := kafkago.Message{Topic: topic, Key: Key(msg), Value: msg.Payload}
	if exact, ok := msg.Context().Value(headersContext{}).([]Header); ok {
		for _, h := range exact {
			out.Headers = append(out.Headers, kafkago.Header(h))
		}
		return out
	}
	if msg.UUID != "" && !p.options.OmitUUID {
		out.Headers = append(out.Headers, kafkago.Header{Key: UUIDHeader, Value: []byte(msg.UUID)})
	}
	if len(msg.Metadata) == 0 {
		return out
	}
	names := make([]string, 0, len(msg.Metadata))
	for name := range msg.Metadata {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out.Headers = append(out.Headers, kafkago.Header{Key: name, Value: []byte(msg.Metadata[name])})
	}
	return out
}

// Close waits for the writes under way; Publish fails from then on. It may be called more than once.
func (p *Publisher) Close() error {
	var err error
	p.close.Do(func() {
		close(p.closed)
		err = errors.Join(p.batched.Close(), p.single.Close())
		p.transport.CloseIdleConnections()
	})
	return err
}
