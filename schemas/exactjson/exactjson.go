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
	nodes []node // itself, then everything inside it
}

// node is one value in the order of the text; a whole document is one slice of them.
type node struct {
	kind Kind
	size int32  // nodes it takes, itself included
	name string // of a member of an object
	text string // of a string its content, of a number or bool its literal
}

var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// Parse reads one JSON value, which may stand after a UTF-8 byte order mark. The error is an *Error.
func Parse(data []byte) (Value, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	skipped := int64(len(data) - len(text))
	dec := decoders.Get().(*jsontext.Decoder) //nolint:forcetypeassert // the pool holds nothing else
	defer decoders.Put(dec)
	dec.Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

	r := reader{dec: dec, text: string(text), nodes: make([]node, 0, 8+len(text)/24)}
	err := r.value("")
	if err == nil {
		if _, end := dec.ReadToken(); !errors.Is(end, io.EOF) {
			err = &Error{Code: NotJSON, Offset: dec.InputOffset()}
		}
	}
	if err == nil {
		return Value{nodes: r.nodes}, nil
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
		return Value{}, &Error{Code: NotJSON, Offset: skipped + dec.InputOffset()}
	}
}

type reader struct {
	dec   *jsontext.Decoder
	text  string // what dec reads
	nodes []node
}

// str is the content of the string that was just read. One without escapes is a part of the text and needs no copy.
func (r *reader) str(token jsontext.Token) string {
	end := r.dec.InputOffset() - 1
	begin := strings.LastIndexByte(r.text[:end], '"') + 1
	plain := r.text[begin:end]
	if begin > 1 && r.text[begin-2] == '\\' || strings.IndexByte(plain, '\\') >= 0 || !utf8.ValidString(plain) {
		return token.String()
	}
	return plain
}

// value reads the next value and all that is inside it.
func (r *reader) value(name string) error {
	token, err := r.dec.ReadToken()
	if err != nil {
		return err
	}
	self := len(r.nodes)
	r.nodes = append(r.nodes, node{size: 1, name: name})
	switch token.Kind() {
	case 'n':
		r.nodes[self].kind = Null
	case 't', 'f':
		r.nodes[self].kind, r.nodes[self].text = Bool, token.String()
	case '0':
		r.nodes[self].kind, r.nodes[self].text = Number, token.String()
	case '"':
		r.nodes[self].kind, r.nodes[self].text = String, r.str(token)
	case '[':
		err = r.inside(self, Array, ']')
	default:
		err = r.inside(self, Object, '}')
	}
	return err
}

func (r *reader) inside(self int, kind Kind, end jsontext.Kind) error {
	if r.dec.StackDepth() > MaxDepth {
		return &Error{Code: TooDeep, Offset: r.dec.InputOffset()}
	}
	for r.dec.PeekKind() != end {
		name := ""
		if kind == Object {
			token, err := r.dec.ReadToken()
			if err != nil {
				return err
			}
			name = r.str(token)
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
		return unambiguous(Value{nodes: r.nodes[self:]}, r.dec.InputOffset())
	}
	return nil
}

// fewMembers is up to how many members every pair is compared; larger objects are indexed.
const fewMembers = 24

func unambiguous(object Value, offset int64) error {
	var few [fewMembers]Value
	var seen map[string]Value
	n := 0
	for m := range object.Members() {
		var other Value
		switch {
		case n < fewMembers:
			for _, f := range few[:n] {
				if f.Name() == m.Name() {
					other = f
				}
			}
			few[n] = m
		case seen == nil:
			seen = make(map[string]Value, 2*fewMembers)
			for _, f := range few {
				seen[f.Name()] = f
			}
			fallthrough
		default:
			other = seen[m.Name()]
			seen[m.Name()] = m
		}
		n++
		if other.Kind() != Missing && !equal(other, m) {
			return &Error{Code: DuplicateName, Offset: offset, Name: m.Name()}
		}
	}
	return nil
}

func equal(a, b Value) bool {
	x, y := a.nodes[:a.nodes[0].size], b.nodes[:b.nodes[0].size]
	return slices.Equal(x, y)
}

// Kind tells what v is; Missing when it is not there.
func (v Value) Kind() Kind {
	if len(v.nodes) == 0 {
		return Missing
	}
	return v.nodes[0].kind
}

// Present reports whether v is there and not null.
func (v Value) Present() bool { return v.Kind() > Null }

// Name is the name under which v stands in its object, "" for other values.
func (v Value) Name() string {
	if len(v.nodes) == 0 {
		return ""
	}
	return v.nodes[0].name
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

func (v Value) children(of Kind) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != of {
			return
		}
		for i, end := int32(1), v.nodes[0].size; i < end; i += v.nodes[i].size {
			if !yield(Value{nodes: v.nodes[i:]}) {
				return
			}
		}
	}
}

// Text is the content of a string, or the literal of a number or bool; "" for everything else.
func (v Value) Text() string {
	if len(v.nodes) == 0 {
		return ""
	}
	return v.nodes[0].text
}

// Str is the content of a string, "" for everything that is not one.
func (v Value) Str() string {
	if v.Kind() != String {
		return ""
	}
	return v.nodes[0].text
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
