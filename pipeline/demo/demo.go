// Package demo shows paystatus without anything around it: an embedded broker, simulators of the four providers, the real
// pipeline, and payments with different fates.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// Options say what the demo shows.
type Options struct {
	Payments int
	Keep     bool   // go on until ctx ends
	Config   string // a file to write the configuration to, for other commands; empty: none
	Viewer   Viewer
	Log      *slog.Logger
}

// Viewer is shown what happens.
type Viewer interface {
	// Started tells what was started: the broker's address and the sandbox's URL.
	Started(broker, sandbox string, payments int)
	// Seen shows a status event.
	Seen(e Event) error
	// Ended tells how every payment ended, how many events there were and how long it took.
	Ended(endings []Ending, events int, took time.Duration)
}

// Event is a status event.
type Event struct {
	Type string         `json:"type"`
	Data schemas.Change `json:"data"`
	JSON []byte         `json:"-"` // the structured CloudEvent, byte for byte as it was written
	Age  time.Duration  `json:"-"` // since its payment was initiated
}

// Ending is how one payment ended.
type Ending struct {
	Fate
	Last Event
}

// Run shows the demo. It returns when every payment has ended, or with Keep when ctx ends.
func Run(ctx context.Context, o Options) error {
	broker, err := embedded.Start(embedded.Options{})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer broker.Close()

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	url := "http://" + listener.Addr().String()
	simulators := Simulators()
	providers := sandbox.NewServer(simulators...)
	defer providers.Close()
	webhooks, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = webhooks.Close() }()
	if err := providers.NotifyURL("http://" + webhooks.Addr().String()); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	server := &http.Server{Handler: providers, ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}

	c, err := configuration(SandboxConfig(simulators, url), broker.Addr(), o.Config)
	if err != nil {
		return err
	}
	fates := Fates(o.Payments)
	if err := script(providers, fates); err != nil {
		return err
	}
	d := &demo{
		options: o, topics: pipeline.Topics{Topics: c.Topics}, open: map[string]Fate{}, initiated: map[string]time.Time{},
		kafka: kafka.Config{Brokers: c.Kafka.Brokers, ClientID: "paystatus-demo", Logger: o.Log},
	}
	if err := d.createTopics(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("demo: sandbox: %w", err)
		}
		return nil
	})
	service := &pipeline.Service{Config: c, Log: o.Log, Webhooks: webhooks}
	served, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return service.Run(served) })

	o.Viewer.Started(broker.Addr(), url, len(fates))
	err = d.show(ctx, fates)
	cancel()
	_ = server.Close()
	if failed := group.Wait(); failed != nil { // which also ended the show
		return failed
	}
	return err
}

// demo is one showing.
type demo struct {
	options Options
	topics  pipeline.Topics
	kafka   kafka.Config

	initiated map[string]time.Time // by payment
	open      map[string]Fate      // by payment, those that have not ended
	endings   []Ending
	events    int
}

func (d *demo) createTopics(ctx context.Context) error {
	client, err := kafka.NewClient(d.kafka)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = client.Close() }()
	_, err = pipeline.CreateTopics(ctx, client, d.topics)
	return err
}

// show produces the initiated events and shows what comes of them.
func (d *demo) show(ctx context.Context, fates []Fate) error {
	viewer, err := kafka.NewSubscriber(d.kafka, kafka.SubscriberOptions{Group: "paystatus-demo-viewer"})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = viewer.Close() }()
	events, err := viewer.Subscribe(ctx, d.topics.StatusChanged)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	began := time.Now()
	if err := d.initiate(fates, began); err != nil {
		return err
	}
	for len(d.open) > 0 {
		more, err := d.see(ctx, events)
		switch {
		case err != nil:
			return err
		case !more:
			return fmt.Errorf("demo: stopped while %d of %d payments were open", len(d.open), len(fates))
		}
	}
	d.options.Viewer.Ended(d.endings, d.events, time.Since(began))
	for d.options.Keep {
		if more, err := d.see(ctx, events); err != nil || !more {
			return err
		}
	}
	return nil
}

func (d *demo) initiate(fates []Fate, now time.Time) error {
	publisher, err := kafka.NewPublisher(d.kafka, kafka.PublisherOptions{OmitUUID: true})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = publisher.Close() }()
	messages := make([]*message.Message, len(fates))
	for i, f := range fates {
		data, err := json.Marshal(f.event(now))
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		messages[i] = message.NewMessage(f.PaymentID, data)
		kafka.SetKey(messages[i], []byte(f.PaymentID))
		d.open[f.PaymentID], d.initiated[f.PaymentID] = f, now
	}
	if err := publisher.Publish(d.topics.Initiated, messages...); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// see shows the next event. More is false when there is none before ctx ends.
func (d *demo) see(ctx context.Context, events <-chan *message.Message) (more bool, err error) {
	var msg *message.Message
	select {
	case <-ctx.Done():
		return false, nil
	case msg, more = <-events:
		if !more {
			return false, nil
		}
	}
	defer msg.Ack()
	e := Event{JSON: msg.Payload}
	if err := json.Unmarshal(msg.Payload, &e); err != nil {
		return true, fmt.Errorf("demo: read a status event: %w", err)
	}
	id := e.Data.PaymentID
	if d.initiated[id].IsZero() { // somebody else's
		d.initiated[id] = time.Now()
	}
	e.Age = time.Since(d.initiated[id])
	d.events++
	if fate, open := d.open[id]; open && e.Data.Final {
		delete(d.open, id)
		d.endings = append(d.endings, Ending{fate, e})
	}
	return true, d.options.Viewer.Seen(e)
}

func script(server *sandbox.Server, fates []Fate) error {
	for _, f := range fates {
		if f.Script.Steps == nil {
			continue
		}
		if err := server.Store(f.Provider).Put(f.Scripted, f.Script); err != nil {
			return fmt.Errorf("demo: script of %s: %w", f.PaymentID, err)
		}
	}
	return nil
}
