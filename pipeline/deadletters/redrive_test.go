package deadletters_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
)

func TestALetterIsGivenBackByteForByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range specimens {
		w.post(s.make(to{t}, "p-"+string(s.reason)))
	}
	letters, _ := w.walk(deadletters.Filter{})
	require.Equal(t, len(letters), w.given(deadletters.Redrive{Why: "the provider is configured now"}))

	given := w.Records(w.Topics.Redriven())
	require.Len(t, given, len(letters))
	for _, l := range letters {
		i := slices.IndexFunc(given, func(r kafka.Record) bool { return string(r.Key) == string(l.Key) })
		require.GreaterOrEqual(t, i, 0, "%s: the key", l.Key)
		r := given[i]
		assert.True(t, bytes.Equal(l.Value, r.Value), "%s: the bytes", l.Key)
		assert.Equal(t, l.Handler, pipelinetest.Header(r, handlers.HeaderHandler), "%s: the handler", l.Key)
		assert.Equal(t, "1", pipelinetest.Header(r, handlers.HeaderRedriveCount), "%s: the count", l.Key)
		assert.Empty(t, pipelinetest.Header(r, handlers.HeaderAnswer), "%s: the answer stays behind", l.Key)
		kept := slices.DeleteFunc(slices.Clone(l.Headers), func(h kafka.Header) bool {
			return h.Key == handlers.HeaderAnswer || h.Key == handlers.HeaderAnswerSHA256
		})
		assert.Equal(t, kept, r.Headers[:len(r.Headers)-1], "%s: the headers, in their order", l.Key)
	}

	markers := slices.DeleteFunc(w.Records(w.Topics.DeadLetters()), func(r kafka.Record) bool { return pipelinetest.Header(r, deadletters.HeaderMarks) == "" })
	require.Len(t, markers, len(letters))
	marked := map[string]string{}
	for _, r := range markers {
		marked[pipelinetest.Header(r, deadletters.HeaderMarks)] = string(r.Key)
		assert.Nil(t, r.Value)
		assert.Equal(t, "olga", pipelinetest.Header(r, "paystatus_redriven_by"))
		assert.Equal(t, "the provider is configured now", pipelinetest.Header(r, "paystatus_redriven_why"))
		at, err := time.Parse(time.RFC3339Nano, pipelinetest.Header(r, "paystatus_redriven_at"))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), at, time.Minute)
	}
	for _, l := range letters {
		assert.Equal(t, string(l.Key), marked[l.String()])
	}
}

func TestAnEmptyValueStaysEmptyAndNoneStaysNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none, empty := initiated("", ""), initiated("k", "")
	none.Key, none.Value, empty.Value = nil, nil, []byte{}
	w.post(intake(t, none), intake(t, empty))
	require.Equal(t, 2, w.given(deadletters.Redrive{}))
	for _, r := range w.Records(w.Topics.Redriven()) {
		assert.Empty(t, r.Value)
		assert.Equal(t, r.Key == nil, r.Value == nil)
	}
	left, counts := w.walk(deadletters.Filter{})
	assert.Empty(t, left)
	assert.Equal(t, int64(2), counts.Hidden, "a letter without a key is known as given back, too")
}

func TestRunningItTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 7 {
		w.post(unserved(t, initiated(fmt.Sprintf("p-%d", i%3), event("p", "300"))))
	}
	require.Equal(t, 7, w.given(deadletters.Redrive{}))
	before := w.written()
	sum, err := w.redrive(deadletters.Redrive{})
	require.NoError(t, err)
	assert.Zero(t, sum.Verdicts[deadletters.GivenBack])
	assert.Equal(t, int64(7), sum.Hidden)
	assert.Equal(t, before, w.written())

	left, counts := w.walk(deadletters.Filter{})
	assert.Empty(t, left)
	assert.Equal(t, int64(7), counts.Hidden)
	all, _ := w.walk(deadletters.Filter{Given: true})
	require.Len(t, all, 7)
	assert.Equal(t, "olga", all[0].Given.By)
}

func TestWhatIsChosenIsGivenBackAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 12 {
		s := specimens[3+i%4]
		w.post(s.make(to{t}, fmt.Sprintf("p-%d", i)))
	}
	assert.Equal(t, 3, w.given(deadletters.Redrive{Filter: deadletters.Filter{Reasons: []watch.Code{handlers.CodeEmpty}}}))
	assert.Equal(t, 1, w.given(deadletters.Redrive{Filter: deadletters.Filter{Payment: "p-1"}}))
	assert.Equal(t, 2, w.given(deadletters.Redrive{Limit: 2}))
	assert.Equal(t, 6, w.given(deadletters.Redrive{Limit: 100, Rate: 1000}))
	assert.Len(t, w.Records(w.Topics.Redriven()), 12)
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(unserved(t, initiated("p-99", event("p-99", "300"))))
	before := w.written()
	var told []string
	never := func(context.Context) error { return errors.New("must not be called") }
	assert.Equal(t, 1, w.given(deadletters.Redrive{DryRun: true, Starts: never, Told: func(l deadletters.Letter, v deadletters.Verdict) error {
		told = append(told, string(v)+" "+l.About.PaymentID)
		return nil
	}}))
	assert.Equal(t, []string{"given_back p-99"}, told)
	assert.Equal(t, before, w.written())
}

func TestNothingIsWrittenBeforeItIsKnownWhereTheGroupsBegin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(unserved(t, initiated("p-1", event("p-1", "300"))))
	before := w.written()
	_, err := w.redrive(deadletters.Redrive{Starts: func(context.Context) error { return errors.New("offsets are missing") }})
	require.ErrorContains(t, err, "offsets are missing")
	assert.Equal(t, before, w.written())
}

func TestARateIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 6 {
		w.post(unserved(t, initiated(fmt.Sprintf("q-%d", i), event("p", "300"))))
	}
	began := time.Now()
	assert.Equal(t, 6, w.given(deadletters.Redrive{Rate: 10}))
	assert.GreaterOrEqual(t, time.Since(began), 450*time.Millisecond)
}

func TestAKillBetweenTheTwoWritesRepeatsTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(unserved(t, initiated("p-1", event("p-1", "300"))))
	sum, err := w.redrive(deadletters.Redrive{Publisher: dying{Publisher: w.Writer, before: w.Topics.DeadLetters()}})
	require.ErrorIs(t, err, errKilled)
	assert.Zero(t, sum.Verdicts[deadletters.GivenBack])
	assert.Len(t, w.Records(w.Topics.Redriven()), 1)

	_, err = w.redrive(deadletters.Redrive{Publisher: dying{Publisher: w.Writer, before: w.Topics.Redriven()}})
	require.ErrorIs(t, err, errKilled)
	left, _ := w.walk(deadletters.Filter{})
	require.Len(t, left, 1, "what was not given back is not marked")

	assert.Equal(t, 1, w.given(deadletters.Redrive{}))
	given := w.Records(w.Topics.Redriven())
	require.Len(t, given, 2)
	assert.Equal(t, given[0].Headers, given[1].Headers, "the repetition is no further round")
	assert.Zero(t, w.given(deadletters.Redrive{}))
}

func TestALetterGoesRoundOnlySoOften(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	redriven := &handlers.Redriven{Intake: (&handlers.Intake{}).Handle}
	w.post(unserved(t, initiated("p-1", event("p-1", "300"))))
	for round := 1; round <= deadletters.DefaultMax; round++ {
		require.Equal(t, 1, w.given(deadletters.Redrive{}), "round %d", round)
		given := w.Records(w.Topics.Redriven())
		m := handlers.Message{Topic: w.Topics.Redriven(), Key: given[round-1].Key, Value: given[round-1].Value}
		for _, h := range given[round-1].Headers {
			m.Headers = append(m.Headers, handlers.Header(h))
		}
		w.post(handle(t, redriven.Handle, m))
	}
	sum, err := w.redrive(deadletters.Redrive{})
	require.NoError(t, err)
	assert.Equal(t, map[deadletters.Verdict]int{deadletters.TooOften: 1}, sum.Verdicts)
	assert.Equal(t, 1, w.given(deadletters.Redrive{Max: 4}))
}

func TestALetterThatNoHandlerTakesBackStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	redriven := &handlers.Redriven{Intake: (&handlers.Intake{}).Handle}
	w.post(handle(t, redriven.Handle, initiated("p-2", "x"))) // written to the topic of redriven letters by somebody else
	sum, err := w.redrive(deadletters.Redrive{})
	require.NoError(t, err)
	assert.Equal(t, map[deadletters.Verdict]int{deadletters.NotTakable: 1}, sum.Verdicts)
}

// TestMendedPaymentsReachTheirEnd follows letters of all kinds through a real pipeline: redriven before its very first start,
// some of them twice because the first redrive was killed.
func TestMendedPaymentsReachTheirEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mended []string
	for i := range 5 {
		id := fmt.Sprintf("mended-%d", i)
		mended = append(mended, id)
		w.At(id, "IN_PROGRESS", "SETTLED")
		w.post(unserved(t, initiated(id, event(id, "300"))))
	}
	garbage := initiated("garbage", "\x00\xff not JSON")
	w.post(intake(t, garbage))
	w.At("tampered", "SETTLED")
	w.post(checked(t, failing("mismatch", "other_amount"), asks("tampered", 300)))

	_, err := w.redrive(deadletters.Redrive{Publisher: dying{Publisher: w.Writer, before: w.Topics.DeadLetters()}})
	require.ErrorIs(t, err, errKilled)
	require.Equal(t, 7, w.given(deadletters.Redrive{}))
	require.Len(t, w.Records(w.Topics.Redriven()), 14)

	w.At("twofold", "IN_PROGRESS", "SETTLED")
	w.Produce(w.Topics.Initiated, "twofold", []byte(event("twofold", "300")))
	stop := w.Start()
	defer stop()
	for _, id := range append(slices.Clone(mended), "tampered", "twofold") {
		w.Eventually(func() bool { statuses, _ := w.statuses(id); return slices.Contains(statuses, "captured") }, id+" ends")
	}

	w.isALetterAgain("garbage", garbage)
	w.conflictsUntilTheLoopGuard("twofold")
	for _, id := range append(slices.Clone(mended), "tampered", "twofold") {
		w.saysNothingTwice(id)
	}
}

// isALetterAgain holds that what cannot be mended, and was given back twice, is two letters more: the same but for their history.
func (w *world) isALetterAgain(key string, input handlers.Message) {
	w.T.Helper()
	var again []deadletters.Letter
	w.Eventually(func() bool { again, _ = w.walk(deadletters.Filter{Payment: key}); return len(again) == 2 }, "two letters")
	all, _ := w.walk(deadletters.Filter{Payment: key, Given: true})
	require.Len(w.T, all, 3)
	for _, l := range again {
		assert.True(w.T, bytes.Equal(input.Value, l.Value), "the exact bytes")
		assert.Equal(w.T, string(input.Key), string(l.Key))
		assert.Equal(w.T, handlers.CodeNotJSON, l.Reason)
		assert.Equal(w.T, deadletters.Origin{Topic: "payments.initiated", Partition: "2", Offset: "41"}, l.From)
		assert.Equal(w.T, all[0].Headers[:2], l.Headers[:2], "the original headers")
		assert.Equal(w.T, 1, l.RedriveCount)
	}
}

// conflictsUntilTheLoopGuard initiates a payment once more with another amount, and gives the letter back until that is refused.
func (w *world) conflictsUntilTheLoopGuard(payment string) {
	w.T.Helper()
	w.Produce(w.Topics.Initiated, payment, []byte(event(payment, "30000")))
	only := deadletters.Filter{Payment: payment}
	for round := range deadletters.DefaultMax + 1 {
		var letters []deadletters.Letter
		w.Eventually(func() bool { letters, _ = w.walk(only); return len(letters) == 1 }, "a letter")
		assert.Equal(w.T, watch.CodeConflictingInitiation, letters[0].Reason)
		assert.Equal(w.T, round, letters[0].RedriveCount)
		more := 1
		if round == deadletters.DefaultMax {
			more = 0
		}
		require.Equal(w.T, more, w.given(deadletters.Redrive{Filter: only}), "round %d", round)
	}
}

// saysNothingTwice holds that no change of a payment was said under two ids.
func (w *world) saysNothingTwice(payment string) {
	w.T.Helper()
	statuses, ids := w.statuses(payment)
	known := map[string]string{}
	for i, status := range statuses {
		assert.Contains(w.T, []string{"", ids[i]}, known[status], "%s: %s", payment, status)
		known[status] = ids[i]
	}
	assert.Subset(w.T, []string{"pending", "captured"}, slices.Collect(maps.Keys(known)), payment)
}
