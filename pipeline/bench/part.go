package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/metrics"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"github.com/paystatus/paystatus/pipeline/embedded"
)

// The roles of parts that are not contenders.
const (
	roleBroker   = "(broker)"
	roleProvider = "(provider)"
)

// order is what a part is told on its standard input, before anything else.
type order struct {
	Role    string        `json:"role"`    // a contender's name, or one of the roles above
	Load    Load          `json:"load"`    // of a contender
	Min     time.Duration `json:"min"`     // of the provider
	Max     time.Duration `json:"max"`     // of the provider
	Profile string        `json:"profile"` // directory; empty: no profile
	Label   string        `json:"label"`   // of the profile's files
}

// notice is what a part says on its standard output, one a line.
type notice struct {
	Address  string         `json:"address,omitempty"` // where the broker or the provider serves
	CPU      *time.Duration `json:"cpu,omitempty"`     // used so far by the broker or the provider, in answer to a line
	Ready    bool           `json:"ready,omitempty"`
	Done     int            `json:"done,omitempty"`     // messages so far
	Measures *Measures      `json:"measures,omitempty"` // the last one of a contender
}

// Measures are what a contender's process used.
type Measures struct {
	Took    time.Duration `json:"took"`     // from the first message to the last acknowledged answer
	CPU     time.Duration `json:"cpu"`      // user and system, from the start to the last acknowledged answer
	PeakRSS int64         `json:"peak_rss"` // bytes
	GC      float64       `json:"gc"`       // share of the garbage collector in the CPU time
}

// Part is a part of the bench: the broker, the provider or one of the contenders, as the bench orders on in. It ends when the bench
// closes in, or, a contender, when it has done its work.
func Part(ctx context.Context, contenders []Contender, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("bench: read the order: %w", err)
	}
	p := &part{lines: lines, out: json.NewEncoder(out)}
	if err := json.Unmarshal(first, &p.order); err != nil {
		return fmt.Errorf("bench: read the order: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // the bench may die
		defer cancel()
		p.answer()
	}()
	switch p.order.Role {
	case roleBroker:
		err = p.broker(ctx)
	case roleProvider:
		err = p.provider(ctx)
	default:
		i := slices.IndexFunc(contenders, func(c Contender) bool { return c.Name == p.order.Role })
		if i < 0 {
			return fmt.Errorf("bench: no contender is called %q", p.order.Role)
		}
		err = p.contend(ctx, contenders[i])
	}
	if err != nil {
		return fmt.Errorf("bench: %s: %w", p.order.Role, err)
	}
	return nil
}

type part struct {
	order order
	lines *bufio.Reader

	mu  sync.Mutex
	out *json.Encoder
}

func (p *part) tell(n notice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.out.Encode(n) //nolint:errchkjson // who does not read does not care
}

// answer tells the CPU time for each line, until there are no more.
func (p *part) answer() {
	for {
		if _, err := p.lines.ReadBytes('\n'); err != nil {
			return
		}
		used := cpuTime()
		p.tell(notice{CPU: &used})
	}
}

func (p *part) broker(ctx context.Context) error {
	broker, err := embedded.Start(embedded.Options{})
	if err != nil {
		return err
	}
	defer broker.Close()
	p.tell(notice{Address: broker.Addr()})
	<-ctx.Done()
	return nil
}

func (p *part) provider(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.tell(notice{Address: listener.Addr().String()})
	return newStub(p.order.Min, p.order.Max).serve(ctx, listener)
}

// progressInterval is how often a contender says how far it is.
const progressInterval = 250 * time.Millisecond

// contend runs a contender until the last message is done, measures it, and ends it.
func (p *part) contend(ctx context.Context, c Contender) error {
	stopProfile, err := p.profile()
	if err != nil {
		return err
	}
	defer stopProfile()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	score := newScore(p.order.Load.Messages, func() { p.tell(notice{Ready: true}) })
	before := cpuTime()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, p.order.Load, score) }()

	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for last := 0; ; {
		select {
		case <-ticker.C:
			if done := int(score.done.Load()); done > last {
				last = done
				p.tell(notice{Done: done})
			}
			continue
		case err := <-ended:
			if err == nil && ctx.Err() == nil {
				err = errors.New("it ended before its work was done")
			}
			return err
		case <-score.finished:
		}
		break
	}
	m := Measures{Took: time.Since(score.began), CPU: cpuTime() - before, PeakRSS: peakRSS(), GC: gcShare()}
	stopProfile()
	cancel()
	if err := <-ended; err != nil {
		return fmt.Errorf("end: %w", err)
	}
	p.tell(notice{Measures: &m})
	return nil
}

// profile begins a CPU profile; stop ends it, and writes one of what was allocated.
func (p *part) profile() (stop func(), err error) {
	if p.order.Profile == "" {
		return func() {}, nil
	}
	path := filepath.Join(p.order.Profile, p.order.Label)
	file, err := os.Create(path + ".cpu.pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return sync.OnceFunc(func() {
		pprof.StopCPUProfile()
		_ = file.Close()
		if file, err := os.Create(path + ".allocs.pprof"); err == nil {
			_ = pprof.Lookup("allocs").WriteTo(file, 0)
			_ = file.Close()
		}
	}), nil
}

// gcShare is the share of the garbage collector in the CPU time so far, without what it did because nothing else was to do.
func gcShare() float64 {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/cpu/classes/idle:cpu-seconds"},
	}
	metrics.Read(samples)
	seconds := func(i int) float64 { return samples[i].Value.Float64() }
	busy := seconds(2) - seconds(3) - seconds(1)
	if busy <= 0 {
		return 0
	}
	return (seconds(0) - seconds(1)) / busy
}
