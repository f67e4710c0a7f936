package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/schemas/consume"
)

// Effect is what a service does about a change, through the transaction and nothing else. A RefusedError puts the event aside; any other error
// brings it again.
type Effect func(ctx context.Context, tx *store.Tx, e consume.Event, d consume.Delta) error

// RefusedError is the error of an effect that can never succeed: the event makes no sense to the service.
type RefusedError struct{ Reason string }

func (r RefusedError) Error() string { return "refused: " + r.Reason }

// Options say what is consumed, and how.
type Options struct {
	Kafka kafka.Config
	Topic string
	Group string
	// Start is where the group begins on partitions of which it has committed nothing.
	Start kafka.Start
	// UntilEnd ends Run when everything is taken that the topic held when it began.
	UntilEnd bool
	// InFlight is how many events are handed out at once, and Batch how many of them share a transaction at most; defaults 1024 and 256.
	InFlight, Batch int
	Log             *slog.Logger
	// Progress is told how many of the records that UntilEnd waits for are taken; nil: nobody is.
	Progress func(done, total int64)
	// Around wraps the subscriber; nil: not. Tests lose acknowledgements with it.
	Around func(message.Subscriber) message.Subscriber
}

const (
	session     = 10 * time.Second
	drain       = 10 * time.Second
	closeMargin = 5 * time.Second // the subscriber's drain ends before the router gives up on its handlers
)

// Counts say what came of the records.
type Counts struct {
	News        int64 `json:"news"`        // changes acted on
	Duplicates  int64 `json:"duplicates"`  // known, or nothing new
	Regressions int64 `json:"regressions"` // came late, and were dropped
	Refused     int64 `json:"refused"`     // kept for a person
	Others      int64 `json:"others"`      // no status events
}

type consumer struct {
	options Options
	db      *store.DB
	client  *kafka.Client
	writer  *writer
	shared  chan error // that the group is somebody else's, too
	log     *slog.Logger

	news, duplicates, regressions, refused, others atomic.Int64
}

// Run consumes until ctx ends, or with UntilEnd until the end. What runs is finished first.
func Run(ctx context.Context, db *store.DB, effect Effect, o Options) (Counts, error) {
	o.InFlight, o.Batch = cmp.Or(o.InFlight, 1024), cmp.Or(o.Batch, 256)
	client, err := kafka.NewClient(o.Kafka)
	if err != nil {
		return Counts{}, err
	}
	defer func() { _ = client.Close() }()
	c := &consumer{options: o, db: db, client: client, log: o.Log, writer: newWriter(db, effect, o.Batch), shared: make(chan error, 1)}
	subscriber, err := kafka.NewSubscriber(o.Kafka, kafka.SubscriberOptions{
		Group: o.Group, InFlight: o.InFlight, SessionTimeout: session, Drain: drain, Start: o.Start, Owner: db.Identity,
		OnAssign: func(ctx context.Context, _ kafka.Assignment) error { return c.alone(ctx) },
	})
	if err != nil {
		return Counts{}, err
	}
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: drain + closeMargin}, pipeline.RouterLog(o.Log))
	if err != nil {
		return Counts{}, fmt.Errorf("consume %s: %w", o.Topic, err)
	}
	var source message.Subscriber = subscriber
	if o.Around != nil {
		source = o.Around(subscriber)
	}
	router.AddConsumerHandler("take", o.Topic, source, c.take)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx)) // longer than the handlers that wait for it
	defer stopWriting()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer stopWriting()
		defer cancel()
		return router.Run(ctx)
	})
	group.Go(func() error {
		c.writer.run(writing)
		return nil
	})
	group.Go(func() error { return c.watch(ctx, subscriber) })
	if o.UntilEnd {
		group.Go(func() error {
			defer cancel()
			return c.awaitEnd(ctx)
		})
	}
	err = group.Wait()
	return c.counts(), err
}

func (c *consumer) counts() Counts {
	return Counts{c.news.Load(), c.duplicates.Load(), c.regressions.Load(), c.refused.Load(), c.others.Load()}
}

// take is the handler of a record: nil when it is done with for good.
func (c *consumer) take(msg *message.Message) error {
	ctx := msg.Context()
	record, ok := kafka.RecordOf(ctx)
	if !ok {
		return errors.New("a message that is no record")
	}
	headers := make([]consume.Header, len(record.Headers))
	for i, h := range record.Headers {
		headers[i] = consume.Header(h)
	}
	event, err := consume.Decode(headers, record.Value)
	switch {
	case errors.Is(err, consume.ErrOtherType):
		c.others.Add(1)
		return nil
	case err != nil:
		return c.refuse(ctx, record, err.Error())
	}
	delta, err := c.writer.write(ctx, event)
	if refusal, refused := errors.AsType[RefusedError](err); refused {
		return c.refuse(ctx, record, refusal.Reason)
	}
	if err != nil {
		c.log.ErrorContext(ctx, "an event could not be taken and comes again", "event", event.ID, "payment_id", event.Change.PaymentID, "error", err)
		return err
	}
	switch delta.Verdict {
	case consume.Duplicate:
		c.duplicates.Add(1)
	case consume.Regression:
		c.regressions.Add(1)
		c.log.WarnContext(ctx, "an event that came late was dropped", "event", event.ID, "payment_id", event.Change.PaymentID,
			"status", event.Change.Status, "known", delta.Before.Status)
	default:
		c.news.Add(1)
	}
	return nil
}

// refuse puts a record aside for a person.
func (c *consumer) refuse(ctx context.Context, r kafka.Record, reason string) error {
	err := c.db.Refuse(ctx, store.Refused{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: string(r.Key), Reason: reason, Value: r.Value, RefusedAt: time.Now(),
	})
	if err != nil {
		c.log.ErrorContext(ctx, "a record could neither be taken nor kept for a person, and comes again", "error", err)
		return err
	}
	c.refused.Add(1)
	c.log.ErrorContext(ctx, "a record was refused; the command refused lists it", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset,
		"payment_id", string(r.Key), "reason", reason)
	return nil
}

// alone fails when the group's offsets are also the progress of another service or database: what that one has read is not here, and
// nobody would ever notice.
func (c *consumer) alone(ctx context.Context) error {
	owners, err := c.client.Owners(ctx, c.options.Group, c.options.Topic)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if owner != c.db.Identity {
			err := fmt.Errorf("group %s has read %s into another database (%s), and what is there is not here: give this one a --group of its own; "+
				"it begins anew, and what it knows already takes no effect twice", c.options.Group, c.options.Topic, owner)
			select {
			case c.shared <- err:
			default:
			}
			return err
		}
	}
	return nil
}

// watch ends the consumer when a partition can't be read on, or the group is not its own.
func (c *consumer) watch(ctx context.Context, s *kafka.Subscriber) error {
	return every(ctx, time.Second, func() (bool, error) {
		select {
		case err := <-c.shared:
			return false, err
		default:
			return false, s.Err()
		}
	})
}

// awaitEnd returns when the group has committed everything that the topic holds now.
func (c *consumer) awaitEnd(ctx context.Context) error {
	ends, err := c.client.ListOffsets(ctx, c.options.Topic, kafka.Latest)
	if err != nil {
		return fmt.Errorf("the end of %s: %w", c.options.Topic, err)
	}
	if err := c.alone(ctx); err != nil {
		return err
	}
	begins, err := c.client.ListOffsets(ctx, c.options.Topic, c.options.Start)
	if err != nil {
		return fmt.Errorf("the beginning of %s: %w", c.options.Topic, err)
	}
	total := int64(-1)
	return every(ctx, 200*time.Millisecond, func() (bool, error) {
		committed, err := c.client.CommittedOffsets(ctx, c.options.Group, c.options.Topic)
		if err != nil {
			return false, err
		}
		left := int64(0)
		for p, end := range ends {
			from, ok := committed[p]
			if !ok {
				from = begins[p]
			}
			left += max(0, end-from)
		}
		total = max(total, left)
		if c.options.Progress != nil {
			c.options.Progress(total-left, total)
		}
		return left == 0, nil
	})
}

// every calls fn again and again, until it is done, fails, or ctx ends, which is no error.
func every(ctx context.Context, pause time.Duration, fn func() (done bool, err error)) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		done, err := fn()
		switch {
		case ctx.Err() != nil:
			return nil
		case done || err != nil:
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}
