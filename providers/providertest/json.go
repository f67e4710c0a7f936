package providertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// jsonChecks hold how strictly and how patiently an answer is read.
func (s Subject) jsonChecks() []check {
	return []check{
		{"a good answer is read", func(t require.TestingT) {
			require.Equal(t, s.GoodStatus, observed(t, s.read(t, s.Good)).Status)
		}},
		{"reading is pure", s.readsPurely},
		{"names in another letter case are not read", func(t require.TestingT) {
			requireFailure(t, s.read(t, swapNames(s.Good)), providers.Unreadable, providers.CodeUnexpectedContent)
		}},
		{"an object without any known name is unreadable", func(t require.TestingT) {
			for _, body := range []string{`{}`, `{"x_a":1,"x_b":{"x_c":"captured"}}`} {
				requireFailure(t, s.read(t, []byte(body)), providers.Unreadable, providers.CodeUnexpectedContent)
			}
		}},
		{"names that are not known do no harm", func(t require.TestingT) {
			s.reads(t, insert(s.Good, `"x_note":{"status":["x",null,1.5e300]}`))
		}},
		{"a name that stands twice with the same value does no harm", func(t require.TestingT) {
			for name, value := range s.members(t) {
				s.reads(t, insert(s.Good, quote(name)+":"+value))
			}
		}},
		{"a name that stands twice with different values is unreadable", func(t require.TestingT) {
			for name := range s.members(t) {
				o := s.read(t, insert(s.Good, quote(name)+`:"`+bodyMark+`"`))
				requireFailure(t, o, providers.Unreadable, providers.CodeDuplicateName)
				requireNone(t, o, []string{bodyMark})
			}
		}},
		{"a byte order mark is skipped", func(t require.TestingT) {
			s.reads(t, append([]byte("\xef\xbb\xbf"), s.Good...))
		}},
		{"bytes that are not UTF-8 do no harm and are kept", func(t require.TestingT) {
			body := insert(s.Good, "\"x_note\":\"caf\xe9 \xff\xfe\"")
			s.reads(t, body)
			raw := s.change(t, body).Raw
			require.Equal(t, providers.EncodingBase64, raw.Encoding)
			kept, err := base64.StdEncoding.DecodeString(raw.Body)
			require.NoError(t, err)
			require.Equal(t, body, kept)
		}},
		{"nesting without end is unreadable", func(t require.TestingT) {
			const depth = 200_000
			for _, bomb := range []string{
				strings.Repeat("[", depth) + strings.Repeat("]", depth), strings.Repeat("[", depth), strings.Repeat(`{"a":`, depth),
			} {
				requireFailure(t, s.read(t, insert(s.Good, `"x_note":`+bomb)), providers.Unreadable, providers.CodeTooDeep)
			}
		}},
		{"a full card number is masked before the answer is kept", s.masksCardNumbers},
		{"the kept answer is the answer byte for byte", func(t require.TestingT) {
			raw := s.change(t, s.Good).Raw
			require.False(t, raw.Masked)
			require.Equal(t, string(s.Good), raw.Body)
			require.Equal(t, hash(s.Good), raw.SHA256)
		}},
	}
}

// readsPurely reads one answer many times at once.
func (s Subject) readsPurely(t require.TestingT) {
	reader, payment, answer := s.reader(t), s.payment(t), s.answer(bytes.Clone(s.Good))
	want := reader.Read(answer, payment)
	outcomes := make([]providers.Outcome, 16)
	var all sync.WaitGroup
	for i := range outcomes {
		all.Go(func() { outcomes[i] = reader.Read(answer, payment) })
	}
	all.Wait()
	for _, o := range outcomes {
		require.Equal(t, want, o)
	}
	require.Equal(t, string(s.Good), string(answer.Pages[0].Body), "the answer has been changed")
	require.Equal(t, s.payment(t), payment, "the payment has been changed")
	require.Equal(t, want, s.reader(t).Read(answer, payment), "another instance reads something else")
}

// masksCardNumbers puts a test card number of the card schemes into the answer, in the ways it can be written.
func (s Subject) masksCardNumbers(t require.TestingT) {
	for written, masked := range map[string]string{"4111111111111111": "411111******1111", "4111 1111 1111 1111": "4111 11** **** 1111"} {
		body := insert(s.Good, `"x_note":"card `+written+` used"`)
		change := s.change(t, body)
		require.True(t, change.Raw.Masked)
		require.Equal(t, string(bytes.ReplaceAll(body, []byte(written), []byte(masked))), change.Raw.Body)
		require.Equal(t, hash([]byte(change.Raw.Body)), change.Raw.SHA256, "the hash of the original would give the number away")
		require.Contains(t, change.Anomalies, schemas.MaskedCardNumber)
		document, err := json.Marshal(change)
		require.NoError(t, err)
		requireNone(t, string(document), []string{written})
	}
}

func (s Subject) read(t require.TestingT, body []byte) providers.Outcome {
	return s.reader(t).Read(s.answer(body), s.payment(t))
}

// reads requires that body is read as Good is.
func (s Subject) reads(t require.TestingT, body []byte) {
	require.Equal(t, s.read(t, s.Good), s.read(t, body))
}

// change is the data of the event that body would make.
func (s Subject) change(t require.TestingT, body []byte) schemas.Change {
	reader, payment, answer := s.reader(t), s.payment(t), s.answer(body)
	outcome := reader.Read(answer, payment)
	observed(t, outcome)
	change := outcome.Change(reader, answer, payment)
	require.NotNil(t, change.Raw)
	return change
}

// members are Good's members as they are written.
func (s Subject) members(t require.TestingT) map[string]string {
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(s.Good, &members))
	written := map[string]string{}
	for name, value := range members {
		written[name] = string(value)
	}
	_, err := exactjson.Parse(s.Good)
	require.NoError(t, err)
	return written
}

// insert puts a member at the beginning of an object.
func insert(object []byte, member string) []byte {
	before, after, _ := bytes.Cut(object, []byte("{"))
	return bytes.Join([][]byte{before, []byte("{" + member + ","), after}, nil)
}

var jsonName = regexp.MustCompile(`"[^"\\]*"\s*:`)

// swapNames writes every name in the other letter case.
func swapNames(text []byte) []byte {
	return jsonName.ReplaceAllFunc(text, func(name []byte) []byte { return []byte(swapCase(string(name))) })
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) //nolint:errchkjson // a string can always be written
	return string(quoted)
}

func trimmed(body []byte) []byte { return bytes.TrimSpace(body) }

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
