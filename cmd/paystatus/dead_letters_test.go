package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// post gives a record to intake, which knows no provider, and keeps the letter.
func (n *town) post(key, value string) {
	n.T.Helper()
	result, err := (&handlers.Intake{}).Handle(n.T.Context(), handlers.Message{Topic: "payments.initiated", Offset: 8, Key: []byte(key), Value: []byte(value)})
	require.NoError(n.T, err)
	letter := result.Out[0]
	headers := make([]kafka.Header, len(letter.Headers))
	for i, h := range letter.Headers {
		headers[i] = kafka.Header(h)
	}
	n.Produce(n.Topics.DeadLetters(), string(letter.Key), letter.Value, headers...)
}

const lostEvent = `{"payment_id":"order-1","provider":"liquido","amount":{"value":300,"currency":"COP"},"initiated_at":"2026-01-31T12:00:00Z"}`

func TestDeadLettersAreListedShownAndGivenBack(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	n.post("order-1", lostEvent)
	n.post("order-2", "\x00\xffgarbage\x1b[2J")
	n.post("order-3", "garbage")

	out, _ := n.runs("dead-letters", "list")
	assert.Regexp(t, `(?m)^0/0 +\S+Z  unknown_provider +liquido +order-1 +no provider "liquido" is configured$`, out)
	assert.Regexp(t, `(?m)^0/1 +\S+Z  not_json +– +order-2 +`, out)
	assert.Contains(t, out, "Scanned 3 records in 1 partitions of paystatus.dead_letters: 3 letters, 3 asked for.")
	assert.Regexp(t, `(?m)^2 +not_json +mend the producer`, out)
	assert.NotContains(t, out, "\x1b")

	out, counts := n.runs("dead-letters", "list", "--reason", "unknown_provider", "--output", "json")
	var d deadletters.Document
	require.NoError(t, json.Unmarshal([]byte(out), &d), "one line, one letter")
	assert.Equal(t, []any{"0/0", "order-1", "liquido", "payments.initiated", len(lostEvent)}, []any{d.Letter, d.PaymentID, d.Provider, d.Topic, d.Bytes})
	assert.Contains(t, counts, "3 letters, 1 asked for")

	out, _ = n.runs("dead-letters", "list", "--limit", "1")
	assert.Contains(t, out, "Not listed: 2 beyond --limit.")
	assert.Regexp(t, `(?m)^2 +not_json`, out, "counted all the same")

	out, _ = n.runs("dead-letters", "show", "0/0")
	assert.Contains(t, out, "to do      configure it, then redrive\n")
	assert.Contains(t, out, "\n    \"amount\": {\n")
	out, _ = n.runs("dead-letters", "show", "0/1", "--raw")
	assert.Equal(t, "\x00\xffgarbage\x1b[2J", out)
	out, _ = n.runs("dead-letters", "show", "--payment", "order-2", "-o", "json")
	assert.Contains(t, out, `"value":{"encoding":"base64","body":"AP9nYXJiYWdlG1sySg=="}`)

	out, _ = n.runs("dead-letters", "redrive", "--dry-run", "--reason", "unknown_provider")
	assert.Contains(t, out, "0/0       would be given back: unknown_provider, order-1\n")
	out, _ = n.runs("dead-letters", "redrive", "0/0", "--why", "liquido is configured now", "--by", "olga")
	assert.Contains(t, out, "\n1 given back.\nWhat cannot go on now either becomes a letter again")
	out, _ = n.runs("dead-letters", "redrive", "0/0")
	assert.Contains(t, out, "\n0 given back.\n1 had been given back before.\n")

	out, _ = n.runs("dead-letters", "list")
	assert.NotContains(t, out, "order-1")
	assert.Contains(t, out, "Scanned 4 records in 1 partitions of paystatus.dead_letters: 3 letters, 3 asked for.\n"+
		"Not listed: 1 given back since; --all lists them.\n")
	out, _ = n.runs("dead-letters", "list", "--all", "--payment", "order-1", "-o", "json")
	assert.Contains(t, out, `"by":"olga","why":"liquido is configured now"`)
	out, _ = n.runs("dead-letters", "show", "0/0")
	assert.Contains(t, out, "by olga: liquido is configured now\n")

	out, counts = n.runs("dead-letters", "redrive", "--output", "json", "--rate", "1000")
	assert.Equal(t, 2, strings.Count(out, `"verdict":"given_back","dry_run":false}`))
	assert.Contains(t, counts, "2 given back.")
}

func TestDeadLettersRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	requireMisuse(t, []string{"dead-letters"}, map[string][]string{
		"an unknown reason":       {"list", "--reason", "unknown-provider"},
		"a time that is none":     {"list", "--since", "yesterday"},
		"a negative limit":        {"list", "--limit", "-1"},
		"a name that is none":     {"show", "3"},
		"two names":               {"show", "0/1", "0/2"},
		"neither name nor option": {"show"},
		"both":                    {"show", "0/1", "--payment", "p"},
		"raw of several":          {"show", "--raw", "--payment", "p"},
		"no round":                {"redrive", "--max", "0"},
		"a negative rate":         {"redrive", "--rate", "-1"},
		"a wrong name":            {"redrive", "0/1", "x"},
	})
	n := newTown(t)
	for args, says := range map[string]string{
		"show 0/7": "there is no letter 0/7", "show --payment nobody": `none of the 0 letters`,
		"redrive 0/7 0/8 0/7": "2 of the letters named are not in paystatus.dead_letters",
	} {
		r := n.tries("", append([]string{"dead-letters"}, strings.Fields(args)...)...)
		assert.Contains(t, r.stderr, says)
		assert.Equal(t, cli.ExitFailed, r.code)
	}
}

func TestTheHelpOfDeadLettersNamesEveryFieldOfItsDocuments(t *testing.T) {
	t.Parallel()
	help := deadLettersListCommand().Long + deadLettersShowCommand().Long + deadLettersRedriveCommand().Long
	assert.Equal(t, fields(reflect.TypeFor[deadletters.FullDocument](), reflect.TypeFor[verdictDocument]()), documented(help))
}
