// Package bench measures how fast the Kafka adapter and the whole pipeline are, and what they cost, as ratios to a loop that does
// nothing but the same work: figures in messages a second say more about the machine than about the program.
//
// In one run, in turn, every contender gets the same messages, at the same broker, with the same provider: a stub that answers
// after a time that it draws for each message anew. Broker, provider and every contender are processes of their own, so that
// each one's CPU and memory are its own. Afterwards everything that was written is read back: a contender that lost, repeated or
// reordered what it promised not to has no figures worth reading.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// Options say what is measured. DefaultOptions has the usual ones.
type Options struct {
	// Contenders are measured; the ratios are to the one called NameBare, if it is among them.
	Contenders []Contender
	// Command starts a part of the bench: this program, with arguments that make it call Part. Required.
	Command []string
	// Brokers are host:port addresses of a Kafka to measure at; empty: the embedded broker, in a process of its own. Topics and
	// consumer groups whose names begin with "paystatus-bench-" are made there, and deleted afterwards.
	Brokers []string
	// Messages are how many each contender gets at once, to find out how fast it is.
	Messages int
	// Keys are how many different keys they have; 0: so many that each recurs, but not before InFlight others.
	Keys int
	// InFlight is how many provider calls run at once, at most.
	InFlight int
	// Partitions and Replication are those of every topic.
	Partitions, Replication int
	// ProviderMin and ProviderMax are between which times the provider answers.
	ProviderMin, ProviderMax time.Duration
	// Rounds are how often each contender is measured, in turn.
	Rounds int
	// Paced is how long messages come at half of what a contender can do, to find out what it adds to the time of a message;
	// 0: that is not measured.
	Paced time.Duration
	// Profile is a directory for a CPU profile of each run and one of what it allocated; empty: none are made.
	Profile string
	// Log receives what the parts log: warnings and errors.
	Log io.Writer
	// Progress is told how far the bench is; nil: nobody is.
	Progress func(Progress)
}

// DefaultOptions are those of `paystatus bench`, without a Command.
func DefaultOptions() Options {
	return Options{
		Contenders: Contenders(), Messages: 20_000, InFlight: 4096, Partitions: 12, Replication: 1,
		ProviderMin: 50 * time.Millisecond, ProviderMax: 500 * time.Millisecond, Rounds: 3, Paced: 10 * time.Second, Log: io.Discard,
	}
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	switch {
	case len(o.Contenders) == 0:
		return errors.New("there is nothing to measure")
	case o.Messages < 1 || o.InFlight < 1 || o.Partitions < 1 || o.Replication < 1 || o.Rounds < 1:
		return errors.New("messages, in flight, partitions, replication and rounds must be at least 1")
	case o.Keys < 0 || o.Keys > o.Messages:
		return errors.New("keys must not be more than messages")
	case o.Keys > 0 && o.Messages > maxTurns*o.Keys:
		return fmt.Errorf("a key must not have more than %d messages", maxTurns)
	case o.ProviderMin < 0 || o.ProviderMax < o.ProviderMin:
		return errors.New("the provider's longest time must not be below its shortest")
	case o.Paced < 0:
		return errors.New("the time at half load must not be negative")
	}
	return nil
}

// keys are how many keys n messages have.
func (o Options) keys(n int) int {
	if o.Keys > 0 {
		return min(o.Keys, n)
	}
	return min(n, max(n/2, o.InFlight))
}

// Progress is how far the bench is.
type Progress struct {
	Contender string
	Round     int // 0: at half load
	Rounds    int
	Done      int // messages
	Messages  int
	Run       *Run // set when it ended
}

// bench is one run of everything.
type bench struct {
	Options

	cluster  *cluster
	broker   *process // nil: not ours
	provider *process
}

// Measure runs the bench. The report says what it came to also where a contender broke a promise; Report.Err tells.
func Measure(ctx context.Context, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	b := &bench{Options: o}
	defer b.stop()
	if err := b.start(ctx); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	report := &Report{Settings: settingsOf(o), System: System{
		CPUs: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), LoadAverage: loadAverage(),
	}}
	for round := 1; round <= o.Rounds; round++ {
		turn := slices.Clone(o.Contenders)
		if round%2 == 0 { // who comes after whom must not decide
			slices.Reverse(turn)
		}
		for _, c := range turn {
			run, err := b.run(ctx, c, round, o.Messages, 0)
			if err != nil {
				return nil, fmt.Errorf("bench: %s: %w", c.Name, err)
			}
			report.Runs = append(report.Runs, run)
		}
	}
	if o.Paced > 0 {
		for _, c := range o.Contenders {
			rate := median(report.values(c.Name, func(r Run) float64 { return r.Throughput })) / 2
			run, err := b.run(ctx, c, 0, max(1, int(rate*o.Paced.Seconds())), rate)
			if err != nil {
				return nil, fmt.Errorf("bench: %s at half load: %w", c.Name, err)
			}
			report.Runs = append(report.Runs, run)
		}
	}
	report.summarise(o.Contenders)
	return report, nil
}

// start starts what every contender needs.
func (b *bench) start(ctx context.Context) error {
	if len(b.Brokers) == 0 {
		var err error
		if b.broker, b.Brokers, err = b.service(ctx, order{Role: roleBroker}); err != nil {
			return fmt.Errorf("broker: %w", err)
		}
	}
	provider, addresses, err := b.service(ctx, order{Role: roleProvider, Min: b.ProviderMin, Max: b.ProviderMax})
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	b.provider = provider
	b.cluster, err = connect(b.Brokers, "http://"+addresses[0])
	return err
}

// service starts a part that serves at an address until the bench ends.
func (b *bench) service(ctx context.Context, o order) (*process, []string, error) {
	p, err := b.process(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	n, err := p.next(ctx)
	if err != nil {
		p.stop()
		return nil, nil, err
	}
	return p, []string{n.Address}, nil
}

func (b *bench) stop() {
	if b.cluster != nil {
		b.cluster.close()
	}
	for _, p := range []*process{b.broker, b.provider} {
		if p != nil {
			p.stop()
		}
	}
}

// run gives a contender n messages: all at once, or at a rate (messages a second).
func (b *bench) run(ctx context.Context, c Contender, round, n int, rate float64) (Run, error) {
	if c.AtMost > 0 {
		n = min(n, c.AtMost)
	}
	run := Run{Contender: c.Name, Round: round, Messages: n, Rate: rate}
	load := b.cluster.load(n, b.keys(n), b.InFlight, b.Partitions)
	load.Replication = b.Replication
	if err := b.cluster.create(ctx, load); err != nil {
		return run, err
	}
	defer b.cluster.cleanUp(context.WithoutCancel(ctx), load)
	if rate == 0 {
		if err := b.cluster.append(ctx, load); err != nil {
			return run, err
		}
	}
	if err := b.contend(ctx, c, load, &run); err != nil {
		return run, err
	}
	var err error
	if run.Checks, run.latencies, err = b.cluster.verify(ctx, c, load); err != nil {
		return run, err
	}
	if rate > 0 {
		run.Latency = latencyOf(run.latencies)
	}
	b.tell(Progress{Contender: c.Name, Round: round, Rounds: b.Rounds, Done: n, Messages: n, Run: &run})
	return run, nil
}

// stall is how long a contender may do nothing before it counts as stuck.
const stall = 2 * time.Minute

// contend runs a contender in its process, and measures it.
func (b *bench) contend(ctx context.Context, c Contender, load Load, run *Run) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing was done for %s", stall)) })
	defer watch.Stop()

	before, err := b.usage(ctx)
	if err != nil {
		return err
	}
	p, err := b.process(ctx, order{Role: c.Name, Load: load, Profile: b.Profile, Label: run.label()})
	if err != nil {
		return err
	}
	defer p.stop()
	pacing := make(chan error, 1)
	for {
		n, err := p.next(ctx)
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		watch.Reset(stall)
		switch {
		case n.Ready && run.Rate > 0:
			go func() { pacing <- b.cluster.pace(ctx, load, run.Rate) }()
		case n.Measures != nil:
			after, err := b.usage(ctx)
			if err != nil {
				return err
			}
			run.take(*n.Measures)
			run.BrokerCPU = perMessage(after.broker-before.broker, run.Messages)
			run.ProviderCPU = perMessage(after.provider-before.provider, run.Messages)
			if run.Rate > 0 {
				return <-pacing
			}
			return nil
		default:
			b.tell(Progress{Contender: c.Name, Round: run.Round, Rounds: b.Rounds, Done: n.Done, Messages: run.Messages})
		}
	}
}

func (b *bench) tell(p Progress) {
	if b.Progress != nil {
		b.Progress(p)
	}
}

// shared is the CPU time of what the contenders share.
type shared struct{ broker, provider time.Duration }

func (b *bench) usage(ctx context.Context) (s shared, err error) {
	if s.provider, err = b.provider.cpu(ctx); err != nil {
		return s, fmt.Errorf("provider: %w", err)
	}
	if b.broker == nil {
		return s, nil
	}
	if s.broker, err = b.broker.cpu(ctx); err != nil {
		return s, fmt.Errorf("broker: %w", err)
	}
	return s, nil
}
