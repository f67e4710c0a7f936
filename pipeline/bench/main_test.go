package bench_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"github.com/paystatus/paystatus/pipeline/bench"
)

// part is the argument that makes the test binary one process of a bench.
const part = "bench-part"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == part {
		if err := bench.Part(context.Background(), append(bench.Contenders(), culprits...), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// culprits are contenders that break their promises. All say that they are ordered and committed everything.
var culprits = []bench.Contender{
	culprit("loses one", func(messages []kafkago.Message) []kafkago.Message { return messages[1:] }),
	culprit("repeats one", func(messages []kafkago.Message) []kafkago.Message { return append(messages, messages[0]) }),
	culprit("turns round", func(messages []kafkago.Message) []kafkago.Message {
		var turned []kafkago.Message
		for _, m := range slices.Backward(messages) {
			turned = append(turned, m)
		}
		return turned
	}),
	{Name: "ends early", Run: func(context.Context, bench.Load, *bench.Score) error { return nil }},
	{Name: "fails", Run: func(context.Context, bench.Load, *bench.Score) error { return errors.New("for a reason") }},
}

// culprit handles the messages of one partition, and writes the answers that are left of them in one go.
func culprit(name string, left func([]kafkago.Message) []kafkago.Message) bench.Contender {
	return bench.Contender{
		Name: name, Ordered: true,
		Groups: func(l bench.Load) map[string]string { return map[string]string{l.Source: l.Prefix + "nobody"} },
		Run: func(ctx context.Context, load bench.Load, score *bench.Score) error {
			reader := kafkago.NewReader(kafkago.ReaderConfig{
				Brokers: load.Brokers, Topic: load.Source, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 100 * time.Millisecond,
			})
			defer func() { _ = reader.Close() }()
			writer := &kafkago.Writer{Addr: kafkago.TCP(load.Brokers...), Topic: load.Sink, RequiredAcks: kafkago.RequireAll}
			defer func() { _ = writer.Close() }()
			caller := bench.NewCaller(load)
			score.Ready()
			var answers []kafkago.Message
			for range load.Messages {
				message, err := reader.ReadMessage(ctx)
				if err != nil {
					return err
				}
				score.Begin()
				answer, err := caller.Ask(ctx, string(message.Headers[0].Value))
				if err != nil {
					return err
				}
				answers = append(answers, kafkago.Message{Key: message.Key, Value: answer})
			}
			if err := writer.WriteMessages(ctx, left(answers)...); err != nil {
				return err
			}
			score.Done(load.Messages)
			<-ctx.Done()
			return nil
		},
	}
}
