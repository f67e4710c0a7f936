package consume

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads JSON as paystatus writes it: no blanks between values, whole numbers that are not negative, few names and none of them twice
// in one object. At anything else it gives up, be it JSON or not, and nothing that it gave counts. Like this it can be fast and small: what
// it does not expect is left to a reader of all JSON.
type reader struct {
	text   []byte
	at     int
	gaveUp bool

	names [64][]byte // of the members read, of all objects that are open
	named int

	kept strings.Builder // all that str gave
}

func (r *reader) giveUp() { r.gaveUp, r.at = true, len(r.text) }

// done reports whether the text was read to its end.
func (r *reader) done() bool { return !r.gaveUp && r.at == len(r.text) }

func (r *reader) take(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) need(c byte) {
	if !r.take(c) {
		r.giveUp()
	}
}

func (r *reader) word(w string) bool {
	if end := r.at + len(w); end <= len(r.text) && string(r.text[r.at:end]) == w {
		r.at = end
		return true
	}
	return false
}

// object is one that is being read. For o := r.object(); o.next(); read the value of o.name.
type object struct {
	r     *reader
	name  []byte
	outer int // names of the objects around it
	begun bool
}

func (r *reader) object() object {
	r.need('{')
	return object{r: r, outer: r.named}
}

func (o *object) next() bool {
	r := o.r
	if r.take('}') {
		r.named = o.outer
		return false
	}
	if o.begun {
		r.need(',')
	}
	name := r.content()
	r.need(':')
	if r.gaveUp || r.named == len(r.names) {
		r.giveUp()
		return false
	}
	for _, other := range r.names[o.outer:r.named] {
		if string(other) == string(name) {
			r.giveUp()
		}
	}
	r.names[r.named] = name
	r.named++
	o.name, o.begun = name, true
	return true
}

// item reports whether an array goes on: for begun := false; r.item(begun); begun = true, read an element.
func (r *reader) item(begun bool) bool {
	if !begun {
		r.need('[')
	}
	if r.take(']') {
		return false
	}
	if begun {
		r.need(',')
	}
	return !r.gaveUp
}

// content is what a string says, not to be kept.
func (r *reader) content() []byte {
	begin := r.at
	r.need('"')
	rest := r.text[r.at:]
	for i, c := range rest {
		switch {
		case c == '"':
			r.at += i + 1
			return rest[:i]
		case c == '\\', c < ' ', c >= utf8.RuneSelf:
			r.at = begin
			r.pass()
			content, err := jsontext.AppendUnquote(nil, r.text[begin:r.at])
			if err != nil {
				r.giveUp()
			}
			return content
		}
	}
	r.giveUp()
	return nil
}

// str is content to keep. Whoever keeps one keeps the memory of all.
func (r *reader) str() string {
	if r.kept.Cap() == 0 {
		r.kept.Grow(256) // most events say less
	}
	begin := r.kept.Len()
	r.kept.Write(r.content())
	return r.kept.String()[begin:]
}

func (r *reader) int64() int64 {
	n, begin := int64(0), r.at
	for r.at < len(r.text) && r.text[r.at]-'0' <= 9 {
		n = 10*n + int64(r.text[r.at]-'0')
		r.at++
	}
	if digits := r.at - begin; digits == 0 || digits > 18 || digits > 1 && r.text[begin] == '0' {
		r.giveUp()
	}
	return n
}

func (r *reader) int() int {
	n := r.int64()
	if n > math.MaxInt32 {
		r.giveUp()
	}
	return int(n)
}

func (r *reader) bool() bool {
	yes := r.word("true")
	if !yes && !r.word("false") {
		r.giveUp()
	}
	return yes
}

// time is one in UTC.
func (r *reader) time() (t time.Time) {
	text := r.content()
	exact := len(text) >= len("2006-01-02T15:04:05Z") && text[13] == ':' && text[19] != ',' && text[len(text)-1] == 'Z' // package time is laxer
	if !exact || t.UnmarshalText(text) != nil {
		r.giveUp()
	}
	return t
}

// skip reads over a value that nests no deeper than a few levels.
func (r *reader) skip() { r.skipTo(16) }

func (r *reader) skipTo(depth int) {
	switch {
	case depth == 0, r.at == len(r.text):
		r.giveUp()
	case r.text[r.at] == '{':
		for o := r.object(); o.next(); {
			r.skipTo(depth - 1)
		}
	case r.text[r.at] == '[':
		for begun := false; r.item(begun); begun = true {
			r.skipTo(depth - 1)
		}
	case r.text[r.at] == '"':
		r.content()
	case r.word("null"), r.word("true"), r.word("false"):
	default:
		r.int64()
	}
}

// pass goes behind a string and does not look at what it says. It goes by eight bytes for as long as every backslash stands alone.
func (r *reader) pass() {
	r.need('"')
	rest := r.text[r.at:]
	escaped := uint64(0) // the high bit of each byte after a backslash
	for len(rest) >= 8 {
		eight := binary.LittleEndian.Uint64(rest)
		quotes, slashes := equal(eight, '"'), equal(eight, '\\')
		escaped |= slashes << 8
		if quotes&^escaped|slashes&escaped != 0 {
			break
		}
		escaped = slashes >> 56
		rest = rest[8:]
	}
	skip := escaped&0x80 != 0
	for i, c := range rest {
		switch {
		case skip:
			skip = false
		case c == '"':
			r.at = len(r.text) - len(rest) + i + 1
			return
		case c == '\\':
			skip = true
		}
	}
	r.giveUp()
}

// equal has the high bit of every byte that is c, and no other.
func equal(eight uint64, c byte) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	differs := eight ^ uint64(c)*0x0101010101010101
	return ^(differs&low + low | differs | low)
}
