package consume_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// history is what a live writer says of one payment, and what it was about to say before each event.
type history struct {
	events []consume.Event
	then   []writer // then[i] before events[i]; one more after the last
}

func anyHistory(t *rapid.T) history {
	w := writer{entries: map[string]int{}, disputes: map[string]schemas.DisputeOutcome{}, attempt: rapid.IntRange(0, 1).Draw(t, "named")}
	h := history{then: []writer{w.clone()}}
	for i := range rapid.IntRange(1, 14).Draw(t, "tries") {
		e, said := w.next(t, dawn.Add(time.Duration(10*i)*time.Minute))
		if said {
			h.events, h.then = append(h.events, e), append(h.then, w.clone())
		}
	}
	return h
}

// follow takes events in order, and gives the news among them.
func follow(t require.TestingT, known consume.Known, events []consume.Event) (consume.Known, []uuid.UUID) {
	var news []uuid.UUID
	for _, e := range events {
		next, delta := known.Next(e)
		if delta.News() {
			news = append(news, e.ID)
		} else {
			require.Equal(t, known.State, next.State, "what is no news changes nothing")
		}
		require.Equal(t, known.View, delta.Before)
		require.Equal(t, next.View, delta.After)
		known = stored(t, next)
	}
	return known, news
}

// stored is what comes back from a database.
func stored(t require.TestingT, k consume.Known) consume.Known {
	text, err := json.Marshal(k)
	require.NoError(t, err)
	var again consume.Known
	require.NoError(t, json.Unmarshal(text, &again))
	return again
}

func ids(events []consume.Event) (all []uuid.UUID) {
	seen := map[uuid.UUID]bool{}
	for _, e := range events {
		if !seen[e.ID] {
			all = append(all, e.ID)
		}
		seen[e.ID] = true
	}
	return all
}

func TestWhatIsSaidInOrderIsAllNewsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := anyHistory(t)
		known, news := follow(t, consume.Known{}, h.events)
		require.Equal(t, ids(h.events), news)
		if w := h.then[len(h.then)-1]; w.status != "" {
			require.Equal(t, w.status, known.Status)
			require.Equal(t, w.final, known.Final)
			require.Equal(t, w.last, known.Last)
		}
	})
}

// late draws what a process still writes that stalled before the event i: what it read of the payment when the live one had already said
// the events up to now, an earlier truth than theirs.
func (h history) late(t *rapid.T, i, now int) (consume.Event, bool) {
	stalled, live := h.then[i].clone(), h.then[now]
	at := h.events[i].Change.ObservedAt.Add(-time.Minute)
	e, said := stalled.next(t, at)
	switch {
	case !said, e.Type == schemas.TypeStatusUnresolved, e.Type == schemas.TypeStatusCorrected, h.then[now].corrected:
		return e, false // these say nothing about the order of truths
	case e.Change.Dispute != nil && e.Change.Status == h.then[i].status:
		return e, false // a confirmation keeps the dispute that brought the status
	case e.Change.Dispute != nil:
		known, heard := live.disputes[e.Change.Dispute.ID]
		forward := known == schemas.DisputeWon && schemas.Between(live.known, live.final, e.Change.Status) == schemas.MoveAllowed
		return e, heard && !overtakes(e.Change.Dispute.Outcome, known) && !forward // a step forward is the payment's own
	case stalled.attempt != live.attempt:
		return e, 0 < stalled.attempt && stalled.attempt < live.attempt // one that has no name cannot be told
	case e.Change.PreviousStatus != nil && *e.Change.PreviousStatus == live.status:
		return e, false // the same words as those of one who follows
	case e.Change.Status == live.status:
		return e, less(e, live)
	default:
		return e, live.known != "" && e.Change.Status != live.known &&
			schemas.Between(e.Change.Status, e.Change.Final, live.known) == schemas.MoveAllowed && live.attempt == stalled.attempt
	}
}

func overtakes(news, known schemas.DisputeOutcome) bool {
	return known == schemas.DisputeOpen && news != known || known == schemas.DisputeLost && news == schemas.DisputeWon
}

func less(e consume.Event, live writer) bool {
	sum := func(m *schemas.Money) int64 {
		if m == nil {
			return 0
		}
		return m.Value
	}
	a := e.Change.Amounts
	return sum(a.Authorized) <= live.sums.Authorized && sum(a.Captured) <= live.sums.Captured && sum(a.Refunded) <= live.sums.Refunded &&
		(live.final || !e.Change.Final)
}

func TestRepetitionsAndLateWritesChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := anyHistory(t)
		want, news := follow(t, consume.Known{}, h.events)

		var log []consume.Event // what stands in the topic
		for i, e := range h.events {
			log = append(log, e)
			for range rapid.IntRange(0, 2).Draw(t, "late writes") {
				if e, drawn := h.late(t, rapid.IntRange(0, i).Draw(t, "stalled before"), i+1); drawn {
					log = append(log, e)
				}
			}
			if rapid.Bool().Draw(t, "said twice") {
				e.Change.ObservedAt = e.Change.ObservedAt.Add(time.Minute) // a crash, and asked again
				log = append(log, e)
			}
		}
		var read []consume.Event // what a consumer gets: the topic, from the beginning again and again
		for i := range log {
			read = append(read, log[i])
			if rapid.IntRange(0, 5).Draw(t, "read again") == 0 {
				read = append(read, log[rapid.IntRange(0, i).Draw(t, "from"):i+1]...)
			}
		}
		read = append(read, log...)
		got, applied := follow(t, consume.Known{}, read)
		require.Equal(t, news, applied)
		want.ObservedAt, got.ObservedAt = time.Time{}, time.Time{}
		require.Equal(t, want.State, got.State)
		require.Equal(t, want.Last, got.Last)
	})
}
