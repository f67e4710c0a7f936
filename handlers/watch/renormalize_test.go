package watch_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// correction is the check that an operator asks for after the mapping changed: about the last event so far.
func (w *watched) correction() watch.Check {
	w.t.Helper()
	require.NotEmpty(w.t, w.said)
	last := w.said[len(w.said)-1]
	trail := overLog(w.t, last.Trail)
	c := &watch.Correction{Corrects: w.ids()[len(w.said)-1], Previous: last.Previous}
	if obs := last.Reading.Outcome.Observation; obs != nil {
		c.Stated = watch.StatedSums(obs.Amounts)
	}
	return watch.Check{
		PaymentKey: key, Kind: watch.KindRenormalize, Place: trail.Place, Context: trail.Context, Said: &trail.Said, Correction: c,
		Evidence: &watch.Evidence{From: last.Reading.From, Body: []byte("{}"), ReceivedAt: w.now},
		Cause:    schemas.CauseRenormalization, ReplayID: "replay-1", AskedAt: w.now,
	}
}

// rereads has the last event's answer read again, which now says something else.
func (w *watched) rereads(now watch.Reading) *watch.Decision {
	w.t.Helper()
	return w.ask(w.correction(), watch.Reading{}, &now)
}

func TestARenormalization(t *testing.T) {
	t.Parallel()
	t.Run("corrects what was said, names the event and the mistake, and asks nobody", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending), answers(schemas.Captured))
		d := w.rereads(answers(schemas.Authorized))
		assert.Equal(t, []string{"pending 1", "captured 1 final", "authorized 1"}, w.says())
		s := w.said[2]
		assert.Equal(t, schemas.TypeStatusCorrected, s.Type)
		assert.Equal(t, schemas.Captured, s.Previous)
		assert.Equal(t, w.ids()[1], s.Corrects)
		assert.Equal(t, schemas.SourceQuery, s.Trail.From)
		assert.Equal(t, watch.RereadCorrected, d.Rereading)
		assert.True(t, d.Record)
	})
	t.Run("gives the id that a live change to the same facts has", func(t *testing.T) {
		t.Parallel()
		live := story(t, answers(schemas.Pending), answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.PartiallyRefunded, captured(30), refunded(10)))
		w := story(t, answers(schemas.Pending), answers(schemas.PartiallyCaptured, captured(30)))
		w.rereads(answers(schemas.PartiallyRefunded, captured(30), refunded(10)))
		assert.Equal(t, live.says(), w.says())
		assert.Equal(t, live.ids(), w.ids())
	})
	t.Run("passes the backwards guard and counts the entry", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized), answers(schemas.Captured))
		w.rereads(answers(schemas.Authorized))
		w.wakes(answers(schemas.Captured))
		assert.Equal(t, []string{"authorized 1", "captured 1 final", "authorized 2", "captured 2 final"}, w.says())
	})
	t.Run("says nothing where the answer says the same", func(t *testing.T) {
		t.Parallel()
		for _, last := range []watch.Reading{
			answers(schemas.Captured), answers(schemas.PartiallyCaptured, captured(30)), answers(schemas.Declined, payableAgain),
			answers(schemas.Unknown), answers(schemas.CapturePending, finalHere), answers(schemas.Authorized, attempt("pay_1"), occurred(time.Second)),
		} {
			w := story(t, last)
			before, sleeper := w.lane, w.next
			d := w.rereads(last)
			assert.Equal(t, watch.RereadSame, d.Rereading, w.says())
			assert.Len(t, w.said, 1)
			assert.Equal(t, before, w.lane)
			assert.Equal(t, sleeper, w.next)
			assert.True(t, d.Record)
		}
	})
	t.Run("says nothing the second time", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		first := w.correction()
		w.rereads(answers(schemas.Authorized))
		assert.Equal(t, watch.RereadSame, w.rereads(answers(schemas.Authorized)).Rereading)
		now := answers(schemas.Authorized)
		assert.Equal(t, watch.RereadCorrected, w.ask(first, watch.Reading{}, &now).Rereading)
		assert.Len(t, w.said, 2)
	})
	t.Run("says nothing where something else was said since", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized))
		late := w.correction()
		w.wakes(answers(schemas.Captured))
		now := answers(schemas.Declined)
		d := w.ask(late, watch.Reading{}, &now)
		assert.Equal(t, watch.RereadSuperseded, d.Rereading)
		assert.Len(t, w.said, 2)
		assert.Nil(t, d.Next)
	})
	t.Run("goes by what the check carries where the process does not know the payment", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized), answers(schemas.Captured))
		w.lane = watch.Lane{}
		w.rereads(answers(schemas.Authorized))
		assert.Equal(t, []string{"authorized 1", "captured 1 final", "authorized 2"}, w.says())
	})
	t.Run("says nothing where neither the process nor the operator knows what was said last", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		c := w.correction()
		w.passes(time.Hour)
		w.lane, w.logFrom = watch.Lane{}, w.now.Add(-time.Minute)
		now := answers(schemas.Authorized)
		d := w.ask(c, watch.Reading{}, &now)
		assert.Equal(t, watch.RereadOutdated, d.Rereading)
		assert.Len(t, w.said, 1)
	})
	t.Run("says nothing where the mapping now sees no status", func(t *testing.T) {
		t.Parallel()
		for _, now := range []watch.Reading{unreadable(), mismatch(), notFound(), answers(schemas.PartiallyCaptured, partial)} {
			w := story(t, answers(schemas.Captured))
			d := w.rereads(now)
			assert.Equal(t, watch.RereadUnreadable, d.Rereading)
			assert.Len(t, w.said, 1)
			assert.Empty(t, w.letters)
		}
	})
	t.Run("without context says what needs none", func(t *testing.T) {
		t.Parallel()
		w := newWatched(t)
		w.pushed(pushes(schemas.Refunded, madeFor100), answers(schemas.Refunded, madeFor100))
		assert.Equal(t, watch.RereadNoContext, w.rereads(answers(schemas.Captured, madeFor100)).Rereading)
		d := w.rereads(answers(schemas.RefundPending, madeFor100))
		assert.Equal(t, []string{"refunded 1 final", "refund_pending 1"}, w.says())
		assert.Equal(t, watch.Place{Epoch: 0, Step: 3}, d.Next.Check.Place)
	})
	t.Run("leaves to people what a dispute decided", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.pushed(opens("d1"), answers(schemas.Captured))
		assert.Equal(t, watch.RereadSame, w.rereads(*opens("d1")).Rereading)
		assert.Equal(t, watch.RereadDispute, w.rereads(*opens("d2")).Rereading)
		assert.Equal(t, watch.RereadDispute, w.rereads(answers(schemas.Captured)).Rereading)
		assert.Len(t, w.said, 2)
	})
	t.Run("knows the failed refund that is concluded from captured", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.RefundPending), answers(schemas.Captured))
		w.passes(time.Hour)
		w.wakes(answers(schemas.Captured))
		require.Equal(t, []string{"refund_pending 1", "refund_failed 1 final"}, w.says())
		assert.Equal(t, watch.RereadSame, w.rereads(answers(schemas.Captured)).Rereading)
	})
}

func TestACorrectionOfSums(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		said, now []detail
		says      string
	}{
		{"a smaller one replaces it", []detail{captured(60)}, []detail{captured(30)}, "partially_captured 1 captured=30"},
		{"a larger one replaces it", []detail{captured(30)}, []detail{captured(60)}, "partially_captured 1 captured=60"},
		{"one that is not in the answer is taken back", []detail{captured(60), refunded(5)}, []detail{captured(60)}, "partially_captured 1 captured=60"},
		{"one that the payment was made for is as good as none", []detail{captured(60), authorized(90)}, []detail{captured(60), authorized(100)}, "partially_captured 1 captured=60"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := story(t, answers(schemas.PartiallyCaptured, tt.said...))
			w.rereads(answers(schemas.PartiallyCaptured, tt.now...))
			require.Len(t, w.said, 2)
			assert.Equal(t, tt.says, w.says()[1])
			assert.Equal(t, schemas.TypeStatusCorrected, w.said[1].Type)
		})
	}
	t.Run("one that an earlier answer stated stays", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized, authorized(90)), answers(schemas.PartiallyCaptured, captured(60)))
		w.rereads(answers(schemas.PartiallyCaptured, captured(30)))
		assert.Equal(t, "partially_captured 1 authorized=90 captured=30", w.says()[2])
	})
}

func TestACorrectionOfFinal(t *testing.T) {
	t.Parallel()
	t.Run("what was not final may be", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.CapturePending))
		w.rereads(answers(schemas.CapturePending, finalHere))
		assert.Equal(t, []string{"capture_pending 1", "capture_pending 1 final"}, w.says())
	})
	t.Run("what was final with the same status and sums stays so", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.CapturePending, finalHere))
		assert.Equal(t, watch.RereadStaysFinal, w.rereads(answers(schemas.CapturePending)).Rereading)
		assert.Len(t, w.said, 1)
	})
	t.Run("a negative that can be paid again under is final when its hour is over", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending))
		w.rereads(answers(schemas.Declined, payableAgain))
		w.passes(time.Hour)
		v := story(t, answers(schemas.Pending))
		v.passes(time.Hour)
		v.rereads(answers(schemas.Declined, payableAgain))
		assert.Equal(t, []string{"declined 1", "declined 1 final"}, []string{w.says()[1], v.says()[1]})
	})
}

func TestTheChainAfterACorrection(t *testing.T) {
	t.Parallel()
	t.Run("to what is not final begins again in the next epoch where it had ended", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		w.passes(1000 * time.Hour)
		w.rereads(answers(schemas.Authorized))
		require.NotNil(t, w.next)
		assert.Equal(t, watch.Place{Epoch: 2, Step: 2}, w.next.Check.Place)
		assert.Equal(t, watch.KindChain, w.next.Check.Kind)
		assert.Empty(t, w.next.Check.ReplayID, "what the chain says later is not the replay's")
		assert.Nil(t, w.next.Check.Correction)
		w.wakes(answers(schemas.Voided))
		assert.Equal(t, []string{"captured 1 final", "authorized 1", "voided 1 final"}, w.says())
	})
	t.Run("goes on above the step of the corrected event where nobody remembers it", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Pending), answers(schemas.Authorized), answers(schemas.Captured))
		w.lane = watch.Lane{}
		d := w.rereads(answers(schemas.Authorized))
		assert.Equal(t, watch.Place{Epoch: 1, Step: 5}, d.Next.Check.Place)
	})
	t.Run("has its sleeper overtaken where it lives", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.PartiallyCaptured))
		sleeper := w.next.Check
		w.rereads(answers(schemas.Authorized))
		assert.Equal(t, watch.Done, w.meet(sleeper).Verdict)
		w.wakes(answers(schemas.Captured))
		assert.Equal(t, []string{"partially_captured 1", "authorized 1", "captured 1 final"}, w.says())
	})
	t.Run("to a final status ends with an answer that confirms it", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.RefundPending))
		w.rereads(answers(schemas.Refunded))
		require.NotNil(t, w.next)
		assert.Equal(t, 30*time.Second, w.next.After)
		w.wakes(answers(schemas.Refunded))
		assert.Nil(t, w.next)
		assert.True(t, w.lane.Ended)
		assert.Equal(t, []string{"refund_pending 1", "refunded 1 final"}, w.says())
	})
	t.Run("to a final status stays ended where it was", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		d := w.rereads(answers(schemas.Declined))
		assert.Nil(t, d.Next)
		assert.True(t, w.lane.Ended)
		assert.Equal(t, []string{"captured 1 final", "declined 1 final"}, w.says())
	})
	t.Run("is handed over by the repetition where the process died after it had said so", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Captured))
		c, lane, now := w.correction(), w.lane, answers(schemas.Authorized)
		d := w.rereads(now)
		w.lane, w.next = lane, nil
		w.lane.Restore(overLog(t, d.Statements[0].Trail))
		again := w.ask(c, watch.Reading{}, &now)
		assert.Empty(t, again.Statements)
		require.NotNil(t, again.Next)
		assert.False(t, again.Next.Check.NotAfter(w.lane.High))
		assert.True(t, again.Record)
	})
}

func TestAfterACorrection(t *testing.T) {
	t.Parallel()
	t.Run("a process restores it from the log although it goes backwards", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized), answers(schemas.Captured))
		w.rereads(answers(schemas.Authorized))
		var lane watch.Lane
		for _, s := range w.said {
			lane.Restore(overLog(t, s.Trail))
		}
		assert.Equal(t, w.lane.Said, lane.Said)
	})
	t.Run("a late write of what was corrected changes nothing", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized), answers(schemas.Captured))
		w.rereads(answers(schemas.Authorized))
		lane := w.lane
		lane.Restore(overLog(t, w.said[1].Trail))
		assert.Equal(t, schemas.Authorized, lane.Said.Status)
	})
	t.Run("a sleeper that carries the mistake does not bring it back", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.RefundPending))
		sleeper := w.next.Check
		w.rereads(answers(schemas.Captured))
		w.meet(sleeper)
		assert.Equal(t, schemas.Captured, w.lane.Said.Status)
	})
	t.Run("what the corrected chain carries outranks what the log says was said before it", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.PartiallyCaptured))
		w.rereads(answers(schemas.Authorized))
		w.lane = watch.Lane{}
		w.lane.Restore(overLog(t, w.said[0].Trail))
		w.wakes(answers(schemas.Authorized))
		assert.Equal(t, []string{"partially_captured 1", "authorized 1"}, w.says())
	})
	t.Run("unknown is compared through to what was said before the mistake", func(t *testing.T) {
		t.Parallel()
		w := story(t, answers(schemas.Authorized), answers(schemas.Declined))
		w.rereads(answers(schemas.Unknown))
		w.wakes(answers(schemas.Captured))
		assert.Equal(t, []string{"authorized 1", "declined 1 final (unexpected_transition)", "unknown 1", "captured 1 final"}, w.says())
	})
}

func TestAnOlderProcessWaitsWithARenormalization(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Captured))
	text, err := w.correction().Encode()
	require.NoError(t, err)
	var head struct {
		Version int `json:"v"`
	}
	require.NoError(t, json.Unmarshal(text, &head))
	assert.Greater(t, head.Version, watch.Version, "so it does not take it for a question")

	newer, err := watch.DecodeCheck([]byte(`{"v":2,"kind":"another","cause":7}`))
	require.NoError(t, err)
	assert.False(t, newer.Ours(), "and neither does this one of a kind that it does not know")
	newer, err = watch.DecodeCheck([]byte(`{"v":2,"kind":"another"}`))
	require.NoError(t, err)
	assert.False(t, newer.Ours())
}

func TestARenormalizationThatCannotBeHandledEndsNoWatch(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Pending))
	taken := w.meet(w.correction())
	d := watch.Abandon(&watch.Question{Check: taken.Check, Lane: w.lane, Now: w.now})
	assert.Empty(t, d.Statements)
	assert.Equal(t, w.lane, d.Lane)
}

func TestAProviderThatIsNotConfiguredIsNotReadAgain(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Captured))
	d := w.ask(w.correction(), watch.Reading{Outcome: providers.Outcome{}}, nil)
	assert.Equal(t, watch.RereadNotServed, d.Rereading)
	assert.Len(t, w.said, 1)
}
