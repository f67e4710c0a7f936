package backfill_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/pipelinetest"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/schemas"
)

func names(p *backfill.Payments) []string {
	var all []string
	for _, payment := range p.All() {
		all = append(all, payment.PaymentID)
	}
	return all
}

func TestARangeIsFrozenAtItsBeginning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("before"))
	frozen, err := snapshot.Range{}.Freeze(t.Context(), w.Client, w.Topics.Initiated)
	require.NoError(t, err)
	w.Initiate(pipelinetest.Initiated("after"))
	p := w.payments(backfill.Selection{})
	require.NoError(t, p.ReadInitiated(t.Context(), frozen))
	assert.Equal(t, []string{"before"}, names(p))
	assert.EqualValues(t, 1, frozen.Records())

	spans, err := snapshot.ParseOffsets(frozen.Spans.String())
	require.NoError(t, err)
	assert.Equal(t, []string{"before"}, names(w.list(backfill.Selection{}, snapshot.Range{Offsets: spans})), "named again, it is the same")
}

func TestARangeIsOfTimesPartitionsOrOffsets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Initiate(pipelinetest.Initiated("early"))
	records := w.Records(w.Topics.Initiated)
	middle := records[0].Time.Add(time.Millisecond)
	w.Eventually(func() bool { return time.Now().After(middle.Add(time.Millisecond)) }, "a moment passes")
	w.Initiate(pipelinetest.Initiated("late"))
	home := records[0].Partition
	list := func(r snapshot.Range) []string { return names(w.list(backfill.Selection{}, r)) }

	assert.Equal(t, []string{"early", "late"}, list(snapshot.Range{}))
	assert.Equal(t, []string{"late"}, list(snapshot.Range{Since: middle}))
	assert.Equal(t, []string{"early"}, list(snapshot.Range{Until: middle}))
	assert.Empty(t, list(snapshot.Range{Since: middle, Until: middle}))
	assert.Contains(t, list(snapshot.Range{Offsets: snapshot.Spans{home: {}}}), "early")
	assert.Equal(t, []string{"early"}, list(snapshot.Range{Offsets: snapshot.Spans{home: {From: 0, To: 1}}}))
	assert.NotContains(t, list(snapshot.Range{Offsets: snapshot.Spans{home: {From: 1}}}), "early")
	_, err := snapshot.Range{Offsets: snapshot.Spans{9: {}}}.Freeze(t.Context(), w.Client, w.Topics.Initiated)
	require.ErrorContains(t, err, "no partition 9: it has 4, from 0")
}

func TestASelectionChoosesPayments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := pipelinetest.Initiated("other")
	other["provider"], other["amount"], other["reference"] = "antom", map[string]any{"value": 1, "currency": "EUR"}, map[string]any{"payment_request_id": "x"}
	w.Initiate(pipelinetest.Initiated("ended"), pipelinetest.Initiated("pending"), pipelinetest.Initiated("nothing"), other)
	w.At("ended", "SETTLED")
	w.At("pending", "IN_PROGRESS")
	w.At("nothing", "503")
	stop := w.start()
	w.Eventually(func() bool { return w.Count(w.Topics.StatusChanged) >= 2 }, "two are said")
	stop()
	list := func(s backfill.Selection) []string {
		s.Provider = "liquido"
		return names(w.list(s, snapshot.Range{}))
	}
	assert.Equal(t, []string{"ended", "nothing", "pending"}, list(backfill.Selection{}))
	assert.Equal(t, []string{"ended"}, list(backfill.Selection{Statuses: []string{"captured"}}))
	assert.Equal(t, []string{"nothing"}, list(backfill.Selection{Statuses: []string{backfill.StatusNone}}))
	assert.Equal(t, []string{"nothing", "pending"}, list(backfill.Selection{Statuses: []string{backfill.StatusOpen}}))
	assert.Empty(t, list(backfill.Selection{Account: "elsewhere"}))

	chosen := w.list(backfill.Selection{IDs: map[string]bool{"ended": true, "unheard-of": true}}, snapshot.Range{})
	assert.Equal(t, []string{"ended"}, names(chosen))
	assert.Equal(t, []string{"unheard-of"}, chosen.Missing())
	assert.Equal(t, "captured", string(chosen.All()[0].Said.Status))

	late := w.list(backfill.Selection{IDs: map[string]bool{"ended": true}}, snapshot.Range{Since: time.Now().Add(time.Hour)})
	assert.Equal(t, []string{"ended"}, names(late), "the emitted log knows its context")
}

func TestWhatWasSaidIsFoundWithAnotherNumberOfPartitions(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, nil, func(client *kafka.Client, topics config.Topics) {
		require.NoError(t, client.CreateTopics(t.Context(), kafka.Topic{Name: topics.StatusChanged, Partitions: 7, Replication: 1}))
	})
	w.start()
	w.live(20)
	for _, p := range w.list(backfill.Selection{}, snapshot.Range{}).All() {
		assert.Equal(t, schemas.Captured, p.Said.Status, p.PaymentID)
	}
}

func TestInitiatedEventsAreMergedAsThePipelineMergesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	initiated := func(value int, reference map[string]any) map[string]any {
		e := pipelinetest.Initiated("p")
		e["provider"], e["amount"], e["reference"] = "checkout", map[string]any{"value": value, "currency": "EUR"}, reference
		return e
	}
	w.Initiate(initiated(1000, map[string]any{"reference": "order-1"}))
	w.Initiate(initiated(1000, map[string]any{"payment_id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"}))
	w.Initiate(initiated(2000, map[string]any{"reference": "order-1"}))
	w.Initiate(map[string]any{"payment_id": "broken"})
	p := w.list(backfill.Selection{}, snapshot.Range{})
	all := p.All()
	require.Len(t, all, 1)
	assert.Equal(t, schemas.Reference{"reference": "order-1", "payment_id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, all[0].Context.Reference)
	assert.Equal(t, int64(1000), all[0].Context.Amount.Value)
	assert.Empty(t, all[0].Context.Origins, "what the backfill read is not what the pipeline handled")
	c := p.Counts()
	assert.EqualValues(t, 4, c.Records)
	assert.EqualValues(t, 1, c.Conflicts)
	assert.Equal(t, "map[invalid_event:1]", fmt.Sprint(c.Refused))
}
