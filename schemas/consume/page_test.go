package consume_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

var update = flag.Bool("update", false, "write the tables of the page")

const page = "../CONSUMING.md"

// sequence is a worked example: events in the order in which a consumer gets them, and what each is.
type sequence struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Events []step `json:"events"`
}

type step struct {
	ID         string           `json:"id"` // a name for the fact
	Type       string           `json:"type"`
	Status     schemas.Status   `json:"status"`
	Funds      schemas.Funds    `json:"funds"`
	Previous   schemas.Status   `json:"previous"`
	Final      bool             `json:"final"`
	Sums       sums             `json:"sums"`
	Attempt    string           `json:"attempt"`
	Dispute    *schemas.Dispute `json:"dispute"`
	Corrects   string           `json:"corrects"`
	Reason     string           `json:"reason"`
	Unexpected bool             `json:"unexpected"`
	Occurred   int              `json:"occurred"` // minutes; 0 where the provider states no time
	At         int              `json:"at"`       // minutes

	Verdict consume.Verdict `json:"verdict"`
}

func factID(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)) }

// event is the step as it travels, decoded.
func (s step) event(t *testing.T) consume.Event {
	t.Helper()
	r := s.record(t, schemas.Change{PaymentID: key.PaymentID, Provider: key.Provider, Account: key.Account})
	e, err := consume.Decode(r.headers, r.value)
	require.NoError(t, err)
	return e
}

// record is the step as it travels; what it does not say is as in c.
func (s step) record(t testing.TB, c schemas.Change) record {
	t.Helper()
	observed := dawn.Add(time.Duration(s.At) * time.Minute)
	c.ProviderPaymentID, c.Status, c.Final, c.Funds, c.ObservedAt, c.Dispute = s.Attempt, s.Status, s.Final, s.Status.Funds(), observed, s.Dispute
	c.OccurredAt, c.PreviousStatus, c.Corrects, c.Anomalies = time.Time{}, nil, "", []schemas.Anomaly{}
	if s.Funds != "" {
		c.Funds = s.Funds
	}
	if s.Previous != "" {
		c.PreviousStatus = &s.Previous
	}
	if s.Corrects != "" {
		c.Corrects = factID(s.Corrects).String()
	}
	if s.Reason != "" {
		c.Reason = &schemas.Reason{Code: s.Reason}
	}
	if s.Unexpected {
		c.Anomalies = append(c.Anomalies, schemas.UnexpectedTransition)
	}
	if s.Occurred != 0 {
		c.OccurredAt = dawn.Add(time.Duration(s.Occurred) * time.Minute)
	}
	for name, to := range map[string]**schemas.Money{
		"authorized": &c.Amounts.Authorized, "captured": &c.Amounts.Captured, "refunded": &c.Amounts.Refunded,
	} {
		if value, stated := s.Sums[name]; stated {
			*to = money(value)
		}
	}
	value, err := json.Marshal(c) // as the pipeline writes it
	require.NoError(t, err)
	return record{[]consume.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(factID(s.ID).String())},
		{Key: "ce_type", Value: []byte("payment." + s.kind())},
		{Key: "ce_source", Value: []byte("/paystatus")},
		{Key: "ce_subject", Value: []byte(c.PaymentID)},
		{Key: "ce_time", Value: []byte(observed.Format(time.RFC3339))},
		{Key: "ce_dataschema", Value: []byte(schemas.StatusSchemaID)},
		{Key: "content-type", Value: []byte("application/json")},
	}, value}
}

func (s step) kind() string {
	if s.Type == "" {
		return "status_changed"
	}
	return s.Type
}

// words describes the step for people.
func (s step) words() string {
	words := []string{code(string(s.Status))}
	add := func(when bool, format string, args ...any) {
		if when {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(s.Type != "", "%s", s.Type)
	add(s.Final, "final")
	add(len(s.Sums) > 0, "%s", s.Sums)
	add(s.Dispute != nil, "%s", disputeWords(s.Dispute))
	add(s.Attempt != "", "attempt %s", s.Attempt)
	add(s.Corrects != "", "corrects “%s”", s.Corrects)
	add(s.Reason != "", "reason %s", s.Reason)
	add(s.Unexpected, "`unexpected_transition`")
	add(s.Occurred != 0, "occurred %d", s.Occurred)
	add(s.Type != "status_unresolved", "previous %s", or(string(s.Previous), "null"))
	return strings.Join(words, ", ")
}

func disputeWords(d *schemas.Dispute) string {
	if d == nil {
		return ""
	}
	return fmt.Sprintf("dispute %s %s", d.ID, d.Outcome)
}

func code(word string) string { return "`" + word + "`" }

func or(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

// sums are those that are stated, by name.
type sums map[string]int64

func (s sums) String() string {
	var words []string
	for _, name := range []string{"authorized", "captured", "refunded"} {
		if value, stated := s[name]; stated {
			words = append(words, fmt.Sprintf("%s %d", name, value))
		}
	}
	return strings.Join(words, " ")
}

func viewWords(v consume.View) string {
	words := []string{code(or(string(v.Status), "–")) + ", funds " + or(string(v.Funds), "–")}
	if v.Final {
		words = append(words, "final")
	}
	known := sums{"authorized": v.Authorized, "captured": v.Captured, "refunded": v.Refunded}
	maps.DeleteFunc(known, func(_ string, value int64) bool { return value == 0 })
	if len(known) > 0 {
		words = append(words, known.String())
	}
	if v.Unresolved != "" {
		words = append(words, "unresolved: "+v.Unresolved)
	}
	return strings.Join(words, ", ")
}

func readSequences(t testing.TB) []sequence {
	t.Helper()
	text, err := os.ReadFile("testdata/sequences.json")
	require.NoError(t, err)
	var all []sequence
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&all))
	return all
}

func TestWorkedExamples(t *testing.T) {
	t.Parallel()
	seen := map[consume.Verdict]bool{}
	for _, s := range readSequences(t) {
		var known consume.Known
		for i, step := range s.Events {
			var delta consume.Delta
			known, delta = known.Next(step.event(t))
			assert.Equal(t, step.Verdict, delta.Verdict, "%s: event %d, %s", s.Name, i+1, step.words())
			seen[delta.Verdict] = true
		}
	}
	assert.Len(t, seen, 7, "there is an example of every verdict")
}

func TestThePageIsWhatTheCodeDoes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	want := string(text)
	for name, table := range map[string]string{"moves": moves(), "ids": idTable(), "examples": worked(t)} {
		begin, end := "<!-- "+name+": made by go test ./schemas/consume -update -->\n", "<!-- end of "+name+" -->"
		before, rest, found := strings.Cut(want, begin)
		_, after, closed := strings.Cut(rest, end)
		require.True(t, found && closed, "the markers of %s are missing", name)
		want = before + begin + table + end + after
	}
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(text), "go test ./schemas/consume -update")
}

// moves tells for each pair of statuses what a step is.
func moves() string {
	var b strings.Builder
	b.WriteString("| known | may come | comes late |\n|---|---|---|\n")
	for _, from := range schemas.Statuses {
		var allowed, late []string
		for _, to := range schemas.Statuses {
			switch word := code(string(to.Status)); schemas.Between(from.Status, from.Status.Negative(), to.Status) {
			case schemas.MoveAllowed:
				allowed = append(allowed, word)
			case schemas.MoveBackwards:
				late = append(late, word)
			case schemas.MoveSame, schemas.MoveUnexpected:
			}
		}
		if from.Status != schemas.Unknown { // it is compared through
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", from.Status, or(strings.Join(allowed, " "), "nothing"), or(strings.Join(late, " "), "nothing"))
		}
	}
	return b.String()
}

// facts of which the page shows ids; the ids themselves are pinned in package schemas against another implementation.
var facts = []schemas.Facts{
	{Status: schemas.Captured, Entry: 1, Final: true},
	{Status: schemas.Captured, Entry: 2, Final: true},
	{Status: schemas.PartiallyCaptured, Entry: 1, Sums: schemas.Sums{Captured: 5000}},
	{Status: schemas.Disputed, Dispute: &schemas.Dispute{ID: "dsp_1", Outcome: schemas.DisputeOpen}},
	{Status: schemas.Unknown, Final: true, Reason: schemas.UnresolvedNotFound},
}

func idTable() string {
	var b strings.Builder
	b.WriteString("| status | entry or dispute | final | authorized, captured, refunded | reason | id |\n|---|---|---|---|---|---|\n")
	for _, f := range facts {
		fmt.Fprintf(&b, "| `%s` | %s | %t | %d, %d, %d | %s | `%s` |\n", f.Status, or(disputeWords(f.Dispute), strconv.Itoa(f.Entry)), f.Final,
			f.Sums.Authorized, f.Sums.Captured, f.Sums.Refunded, or(f.Reason, "–"), schemas.EventID(key, f))
	}
	return b.String()
}

func worked(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, s := range readSequences(t) {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n| minute | id | event | verdict | known afterwards |\n|---|---|---|---|---|\n", s.Name, s.About)
		var known consume.Known
		for _, step := range s.Events {
			var delta consume.Delta
			known, delta = known.Next(step.event(t))
			fmt.Fprintf(&b, "| %d | %s | %s | **%s** | %s |\n", step.At, step.ID, step.words(), delta.Verdict, viewWords(delta.After))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The page spells out the name under which an id is made.
func TestThePageShowsHowAnIDIsMade(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```id\n")
	require.True(t, found)
	name, _, _ := strings.Cut(rest, "\n```")
	id := uuid.NewSHA1(schemas.EventNamespace, []byte(name))
	assert.Equal(t, schemas.EventID(key, facts[0]), id)
	assert.Contains(t, string(text), schemas.EventNamespace.String())
	for _, verdict := range []consume.Verdict{
		consume.Apply, consume.Amounts, consume.Confirmation, consume.Correction, consume.Note, consume.Duplicate, consume.Regression,
	} {
		assert.Contains(t, string(text), "| `"+string(verdict)+"` |")
	}
}
