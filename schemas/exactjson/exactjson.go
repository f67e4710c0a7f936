// Package exactjson reads JSON the way money wants it read: names compare exactly, a name that stands twice in one object
// with different values is an error, numbers stay text until somebody asks for an integer, and bytes that are not UTF-8 do
// no harm where nobody looks. encoding/json does none of these.
package exactjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep objects and arrays may nest.
const MaxDepth = 64

// Code says in a stable word what is wrong with a text that cannot be read.
type Code string

// What can be wrong.
const (
	Empty         Code = "empty"          // nothing but blanks
	NotJSON       Code = "not_json"       // not JSON, or more than one value
	Truncated     Code = "truncated"      // JSON that ends too early
	DuplicateName Code = "duplicate_name" // one name, two different values, in one object
	TooDeep       Code = "too_deep"       // nested deeper than MaxDepth
)

// Error is what Parse returns. It never holds any of the text except, for DuplicateName, the name.
type Error struct {
	Code   Code
	Offset int64  // bytes from the beginning
	Name   string // the name that stands twice
}

func (e *Error) Error() string {
	if e.Code == DuplicateName {
		return fmt.Sprintf("the name %q stands twice in one object with different values (byte %d)", e.Name, e.Offset)
	}
	words := map[Code]string{Empty: "empty", NotJSON: "not JSON", Truncated: "JSON that ends too early", TooDeep: "nested too deeply"}
	return fmt.Sprintf("%s (byte %d)", words[e.Code], e.Offset)
}

// Kind is the JSON type of a Value. The zero Kind is that of a value that is not there.
type Kind uint8

// The kinds.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Value is one JSON value. The zero Value is one that is not there, so look-ups can be chained.
type Value struct {
	in *document
	at int // its node
}

// document is a text with the values in it.
type document struct {
	text  string // what was read, and after it what strings with escapes mean
	nodes []node // in the order of the text: each value, then everything inside it
}

// node says where a value stands. There are no pointers in it: documents come by the million, and the garbage collector passes
// these over.
type node struct {
	kind Kind
	size int32 // nodes it takes, itself included
	name span  // of a member of an object
	text span  // of a string its content, of a number or bool its literal
}

// span is a part of a document's text.
type span struct{ begin, end int32 }

func between(begin, end int) span {
	return span{int32(begin), int32(end)} //nolint:gosec // of a text that fits in memory several times over
}

func (d *document) part(s span) string { return d.text[s.begin:s.end] }

// reader makes one document after the other in the same memory.
type reader struct {
	dec   jsontext.Decoder
	plain bool // every string stands in the text as it is meant
	text  []byte
	nodes []node
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// Parse reads one JSON value, which may stand after a UTF-8 byte order mark. The error is an *Error.
func Parse(data []byte) (Value, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	skipped := int64(len(data) - len(text))
	r := readers.Get().(*reader) //nolint:forcetypeassert // the pool holds nothing else
	defer readers.Put(r)
	r.dec.Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	r.plain = bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text)
	r.text, r.nodes = append(r.text[:0], text...), r.nodes[:0]

	err := r.value(span{})
	if err == nil {
		if _, end := r.dec.ReadToken(); !errors.Is(end, io.EOF) {
			err = &Error{Code: NotJSON, Offset: r.dec.InputOffset()}
		}
	}
	if err == nil {
		return Value{in: &document{string(r.text), slices.Clone(r.nodes)}}, nil
	}
	var known *Error
	switch {
	case errors.As(err, &known):
		known.Offset += skipped
		return Value{}, known
	case errors.Is(err, io.EOF):
		return Value{}, &Error{Code: Empty, Offset: skipped}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Value{}, &Error{Code: Truncated, Offset: int64(len(data))}
	default:
		return Value{}, &Error{Code: NotJSON, Offset: skipped + r.dec.InputOffset()}
	}
}

// value reads the next value and all that is inside it.
func (r *reader) value(name span) error {
	self := len(r.nodes)
	r.nodes = append(r.nodes, node{size: 1, name: name})
	switch r.dec.PeekKind() {
	case '{':
		return r.inside(self, Object, '}')
	case '[':
		return r.inside(self, Array, ']')
	default:
		return r.literal(&r.nodes[self])
	}
}

// literal reads a value that has none inside.
func (r *reader) literal(n *node) error {
	literal, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	switch literal.Kind() {
	case 'n':
		n.kind = Null
	case 't', 'f':
		n.kind, n.text = Bool, r.place(literal)
	case '0':
		n.kind, n.text = Number, r.place(literal)
	default:
		n.kind, n.text = String, r.content(literal)
	}
	return nil
}

// place is where the literal stands that was just read.
func (r *reader) place(literal jsontext.Value) span {
	end := int(r.dec.InputOffset())
	return between(end-len(literal), end)
}

// content is where the meaning of the string stands that was just read: without escapes in its own place.
func (r *reader) content(literal jsontext.Value) span {
	if r.plain || bytes.IndexByte(literal, '\\') < 0 && utf8.Valid(literal) {
		quoted := r.place(literal)
		return span{quoted.begin + 1, quoted.end - 1}
	}
	begin := len(r.text)
	r.text, _ = jsontext.AppendUnquote(r.text, literal) // the error is of bytes that are not UTF-8, which do no harm
	return between(begin, len(r.text))
}

// inside reads the values inside the array or object that begins here.
func (r *reader) inside(self int, kind Kind, end jsontext.Kind) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	if r.dec.StackDepth() > MaxDepth {
		return &Error{Code: TooDeep, Offset: r.dec.InputOffset()}
	}
	values := 0
	for ; r.dec.PeekKind() != end; values++ {
		var name span
		if kind == Object {
			literal, err := r.dec.ReadValue()
			if err != nil {
				return err
			}
			name = r.content(literal)
		}
		if err := r.value(name); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	r.nodes[self].kind, r.nodes[self].size = kind, int32(len(r.nodes)-self) //nolint:gosec // a node takes at least two bytes of a text that fits in memory
	if kind == Object {
		return r.unambiguous(self, values)
	}
	return nil
}

// fewMembers is up to how many members every pair is compared; larger objects are indexed.
const fewMembers = 24

// unambiguous looks in the object that was just read for a name that stands there twice, with different values.
func (r *reader) unambiguous(object, members int) error {
	next := func(i int) int { return i + int(r.nodes[i].size) }
	first := func(i int) int { // the first member with the name of the one at i
		name := r.nodes[i].name
		other := object + 1
		for !r.same(r.nodes[other].name, name) {
			other = next(other)
		}
		return other
	}
	if members > fewMembers {
		seen := make(map[string]int, members)
		first = func(i int) int {
			name := string(r.part(r.nodes[i].name))
			if _, known := seen[name]; !known {
				seen[name] = i
			}
			return seen[name]
		}
	}
	for i := object + 1; i < len(r.nodes); i = next(i) {
		if other := first(i); other != i && !r.equal(i, other) {
			return &Error{Code: DuplicateName, Offset: r.dec.InputOffset(), Name: string(r.part(r.nodes[i].name))}
		}
	}
	return nil
}

func (r *reader) same(a, b span) bool {
	return a.end-a.begin == b.end-b.begin && bytes.Equal(r.part(a), r.part(b))
}

func (r *reader) part(s span) []byte { return r.text[s.begin:s.end] }

// equal reports whether two values with the same name are the same.
func (r *reader) equal(i, j int) bool {
	a, b := r.nodes[i:i+int(r.nodes[i].size)], r.nodes[j:j+int(r.nodes[j].size)]
	return slices.EqualFunc(a, b, func(x, y node) bool {
		return x.kind == y.kind && x.size == y.size && r.same(x.name, y.name) && r.same(x.text, y.text)
	})
}

// Kind tells what v is; Missing when it is not there.
func (v Value) Kind() Kind {
	if v.in == nil {
		return Missing
	}
	return v.in.nodes[v.at].kind
}

// Present reports whether v is there and not null.
func (v Value) Present() bool { return v.Kind() > Null }

// Name is the name under which v stands in its object, "" for other values.
func (v Value) Name() string {
	if v.in == nil {
		return ""
	}
	return v.in.part(v.in.nodes[v.at].name)
}

// Get follows names into nested objects; what is not there is a Missing value.
func (v Value) Get(path ...string) Value {
	for _, name := range path {
		v = v.member(name)
	}
	return v
}

func (v Value) member(name string) Value {
	for m := range v.Members() {
		if m.Name() == name {
			return m
		}
	}
	return Value{}
}

// Members are the values of an object in the order of the text; Name tells the name of each.
func (v Value) Members() iter.Seq[Value] { return v.children(Object) }

// Items are an array's values.
func (v Value) Items() iter.Seq[Value] { return v.children(Array) }

// next is the node after v and all that is inside it.
func (v Value) next() int { return v.at + int(v.in.nodes[v.at].size) }

func (v Value) children(of Kind) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != of {
			return
		}
		for i, end := v.at+1, v.next(); i < end; {
			child := Value{v.in, i}
			if !yield(child) {
				return
			}
			i = child.next()
		}
	}
}

// Text is the content of a string, or the literal of a number or bool; "" for everything else.
func (v Value) Text() string {
	if v.in == nil {
		return ""
	}
	return v.in.part(v.in.nodes[v.at].text)
}

// Str is the content of a string, "" for everything that is not one.
func (v Value) Str() string {
	if v.Kind() != String {
		return ""
	}
	return v.Text()
}

// Bool reads a bool, also one written as a string; ok is false for everything else.
func (v Value) Bool() (value, ok bool) {
	if v.Kind() != Bool && v.Kind() != String {
		return false, false
	}
	switch strings.ToLower(v.Text()) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Int64 reads an integer from a number, or from a string of digits. A fraction of zeros is accepted ("300.00"); other
// fractions, exponents, blanks and what does not fit are not. Nothing is ever rounded.
func (v Value) Int64() (n int64, ok bool) {
	if v.Kind() != Number && v.Kind() != String {
		return 0, false
	}
	digits, fraction, found := strings.Cut(v.Text(), ".")
	if found && (fraction == "" || strings.Trim(fraction, "0") != "") {
		return 0, false
	}
	if strings.HasPrefix(digits, "+") {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}
