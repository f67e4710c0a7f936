package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// runBare is the least that can be done with kafka-go: fetch, call, write, as many at once as allowed. It commits nothing and keeps
// no order. A message takes up its slot until the broker has acknowledged the answer.
func runBare(ctx context.Context, load Load, score *Score) error {
	caller := NewCaller(load)
	writer := &kafkago.Writer{
		Addr: kafkago.TCP(load.Brokers...), Topic: load.Sink, Balancer: kafkago.Murmur2Balancer{}, RequiredAcks: kafkago.RequireAll,
		BatchSize: 100, BatchTimeout: 5 * time.Millisecond,
	}
	defer func() { _ = writer.Close() }()
	slots := make(chan struct{}, load.InFlight)
	group, ctx := errgroup.WithContext(ctx)
	for partition := range load.Partitions {
		reader := kafkago.NewReader(kafkago.ReaderConfig{
			Brokers: load.Brokers, Topic: load.Source, Partition: partition, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 250 * time.Millisecond,
		})
		group.Go(func() error {
			defer func() { _ = reader.Close() }()
			for {
				message, err := reader.ReadMessage(ctx)
				if ctx.Err() != nil {
					return nil
				}
				if err != nil {
					return fmt.Errorf("read partition %d: %w", partition, err)
				}
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return nil
				}
				score.Begin()
				group.Go(func() error {
					defer func() { <-slots }()
					answer, err := caller.Ask(ctx, string(message.Headers[0].Value))
					if err == nil {
						err = writer.WriteMessages(ctx, kafkago.Message{Key: message.Key, Value: answer})
					}
					if err != nil {
						return err
					}
					score.Done(1)
					return nil
				})
			}
		})
	}
	score.Ready()
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
