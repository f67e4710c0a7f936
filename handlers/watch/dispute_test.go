package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

func TestDisputes(t *testing.T) {
	t.Parallel()
	is := func(status schemas.Status, more ...detail) func(*watched) { // the chain's check says so, or after its end a repeat's
		return func(w *watched) {
			if w.next == nil {
				w.ask(repeat(event{}), answers(status, more...), nil)
				return
			}
			w.wakes(answers(status, more...))
		}
	}
	heard := func(evidence *watch.Reading, query watch.Reading) func(*watched) {
		return func(w *watched) { w.pushed(evidence, query) }
	}

	for _, tt := range []struct {
		name  string
		story []func(*watched)
		says  []string
		ended bool
	}{
		{
			"an open one gives disputed, and stands in the place of the entry",
			[]func(*watched){is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured))},
			[]string{"captured 1 final", "disputed d1 open"},
			false,
		},
		{
			"after disputed a query that still says captured is not news",
			[]func(*watched){is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), is(schemas.Captured), is(schemas.Captured)},
			[]string{"captured 1 final", "disputed d1 open"},
			false,
		},
		{
			"a lost one gives charged_back",
			[]func(*watched){is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(loses("d1"), answers(schemas.Captured))},
			[]string{"captured 1 final", "disputed d1 open", "charged_back d1 lost final"},
			true,
		},
		{
			"a won one gives the status before it",
			[]func(*watched){is(schemas.PartiallyRefunded, refunded(30)), heard(opens("d1"), unavailable()), heard(wins("d1"), unavailable())},
			[]string{"partially_refunded 1 final refunded=30", "disputed d1 open refunded=30", "partially_refunded d1 won final refunded=30"},
			false,
		},
		{
			"a won one gives what this check's query says where that is later than the status before",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)),
				heard(wins("d1"), answers(schemas.PartiallyRefunded, refunded(30))),
			},
			[]string{"captured 1 final", "disputed d1 open", "partially_refunded d1 won final refunded=30"},
			true,
		},
		{
			"a won one gives the status before where the query is earlier than that",
			[]func(*watched){is(schemas.Refunded), heard(opens("d1"), answers(schemas.Refunded)), heard(wins("d1"), answers(schemas.Captured))},
			[]string{"refunded 1 final", "disputed d1 open", "refunded d1 won final"},
			true,
		},
		{
			"a won one gives captured, unconfirmed, where neither the query nor the log tells",
			[]func(*watched){heard(wins("d1"), unavailable())},
			[]string{"captured d1 won final"},
			false,
		},
		{
			"a won one gives what the query says where the status before is not known",
			[]func(*watched){heard(wins("d1"), answers(schemas.PartiallyRefunded, refunded(30), madeFor100))},
			[]string{"partially_refunded d1 won final refunded=30"},
			true,
		},
		{
			"two won leave the status before the first",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(opens("d2"), answers(schemas.Captured)),
				heard(wins("d1"), answers(schemas.Captured)), heard(wins("d2"), answers(schemas.Captured)),
			},
			[]string{"captured 1 final", "disputed d1 open", "disputed d2 open", "disputed d1 won", "captured d2 won final"},
			true,
		},
		{
			"one after the other, both won, are two changes",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(wins("d1"), answers(schemas.Captured)),
				heard(opens("d2"), answers(schemas.Captured)), heard(wins("d2"), answers(schemas.Captured)),
			},
			[]string{"captured 1 final", "disputed d1 open", "captured d1 won final", "disputed d2 open", "captured d2 won final"},
			true,
		},
		{
			"one lost outweighs one open and one won",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(opens("d2"), answers(schemas.Captured)),
				heard(loses("d1"), answers(schemas.Captured)), heard(wins("d2"), answers(schemas.Captured)),
			},
			[]string{"captured 1 final", "disputed d1 open", "disputed d2 open", "charged_back d1 lost final", "charged_back d2 won final"},
			true,
		},
		{
			"a lost one that is reversed gives the status before it",
			[]func(*watched){
				is(schemas.Captured), heard(loses("d1", occurred(time.Hour)), answers(schemas.Captured)),
				heard(wins("d1", occurred(2*time.Hour)), answers(schemas.Captured)),
			},
			[]string{"captured 1 final", "charged_back d1 lost final", "captured d1 won final"},
			true,
		},
		{
			"the same notification again is no news",
			[]func(*watched){is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(opens("d1"), answers(schemas.Captured))},
			[]string{"captured 1 final", "disputed d1 open"},
			false,
		},
		{
			"an opening that comes after its end is no news",
			[]func(*watched){
				is(schemas.Captured), heard(wins("d1", occurred(2*time.Hour)), answers(schemas.Captured)),
				heard(opens("d1", occurred(time.Hour)), answers(schemas.Captured)),
			},
			[]string{"captured 1 final", "captured d1 won final"},
			true,
		},
		{
			"an opening that comes after its end is no news where no times are stated",
			[]func(*watched){is(schemas.Captured), heard(loses("d1"), answers(schemas.Captured)), heard(opens("d1"), answers(schemas.Captured))},
			[]string{"captured 1 final", "charged_back d1 lost final"},
			true,
		},
		{
			"a refund moves a disputed payment on",
			[]func(*watched){is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), is(schemas.Refunded)},
			[]string{"captured 1 final", "disputed d1 open", "refunded 1 final"},
			true,
		},
		{
			"the refund that was there before the dispute does not",
			[]func(*watched){is(schemas.PartiallyRefunded, refunded(30)), heard(opens("d1"), unavailable()), is(schemas.PartiallyRefunded, refunded(30))},
			[]string{"partially_refunded 1 final refunded=30", "disputed d1 open refunded=30"},
			false,
		},
		{
			"the refund that the dispute's own check saw first does not",
			[]func(*watched){is(schemas.Captured), heard(opens("d1"), answers(schemas.PartiallyRefunded, refunded(30))), is(schemas.PartiallyRefunded, refunded(30))},
			[]string{"captured 1 final", "disputed d1 open refunded=30"},
			false,
		},
		{
			"the refund that the first query after it shows does not where nothing was said before",
			[]func(*watched){heard(opens("d1"), unavailable()), is(schemas.PartiallyRefunded, refunded(30)), is(schemas.PartiallyRefunded, refunded(30))},
			[]string{"disputed d1 open"},
			false,
		},
		{
			"a late notification of a step towards the refund that is there does not",
			[]func(*watched){heard(opens("d1"), answers(schemas.Refunded)), heard(pushes(schemas.RefundPending), unavailable())},
			[]string{"disputed d1 open"},
			false,
		},
		{
			"but another refund after that does",
			[]func(*watched){heard(opens("d1"), unavailable()), is(schemas.PartiallyRefunded, refunded(30)), is(schemas.PartiallyRefunded, refunded(60))},
			[]string{"disputed d1 open", "partially_refunded 1 final refunded=60"},
			true,
		},
		{
			"a refund that the provider dates before the dispute does not",
			[]func(*watched){
				is(schemas.Captured, occurred(time.Minute)), heard(opens("d1", occurred(time.Hour)), unavailable()),
				is(schemas.PartiallyRefunded, refunded(30), occurred(30*time.Minute)), is(schemas.PartiallyRefunded, refunded(30), occurred(30*time.Minute)),
			},
			[]string{"captured 1 final", "disputed d1 open"},
			false,
		},
		{
			"after a refund moved it on, news of another dispute does not make the refund news again",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), is(schemas.RefundPending),
				heard(wins("d2"), answers(schemas.RefundPending)), is(schemas.RefundPending),
			},
			[]string{"captured 1 final", "disputed d1 open", "refund_pending 1", "disputed d2 won"},
			false,
		},
		{
			"a refund that is found so is the status before it",
			[]func(*watched){
				heard(opens("d1"), unavailable()), is(schemas.PartiallyRefunded, refunded(30)), heard(wins("d1"), unavailable()),
			},
			[]string{"disputed d1 open", "partially_refunded d1 won final refunded=30"},
			false,
		},
		{
			"a charged back payment is not moved on by any query",
			[]func(*watched){is(schemas.Captured), heard(loses("d1"), answers(schemas.Captured)), is(schemas.Refunded), is(schemas.Captured)},
			[]string{"captured 1 final", "charged_back d1 lost final"},
			true,
		},
		{
			"an open one is heard of without context, although captured is not said then",
			[]func(*watched){heard(opens("d1"), answers(schemas.Captured, madeFor100))},
			[]string{"disputed d1 open"},
			false,
		},
		{
			"a check that finds the status last said keeps its dispute",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(wins("d1"), answers(schemas.Captured)), is(schemas.Captured),
			},
			[]string{"captured 1 final", "disputed d1 open", "captured d1 won final"},
			true,
		},
		{
			"what comes after a dispute counts its entries as before",
			[]func(*watched){
				is(schemas.Captured), heard(opens("d1"), answers(schemas.Captured)), heard(wins("d1"), answers(schemas.Captured)),
				is(schemas.PartiallyRefunded, refunded(30)),
			},
			[]string{"captured 1 final", "disputed d1 open", "captured d1 won final", "partially_refunded 1 final refunded=30"},
			true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			for _, step := range tt.story {
				step(w)
			}
			assert.Equal(t, tt.says, w.says())
			assert.Equal(t, tt.ended, w.lane.Ended)
		})
	}
}

func TestDisputesInAnyOrderComeToTheSameStatus(t *testing.T) {
	t.Parallel()
	open1, won1 := opens("d1", occurred(time.Hour)), wins("d1", occurred(2*time.Hour))
	open2, lost2 := opens("d2", occurred(90*time.Minute)), loses("d2", occurred(3*time.Hour))
	for _, order := range [][]*watch.Reading{
		{open1, won1, open2, lost2}, {open1, open2, won1, lost2}, {lost2, open2, won1, open1}, {won1, lost2, open1, open2}, {open2, lost2, open1, won1},
	} {
		w := story(t, answers(schemas.Captured))
		for _, evidence := range order {
			w.pushed(evidence, answers(schemas.Captured))
		}
		assert.Equal(t, schemas.ChargedBack, w.lane.Said.Status)
	}
}

func TestTheStatusBeneathADisputeIsDerivedAndSaysSo(t *testing.T) {
	t.Parallel()
	w := story(t, answers(schemas.Captured))
	w.pushed(opens("d1"), answers(schemas.Captured))
	w.pushed(wins("d1"), answers(schemas.PartiallyRefunded, refunded(30)))
	assert.False(t, w.said[1].Derived, "the notification says disputed itself")
	assert.True(t, w.said[2].Derived, "the notification speaks of the dispute, not of the refund")
	assert.Equal(t, schemas.SourceNotification, w.said[2].Reading.From)
}
