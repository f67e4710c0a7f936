package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

func adapterGroup(l Load) string { return l.Prefix + "adapter" }

// runAdapter is one Watermill handler on the adapter, as anybody would write it: in order per key, with contiguous commits.
func runAdapter(ctx context.Context, load Load, score *Score) error {
	log := partLog()
	config := kafka.Config{Brokers: load.Brokers, ClientID: "paystatus-bench", Logger: log}
	subscriber, err := kafka.NewSubscriber(config, kafka.SubscriberOptions{Group: adapterGroup(load), InFlight: load.InFlight})
	if err != nil {
		return err
	}
	publisher, err := kafka.NewPublisher(config, kafka.PublisherOptions{Topics: []string{load.Sink}, OmitUUID: true})
	if err != nil {
		return err
	}
	go score.readyWhen(ctx, subscriber.Ready)
	return Router{Subscriber: subscriber, Publisher: publisher, Log: log}.Run(ctx, load, score)
}

// Router is a contender that is one Watermill handler: it asks the provider about each message of the source and publishes the answer
// to the sink. A message's reference is in its metadata.
type Router struct {
	Subscriber message.Subscriber
	Publisher  message.Publisher
	Log        *slog.Logger
	Prepare    func(in, out *message.Message) // before out is published; may be nil
}

// Run is that of a Contender, after Ready was called.
func (r Router) Run(ctx context.Context, load Load, score *Score) error {
	caller := NewCaller(load)
	router, err := message.NewRouter(message.RouterConfig{}, pipeline.RouterLog(r.Log))
	if err != nil {
		return fmt.Errorf("router: %w", err)
	}
	router.AddHandler("bench", load.Source, r.Subscriber, load.Sink, scored{r.Publisher, score}, func(in *message.Message) ([]*message.Message, error) {
		score.Begin()
		answer, err := caller.Ask(in.Context(), in.Metadata.Get(ReferenceHeader))
		if err != nil {
			return nil, err
		}
		out := message.NewMessageWithContext(in.Context(), in.UUID, answer)
		if r.Prepare != nil {
			r.Prepare(in, out)
		}
		return []*message.Message{out}, nil
	})
	return router.Run(ctx)
}

// scored counts what was published.
type scored struct {
	message.Publisher

	score *Score
}

// Publish is part of message.Publisher.
func (s scored) Publish(topic string, messages ...*message.Message) error {
	err := s.Publisher.Publish(topic, messages...)
	if err == nil {
		s.score.Done(len(messages))
	}
	return err
}

// partLog is where contenders log: stderr, warnings and errors.
func partLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// readyWhen tells that the contender is ready when it says so.
func (s *Score) readyWhen(ctx context.Context, ready func() bool) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
	s.Ready()
}
