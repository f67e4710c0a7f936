package deadletters

import (
	"bytes"
	"slices"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// About gathers the letters about one payment, given back or not, in one search of the topic: Chooses passes over most records without
// looking into them.
type About struct {
	Payment string // the payment's id, or the record's key

	letters []Letter
	given   map[Position]Given
}

// Chooses reports whether a record may be a letter about the payment, or marks any as given back.
func (a *About) Chooses(key, value []byte) bool {
	return value == nil || MayName(a.Payment, key, value)
}

// Take looks into a record of the topic. It is not safe for concurrent use; the error is nil.
func (a *About) Take(r kafka.Record) error {
	if p, g, ok := marker(r); ok {
		if a.given == nil {
			a.given = map[Position]Given{}
		}
		a.given[p] = g
	} else if l, ok := letterOf(r); ok && (Filter{Payment: a.Payment}).chooses(&l) {
		a.letters = append(a.letters, l)
	}
	return nil
}

// Letters are those that were found, the oldest first.
func (a *About) Letters() []Letter {
	for i := range a.letters {
		if g, ok := a.given[a.letters[i].Position]; ok {
			a.letters[i].Given = &g
		}
	}
	slices.SortFunc(a.letters, func(a, b Letter) int { return a.Time.Compare(b.Time) })
	return a.letters
}

// MayName reports whether a record may name a payment: its key does, or its value holds the id as it is or may hold it in another form,
// as JSON escapes and base64 are.
func MayName(payment string, key, value []byte) bool {
	return string(key) == payment || bytes.Contains(value, []byte(payment)) ||
		bytes.IndexByte(value, '\\') >= 0 || bytes.Contains(value, []byte("data_base64"))
}
