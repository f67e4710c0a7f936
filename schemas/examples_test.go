package schemas_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// example is one file of examples/, opened as far as its form allows.
type example struct {
	file      string
	kind, id  string // of the CloudEvent; empty for bare data
	data      []byte
	structure string // bare, binary, structured or record
}

func readExamples(t *testing.T) []example {
	t.Helper()
	files, err := fs.Glob(schemas.Files, "examples/*.json")
	require.NoError(t, err)
	all := make([]example, 0, len(files))
	for _, file := range files {
		text, err := schemas.Files.ReadFile(file)
		require.NoError(t, err)
		parts := strings.Split(file, ".")
		require.Len(t, parts, 3, "%s: its form stands in the name", file)
		e := example{file: file, structure: parts[1], data: text}
		var outer struct {
			ID      string            `json:"id"`
			Type    string            `json:"type"`
			Data    json.RawMessage   `json:"data"`
			Headers map[string]string `json:"headers"`
			Value   json.RawMessage   `json:"value"`
		}
		require.NoError(t, json.Unmarshal(text, &outer), file)
		switch e.structure {
		case "structured":
			schematest.ValidateStructured(t, text)
			e.kind, e.id, e.data = outer.Type, outer.ID, outer.Data
		case "binary":
			e.kind, e.id, e.data = outer.Headers["ce_type"], outer.Headers["ce_id"], outer.Value
		case "record": // of another topic; the AsyncAPI document's test reads it
			continue
		default:
			require.Equal(t, "bare", e.structure, file)
		}
		all = append(all, e)
	}
	return all
}

func (e example) initiated() bool { return e.kind == "" || e.kind == schemas.TypeInitiated }

func TestThereIsAnExampleOfEachKind(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range readExamples(t) {
		seen[e.kind], seen[e.structure] = true, true
		if e.initiated() {
			event, err := schemas.ParseInitiated(e.data)
			require.NoError(t, err, e.file)
			seen["initiated at "+event.Provider] = true
		} else {
			var change schemas.Change
			require.NoError(t, json.Unmarshal(e.data, &change), e.file)
			seen[string(change.Status)], seen["said of "+change.Provider] = true, true
		}
	}
	for _, kind := range append([]string{
		schemas.TypeInitiated, "bare", "binary", "structured", "requires_action", "captured", "declined", "disputed",
		"initiated at checkout", "initiated at antom", "initiated at worldpay", "initiated at liquido",
		"said of checkout", "said of antom", "said of worldpay", "said of liquido",
	}, schemas.ChangeTypes...) {
		assert.True(t, seen[kind], "no example is %s", kind)
	}
}

func TestExamplesAreWhatTheSchemasAllow(t *testing.T) {
	t.Parallel()
	for _, e := range readExamples(t) {
		t.Run(e.file, func(t *testing.T) {
			t.Parallel()
			if e.initiated() {
				schematest.ValidateInitiated(t, e.data)
				return
			}
			schematest.ValidateChange(t, e.data) // the hash of raw, too

			// Go reads all of it, and writes the same.
			var change schemas.Change
			decoder := json.NewDecoder(bytes.NewReader(e.data))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&change))
			again, err := json.Marshal(change)
			require.NoError(t, err)
			assert.JSONEq(t, string(e.data), string(again))
			if change.Raw != nil && change.Raw.Size > 0 {
				assert.NotEmpty(t, change.Raw.Body, "an example shows the answer")
			}
		})
	}
}

func TestTheIDsOfExamplesFollowFromTheirFacts(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, e := range readExamples(t) {
		if e.initiated() {
			continue
		}
		assert.Empty(t, seen[e.id], "%s has an id of its own", e.file)
		seen[e.id] = e.file
		var change schemas.Change
		require.NoError(t, json.Unmarshal(e.data, &change), e.file)
		key := schemas.PaymentKey{Provider: change.Provider, Account: change.Account, PaymentID: change.PaymentID}
		assert.Equal(t, schemas.EventID(key, factsOf(e.kind, change)).String(), e.id, e.file)
	}
	assert.NotEmpty(t, seen)
}

// factsOf gives what an event says, for a payment that was made for the amount that the provider calls requested.
func factsOf(kind string, change schemas.Change) schemas.Facts {
	stated := func(sum *schemas.Money) int64 {
		if sum == nil || *sum == *change.Amounts.Requested {
			return 0
		}
		return sum.Value
	}
	facts := schemas.Facts{
		Status: change.Status, Entry: change.Entry, Dispute: change.Dispute, Final: change.Final,
		Sums: schemas.Sums{
			Authorized: stated(change.Amounts.Authorized), Captured: stated(change.Amounts.Captured), Refunded: stated(change.Amounts.Refunded),
		},
	}
	if kind == schemas.TypeStatusUnresolved {
		facts.Reason = change.Reason.Code
	}
	return facts
}
