package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/deadletters"
	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// letterTown is a broker with topics and dead letters, and the configuration file that leads there.
type letterTown struct {
	t      *testing.T
	config string
	writer *kafka.Publisher
	topic  string
}

func newLetterTown(t *testing.T) *letterTown {
	t.Helper()
	broker, err := embedded.Start(embedded.Options{})
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	path := filepath.Join(t.TempDir(), "paystatus.yaml")
	text := "kafka: {brokers: [\"" + broker.Addr() + "\"]}\ntopics: {partitions: 1, replication: 1, min_insync: 1}\nlog: {level: error}\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))

	k := kafka.Config{Brokers: []string{broker.Addr()}}
	client, err := kafka.NewClient(k)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.Empty(t, problems)
	topics := pipeline.Topics{Topics: c.Topics}
	_, err = pipeline.CreateTopics(t.Context(), client, topics)
	require.NoError(t, err)
	writer, err := kafka.NewPublisher(k, kafka.PublisherOptions{OmitUUID: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = writer.Close() })
	return &letterTown{t: t, config: path, writer: writer, topic: topics.DeadLetters()}
}

// post gives a record to intake, which knows no provider, and keeps the letter.
func (n *letterTown) post(key, value string) {
	n.t.Helper()
	result, err := (&handlers.Intake{}).Handle(n.t.Context(), handlers.Message{Topic: "payments.initiated", Offset: 8, Key: []byte(key), Value: []byte(value)})
	require.NoError(n.t, err)
	msg := message.NewMessage("", result.Out[0].Value)
	kafka.SetKey(msg, result.Out[0].Key)
	var headers []kafka.Header
	for _, h := range result.Out[0].Headers {
		headers = append(headers, kafka.Header(h))
	}
	kafka.SetHeaders(msg, headers)
	require.NoError(n.t, n.writer.Publish(n.topic, msg))
}

// runs gives what a command prints that must succeed.
func (n *letterTown) runs(args ...string) (out, progress string) {
	n.t.Helper()
	out, progress, err := n.tries(args...)
	require.NoError(n.t, err)
	return out, progress
}

func (n *letterTown) tries(args ...string) (out, progress string, err error) {
	n.t.Helper()
	cmd := root()
	var stdout, stderr bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(append(append([]string{"dead-letters"}, args...), "--config", n.config))
	err = cmd.ExecuteContext(n.t.Context())
	return stdout.String(), stderr.String(), err
}

const lostEvent = `{"payment_id":"order-1","provider":"liquido","amount":{"value":300,"currency":"COP"},"initiated_at":"2026-01-31T12:00:00Z"}`

func TestDeadLettersAreListedShownAndGivenBack(t *testing.T) {
	t.Parallel()
	n := newLetterTown(t)
	n.post("order-1", lostEvent)
	n.post("order-2", "\x00\xffgarbage\x1b[2J")
	n.post("order-3", "garbage")

	out, _ := n.runs("list")
	assert.Regexp(t, `(?m)^0/0 +\S+Z  unknown_provider +liquido +order-1 +no provider "liquido" is configured$`, out)
	assert.Regexp(t, `(?m)^0/1 +\S+Z  not_json +– +order-2 +`, out)
	assert.Contains(t, out, "Scanned 3 records in 1 partitions of paystatus.dead_letters: 3 letters, 3 asked for.")
	assert.Regexp(t, `(?m)^2 +not_json +mend the producer`, out)
	assert.NotContains(t, out, "\x1b")

	out, counts := n.runs("list", "--reason", "unknown_provider", "--output", "json")
	var d deadletters.Document
	require.NoError(t, json.Unmarshal([]byte(out), &d), "one line, one letter")
	assert.Equal(t, []any{"0/0", "order-1", "liquido", "payments.initiated", len(lostEvent)}, []any{d.Letter, d.PaymentID, d.Provider, d.Topic, d.Bytes})
	assert.Contains(t, counts, "3 letters, 1 asked for")

	out, _ = n.runs("list", "--limit", "1")
	assert.Contains(t, out, "Not listed: 2 beyond --limit.")
	assert.Regexp(t, `(?m)^2 +not_json`, out, "counted all the same")

	out, _ = n.runs("show", "0/0")
	assert.Contains(t, out, "to do      configure it, then redrive\n")
	assert.Contains(t, out, "\n    \"amount\": {\n")
	out, _ = n.runs("show", "0/1", "--raw")
	assert.Equal(t, "\x00\xffgarbage\x1b[2J", out)
	out, _ = n.runs("show", "--payment", "order-2", "-o", "json")
	assert.Contains(t, out, `"value":{"encoding":"base64","body":"AP9nYXJiYWdlG1sySg=="}`)

	out, _ = n.runs("redrive", "--dry-run", "--reason", "unknown_provider")
	assert.Contains(t, out, "0/0       would be given back: unknown_provider, order-1\n")
	out, _ = n.runs("redrive", "0/0", "--why", "liquido is configured now", "--by", "olga")
	assert.Contains(t, out, "\n1 given back.\nWhat cannot go on now either becomes a letter again")
	out, _ = n.runs("redrive", "0/0")
	assert.Contains(t, out, "\n0 given back.\n1 had been given back before.\n")

	out, _ = n.runs("list")
	assert.NotContains(t, out, "order-1")
	assert.Contains(t, out, "Scanned 4 records in 1 partitions of paystatus.dead_letters: 3 letters, 3 asked for.\n"+
		"Not listed: 1 given back since; --all lists them.\n")
	out, _ = n.runs("list", "--all", "--payment", "order-1", "-o", "json")
	assert.Contains(t, out, `"by":"olga","why":"liquido is configured now"`)
	out, _ = n.runs("show", "0/0")
	assert.Contains(t, out, "by olga: liquido is configured now\n")

	out, counts = n.runs("redrive", "--output", "json", "--rate", "1000")
	assert.Equal(t, 2, strings.Count(out, `"verdict":"given_back","dry_run":false}`))
	assert.Contains(t, counts, "2 given back.")
}

func TestDeadLettersRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
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
	} {
		cmd := root()
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		cmd.SetArgs(append([]string{"dead-letters"}, args...))
		err := cmd.ExecuteContext(t.Context())
		require.Error(t, err, name)
		assert.Equal(t, cli.ExitMisuse, cli.ExitCode(err), "%s: %v", name, err)
	}
	n := newLetterTown(t)
	for args, says := range map[string]string{
		"show 0/7": "there is no letter 0/7", "show --payment nobody": `none of the 0 letters`,
		"redrive 0/7 0/8 0/7": "2 of the letters named are not in paystatus.dead_letters",
	} {
		_, _, err := n.tries(strings.Fields(args)...)
		require.ErrorContains(t, err, says)
		assert.Equal(t, cli.ExitFailed, cli.ExitCode(err))
	}
}

func TestTheHelpOfDeadLettersNamesEveryFieldOfItsDocuments(t *testing.T) {
	t.Parallel()
	help := deadLettersListCommand().Long + deadLettersShowCommand().Long + deadLettersRedriveCommand().Long
	documented := map[string]bool{}
	for _, match := range regexp.MustCompile(`"([a-z_0-9]+)":`).FindAllStringSubmatch(help, -1) {
		documented[match[1]] = true
	}
	fields := map[string]bool{}
	for _, document := range []reflect.Type{reflect.TypeFor[deadletters.FullDocument](), reflect.TypeFor[verdictDocument]()} {
		collect(fields, document)
	}
	assert.Equal(t, fields, documented)
}

// collect gathers the JSON names in a type of structs, pointers and slices.
func collect(into map[string]bool, t reflect.Type) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		collect(into, t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				into[name] = true
			}
			collect(into, f.Type)
		}
	default:
	}
}
