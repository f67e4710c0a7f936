package consume

import (
	"bytes"
	"fmt"
	"slices"

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

// decode reads data. What it would read over slowly, it first leaves out.
func (j *judged) decode(data []byte) error {
	if json.Unmarshal(cut(data), j) == nil {
		return nil
	}
	*j = judged{} // it does not stand as paystatus writes it, or is broken
	return json.Unmarshal(data, j)
}

var (
	rawBegins = []byte(`,"raw":{`)
	rawEnds   = []byte(`},"normalizer":`)
)

// cut leaves out the provider's answer, most of an event's bytes, where it stands as paystatus writes it. Neither mark can stand in a text
// of JSON, where their quotes would be escaped; and if the two are not of the same object, what is left is no JSON.
func cut(data []byte) []byte {
	before, answer, found := bytes.Cut(data, rawBegins)
	end := bytes.Index(answer, rawEnds)
	if !found || end < 0 {
		return data
	}
	return slices.Concat(before, answer[end+1:])
}
