// Package deadletters is what operators do with dead letters: find them, understand them, and give them back once their cause
// is mended. What cannot go on must not be lost, so nothing is ever deleted: a letter that was given back is told from the others
// by a marker, a record beside it in the same topic.
package deadletters

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Position is where a letter stands in the topic of dead letters: its name for people.
type Position struct {
	Partition int
	Offset    int64
}

// String is what ParsePosition reads: "3/17".
func (p Position) String() string { return fmt.Sprintf("%d/%d", p.Partition, p.Offset) }

// ParsePosition reads PARTITION/OFFSET.
func ParsePosition(text string) (Position, error) {
	partition, offset, _ := strings.Cut(text, "/")
	p, err := strconv.ParseUint(partition, 10, 31)
	if err == nil {
		var o uint64
		if o, err = strconv.ParseUint(offset, 10, 63); err == nil {
			return Position{int(p), int64(o)}, nil
		}
	}
	return Position{}, fmt.Errorf("%q is not the place of a letter: PARTITION/OFFSET, such as 3/17", text)
}

// Letter is one dead letter.
type Letter struct {
	Position

	Time    time.Time // when the broker took it
	Key     []byte
	Value   []byte // the exact bytes that could not go on
	Headers []kafka.Header

	Reason   watch.Code
	Detail   string
	Handler  string // that gave it up
	FailedAt time.Time
	From     Origin
	About    schemas.PaymentKey // the payment that it claims to be about; the id is the record's key where nothing better is known

	RedriveCount int    // how often it was given back before it became this letter
	Given        *Given // since then: when it was given back; nil when it was not
}

// Origin is the record that first could not go on, as far as the letter says.
type Origin struct {
	Topic, Partition, Offset string
}

// Given is the act of giving a letter back.
type Given struct {
	At      time.Time
	By, Why string
}

// String is who gave it back, and why.
func (g Given) String() string { return strings.TrimSuffix(g.By+": "+g.Why, ": ") }

// The headers of a marker. Its key is the letter's, its value null.
const (
	HeaderMarks   = "paystatus_redriven"     // the letter that was given back: "3/17"
	headerGivenAt = "paystatus_redriven_at"  // RFC 3339
	headerGivenBy = "paystatus_redriven_by"  // who
	headerWhy     = "paystatus_redriven_why" // a sentence
)

// marker reads a record that marks a letter as given back. A letter is never one, whatever headers its producer gave it.
func marker(r kafka.Record) (Position, Given, bool) {
	if header(r.Headers, handlers.HeaderReason) != "" {
		return Position{}, Given{}, false
	}
	p, err := ParsePosition(header(r.Headers, HeaderMarks))
	if err != nil {
		return Position{}, Given{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, header(r.Headers, headerGivenAt))
	if err != nil {
		at = r.Time
	}
	return p, Given{At: at, By: header(r.Headers, headerGivenBy), Why: header(r.Headers, headerWhy)}, true
}

// markerHeaders are those of a marker.
func (g Given) markerHeaders(p Position) []kafka.Header {
	headers := []kafka.Header{
		{Key: HeaderMarks, Value: []byte(p.String())},
		{Key: headerGivenAt, Value: []byte(g.At.UTC().Format(time.RFC3339Nano))},
		{Key: headerGivenBy, Value: []byte(g.By)},
	}
	if g.Why != "" {
		headers = append(headers, kafka.Header{Key: headerWhy, Value: []byte(g.Why)})
	}
	return headers
}

// letterOf reads a record of the topic; false for what is no letter.
func letterOf(r kafka.Record) (Letter, bool) {
	text := func(name string) string { return header(r.Headers, name) }
	l := Letter{
		Position: Position{r.Partition, r.Offset}, Time: r.Time, Key: r.Key, Value: r.Value, Headers: r.Headers,
		Reason: watch.Code(text(handlers.HeaderReason)), Detail: text(handlers.HeaderDetail), Handler: text(handlers.HeaderHandler),
		From: Origin{text(handlers.HeaderTopic), text(handlers.HeaderPartition), text(handlers.HeaderOffset)},
	}
	if l.Reason == "" {
		return Letter{}, false
	}
	l.FailedAt = r.Time
	if at, err := time.Parse(time.RFC3339Nano, text(handlers.HeaderFailedAt)); err == nil {
		l.FailedAt = at
	}
	if n, err := strconv.ParseUint(text(handlers.HeaderRedriveCount), 10, 31); err == nil {
		l.RedriveCount = int(n)
	}
	l.About = handlers.About(l.Handler, snapshot.MessageOf(r), ReaderOf)
	return l, true
}

// readers read the notifications of each provider. They have no account, and ask nobody.
var readers = func() map[string]providers.Provider {
	all := map[string]providers.Provider{}
	for _, name := range pipeline.ProviderNames() {
		if provider, err := pipeline.Reader(name); err == nil {
			all[name] = provider
		}
	}
	return all
}()

// ReaderOf gives the provider that reads what it pushed, for handlers.About; nil: there is none of that name. It has no account, and asks nobody.
func ReaderOf(name string) providers.Provider { return readers[name] }

// Takers are the handlers that take a letter back.
var takers = []string{handlers.NameIntake, handlers.NameNotification, handlers.NameCheck}

// Takeable reports whether a handler takes the letter back.
func (l *Letter) Takeable() bool { return slices.Contains(takers, l.Handler) }

// header is the last value under a name, "" when there is none.
func header(headers []kafka.Header, name string) string {
	for _, h := range slices.Backward(headers) {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}
