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
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// Simulators are the simulated APIs of all providers.
func Simulators() []sandbox.Simulator {
	return []sandbox.Simulator{sandbox.Checkout(), sandbox.Antom(), sandbox.Worldpay(), sandbox.Liquido()}
}

// SandboxConfig is a configuration that asks the simulators at url, as YAML.
func SandboxConfig(simulators []sandbox.Simulator, url string) string {
	var b strings.Builder
	b.WriteString("providers:\n")
	for _, s := range simulators {
		for line := range strings.Lines(s.Config(url + "/" + s.Name())) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// Options say what the demo shows.
type Options struct {
	Payments int
	Keep     bool // go on until ctx ends
	Viewer   Viewer
	Log      *slog.Logger
}

// Viewer is shown what happens.
type Viewer interface {
	// Started tells what was started: the broker's address and the sandbox's URL.
	Started(brokers []string, sandbox string, payments int)
	// Seen shows a status event: the record as it was written, and how long after its payment was initiated.
	Seen(record kafka.Record, age time.Duration) error
	// Ended tells how many payments ended and how long it took.
	Ended(payments int, took time.Duration)
}

// schedule is the demo's: seconds where real payments take minutes.
const schedule = `
schedules:
  default:
    open: {delays: [1s, 1s, 2s], every: 2s, deadline: 12s}
    authorized: {delays: [1s, 1s], every: 2s, deadline: 12s}
    refund: {delays: [1s], every: 2s, deadline: 12s}
    not_found_grace: 6s
    reference_window: 5s
    recheck: 1s
    unavailable: {initial: 1s, max: 2s}
    refused: {every: 1s}
`

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
	server := &http.Server{Handler: providers, ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}

	c, err := configuration(SandboxConfig(simulators, url), broker.Addr())
	if err != nil {
		return err
	}
	fates := Fates(o.Payments)
	if err := script(providers, fates); err != nil {
		return err
	}
	d := &demo{options: o, fates: fates, topics: pipeline.Topics{Topics: c.Topics}, kafka: kafka.Config{Brokers: c.Kafka.Brokers, ClientID: "paystatus-demo", Logger: o.Log}}

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
	service := &pipeline.Service{Config: c, Log: o.Log}
	served, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return service.Run(served) })

	o.Viewer.Started(c.Kafka.Brokers, url, len(fates))
	err = d.show(ctx)
	cancel()
	_ = server.Close()
	return errors.Join(err, group.Wait())
}

// configuration is the demo's own, through the same reader as everybody's.
func configuration(providers, broker string) (*config.Config, error) {
	dir, err := os.MkdirTemp("", "paystatus-demo-")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "demo.yaml")
	text := "kafka: {brokers: [" + broker + "], session_timeout: 6s}\n" +
		"topics: {partitions: 4, replication: 1, min_insync: 1}\n" +
		"http: {listen: \"127.0.0.1:0\"}\n" + schedule + providers
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	c, problems := config.Load(path, nil, pipeline.Providers)
	if err := config.Err(problems); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return c, nil
}

// demo is one showing.
type demo struct {
	options Options
	fates   []Fate
	topics  pipeline.Topics
	kafka   kafka.Config
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
func (d *demo) show(ctx context.Context) error {
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
	if err := d.initiate(began); err != nil {
		return err
	}
	if err := d.watch(ctx, events, began); err != nil {
		return err
	}
	d.options.Viewer.Ended(len(d.fates), time.Since(began))
	if d.options.Keep {
		for {
			select {
			case msg := <-events:
				if err := d.see(msg, began); err != nil {
					return err
				}
			case <-ctx.Done():
				return nil
			}
		}
	}
	return nil
}

func (d *demo) initiate(now time.Time) error {
	publisher, err := kafka.NewPublisher(d.kafka, kafka.PublisherOptions{OmitUUID: true})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { _ = publisher.Close() }()
	for _, f := range d.fates {
		data, err := json.Marshal(f.event(now))
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		msg := message.NewMessage(f.PaymentID, data)
		kafka.SetKey(msg, []byte(f.PaymentID))
		if err := publisher.Publish(d.topics.Initiated, msg); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// watch shows events until every payment has ended.
func (d *demo) watch(ctx context.Context, events <-chan *message.Message, began time.Time) error {
	open := map[string]bool{}
	for _, f := range d.fates {
		open[f.PaymentID] = true
	}
	for len(open) > 0 {
		select {
		case msg, ok := <-events:
			if !ok {
				return ctx.Err()
			}
			var change struct {
				PaymentID string `json:"payment_id"`
				Final     bool   `json:"final"`
			}
			if err := json.Unmarshal(msg.Payload, &change); err != nil {
				return fmt.Errorf("demo: read a status event: %w", err)
			}
			if err := d.see(msg, began); err != nil {
				return err
			}
			if change.Final {
				delete(open, change.PaymentID)
			}
		case <-ctx.Done():
			return fmt.Errorf("demo: stopped with %d payments open: %w", len(open), ctx.Err())
		}
	}
	return nil
}

func (d *demo) see(msg *message.Message, began time.Time) error {
	record, _ := kafka.RecordOf(msg.Context())
	err := d.options.Viewer.Seen(record, time.Since(began))
	msg.Ack()
	return err
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
