package kafka

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
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
	options PublisherOptions
	client  *Client
	writer  *writer
	closed  chan struct{}
	close   sync.Once
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
	client := newClient(n, options.Topics...)
	return &Publisher{options: options, client: client, writer: newWriter(client, options.OnAppend), closed: make(chan struct{})}, nil
}

// Publish returns nil when all in-sync replicas of every message's partition acknowledged it. Messages of one key are written
// one after the other, in the order given. After an error some may have been written; when the error wraps ErrLeaseLost and
// there was one message, or none were tried before, nothing was. A message whose context carries a Lease is written only while
// that holds: it is looked at last while the request is being encoded. The contexts' cancellation and deadlines are not looked at:
// a write cannot be taken back.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	letters, now := make([]*letter, len(messages)), time.Now()
	for i, msg := range messages {
		letters[i] = &letter{record: p.record(topic, msg), lease: LeaseOf(msg.Context())}
		letters[i].record.Time = now
	}
	if err := leases(letters); err != nil {
		return fmt.Errorf("kafka: publish to %s: %w", topic, err)
	}
	deadline := now.Add(p.options.Deadline)
	for _, round := range rounds(letters) {
		if err := p.publish(topic, round, deadline); err != nil {
			return fmt.Errorf("kafka: publish to %s: %w", topic, err)
		}
	}
	return nil
}

// rounds splits letters so that no key occurs twice in a round.
func rounds(letters []*letter) [][]*letter {
	if len(letters) < 2 {
		return [][]*letter{letters}
	}
	var out [][]*letter
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

func leases(letters []*letter) error {
	for _, l := range letters {
		if err := l.lease.Err(); err != nil {
			return err
		}
	}
	return nil
}

// publish writes one round, and again what failed for a passing reason, until the deadline.
func (p *Publisher) publish(topic string, round []*letter, deadline time.Time) error {
	for pause := 50 * time.Millisecond; ; {
		if err := leases(round); err != nil {
			return err
		}
		p.writer.write(topic, round)
		failed, err := unwritten(round)
		if len(failed) == 0 {
			return nil
		}
		round = failed
		if err == nil {
			continue
		}
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
		pause = min(2*pause, time.Second)
	}
}

// unwritten gives the letters of a round that were not written, with the reasons. What was too large in company goes alone next, which needs no reason.
func unwritten(round []*letter) (failed []*letter, err error) {
	var reasons []error
	for _, l := range round {
		if l.err == nil {
			continue
		}
		failed = append(failed, l)
		switch {
		case errors.Is(l.err, kafkago.MessageSizeTooLarge) && !l.alone:
			l.alone = true
		case !slices.ContainsFunc(reasons, func(known error) bool { return known.Error() == l.err.Error() }):
			reasons = append(reasons, l.err)
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
		out.Headers = make([]kafkago.Header, len(exact))
		for i, h := range exact {
			out.Headers[i] = kafkago.Header(h)
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
		p.writer.close()
		err = p.client.Close()
	})
	return err
}
