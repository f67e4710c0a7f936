package watch_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// watched is one payment in the hands of one process, in virtual time: nothing fails, and whatever crosses a topic is encoded.
type watched struct {
	t        *testing.T
	schedule watch.Schedule
	now      time.Time
	logFrom  time.Time // the zero time: everything that was ever said is known
	random   float64

	lane    watch.Lane
	next    *watch.Next
	said    []watch.Statement
	letters []watch.DeadLetter
	alarms  []watch.Code
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	return &watched{t: t, schedule: defaults(), now: start}
}

// meet gives a check message to the lane.
func (w *watched) meet(c watch.Check) watch.Taken {
	w.t.Helper()
	return w.lane.Take(overTopic(w.t, c), w.now)
}

// ask meets a check that has to be asked and decides what the answer means.
func (w *watched) ask(c watch.Check, query watch.Reading, evidence *watch.Reading) *watch.Decision {
	w.t.Helper()
	taken := w.meet(c)
	require.Equal(w.t, watch.Ask, taken.Verdict, "the check is asked")
	d := watch.Decide(&watch.Question{
		Check: taken.Check, Lane: w.lane, Query: query, Evidence: evidence,
		Schedule: w.schedule, Now: w.now, LogFrom: w.logFrom, Random: w.random,
	})
	w.lane = d.Lane
	aside := c.Kind == watch.KindBackfill || c.Kind == watch.KindRenormalize
	if !aside || d.Next != nil && d.Next.Check.Kind == watch.KindChain {
		w.next = d.Next
	}
	w.said = append(w.said, d.Statements...)
	w.letters = append(w.letters, d.DeadLetters...)
	w.alarms = append(w.alarms, d.Alarms...)
	return d
}

// wakes asks the next check when its time has come.
func (w *watched) wakes(query watch.Reading) {
	w.t.Helper()
	require.NotNil(w.t, w.next, "the watch goes on")
	w.now = w.now.Add(w.next.After)
	w.ask(w.next.Check, query, nil)
}

// pushed asks the check of a notification.
func (w *watched) pushed(evidence *watch.Reading, query watch.Reading) {
	w.t.Helper()
	w.ask(notified(), query, evidence)
}

func (w *watched) passes(d time.Duration) { w.now = w.now.Add(d) }

// says are all events so far, in words.
func (w *watched) says() []string {
	words := make([]string, 0, len(w.said))
	for _, s := range w.said {
		words = append(words, spoken(s))
	}
	return words
}

// ids are the ids of all events so far.
func (w *watched) ids() []string {
	ids := make([]string, 0, len(w.said))
	for _, s := range w.said {
		ids = append(ids, schemas.EventID(key, s.Facts).String())
	}
	return ids
}

// spoken is an event in words: "captured 1 final", "disputed d1 open", "partially_refunded 1 final refunded=30",
// "unresolved: pending deadline final".
func spoken(s watch.Statement) string {
	var words []string
	if s.Type == schemas.TypeStatusUnresolved {
		words = append(words, "unresolved:")
	}
	words = append(words, string(s.Facts.Status))
	switch {
	case s.Facts.Dispute != nil:
		words = append(words, s.Facts.Dispute.ID, string(s.Facts.Dispute.Outcome))
	case s.Facts.Entry > 0:
		words = append(words, strconv.Itoa(s.Facts.Entry))
	}
	if s.Facts.Reason != "" {
		words = append(words, s.Facts.Reason)
	}
	if s.Facts.Final {
		words = append(words, "final")
	}
	for _, sum := range []struct {
		name  string
		value int64
	}{{"authorized", s.Facts.Sums.Authorized}, {"captured", s.Facts.Sums.Captured}, {"refunded", s.Facts.Sums.Refunded}} {
		if sum.value != 0 {
			words = append(words, fmt.Sprintf("%s=%d", sum.name, sum.value))
		}
	}
	for _, a := range s.Anomalies {
		words = append(words, "("+string(a)+")")
	}
	return strings.Join(words, " ")
}

// overTopic is a check after it went over a topic.
func overTopic(t testing.TB, c watch.Check) watch.Check {
	t.Helper()
	text, err := c.Encode()
	require.NoError(t, err)
	read, err := watch.DecodeCheck(text)
	require.NoError(t, err)
	require.True(t, read.Ours())
	return read
}

// overLog is a trail after an event carried it.
func overLog(t testing.TB, trail watch.Trail) watch.Trail {
	t.Helper()
	text, err := json.Marshal(trail)
	require.NoError(t, err)
	var read watch.Trail
	require.NoError(t, json.Unmarshal(text, &read))
	return read
}
