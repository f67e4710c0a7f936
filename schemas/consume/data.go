package consume

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paystatus/paystatus/schemas"
)

// Full reads all of the event's data: Change, and with it what Decode leaves alone because it is most of an event's bytes and few
// services look at it. An event that is broken there is an error only here.
func (e Event) Full() (schemas.Change, error) {
	var full schemas.Change
	if err := json.Unmarshal(e.data, &full); err != nil {
		return schemas.Change{}, fmt.Errorf("read all data of event %s: %w", e.ID, plain(err))
	}
	return full, nil
}

// judged is the data without what Full alone reads: the outer names hide those inside.
type judged struct {
	schemas.Change

	Reference      skipped `json:"reference"`
	ProviderStatus skipped `json:"provider_status"`
	ThreeDS        skipped `json:"three_ds"`
	Card           skipped `json:"card"`
	Raw            skipped `json:"raw"`
}

// skipped is a value of any type that nobody reads.
type skipped struct{}

// UnmarshalJSONFrom reads over the value.
func (*skipped) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return dec.SkipValue() }

var rawMember = []byte(`"raw":{`)

// cut leaves out the provider's answer, most of an event's bytes, where it stands as paystatus writes it. What it does not find stays
// and is read over the slow way. Inside a text of JSON rawMember cannot stand: its quotes would be escaped.
func cut(data []byte) []byte {
	i := bytes.Index(data, rawMember)
	if i < 1 || data[i-1] != ',' || !topLevel(data[:i]) {
		return data
	}
	begin := i + len(rawMember) - 1
	end := begin + skip(data[begin:])
	if end == begin {
		return data
	}
	rest := make([]byte, 0, begin+len("null")+len(data)-end)
	return append(append(append(rest, data[:begin]...), "null"...), data[end:]...)
}

// skip is the length of the object that text begins with, 0 if it has no end.
func skip(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			i = closing(text, i)
		}
	}
	return 0
}

// closing is where the string ends that begins at open.
func closing(text []byte, open int) int {
	for i := open + 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(text)
}

// topLevel reports whether the member after text is one of the outermost object.
func topLevel(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
		case '"':
			i = closing(text, i)
		}
	}
	return depth == 1
}
