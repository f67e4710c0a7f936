package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

func TestDemoShowsEveryFateUntilAllPaymentsHaveEnded(t *testing.T) {
	t.Parallel()
	r := paystatus(t, "demo", "--output", "json")
	require.Zero(t, r.code, r.stderr)
	last, ids, statuses, providers := map[string]schemas.Change{}, map[string]bool{}, map[schemas.Status]bool{}, map[string]bool{}
	for line := range strings.Lines(r.stdout) {
		schematest.ValidateStructured(t, []byte(line))
		var e struct {
			ID   string         `json:"id"`
			Type string         `json:"type"`
			Data schemas.Change `json:"data"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		assert.False(t, ids[e.ID], "an event came twice")
		ids[e.ID] = true
		before, known := last[e.Data.PaymentID]
		assert.False(t, before.Final, "an event after the final one of %s", e.Data.PaymentID)
		if known && e.Type != schemas.TypeStatusUnresolved {
			assert.Equal(t, before.Status, *e.Data.PreviousStatus)
		}
		last[e.Data.PaymentID] = e.Data
		statuses[e.Data.Status], providers[e.Data.Provider] = true, true
	}
	assert.Len(t, last, demo.EveryFate)
	for id, c := range last {
		assert.True(t, c.Final, "%s has ended", id)
	}
	assert.Len(t, providers, 4)
	for _, s := range []schemas.Status{
		"requires_action", "pending", "authorized", "capture_pending", "captured", "declined", "canceled", "expired", "refund_pending",
		"partially_refunded", "unknown",
	} {
		assert.True(t, statuses[s], s)
	}
	assert.Contains(t, r.stderr, "Every payment has ended: 17 payments, ")
}

func TestDemoIsATableForPeople(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "demo.yaml")
	p := start(t, "demo", "--payments", "2", "--keep", "--write-config", config)
	eventually(t, func() bool { return strings.Contains(p.stdout.String(), "Still running") }, "both payments end, the demo goes on")
	for _, args := range [][]string{{"why", "order-0001"}, {"backfill", "--mode", "verify"}, {"export", filepath.Join(t.TempDir(), "events.jsonl")}} {
		r := paystatus(t, append(args, "--config", config)...)
		assert.Zero(t, r.code, "%v finds the demo: %s", args, r.stderr)
	}
	assert.Zero(t, p.end(os.Interrupt))
	assert.Empty(t, p.stderr.String())
	text := p.stdout.String()
	assert.Contains(t, text, "\nPAYMENT     PROVIDER  STATUS              FINAL  FUNDS      THE PROVIDER SAID                    AGE\n")
	assert.Regexp(t, `\norder-0001  checkout  requires_action            none       Pending                           +\d+\.\ds\n`, text)
	assert.Regexp(t, `\norder-0001  checkout  captured            yes    captured   Captured                          +\d+\.\ds\n`, text)
	assert.Regexp(t, `\nEvery payment has ended: 2 payments, 6 events, \d+\.\d seconds\.\n`, text)
	assert.Regexp(t, `\ncheckout  3-D Secure, then captured {23}captured {19}1\n`, text)
	rows := regexp.MustCompile(`(?m)^order-.*$`).FindAllString(text, -1)
	assert.Len(t, rows, 6)
	for _, row := range rows {
		assert.Equal(t, 100, utf8.RuneCountInString(row), row)
	}
}

func TestDemoThatIsInterruptedSaysWhatWasOpen(t *testing.T) {
	t.Parallel()
	p := start(t, "demo")
	eventually(t, func() bool { return strings.Contains(p.stdout.String(), "order-") }, "the first event")
	assert.Equal(t, cli.ExitFailed, p.end(os.Interrupt))
	assert.Regexp(t, `^paystatus: demo: stopped while \d+ of 17 payments were open\n$`, p.stderr.String())
}

func TestRowsStayNarrow(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "short", cut("short", 5))
	assert.Equal(t, "shor…", cut("shorter", 5))
	assert.Equal(t, "ééé…", cut("ééééé", 4))
}
