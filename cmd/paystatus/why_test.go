package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/why"
)

// whys runs the command in a town.
func (n *letterTown) whys(args ...string) (out, errors string, err error) {
	n.t.Helper()
	cmd := root()
	var stdout, stderr bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(append([]string{"why", "--config", n.config}, args...))
	err = cmd.ExecuteContext(n.t.Context())
	return stdout.String(), stderr.String(), err
}

func TestWhyTellsOfADeadLetter(t *testing.T) {
	t.Parallel()
	n := newLetterTown(t)
	n.post("order-1", lostEvent)
	n.post("order-\x1b[2J", "garbage")

	out, _, err := n.whys("order-1")
	require.NoError(t, err)
	assert.Contains(t, out, "order-1 at liquido, account default\n  now: given up")
	assert.Contains(t, out, `unknown_provider: no provider "liquido" is configured; to do: configure it, then redrive`)

	out, _, err = n.whys("order-1", "-o", "json")
	require.NoError(t, err)
	var story why.Story
	require.NoError(t, json.Unmarshal([]byte(out), &story))
	assert.Equal(t, why.StateGivenUp, story.Payments[0].Now.State)
	assert.Equal(t, "configure it, then redrive", story.Payments[0].Timeline[0].DeadLetter.Remedy)

	out, _, err = n.whys("order-\x1b[2J")
	require.NoError(t, err)
	assert.NotContains(t, out, "\x1b", "nothing commands the terminal")
	assert.Contains(t, out, "at no known provider")
}

func TestWhyOfAPaymentThatNobodyKnowsFails(t *testing.T) {
	t.Parallel()
	n := newLetterTown(t)
	n.post("order-1", lostEvent)
	out, scanned, err := n.whys("order-2")
	require.ErrorContains(t, err, `nothing is known of a payment "order-2" in the 1 records scanned`)
	assert.Equal(t, cli.ExitFailed, cli.ExitCode(err))
	assert.Empty(t, out)
	assert.Contains(t, scanned, "Scanned 1 records, ")
	assert.Contains(t, scanned, "Not looked at:\n")

	out, _, err = n.whys("order-2", "-o", "json")
	assert.Equal(t, cli.ExitFailed, cli.ExitCode(err))
	assert.Contains(t, out, `{"payment_id":"order-2","payments":[],"scanned":{`)

	for name, args := range map[string][]string{
		"no payment": {}, "two": {"a", "b"}, "an empty one": {""}, "a time that is none": {"a", "--since", "yesterday"},
	} {
		_, _, err := n.whys(args...)
		require.Error(t, err, name)
		assert.Equal(t, cli.ExitMisuse, cli.ExitCode(err), name)
	}
}

func TestTheHelpOfWhyNamesEveryFieldOfItsOwn(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, match := range regexp.MustCompile(`"([a-z_0-9]+)":`).FindAllStringSubmatch(whyCommand().Long, -1) {
		documented[match[1]] = true
	}
	letter := map[string]bool{}
	collect(letter, reflect.TypeFor[deadletters.Document]())
	for _, document := range []reflect.Type{
		reflect.TypeFor[why.Story](), reflect.TypeFor[why.Scanned](), reflect.TypeFor[why.Now](), reflect.TypeFor[why.Check](),
	} {
		for f := range document.Fields() {
			fields := map[string]bool{}
			collect(fields, reflect.StructOf([]reflect.StructField{{Name: f.Name, Type: reflect.TypeFor[int](), Tag: f.Tag}}))
			for name := range fields {
				assert.True(t, documented[name], "%s of %s", name, document)
			}
		}
	}
}
