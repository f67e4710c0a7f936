package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Checks are what was found when the answers were read back.
type Checks struct {
	Missing     int   `json:"missing"`      // messages without an answer
	Repeated    int   `json:"repeated"`     // answers beyond one for each message
	OutOfOrder  int   `json:"out_of_order"` // answers that came after one to a later message of their key
	Uncommitted int64 `json:"uncommitted"`  // records that the consumer groups have not committed
}

// verify reads back what a contender wrote. The latencies are from the append of a message to that of its answer, without the
// time that the provider held the answer back; those of a warm-up are left out.
func (c *cluster) verify(ctx context.Context, contender Contender, load Load) (Checks, []time.Duration, error) {
	var checks Checks
	came, first, err := c.arrivals(ctx, load)
	if err != nil {
		return checks, nil, err
	}
	last := make([]int, load.Keys) // turns answered of each key
	answered := make([]bool, load.Messages)
	var latencies []time.Duration
	warm := first.Add(load.warmUp(came))
	err = c.scan(ctx, load.Sink, func(r kafka.Record) error {
		a, err := answerOf(contender, r.Value)
		if err != nil {
			return err
		}
		key, turn, err := load.parseReference(a.Reference)
		if err != nil {
			return err
		}
		i := key + turn*load.Keys
		if answered[i] {
			checks.Repeated++
			return nil
		}
		answered[i] = true
		if turn < last[key] {
			checks.OutOfOrder++
		}
		last[key] = max(last[key], turn)
		if came[i].After(warm) {
			latencies = append(latencies, max(0, r.Time.Sub(came[i])-a.Held))
		}
		return nil
	})
	if err != nil {
		return checks, nil, err
	}
	for _, ok := range answered {
		if !ok {
			checks.Missing++
		}
	}
	if contender.Groups != nil {
		if checks.Uncommitted, err = c.uncommitted(ctx, contender.Groups(load)); err != nil {
			return checks, nil, err
		}
	}
	return checks, latencies, nil
}

// arrivals are when each message was appended, and the first.
func (c *cluster) arrivals(ctx context.Context, load Load) (came []time.Time, first time.Time, err error) {
	came = make([]time.Time, load.Messages)
	err = c.scan(ctx, load.Source, func(r kafka.Record) error {
		reference, err := header(r, ReferenceHeader)
		if err != nil {
			return err
		}
		key, turn, err := load.parseReference(reference)
		if err != nil {
			return err
		}
		came[key+turn*load.Keys] = r.Time
		if first.IsZero() || r.Time.Before(first) {
			first = r.Time
		}
		return nil
	})
	return came, first, err
}

// warmUp is how long latencies do not count: connections are being made.
func (l Load) warmUp(came []time.Time) time.Duration {
	return min(2*time.Second, came[len(came)-1].Sub(came[0])/3)
}

// answer is what the provider said, as far as it matters here.
type answer struct {
	Reference string        `json:"idempotencyKey"` //nolint:tagliatelle // Liquido's name
	Held      time.Duration `json:"heldNanos"`      //nolint:tagliatelle // as Liquido's own
}

func answerOf(c Contender, value []byte) (a answer, err error) {
	if c.Answer != nil {
		if value, err = c.Answer(value); err != nil {
			return a, err
		}
	}
	if err := json.Unmarshal(value, &a); err != nil {
		return a, fmt.Errorf("read an answer: %w", err)
	}
	return a, nil
}
