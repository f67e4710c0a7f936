package backfill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

func TestABackfillAsksAboutEveryPaymentAndSaysTheSameWithTheSameIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	payments, live := w.live(200)

	var told int
	c := w.check()
	c.Told = func(handlers.ReplayOutcome) error { told++; return nil }
	sum, err := c.Run(t.Context(), w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.NoError(t, err)
	assert.Equal(t, backfill.Summary{
		ReplayID: "replay-1", Payments: 200, Asked: 200, ByProvider: map[string]int{"liquido": 200},
		Outcomes: map[providers.Kind]int{providers.Observed: 200}, Statuses: map[schemas.Status]int{schemas.Captured: 200}, Events: 200,
	}, sum)
	assert.Zero(t, sum.Unasked())
	assert.Equal(t, 200, told)
	for _, id := range payments {
		assert.Equal(t, 1, w.asked(id), id)
	}
	replayed := 0
	for _, e := range w.Events() {
		assert.True(t, live[e.ID], "an id that the live run did not give")
		if e.Data.Cause == schemas.CauseBackfill {
			replayed++
			assert.Equal(t, "replay-1", e.Data.ReplayID)
		}
	}
	assert.Equal(t, 200, replayed)
}

func TestABackfillNeverSaysThatAPaymentIsUnresolved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("nowhere"))
	configured := w.options.Schedule
	w.options.Schedule = func(provider, method string) watch.Schedule {
		s := configured(provider, method)
		s.NotFoundGrace = time.Second
		return s
	}
	w.start()
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 1 }, "the live run says that it was not found")
	sum, err := w.check().Run(t.Context(), w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.NoError(t, err)
	assert.Equal(t, map[providers.Kind]int{providers.NotFound: 1}, sum.Outcomes)
	assert.Zero(t, sum.Events)
	assert.Zero(t, sum.Unasked(), "that it is not found is an answer")
	assert.Len(t, w.Events(), 1)
}

func TestABackfillOfAPaymentThatWasNeverSaidSaysItAndWatchesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.At("new", "IN_PROGRESS", "SETTLED")
	p := w.payments(backfill.Selection{})
	require.NoError(t, p.ReadCSV("payments.csv", csv("new,liquido,300,COP,2026-01-31T12:00:00Z,new")))
	sum, err := w.check().Run(t.Context(), p.All())
	require.NoError(t, err)
	assert.Equal(t, 1, sum.Statuses[schemas.Pending])
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 2 }, "the watch that was opened ends")
	events := w.Events()
	assert.Equal(t, []string{"replay-1", ""}, []string{events[0].Data.ReplayID, events[1].Data.ReplayID})
	assert.Equal(t, schemas.Captured, events[1].Data.Status)
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 30 {
		w.Initiate(pipelinetest.Initiated(fmt.Sprintf("p-%d", i)))
	}
	c := w.check()
	c.DryRun, c.Rate, c.Publisher = true, 10, refusing{t}
	c.Starts = func(context.Context) error { return errors.New("offsets are written, too") }
	sum, err := c.Run(t.Context(), w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"liquido": 30}, sum.ByProvider)
	assert.Equal(t, 3*time.Second, sum.Takes)
	assert.Zero(t, w.Count(w.Topics.Checks()))
}

// refusing is a publisher that must not be used.
type refusing struct{ t *testing.T }

func (r refusing) Publish(topic string, _ ...*message.Message) error {
	r.t.Errorf("%s is written to", topic)
	return nil
}

func (refusing) Close() error { return nil }

func TestABackfillWritesNothingBeforeTheGroupsHaveTheirOffsets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("p"))
	c := w.check()
	c.Publisher = refusing{t}
	c.Starts = func(context.Context) error { return errKilled }
	_, err := c.Run(t.Context(), w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.ErrorIs(t, err, errKilled)
}

func TestABackfillKeepsToItsConcurrency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.Initiate(pipelinetest.Initiated(fmt.Sprintf("p-%d", i)))
	}
	c := w.check()
	c.Concurrency = 7
	go func() { // what the pipeline would record, one by one
		for answered := range 20 {
			assert.Eventually(t, func() bool { return w.Count(w.Topics.Checks()) >= min(answered+7, 20) }, time.Minute, 5*time.Millisecond)
			var open []watch.Check
			done := w.outcomes()
			for _, r := range w.Records(w.Topics.Checks()) {
				if check, err := watch.DecodeCheck(r.Value); assert.NoError(t, err) && done[check.PaymentID] == nil {
					open = append(open, check)
				}
			}
			assert.LessOrEqual(t, len(open), 7)
			w.record(handlers.ReplayOutcome{ReplayID: "replay-1", PaymentKey: open[0].PaymentKey, Outcome: providers.Observed})
		}
	}()
	sum, err := c.Run(t.Context(), w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.NoError(t, err)
	assert.Equal(t, 20, sum.Asked)
}

func TestABackfillKeepsToItsRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.live(20)
	c := w.check()
	c.Rate = 20
	_, err := c.Run(t.Context(), w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.NoError(t, err)
	var first, last time.Time
	for _, r := range w.Records(w.Topics.Checks()) {
		check, err := watch.DecodeCheck(r.Value)
		require.NoError(t, err)
		if check.Kind != watch.KindBackfill {
			continue
		}
		if first.IsZero() || check.AskedAt.Before(first) {
			first = check.AskedAt
		}
		if check.AskedAt.After(last) {
			last = check.AskedAt
		}
	}
	assert.GreaterOrEqual(t, last.Sub(first), 500*time.Millisecond, "nine tenths of a second, unless the first two were held up")
}

func TestABackfillThatIsKilledAndBegunAgainAsksAboutEveryPaymentAndAboutFewTwice(t *testing.T) {
	t.Parallel()
	killed(t, nil, 300, 10, 100)
}

// killed runs a backfill that is killed so often at random points, and holds it to what was promised.
func killed(t testing.TB, brokers []string, payments, kills, concurrency int) {
	t.Helper()
	w := newWorldAt(t, brokers, nil)
	w.start()
	ids, live := w.live(payments)
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	selected := w.list(backfill.Selection{}, snapshot.Range{}).All()
	var sum backfill.Summary
	for run := range kills + 1 {
		c := w.check()
		c.Concurrency, c.Resume = concurrency, run > 0
		ctx, kill := context.WithCancel(t.Context())
		if run < kills {
			share := payments / kills
			c.Publisher = &dying{c.Publisher, random.IntN(share + 1), kill}
		}
		var err error
		sum, err = c.Run(ctx, selected)
		kill()
		if run == kills {
			require.NoError(t, err)
		}
	}
	assert.Zero(t, sum.Unasked())
	assert.Equal(t, payments, sum.Outcomes[providers.Observed])
	twice := 0
	for _, id := range ids {
		asked := w.asked(id)
		assert.Positive(t, asked, "%s was never asked about", id)
		twice += max(asked-1, 0)
	}
	t.Logf("%d of %d payments asked about twice, %d killed runs", twice, payments, kills)
	assert.LessOrEqual(t, twice, payments/100)
	for _, e := range w.Events() {
		assert.True(t, live[e.ID], "an id that the live run did not give")
	}
}

// dying is a publisher of a process that is killed after it wrote so many checks: nothing comes back from the last write.
type dying struct {
	message.Publisher

	left int
	kill func()
}

var errKilled = errors.New("killed")

func (d *dying) Publish(topic string, messages ...*message.Message) error {
	n := min(d.left, len(messages))
	d.left -= n
	if err := d.Publisher.Publish(topic, messages[:n]...); err != nil {
		return err
	}
	if d.left == 0 {
		d.kill()
		return errKilled
	}
	return nil
}

func TestABackfillAsksAgainAboutWhatWasRecordedAsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("p"))
	selected := w.list(backfill.Selection{}, snapshot.Range{}).All()
	checks := 0
	for run, kind := range []providers.Kind{providers.Unavailable, providers.Refused, providers.Unreadable, providers.Mismatch} {
		// Nobody consumes the work topic: what the pipeline would record, the test does.
		recorded := make(chan struct{})
		checks++
		go func() {
			defer close(recorded)
			assert.Eventually(t, func() bool { return w.Count(w.Topics.Checks()) == checks }, time.Minute, 20*time.Millisecond)
			w.commit(w.Topics.Checks())
			w.record(handlers.ReplayOutcome{ReplayID: "replay-1", PaymentKey: selected[0].PaymentKey, Outcome: kind})
		}()
		c := w.check()
		c.Resume = run > 0
		sum, err := c.Run(t.Context(), selected)
		require.NoError(t, err)
		<-recorded
		assert.Equal(t, 1, sum.Asked)
		assert.Equal(t, map[providers.Kind]int{kind: 1}, sum.Outcomes)
		assert.Equal(t, !backfill.Conclusive(kind), sum.Unasked() == 1, kind)
	}
	c := w.check()
	c.Resume = true
	sum, err := c.Run(t.Context(), selected)
	require.NoError(t, err)
	assert.Zero(t, sum.Asked, "a mismatch is an answer")
	assert.Equal(t, 1, sum.Before)
}

func TestAProviderThatDoesNotAnswerHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		e := pipelinetest.Initiated(fmt.Sprintf("p-%d", i))
		if i%4 == 0 {
			e["provider"], e["reference"] = "antom", map[string]any{"payment_request_id": e["payment_id"]}
			e["amount"] = map[string]any{"value": 300, "currency": "EUR"}
		}
		w.Initiate(e)
	}
	c := w.check()
	c.Concurrency = 3
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // antom answers about all, liquido about none
		defer cancel()
		answered := map[schemas.PaymentKey]bool{}
		assert.Eventually(t, func() bool {
			for _, r := range w.Records(w.Topics.Checks()) {
				if check, err := watch.DecodeCheck(r.Value); err == nil && check.Provider == "antom" && !answered[check.PaymentKey] {
					answered[check.PaymentKey] = true
					w.record(handlers.ReplayOutcome{ReplayID: "replay-1", PaymentKey: check.PaymentKey, Outcome: providers.Observed})
				}
			}
			return len(answered) == 5
		}, time.Minute, 20*time.Millisecond)
	}()
	sum, err := c.Run(ctx, w.list(backfill.Selection{}, snapshot.Range{}).All())
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, map[string]int{"antom": 5, "liquido": 3}, sum.ByProvider)
}

func TestABackfillGoesOnWithWhatCouldNotBeAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("down"), pipelinetest.Initiated("fine"))
	w.start()
	w.At("fine", "SETTLED")
	w.At("down", "SETTLED")
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) == 2 }, "both are said")
	w.forget()
	selected := w.list(backfill.Selection{}, snapshot.Range{}).All()
	w.At("down", "503")

	ctx, kill := context.WithCancel(t.Context())
	c := w.check()
	c.Told = func(o handlers.ReplayOutcome) error {
		assert.Equal(t, "fine", o.PaymentID)
		kill()
		return nil
	}
	sum, err := c.Run(ctx, selected)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, sum.Open, "one waits to be asked again by the pipeline")

	c = w.check()
	c.Resume = true
	c.Progress = func(p backfill.Progress) { // the provider is mended once this run has begun
		if p.Done < p.Total {
			w.At("down", "SETTLED")
		}
	}
	sum, err = c.Run(t.Context(), selected)
	require.NoError(t, err)
	assert.Equal(t, 1, sum.Before)
	assert.Equal(t, 1, sum.Resumed, "what waits in a tier is on its way")
	assert.Zero(t, sum.Asked)
	assert.Equal(t, 2, sum.Outcomes[providers.Observed])
	assert.Equal(t, 1, w.asked("fine"))
	for id, outcomes := range w.outcomes() {
		require.Len(t, outcomes, 1, id)
		assert.Contains(t, conclusive, outcomes[0].Outcome)
	}
}
