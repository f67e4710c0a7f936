// Command compare measures watermill-kafka, Watermill's usual adapter for Kafka, beside the loop, the adapter and the pipeline that
// `paystatus bench` measures. It is a module of its own, so that the product does not depend on watermill-kafka and Sarama.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/paystatus/paystatus/pipeline/bench"
)

// watermillKafka is what the bench calls it.
const watermillKafka = "watermill-kafka"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := compare(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// part is the argument that makes this program one process of a bench.
const part = "part"

func compare(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) error {
	o := bench.DefaultOptions()
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(errs)
	brokers := flags.String("brokers", "", "host:port[,host:port] of a Kafka to measure at; default: the embedded broker")
	flags.IntVar(&o.Messages, "messages", o.Messages, "how many messages at once")
	most := flags.Int("watermill-kafka-messages", 600, "how many of them for watermill-kafka, which needs long")
	flags.IntVar(&o.InFlight, "in-flight", o.InFlight, "how many provider calls at once, for those who can")
	flags.IntVar(&o.Partitions, "partitions", o.Partitions, "partitions of each topic")
	flags.DurationVar(&o.ProviderMin, "provider-min", o.ProviderMin, "the least time that the provider takes")
	flags.DurationVar(&o.ProviderMax, "provider-max", o.ProviderMax, "the most time that the provider takes")
	flags.IntVar(&o.Rounds, "rounds", o.Rounds, "how often each is measured")
	flags.DurationVar(&o.Paced, "paced", 0, "how long each is measured at half load")
	flags.StringVar(&o.Profile, "profile", "", "directory for a CPU profile of each run (pprof)")
	only := flags.String("only", strings.Join([]string{bench.NameBare, bench.NameAdapter, watermillKafka}, ","), "who is measured")
	if len(args) == 1 && args[0] == part {
		return bench.Part(ctx, contenders(0), in, out)
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	o.Contenders = nil
	for _, c := range contenders(*most) {
		if slices.Contains(strings.Split(*only, ","), c.Name) {
			o.Contenders = append(o.Contenders, c)
		}
	}
	if *brokers != "" {
		o.Brokers = strings.Split(*brokers, ",")
	}
	o.Command, o.Log, o.Progress = []string{program, part}, errs, bench.ProgressTo(errs, false)
	report, err := bench.Measure(ctx, o)
	if err != nil {
		return err
	}
	if err := report.WriteText(out); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "The adapter handles %.0f times as many messages a second as watermill-kafka.\n", times(report)); err != nil {
		return err
	}
	return report.Err(o.Contenders)
}

// times is the adapter's throughput divided by watermill-kafka's.
func times(r *bench.Report) float64 {
	of := map[string]float64{}
	for _, c := range r.Contenders {
		of[c.Contender] = c.Throughput
	}
	return of[bench.NameAdapter] / of[watermillKafka]
}

// contenders are those of `paystatus bench`, and watermill-kafka with at most so many messages.
func contenders(most int) []bench.Contender {
	return append(bench.Contenders(), bench.Contender{
		Name: watermillKafka, Ordered: true, AtMost: most, Run: run,
		Groups: func(l bench.Load) map[string]string { return map[string]string{l.Source: group(l)} },
	})
}

func group(l bench.Load) string { return l.Prefix + watermillKafka }

// run is the handler of the other contenders on watermill-kafka, as its documentation says to set it up. What it publishes keeps its
// key, and all in-sync replicas acknowledge it: by default neither is so.
func run(ctx context.Context, load bench.Load, score *bench.Score) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	marshaler := wmkafka.NewWithPartitioningMarshaler(func(_ string, msg *message.Message) (string, error) {
		return bench.KeyOf(msg.Metadata.Get(bench.ReferenceHeader)), nil
	})
	consumer := wmkafka.DefaultSaramaSubscriberConfig()
	consumer.Consumer.Offsets.Initial = sarama.OffsetOldest
	subscriber, err := wmkafka.NewSubscriber(wmkafka.SubscriberConfig{
		Brokers: load.Brokers, Unmarshaler: marshaler, OverwriteSaramaConfig: consumer, ConsumerGroup: group(load),
	}, watermill.NewSlogLogger(logger))
	if err != nil {
		return err
	}
	producer := wmkafka.DefaultSaramaSyncPublisherConfig()
	producer.Producer.RequiredAcks = sarama.WaitForAll
	publisher, err := wmkafka.NewPublisher(wmkafka.PublisherConfig{
		Brokers: load.Brokers, Marshaler: marshaler, OverwriteSaramaConfig: producer,
	}, watermill.NewSlogLogger(logger))
	if err != nil {
		return err
	}
	score.Ready()
	return bench.Router{Subscriber: subscriber, Publisher: publisher, Log: logger, Prepare: func(in, out *message.Message) {
		out.Metadata.Set(bench.ReferenceHeader, in.Metadata.Get(bench.ReferenceHeader))
	}}.Run(ctx, load, score)
}
