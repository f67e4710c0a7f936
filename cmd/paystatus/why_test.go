package main

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/why"
)

func TestWhyTellsOfADeadLetter(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.post("order-1", lostEvent)
	n.post("order-\x1b[2J", "garbage")

	out, _ := n.runs("why", "order-1")
	assert.Contains(t, out, "order-1 at liquido, account default\n  now: given up")
	assert.Contains(t, out, `unknown_provider: no provider "liquido" is configured; to do: configure it, then redrive`)

	out, _ = n.runs("why", "order-1", "-o", "json")
	var story why.Story
	require.NoError(t, json.Unmarshal([]byte(out), &story))
	assert.Equal(t, why.StateGivenUp, story.Payments[0].Now.State)
	assert.Equal(t, "configure it, then redrive", story.Payments[0].Timeline[0].DeadLetter.Remedy)

	out, _ = n.runs("why", "order-\x1b[2J")
	assert.NotContains(t, out, "\x1b", "nothing commands the terminal")
	assert.Contains(t, out, "at no known provider")
}

func TestWhyOfAPaymentThatNobodyKnowsFails(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.post("order-1", lostEvent)
	r := n.tries("", "why", "order-2")
	assert.Contains(t, r.stderr, `nothing is known of a payment "order-2" in the 1 records scanned`)
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Empty(t, r.stdout)
	assert.Contains(t, r.stderr, "Scanned 1 records, ")
	assert.Contains(t, r.stderr, "Not looked at:\n")

	r = n.tries("", "why", "order-2", "-o", "json")
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stdout, `{"payment_id":"order-2","payments":[],"scanned":{`)

	requireMisuse(t, []string{"why"}, map[string][]string{
		"no payment": {}, "two": {"a", "b"}, "an empty one": {""}, "a time that is none": {"a", "--since", "yesterday"},
	})
}

func TestTheHelpOfWhyNamesEveryFieldOfItsOwn(t *testing.T) {
	t.Parallel()
	told := documented(whyCommand().Long)
	for _, document := range []reflect.Type{
		reflect.TypeFor[why.Story](), reflect.TypeFor[why.Scanned](), reflect.TypeFor[why.Now](), reflect.TypeFor[why.Check](),
	} {
		for f := range document.Fields() {
			for name := range fields(reflect.StructOf([]reflect.StructField{{Name: f.Name, Type: reflect.TypeFor[int](), Tag: f.Tag}})) {
				assert.True(t, told[name], "%s of %s", name, document)
			}
		}
	}
}
