package backfill_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// BenchmarkKilled is a backfill of 100,000 payments that is killed ten times.
func BenchmarkKilled(b *testing.B) {
	for b.Loop() {
		killed(b, nil, 100_000, 10, 500)
	}
}

// BenchmarkVerify compares 10,000 payments, of which 100 differ.
func BenchmarkVerify(b *testing.B) {
	for b.Loop() {
		verified(b, 10_000, 100)
	}
}

// BenchmarkLive measures how long live payments take from their initiated event to the event that they were captured, with a
// backfill at 50 payments a second beside them and without, in turn.
func BenchmarkLive(b *testing.B) {
	const (
		rounds = 6
		each   = 5 * time.Second
		pace   = 10 * time.Millisecond // of live payments
	)
	w := newWorld(b)
	w.start()
	w.live(rounds * 500)
	past := w.list(backfill.Selection{}, snapshot.Range{}).All()
	settled := func(id string) {
		script := sandbox.Script{Amount: sandbox.Amount{Value: 300, Currency: "COP"}}
		script.Steps = []sandbox.Step{{Status: "SETTLED", Delay: sandbox.Duration(50 * time.Millisecond)}}
		require.NoError(b, w.Sandbox.Store("liquido").Put(id, script))
	}
	for _, p := range past {
		settled(p.PaymentID)
	}
	round := func(name string) {
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for i := range int(each / pace) {
			<-ticker.C
			id := fmt.Sprintf("%s-%d", name, i)
			settled(id)
			go w.Initiate(pipelinetest.Initiated(id)) // the writer gathers what comes at the same time
		}
		w.Eventually(w.Idle, "the round ends")
	}
	for i := range rounds {
		round(fmt.Sprintf("without-%d", i))
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan backfill.Summary)
		go func() {
			c := w.check()
			c.ReplayID, c.Rate = fmt.Sprintf("replay-%d", i), 50
			sum, _ := c.Run(ctx, past[i*len(past)/rounds:])
			ended <- sum
		}()
		round(fmt.Sprintf("with-%d", i))
		stop()
		require.Greater(b, (<-ended).Asked, 200)
	}
	without, with := w.p99("without-"), w.p99("with-")
	b.ReportMetric(float64(without.Milliseconds()), "without-ms")
	b.ReportMetric(float64(with.Milliseconds()), "with-ms")
	b.ReportMetric(float64(with)/float64(without), "ratio")
}

// p99 is how long 99 of 100 live payments with a prefix took at most.
func (w *world) p99(prefix string) time.Duration {
	began := map[string]time.Time{}
	for _, r := range w.Records(w.Topics.Initiated) {
		began[string(r.Key)] = r.Time
	}
	var took []time.Duration
	for _, r := range w.Records(w.Topics.StatusChanged) {
		if id := string(r.Key); len(id) > len(prefix) && id[:len(prefix)] == prefix {
			took = append(took, r.Time.Sub(began[id]))
		}
	}
	require.NotEmpty(w.T, took)
	slices.Sort(took)
	return took[len(took)*99/100]
}
