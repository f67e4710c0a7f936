package providers

import (
	"errors"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Paths lead to one value in an object. Each is a list of names, from the outside in, and the first that leads to a text or
// a number counts. In the configuration they are written "metadata.order_id|reference".
type Paths [][]string

// UnmarshalText reads names with dots between, and alternatives with | between.
func (p *Paths) UnmarshalText(text []byte) error {
	var all Paths
	for path := range strings.SplitSeq(string(text), "|") {
		names := strings.Split(strings.TrimSpace(path), ".")
		if slices.Contains(names, "") {
			return errors.New("must be names with dots between, like metadata.order_id, or several of these with | between")
		}
		all = append(all, names)
	}
	*p = all
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (p Paths) MarshalText() ([]byte, error) {
	paths := make([]string, len(p))
	for i, names := range p {
		paths[i] = strings.Join(names, ".")
	}
	return []byte(strings.Join(paths, "|")), nil
}

// Find gives the value that the paths lead to in an object, "" when there is none. Without paths it is what stands otherwise.
func (p Paths) Find(object exactjson.Value, otherwise string) string {
	if len(p) == 0 {
		return otherwise
	}
	for _, names := range p {
		v := object.Get(names...)
		if text := v.Text(); text != "" && (v.Kind() == exactjson.String || v.Kind() == exactjson.Number) {
			return text
		}
	}
	return ""
}
