package pipeline_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

// The benchmark of the tiers runs the broker, which it fills, and the pipeline in processes of their own, so that the memory of
// each is its own. Both are this test binary with the environment variable benchPart.
const benchPart = "PAYSTATUS_BENCH_PART"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(benchPart) {
	case "broker":
		err = brokerPart()
	case "wake":
		err = wakePart()
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// benchLoad is what a part is told on its first line of input. It ends when its input does.
type benchLoad struct {
	Brokers []string `json:"brokers"`
	Waiting int      `json:"waiting"` // records, over all but the shortest three tiers
}

var benchTopics = pipeline.Topics{Topics: config.Topics{
	Initiated: "initiated", Notified: "notified", StatusChanged: "status_changed", Prefix: "bench.", Partitions: 12, Replication: 1, MinInsync: 1,
}}

// benchRecord is as large as the check of a payment with a short history.
func benchRecord(i int) *message.Message {
	msg := message.NewMessage("", bytes.Repeat([]byte("x"), 1024))
	kafka.SetKey(msg, fmt.Append(nil, "order-2026-01-31-", i))
	kafka.SetHeaders(msg, nil)
	return msg
}

func brokerPart() error {
	load, input, err := readLoad()
	if err != nil {
		return err
	}
	broker, err := embedded.Start(embedded.Options{})
	if err != nil {
		return err
	}
	defer broker.Close()
	config := kafka.Config{Brokers: []string{broker.Addr()}}
	client, err := kafka.NewClient(config)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if _, err := pipeline.CreateTopics(context.Background(), client, benchTopics); err != nil {
		return err
	}
	publisher, err := kafka.NewPublisher(config, kafka.PublisherOptions{OmitUUID: true})
	if err != nil {
		return err
	}
	defer func() { _ = publisher.Close() }()
	tiers := delay.Standard[3:]
	for i := 0; i < load.Waiting; i += 1000 {
		var batch []*message.Message
		for j := range min(1000, load.Waiting-i) {
			batch = append(batch, benchRecord(i+j))
		}
		if err := publisher.Publish(benchTopics.Tier(tiers[i/1000%len(tiers)].Name), batch...); err != nil {
			return err
		}
	}
	fmt.Println(broker.Addr())
	_, err = io.Copy(io.Discard, input)
	return err
}

// wakePart moves what is due, and says at the end how much memory that took at most.
func wakePart() error {
	load, input, err := readLoad()
	if err != nil {
		return err
	}
	config := kafka.Config{Brokers: load.Brokers}
	client, err := kafka.NewClient(config)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if err := pipeline.CommitStarts(context.Background(), client, benchTopics, "bench", kafka.Earliest, true); err != nil {
		return err
	}
	p, err := pipeline.NewTiers(pipeline.Options{
		Kafka: config, Group: "bench", SessionTimeout: 6 * time.Second, Topics: benchTopics, Drain: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel()
	}()
	peak := make(chan uint64)
	go func() {
		most := uint64(0)
		for ; ctx.Err() == nil; <-time.After(50 * time.Millisecond) {
			most = max(most, held())
		}
		peak <- most
	}()
	go func() {
		for !p.Ready() {
			<-time.After(10 * time.Millisecond)
		}
		fmt.Println("ready")
	}()
	err = p.Run(ctx)
	fmt.Println(<-peak)
	return err
}

// held is the memory that the Go runtime has from the system and has not given back.
func held() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

func readLoad() (load benchLoad, input *bufio.Reader, err error) {
	input = bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &load)
	}
	return load, input, err
}

// part is a running process of the benchmark.
type part struct {
	b      *testing.B
	output *bufio.Scanner
	end    func()
}

func startPart(b *testing.B, name string, load benchLoad) *part {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$") //nolint:noctx // it ends with its input
	cmd.Env = append(os.Environ(), benchPart+"="+name)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	require.NoError(b, err)
	output, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	line, err := json.Marshal(load)
	require.NoError(b, err)
	_, err = fmt.Fprintf(input, "%s\n", line)
	require.NoError(b, err)
	p := &part{b: b, output: bufio.NewScanner(output), end: func() { _ = input.Close() }}
	b.Cleanup(func() {
		p.end()
		_ = cmd.Wait()
	})
	return p
}

func (p *part) says() string {
	p.b.Helper()
	require.True(p.b, p.output.Scan(), "the process ended")
	return p.output.Text()
}

// BenchmarkTiers tells how late 2,000 records a second leave the tier of a second, and how much memory the process that moves them
// takes at most, alone and while many others wait in the longer tiers.
func BenchmarkTiers(b *testing.B) {
	for _, waiting := range []int{0, 1_000_000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			for b.Loop() {
				benchTiers(b, waiting)
			}
		})
	}
}

func benchTiers(b *testing.B, waiting int) {
	b.Helper()
	brokers := []string{startPart(b, "broker", benchLoad{Waiting: waiting}).says()}
	w := &pipelinetest.World{Broker: pipelinetest.Connect(b, kafka.Config{Brokers: brokers}), Topics: benchTopics}
	wake := startPart(b, "wake", benchLoad{Brokers: brokers})
	require.Equal(b, "ready", wake.says())

	const rate, seconds, every = 2000, 10, 10 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var writes sync.WaitGroup
	for i := range int(seconds * time.Second / every) {
		<-ticker.C
		writes.Go(func() {
			var batch []*message.Message
			for j := range rate * int(every) / int(time.Second) {
				batch = append(batch, benchRecord(i*1000+j))
			}
			if err := w.Writer.Publish(w.Topics.Tier("1s"), batch...); err != nil {
				b.Error(err)
			}
		})
	}
	writes.Wait()
	w.Eventually(func() bool { return w.Count(w.Topics.Checks()) >= rate*seconds }, "all are moved")
	wake.end()
	var peak float64
	_, err := fmt.Sscan(strings.TrimSpace(wake.says()), &peak)
	require.NoError(b, err)

	began := map[string]time.Time{}
	for _, r := range w.Records(w.Topics.Tier("1s")) {
		began[string(r.Key)] = r.Time
	}
	var late []time.Duration
	for _, r := range w.Records(w.Topics.Checks()) {
		late = append(late, r.Time.Sub(began[string(r.Key)])-time.Second)
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Milliseconds()), "p50-ms-late")
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), "p99-ms-late")
	b.ReportMetric(float64(late[len(late)-1].Milliseconds()), "max-ms-late")
	b.ReportMetric(peak/(1<<20), "MiB-held")
	b.ReportMetric(0, "ns/op")
}
