// Package pipeline puts the steps together: one Watermill Router on which every handler consumes one topic and writes to
// others. Read assemble first: it is the picture of the whole.
//
//	payments.initiated ─▶ intake ─▶ paystatus.checks ─▶ check ──▶ payments.status_changed
//	                                  ▲    ▲                 │
//	payments.notified ─▶ notification ┘    └── wake ◀── paystatus.delay.{1s,5s,30s,2m,10m,1h,6h}
//	      ▲
//	webhook endpoint (package webhooks, a listener of the Service)
//
//	what cannot go on ─▶ paystatus.dead_letters ─▶ (redrive) ─▶ paystatus.redriven ─▶ redriven ─▶ paystatus.checks
//	a notification whose payment the provider cannot tell yet ─▶ paystatus.delay.… ─▶ wake ─▶ paystatus.redriven
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
)

// Options are what a pipeline is made of.
type Options struct {
	Kafka          kafka.Config
	Group          string        // prefix of the consumer groups
	SessionTimeout time.Duration // of the consumer groups
	Start          kafka.Start   // where the very first start begins in the topic of initiated events
	Topics         Topics

	InFlight int           // checks running at once
	Lookback time.Duration // how far back the emitted log is read on assignment
	Drain    time.Duration // how long running messages may finish on a rebalance or shutdown

	Providers      map[string]providers.Provider
	Share          *providers.Share // told which part of the partitions is this instance's; its providers must have it, too
	Schedule       func(provider, method string) watch.Schedule
	Events         handlers.Events
	InitiatedTypes []string

	IgnoreUnknownPayments bool // notifications for payments that no initiated event names are dropped
	TrustProducer         bool // notifications on the topic are verified already

	Metrics *Metrics // nil: none
	Log     *slog.Logger

	Clock func() time.Time // the host's clock, which may be wrong; nil: time.Now

	// Around wraps the publisher; nil leaves it as it is. Tests stop a pipeline between two writes with it.
	Around func(message.Publisher) message.Publisher
}

// Pipeline is a running set of handlers. Make one with New, run it once.
type Pipeline struct {
	options     Options
	router      *message.Router
	publisher   message.Publisher
	client      *kafka.Client
	clock       *delay.Clock
	memory      *handlers.Memory
	subscribers []*kafka.Subscriber
	failures    *failures
	shares      *shares
	growth      *growth
}

// New connects a pipeline; Run starts it.
func New(o Options) (*Pipeline, error) { return newPipeline(o, (*Pipeline).assemble) }

func newPipeline(o Options, assemble func(*Pipeline) error) (*Pipeline, error) {
	client, err := kafka.NewClient(o.Kafka)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	var publisher message.Publisher
	clock := delay.NewClock(o.Clock)
	publisher, err = kafka.NewPublisher(o.Kafka, kafka.PublisherOptions{
		Topics: o.Topics.all(), OmitUUID: true, OnAppend: clock.Appended, Hooks: o.Metrics.publisher(),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pipeline: %w", err), client.Close())
	}
	if o.Around != nil {
		publisher = o.Around(publisher)
	}
	// The drain of the subscribers ends before the router gives up on its handlers.
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: o.Drain + closeMargin}, RouterLog(o.Log))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pipeline: %w", err), publisher.Close(), client.Close())
	}
	p := &Pipeline{
		options: o, router: router, publisher: publisher, client: client, clock: clock, memory: handlers.NewMemory(),
		failures: newFailures(o.Log), shares: newShares(o.Log),
		growth: &growth{client: client, topics: o.Topics, log: o.Log, every: growthEvery},
	}
	if err := assemble(p); err != nil {
		return nil, errors.Join(err, publisher.Close(), client.Close())
	}
	return p, nil
}

const closeMargin = 5 * time.Second

// assemble wires every handler to its topic, top to bottom as in the picture. Nothing is wired elsewhere.
func (p *Pipeline) assemble() error {
	o, t := p.options, p.options.Topics

	intake := &handlers.Intake{Providers: o.Providers, Types: o.InitiatedTypes, Count: o.Metrics.counter(handlers.NameIntake)}
	notification := &handlers.Notification{
		Providers: o.Providers, TrustProducer: o.TrustProducer, IgnoreUnknownPayments: o.IgnoreUnknownPayments, Timeout: o.Drain,
		Log: o.Log, Count: o.Metrics.counter(handlers.NameNotification),
	}
	redriven := &handlers.Redriven{Intake: intake.Handle, Notification: notification.Handle}
	check := &handlers.Check{
		Providers: o.Providers, Schedule: o.Schedule, Memory: p.memory, Events: o.Events, Random: rand.Float64, Delays: t.tiers().Exact(),
		Timeout: o.Drain, IgnoreUnknownPayments: o.IgnoreUnknownPayments, Refusals: &providers.Refusals{Share: o.Share}, Log: o.Log, Watch: o.Metrics.checks(),
	}
	restore := &restorer{client: p.client, topics: t, memory: p.memory, share: o.Share, lookback: o.Lookback, log: o.Log}

	err := errors.Join(
		p.route(handlers.NameIntake, t.Initiated, intake.Handle, kafka.SubscriberOptions{Start: o.Start}),
		p.route(handlers.NameNotification, t.Notified, notification.Handle, kafka.SubscriberOptions{}),
		p.route(handlers.NameRedriven, t.Redriven(), redriven.Handle, kafka.SubscriberOptions{}),
		p.route(handlers.NameCheck, t.Checks(), check.Handle,
			kafka.SubscriberOptions{InFlight: o.InFlight, OnAssign: restore.assign, OnRevoke: restore.revoke}),
	)
	p.failures.abandon[handlers.NameCheck] = check.Abandon
	return errors.Join(err, p.routeTiers())
}

// routeTiers makes the records of every tier wait and go on.
func (p *Pipeline) routeTiers() (err error) {
	t := p.options.Topics
	for _, tier := range t.tiers() {
		w := &wake{p, tier}
		options := kafka.SubscriberOptions{Lanes: kafka.LaneByPartition, ReadAhead: wakeAhead}
		err = errors.Join(err, p.consume(wakeName(tier), t.Tier(tier.Name), options, w.handle))
	}
	return err
}

// route makes a handler consume a topic, in a consumer group of its own.
func (p *Pipeline) route(name, topic string, handle handlers.Handler, s kafka.SubscriberOptions) error {
	return p.consume(name, topic, s, func(msg *message.Message) error {
		record, ok := kafka.RecordOf(msg.Context())
		if !ok {
			return fmt.Errorf("%s: a message without a record", name)
		}
		result, err := p.failures.guard(name, handle, msg.Context(), snapshot.MessageOf(record))
		if err != nil {
			return err
		}
		if err := p.write(msg.Context(), topic, result.Out); err != nil {
			return err
		}
		if result.Done != nil {
			result.Done()
		}
		return nil
	})
}

func (p *Pipeline) consume(name, topic string, s kafka.SubscriberOptions, handle message.NoPublishHandlerFunc) error {
	s.Group, s.SessionTimeout, s.Drain = GroupOf(p.options.Group, name), p.options.SessionTimeout, p.options.Drain
	s.Hooks = p.options.Metrics.subscriber(name)
	subscriber, err := kafka.NewSubscriber(p.options.Kafka, p.shares.of(name, s))
	if err != nil {
		return fmt.Errorf("pipeline: %s: %w", name, err)
	}
	p.subscribers = append(p.subscribers, subscriber)
	p.router.AddConsumerHandler(name, topic, subscriber, handle)
	return nil
}

// write writes what a handler wants written, each record acknowledged before the next. A write that fails is made again as long as the
// message is ours: handled again, after some records were written, it could come to something else than they say.
func (p *Pipeline) write(ctx context.Context, from string, out []handlers.Out) error {
	t := p.options.Topics
	for _, o := range out {
		var topic string
		headers := o.Headers
		switch o.To {
		case handlers.ToChecks:
			topic = t.Checks()
		case handlers.ToStatusChanged:
			topic = t.StatusChanged
		case handlers.ToDeadLetters:
			topic = t.DeadLetters()
		case handlers.ToReplays:
			topic = t.Replays()
		case handlers.ToDelay:
			waiting := t.tiers().Begin(o.After, o.Headers)
			topic, headers = t.Tier(waiting.Tier), waiting.Headers
		default:
			return fmt.Errorf("write from %s: no topic for %q", from, o.To)
		}
		if err := p.insist(ctx, topic, p.message(ctx, o.Key, o.Value, headers)); err != nil {
			return err
		}
	}
	return nil
}

// The pauses before a write that failed is made again.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
)

// insist publishes until that succeeds, or the message whose context this is begins to be handed over.
func (p *Pipeline) insist(ctx context.Context, topic string, msg *message.Message) error {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := p.publish(topic, msg)
		if err == nil || errors.Is(err, kafka.ErrLeaseLost) {
			return err
		}
		p.options.Log.Warn("a write failed and is made again", "topic", topic, "error", err)
		select {
		case <-time.After(pause):
		case <-kafka.Draining(ctx):
			return err
		case <-ctx.Done():
			return err
		}
	}
}

// message makes a record to be written, if the message whose context this is still is ours.
func (p *Pipeline) message(ctx context.Context, key, value []byte, headers []handlers.Header) *message.Message {
	const uuid = "" // none is written
	msg := message.NewMessageWithContext(kafka.WithLease(context.WithoutCancel(ctx), kafka.LeaseOf(ctx)), uuid, value)
	kafka.SetKey(msg, key)
	exact := make([]kafka.Header, len(headers))
	for i, h := range headers {
		exact[i] = kafka.Header(h)
	}
	kafka.SetHeaders(msg, exact)
	return msg
}

func (p *Pipeline) publish(topic string, messages ...*message.Message) error {
	if err := p.publisher.Publish(topic, messages...); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

// Run serves until ctx ends, then drains.
func (p *Pipeline) Run(ctx context.Context) error {
	watched := make(chan struct{})
	growing, stop := context.WithCancel(ctx)
	go func() {
		defer close(watched)
		p.growth.run(growing)
	}()
	err := p.router.Run(ctx)
	if err != nil {
		err = fmt.Errorf("pipeline: %w", err)
	}
	stop()
	<-watched
	return errors.Join(err, p.publisher.Close(), p.client.Close())
}

// Ready tells whether every handler has its share of partitions, none is draining, and no internal topic has grown.
func (p *Pipeline) Ready() bool {
	for _, s := range p.subscribers {
		if !s.Ready() {
			return false
		}
	}
	return !p.growth.grown.Load()
}

// Err is nil, or says which partitions stopped and why.
func (p *Pipeline) Err() error {
	var all []error
	for _, s := range p.subscribers {
		all = append(all, s.Err())
	}
	return errors.Join(all...)
}
