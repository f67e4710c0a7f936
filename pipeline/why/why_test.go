package why_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/why"
	"github.com/paystatus/paystatus/providers/sandbox"
)

var update = flag.Bool("update", false, "write what is told now to testdata")

func said(status string, answers int) sandbox.Step {
	return sandbox.Step{Status: status, Times: answers}
}

// stories are payments, what happens to them, and where they come to.
var stories = []struct {
	payment string
	happens func(w *world, payment string)
	state   why.State
	entries int
	then    func(w *world, payment string) // after the first happening has come to its state
	comes   why.State
	more    int
}{
	{payment: "order-paid", happens: func(w *world, p string) {
		w.Scripted(p, said("IN_PROGRESS", 2), said("SETTLED", 1))
		w.initiate(p)
	}, state: why.StateEnded, entries: 6},
	{payment: "order-waiting", happens: func(w *world, p string) {
		w.Scripted(p, said("IN_PROGRESS", 1))
		w.initiate(p, "method=pse")
	}, state: why.StateWaiting, entries: 3},
	{payment: "order-down", happens: func(w *world, p string) {
		w.Scripted(p, sandbox.Step{Fault: sandbox.Fault503, Times: 1}, sandbox.Step{Fault: sandbox.FaultHTML, Times: 1}, said("SETTLED", 1))
		w.initiate(p)
	}, state: why.StateEnded, entries: 5},
	{payment: "order-unknown-to-them", happens: func(w *world, p string) { w.initiate(p) }, state: why.StateUnresolve, entries: 4},
	{
		payment: "order-other-account", happens: func(w *world, p string) { w.initiate(p, "account=shop-2") }, state: why.StateGivenUp, entries: 2,
		then: func(w *world, p string) { w.givesBack(p) }, comes: why.StateGivenUp, more: 4,
	},
	{payment: "order-notified", happens: func(w *world, p string) {
		w.Scripted(p, said("IN_PROGRESS", 2), said("SETTLED", 1))
		w.initiate(p, "method=pse")
	}, state: why.StateWaiting, entries: 3, then: func(w *world, p string) { w.notified(p, "CHARGE_SUCCEEDED") }, comes: why.StateEnded, more: 7},
	{payment: "order-asked-again", happens: func(w *world, p string) {
		w.Scripted(p, said("SETTLED", 1))
		w.initiate(p)
	}, state: why.StateEnded, entries: 3, then: func(w *world, p string) { w.asked(p, "january") }, comes: why.StateEnded, more: 6},
	{payment: "order-twice", happens: func(w *world, p string) {
		w.Scripted(p, said("FAILED", 1))
		w.initiate(p)
		require.NoError(w.T, w.Sandbox.Store("checkout").Put("pay_aaaaaaaaaaaaaaaaaaaaaaaaab", sandbox.Script{
			Amount: sandbox.Amount{Value: 300, Currency: "COP"}, Steps: []sandbox.Step{said("Captured", 1)},
		}))
		w.Produce(w.Topics.Initiated, "", []byte(`{"payment_id":"`+p+`","provider":"checkout","amount":{"value":300,"currency":"COP"},`+
			`"initiated_at":"2026-01-31T12:10:00Z","reference":{"payment_id":"pay_aaaaaaaaaaaaaaaaaaaaaaaaab"}}`))
	}, state: why.StateEnded, entries: 6},
}

func TestStoriesOfThePipeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	stop := w.Start()
	defer stop()
	for _, s := range stories {
		s.happens(w, s.payment)
	}
	for _, s := range stories {
		w.comesTo(s.payment, s.state, s.entries)
		if s.then != nil {
			s.then(w, s.payment)
			w.comesTo(s.payment, s.comes, s.more)
		}
	}
	stop()
	for _, s := range stories {
		t.Run(s.payment, func(t *testing.T) {
			story := w.ask(s.payment)
			var text strings.Builder
			require.NoError(t, story.Show(&text))
			told, scanned, found := strings.Cut(text.String(), "Scanned ")
			require.True(t, found, text.String())
			assert.Regexp(t, `^\d+ records, \d+ (bytes|KiB), in \d+ partitions of 14 topics, between \S+Z and \S+Z, in \d+\.\d\d s\.\n`, scanned)
			golden(t, s.payment+".txt", told)

			document, err := json.Marshal(story)
			require.NoError(t, err)
			var again why.Story
			require.NoError(t, json.Unmarshal(document, &again))
			assert.Equal(t, story.Payments[0].Now.State, again.Payments[0].Now.State)
			for _, p := range again.Payments {
				for _, e := range p.Timeline {
					assert.NotEmpty(t, e.Text)
					assert.NotEmpty(t, e.Topic)
					assert.Equal(t, e.Kind == why.KindEvent, e.Event != nil)
					assert.Equal(t, e.Kind == why.KindCheck, e.Check != nil)
					assert.Equal(t, e.Kind == why.KindReplay, e.Replay != nil)
					assert.Equal(t, e.Kind == why.KindDeadLetter, e.DeadLetter != nil)
				}
			}
		})
	}
}

var changing = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`20(2[789]|[3-9]\d|26-(0[2-9]|1))[-\d]*T[\d:.]+Z`), "(time)"},
	{regexp.MustCompile(`(payments\.initiated)/\d+ at \d+`), "$1/(place)"},
	{regexp.MustCompile(`notification of \d+ bytes`), "notification of (some) bytes"},
	{regexp.MustCompile(`dead letter \d+/\d+`), "dead letter (place)"},
}

// golden holds a text against testdata, its times and places set aside.
func golden(t *testing.T, name, text string) {
	t.Helper()
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.with)
	}
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text)
}

func TestAPaymentThatNobodyKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	require.NoError(t, w.CommitStarts(t.Context()))
	w.initiate("order-1")
	story := w.ask("order-2")
	assert.Empty(t, story.Payments)
	assert.Equal(t, int64(1), story.Scanned.Records, "an initiated event may have any key")
	assert.NotEmpty(t, story.Scanned.NotLookedAt)
}

func TestWhatWasNotReadYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	require.NoError(t, w.CommitStarts(t.Context()))
	w.initiate("order-1")
	story := w.ask("order-1")
	require.Len(t, story.Payments, 1)
	assert.Equal(t, why.StateInput, story.Payments[0].Now.State)
	assert.Equal(t, "initiated event, not read yet", story.Payments[0].Timeline[0].Text)

	w.asked("order-1", "january")
	now := w.ask("order-1").Payments[0].Now
	assert.Equal(t, why.StateQueued, now.State)
	assert.Equal(t, "paystatus.checks", now.Topic)
	assert.Zero(t, now.Behind)
}

func TestTimesBoundAStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	stop := w.Start()
	w.Scripted("order-1", said("SETTLED", 1))
	w.initiate("order-1")
	w.comesTo("order-1", why.StateEnded, 3)
	stop()
	story := w.ask("order-1", func(q *why.Question) { q.Since = time.Now().Add(time.Hour) })
	assert.Empty(t, story.Payments, "all of it happened before")
	assert.Contains(t, strings.Join(story.Scanned.NotLookedAt, "\n"), "payments.status_changed before ")
	assert.Empty(t, w.ask("order-1", func(q *why.Question) { q.Until = time.Now().Add(-time.Hour) }).Payments)

	story = w.ask("order-1", func(q *why.Question) { q.Now = func() time.Time { return time.Now().Add(30 * 24 * time.Hour) } })
	require.Len(t, story.Payments, 1, "what ended before the default times is looked for further back")
	assert.Equal(t, why.StateEnded, story.Payments[0].Now.State)
	assert.Contains(t, strings.Join(story.Payments[0].NotKept, "\n"), "its checks")
}
