package bench

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Report is what a bench came to.
type Report struct {
	Settings   Settings  `json:"settings"`
	System     System    `json:"system"`
	Contenders []Summary `json:"contenders"`
	Runs       []Run     `json:"runs"` // in the order in which they took place
}

// Settings are what was asked for.
type Settings struct {
	Broker      string  `json:"broker"` // "embedded" or "given"
	Messages    int     `json:"messages"`
	Keys        int     `json:"keys"`
	InFlight    int     `json:"in_flight"`
	Partitions  int     `json:"partitions"`
	Replication int     `json:"replication"`
	ProviderMin float64 `json:"provider_min_ms"`
	ProviderMax float64 `json:"provider_max_ms"`
	Rounds      int     `json:"rounds"`
}

func settingsOf(o Options) Settings {
	s := Settings{
		Broker: "embedded", Messages: o.Messages, Keys: o.keys(o.Messages), InFlight: o.InFlight, Partitions: o.Partitions,
		Replication: o.Replication, ProviderMin: milliseconds(o.ProviderMin), ProviderMax: milliseconds(o.ProviderMax), Rounds: o.Rounds,
	}
	if len(o.Brokers) > 0 {
		s.Broker = "given"
	}
	return s
}

// System is where it was measured.
type System struct {
	CPUs        int    `json:"cpus"`
	OS          string `json:"os"`
	Go          string `json:"go"`
	LoadAverage string `json:"load_average,omitempty"` // of the minute before
}

// Run is one contender's work on one load.
type Run struct {
	Contender   string   `json:"contender"`
	Round       int      `json:"round"` // 0: at half load
	Messages    int      `json:"messages"`
	Rate        float64  `json:"rate,omitempty"` // messages a second that came, at half load
	Seconds     float64  `json:"seconds"`        // from the first message to the last acknowledged answer
	Throughput  float64  `json:"messages_per_second"`
	CPU         float64  `json:"cpu_us_per_message"` // of the contender's process, user and system
	BrokerCPU   float64  `json:"broker_cpu_us_per_message,omitempty"`
	ProviderCPU float64  `json:"provider_cpu_us_per_message"`
	PeakRSS     int64    `json:"peak_rss_bytes"`
	GC          float64  `json:"gc_share"`          // of the CPU time
	Latency     *Latency `json:"latency,omitempty"` // at half load
	Checks      Checks   `json:"checks"`

	latencies []time.Duration
}

// label names the run's profiles.
func (r *Run) label() string {
	if r.Rate > 0 {
		return r.Contender + ".half-load"
	}
	return fmt.Sprintf("%s.%d", r.Contender, r.Round)
}

func (r *Run) take(m Measures) {
	r.Seconds, r.PeakRSS, r.GC = m.Took.Seconds(), m.PeakRSS, m.GC
	r.Throughput = float64(r.Messages) / r.Seconds
	r.CPU = perMessage(m.CPU, r.Messages)
}

func perMessage(d time.Duration, messages int) float64 {
	return float64(d) / float64(time.Microsecond) / float64(messages)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Latency is what a contender adds to the time of a message: from its append to that of the answer, without the provider's time.
type Latency struct {
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Messages int     `json:"messages"` // without a warm-up
}

func latencyOf(all []time.Duration) *Latency {
	if len(all) == 0 {
		return &Latency{}
	}
	slices.Sort(all)
	at := func(share float64) float64 { return milliseconds(all[int(share*float64(len(all)-1))]) }
	return &Latency{P50: at(0.5), P99: at(0.99), Messages: len(all)}
}

// Summary is a contender's figures: medians of the rounds.
type Summary struct {
	Contender   string   `json:"contender"`
	Throughput  float64  `json:"messages_per_second"`
	CPU         float64  `json:"cpu_us_per_message"`
	BrokerCPU   float64  `json:"broker_cpu_us_per_message,omitempty"`
	ProviderCPU float64  `json:"provider_cpu_us_per_message"`
	PeakRSS     int64    `json:"peak_rss_bytes"` // the largest
	GC          float64  `json:"gc_share"`
	HalfLoad    float64  `json:"half_load_rate,omitempty"` // messages a second
	Latency     *Latency `json:"latency,omitempty"`        // at half load
	Ratios      *Ratios  `json:"ratios,omitempty"`         // absent without the bare loop
}

// Ratios are a contender's figures divided by those of the bare loop: medians of the ratios of each round.
type Ratios struct {
	Throughput float64 `json:"messages_per_second"`
	CPU        float64 `json:"cpu"`
	PeakRSS    float64 `json:"peak_rss"`
}

// values are those of a contender's rounds, in their order.
func (r *Report) values(contender string, of func(Run) float64) []float64 {
	runs := slices.Clone(r.Runs)
	slices.SortStableFunc(runs, func(a, b Run) int { return a.Round - b.Round })
	var all []float64
	for _, run := range runs {
		if run.Contender == contender && run.Round > 0 {
			all = append(all, of(run))
		}
	}
	return all
}

func (r *Report) summarise(contenders []Contender) {
	withBare := slices.ContainsFunc(contenders, func(c Contender) bool { return c.Name == NameBare })
	for _, c := range contenders {
		value := func(of func(Run) float64) float64 { return median(r.values(c.Name, of)) }
		s := Summary{
			Contender: c.Name, Throughput: value(throughput), CPU: value(cpu), PeakRSS: int64(slices.Max(r.values(c.Name, rss))),
			BrokerCPU: value(func(r Run) float64 { return r.BrokerCPU }), ProviderCPU: value(func(r Run) float64 { return r.ProviderCPU }),
			GC: value(func(r Run) float64 { return r.GC }),
		}
		if i := slices.IndexFunc(r.Runs, func(r Run) bool { return r.Contender == c.Name && r.Rate > 0 }); i >= 0 {
			s.HalfLoad, s.Latency = r.Runs[i].Rate, r.Runs[i].Latency
		}
		if withBare {
			ratio := func(of func(Run) float64) float64 {
				ratios := r.values(c.Name, of)
				for i, bare := range r.values(NameBare, of) {
					if bare > 0 {
						ratios[i] /= bare
					}
				}
				return median(ratios)
			}
			s.Ratios = &Ratios{Throughput: ratio(throughput), CPU: ratio(cpu), PeakRSS: ratio(rss)}
		}
		r.Contenders = append(r.Contenders, s)
	}
}

func throughput(r Run) float64 { return r.Throughput }
func cpu(r Run) float64        { return r.CPU }
func rss(r Run) float64        { return float64(r.PeakRSS) }

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Err says which promises were broken; nil: none. Repetitions are allowed, but reported.
func (r *Report) Err(contenders []Contender) error {
	var all []error
	for _, run := range r.Runs {
		i := slices.IndexFunc(contenders, func(c Contender) bool { return c.Name == run.Contender })
		if run.Checks.Missing > 0 {
			all = append(all, fmt.Errorf("%s, round %d: %d messages have no answer", run.Contender, run.Round, run.Checks.Missing))
		}
		if i >= 0 && contenders[i].Ordered && run.Checks.OutOfOrder > 0 {
			all = append(all, fmt.Errorf("%s, round %d: %d answers are out of order", run.Contender, run.Round, run.Checks.OutOfOrder))
		}
		if run.Checks.Uncommitted > 0 {
			all = append(all, fmt.Errorf("%s, round %d: %d records are not committed", run.Contender, run.Round, run.Checks.Uncommitted))
		}
	}
	return errors.Join(all...)
}
