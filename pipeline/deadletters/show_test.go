package deadletters_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline/deadletters"
)

// letters posts a specimen of each reason and gives the letters by reason.
func letters(t *testing.T, w *world) map[watch.Code]deadletters.Letter {
	t.Helper()
	for _, s := range specimens {
		w.post(s.make(to{t}, "order-1"))
	}
	all := map[watch.Code]deadletters.Letter{}
	found, _ := w.walk(deadletters.Filter{})
	for _, l := range found {
		all[l.Reason] = l
	}
	return all
}

func shown(t *testing.T, l deadletters.Letter) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, l.Show(&b))
	return b.String()
}

func TestALetterTellsPeopleWhatHappenedAndWhatToDo(t *testing.T) {
	t.Parallel()
	all := letters(t, newWorld(t))
	for _, info := range handlers.Reasons {
		text := shown(t, all[info.Code])
		for _, part := range []string{string(info.Code), info.Meaning, info.Remedy, "order-1"} {
			assert.Contains(t, text, part, info.Code)
		}
		assert.NotContains(t, text, "the-webhook-secret", info.Code)
		assert.NotContains(t, text, "4111111111111111", info.Code)
		assert.NotContains(t, text, "\x1b", info.Code)
	}

	for reason, parts := range map[watch.Code][]string{
		handlers.CodeUnknownProvider: {
			"came from  payments.initiated/2 at 41", "given up", " by intake", "provider   liquido, account default", "x-trace  1\n  x-trace  2\n",
			"  \"amount\": {\n", "BODY, 165 bytes",
		},
		handlers.CodeNotJSON: {"BODY, 15 bytes", "00000000  00 ff 20 67 61 72 62 61  67 65 20 1b 5b 32 4a", "|.. garbage .[2J|"},
		handlers.CodeBadSignature: {
			"http_authorization  (hidden)", "paystatus_provider  liquido",
		},
		handlers.CodeUnreadableBody: {"  <html>\n"},
		watch.CodeMismatch: {
			"kind          initiated, epoch 0, step 0, because of initiated", "amount        300 COP (minor units)", "reference     idempotency_key order-1",
			"ANSWER of the provider, sha256 ", `"card": "411111******1111"`,
		},
		watch.CodeNoContext: {"no initiated event is known", "EVIDENCE that the provider pushed (notification)", `"transferStatus": "SETTLED"`},
	} {
		text := shown(t, all[reason])
		for _, part := range parts {
			assert.Contains(t, text, part, reason)
		}
	}
}

func TestALetterTellsProgramsEverything(t *testing.T) {
	t.Parallel()
	all := letters(t, newWorld(t))

	garbage, mismatch, forged := all[handlers.CodeNotJSON], all[watch.CodeMismatch], all[handlers.CodeBadSignature]
	value := garbage.Full().Value
	assert.Equal(t, "base64", value.Encoding)
	exact, err := base64.StdEncoding.DecodeString(value.Body)
	require.NoError(t, err)
	assert.Equal(t, garbage.Value, exact)

	d := mismatch.Full()
	assert.Equal(t, "utf-8", d.Value.Encoding)
	assert.Equal(t, string(mismatch.Value), d.Value.Body)
	require.NotNil(t, d.Answer)
	assert.Contains(t, d.Answer.Body, "411111******1111", "the handler masked it")
	assert.Len(t, d.Answer.SHA256, 64)
	assert.Equal(t, "order-1", d.Key.Body)
	assert.Equal(t, []any{"liquido", "default", "order-1", "check"}, []any{d.Provider, d.Account, d.PaymentID, d.Handler})

	text, err := json.Marshal(forged.Full())
	require.NoError(t, err)
	assert.NotContains(t, string(text), "the-webhook-secret")
	assert.Contains(t, string(text), `"redriven":null`)
}

func TestALongBodyIsCutForPeopleBetweenCharacters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, blanks := range []string{"", " ", "  "} {
		w.post(intake(t, initiated("p", blanks+strings.Repeat("€", 10_000))))
	}
	found, _ := w.walk(deadletters.Filter{})
	require.Len(t, found, 3)
	for _, l := range found {
		text := shown(t, l)
		assert.Contains(t, text, "€€€\n  … and ")
		assert.Contains(t, text, "bytes more; --raw writes all")
		assert.NotContains(t, text, "\uFFFD")
		assert.Less(t, len(text), 18<<10)
	}
}

func TestPlainTextCannotCommandATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"order-1":                  "order-1",
		"\x1b[2Jgone":              `\x1b[2Jgone`,
		"two\nlines\tand\x00":      `two\nlines and\x00`,
		"a\u202eb":                 `a\u202eb`,
		"card 4111 1111 1111 1111": "card 4111 11** **** 1111",
		"naïve €":                  "naïve €",
	} {
		assert.Equal(t, want, deadletters.Plain(text, nil))
	}
	assert.Equal(t, "4111111111111111", deadletters.Plain("4111111111111111", []string{"4111111111111111"}), "an identifier is no card number")
}
