package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/schemas"
)

// table shows each event as a row, 100 columns wide, and in the end what happened to the payments and how they ended.
type table struct {
	out    io.Writer
	keep   bool
	config string // where it was written, if it was
	url    string // of the sandbox
}

const (
	row        = "%-10s  %-8s  %-18s  %-5s  %-9s  %-*s  %6s\n"
	wordsWidth = 32 // of the provider's words, which are cut to it
	endRow     = "%-8s  %-46s  %-18s  %8v\n"
)

// Started is part of demo.Viewer.
func (t *table) Started(broker, sandbox string, payments int) {
	t.url = sandbox
	t.printf("Kafka (embedded) on %s, simulated providers on %s, %s on the way.\n", broker, sandbox, counted(payments, "payment"))
	t.printf("Each line is a status event that paystatus writes; FINAL says that it stops asking.\n\n")
	t.printf(row, "PAYMENT", "PROVIDER", "STATUS", "FINAL", "FUNDS", wordsWidth, "THE PROVIDER SAID", "AGE")
}

// Seen is part of demo.Viewer.
func (t *table) Seen(e demo.Event) error {
	final := ""
	if e.Data.Final {
		final = "yes"
	}
	_, err := fmt.Fprintf(t.out, row, e.Data.PaymentID, e.Data.Provider, statusOf(e), final, e.Data.Funds,
		wordsWidth, cut(words(e.Data)+by(e.Data), wordsWidth), fmt.Sprintf("%.1fs", e.Age.Seconds()))
	return err
}

// Ended is part of demo.Viewer.
func (t *table) Ended(endings []demo.Ending, events int, took time.Duration) {
	t.printf("\n%s\n\n", ended(endings, events, took))
	t.printf(endRow, "PROVIDER", "WHAT HAPPENED", "HOW IT ENDED", "PAYMENTS")
	for _, g := range together(endings) {
		t.printf(endRow, g.provider, g.story, g.status, g.payments)
	}
	if t.keep {
		t.printf("\nStill running, until Ctrl-C. Script a payment of yours with PUT %s/_script/{provider}/{reference},\n", t.url)
		t.printf("and tell of it on the topic payments.initiated.\n")
		if t.config == "" {
			t.printf("With --write-config FILE, other commands find all this by --config FILE.\n")
		} else {
			t.printf("Look around: paystatus why %s --config %s\n", endings[0].PaymentID, t.config)
		}
	}
}

func (t *table) printf(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format, args...) }

// group is the payments with the same story that ended alike.
type group struct {
	provider, story, status string
	payments                int
}

// together groups endings, in the order in which the payments were sent.
func together(endings []demo.Ending) []group {
	ordered := slices.SortedStableFunc(slices.Values(endings), func(a, b demo.Ending) int { return strings.Compare(a.PaymentID, b.PaymentID) })
	var groups []group
	for _, e := range ordered {
		g := group{provider: e.Provider, story: e.Story, status: statusOf(e.Last)}
		same := func(other group) bool {
			return other.provider == g.provider && other.story == g.story && other.status == g.status
		}
		at := slices.IndexFunc(groups, same)
		if at < 0 {
			at = len(groups)
			groups = append(groups, g)
		}
		groups[at].payments++
	}
	return groups
}

// statusOf is what an event says: a status, or that it stays unresolved.
func statusOf(e demo.Event) string {
	if e.Type == schemas.TypeStatusUnresolved {
		return "unresolved"
	}
	return string(e.Data.Status)
}

// by says that a webhook made us ask.
func by(c schemas.Change) string {
	if c.Cause == schemas.CauseNotification {
		return " (webhook)"
	}
	return ""
}

// words are the provider's own for the status, and the reason where one is given.
func words(c schemas.Change) string {
	said := ""
	for _, name := range []string{"status", "payment_status", "last_event", "transfer_status", "type", "notify_type"} {
		if word, ok := c.ProviderStatus[name].(string); ok {
			said = word
			break
		}
	}
	if c.Reason == nil {
		return said
	}
	if said == "" {
		return "nothing: " + c.Reason.Code
	}
	if c.Reason.Message != "" {
		return said + ": " + c.Reason.Message
	}
	return said + ": " + c.Reason.Code
}

// cut shortens a text to a number of characters.
func cut(text string, width int) string {
	characters := []rune(text)
	if len(characters) <= width {
		return text
	}
	return string(characters[:width-1]) + "…"
}
