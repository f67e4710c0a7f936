package consume_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	exact "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// examples are the data of the published events, as they travel.
func examples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := fs.Glob(schemas.Files, "examples/*.json")
	require.NoError(t, err)
	all := map[string][]byte{}
	for _, file := range files {
		name := path.Base(file)
		r := example(t, name)
		if strings.HasSuffix(name, ".structured.json") {
			var event struct {
				Data json.RawMessage `json:"data"`
			}
			require.NoError(t, json.Unmarshal(r.value, &event))
			r.value = event.Data
		}
		if strings.HasPrefix(name, "status_") || strings.HasPrefix(name, "amounts_") {
			all[name] = compact(t, r.value)
		}
	}
	return all
}

// agree holds what the fast reading gives against the general one, and that against reading all. Where it gives up, it gives nothing.
func agree(t require.TestingT, data []byte) {
	got, fast := consume.Fast(data)
	if !fast {
		return
	}
	want, err := consume.General(data)
	if err != nil {
		require.True(t, readsEmptied(data, got), "the fast reading takes what is broken outside of an answer's body: %s", data)
		return
	}
	require.Equal(t, want, got)
	var full schemas.Change
	if exact.Unmarshal(data, &full) == nil {
		full.Reference, full.ProviderStatus, full.ThreeDS, full.Card, full.Raw = nil, nil, nil, nil, nil
		require.Equal(t, full, got)
	}
}

// readsEmptied reports whether want stands in data as soon as the string in it that is broken, an answer's body, is empty.
func readsEmptied(data []byte, want schemas.Change) bool {
	for begin := 0; begin < len(data); begin++ {
		if data[begin] != '"' {
			continue
		}
		end := begin + 1
		for ; data[end] != '"'; end++ {
			if data[end] == '\\' {
				end++
			}
		}
		if jsontext.Value(data[begin : end+1]).IsValid() {
			begin = end
			continue
		}
		emptied := slices.Concat(data[:begin+1], data[end:])
		c, err := consume.General(emptied)
		full := schemas.Change{Raw: &schemas.Raw{Body: "not empty"}}
		return err == nil && assert.ObjectsAreEqual(want, c) && (exact.Unmarshal(emptied, &full) != nil || full.Raw.Body == "")
	}
	return false
}

func TestTheFastReadingTakesWhatPaystatusWrites(t *testing.T) {
	t.Parallel()
	takes := func(t require.TestingT, data []byte) {
		_, fast := consume.Fast(data)
		require.True(t, fast, "%s", data)
		agree(t, data)
	}
	for _, data := range examples(t) {
		takes(t, data)
	}
	rapid.Check(t, func(t *rapid.T) {
		var c schemas.Change
		fill(t, reflect.ValueOf(&c).Elem())
		data, err := json.Marshal(c)
		require.NoError(t, err)
		takes(t, data)
	})
}

var anyText = rapid.OneOf(rapid.StringN(0, 9, -1), rapid.StringOfN(rapid.SampledFrom([]rune(`"\a{},:`)), 0, 40, -1))

// fill sets every field, whichever there are, to what paystatus may write there.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(anyText.Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int:
		v.SetInt(rapid.Int64Range(0, math.MaxInt32).Draw(t, "count"))
	case reflect.Int64:
		v.SetInt(rapid.Int64Range(0, 1e18-1).Draw(t, "sum"))
	case reflect.Interface:
		v.Set(reflect.ValueOf([]any{nil, false, 0, anyText.Draw(t, "word"), map[string]any{}}))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "present") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, 2).Draw(t, "length"), 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			name, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, name)
			fill(t, value)
			v.SetMapIndex(name, value)
		}
	case reflect.Struct:
		if at, isTime := reflect.TypeAssert[*time.Time](v.Addr()); isTime {
			*at = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).UTC()
			return
		}
		for _, field := range v.Fields() {
			fill(t, field)
		}
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

// everything is one event with the members of all examples.
func everything(t testing.TB) []byte {
	t.Helper()
	all := map[string]any{}
	for _, data := range examples(t) {
		require.NoError(t, json.Unmarshal(data, &all))
	}
	all["raw"] = map[string]any{"body": `{"a":"\\ \"b"}`, "size": 16}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	return data
}

// tokens are the parts of compact JSON between which a comma, a colon or nothing stands.
func tokens(t testing.TB, data []byte) (begins, ends []int) {
	t.Helper()
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		_, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return begins, ends
		}
		require.NoError(t, err)
		end := int(dec.InputOffset())
		begin := 0
		if len(ends) > 0 {
			begin = ends[len(ends)-1]
		}
		begin += len(data[begin:end]) - len(bytes.TrimLeft(data[begin:end], ",:"))
		begins, ends = append(begins, begin), append(ends, end)
	}
}

func TestBothReadingsSayTheSameOfEverySpelling(t *testing.T) {
	t.Parallel()
	data := everything(t)
	put := func(begin, end int, text string) { agree(t, slices.Concat(data[:begin], []byte(text), data[end:])) }
	agree(t, data)
	begins, ends := tokens(t, data)
	names := map[string]bool{}
	for i, begin := range begins {
		for _, other := range []string{
			"", `null`, `true`, `nul`, `-1`, `-0`, `01`, `1.0`, `1e2`, `2147483648`, `999999999999999999`, `1000000000000000000`, `9223372036854775808`,
			`""`, `"a"`, `"\u0061"`, `"\ud800"`, `"\x"`, `"\"`, `"`, "\"\xff\"", "\"\x01\"", `"é"`, `"2026-03-02T09:14:37.4Z"`, `"2026-03-02T9:14:37Z"`, `"2026-03-02T9:14:37.4Z"`,
			`"2026-03-02T09:14:37,4Z"`, `"2026-03-02T09:14:37+01:00"`, `"2026-03-02T09:14:37+24:00"`, `"2026-03-02T09:14:37+01:60"`,
			`"2026-03-02T24:14:37Z"`, `{}`, `{,}`, `{"a":1,}`, `{"a" 1}`, `{"a":1"b":2}`, `{"a":1,"b":{"a":3}}`,
			`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `[]`, `[,]`, `[1,]`, `["a""b"]`, `["a","b"]`, `[{"a":1},{"a":2}]`,
		} {
			put(begin, ends[i], other)
		}
		for _, more := range []string{" ", "\n", "\u00a0", ",", ":", "{", "}", "[", "]", `"`, "0", "x"} {
			put(begin, begin, more)
		}
		if token := string(data[begin:ends[i]]); data[ends[i]%len(data)] == ':' {
			names[token] = true
		}
	}
	for name := range names {
		for i, begin := range begins {
			if data[ends[i]%len(data)] == ':' {
				put(begin, ends[i], name) // which may stand there twice then
			}
		}
	}
	for i := range data {
		put(i, i+1, "")
		put(i, i, string(data[i:i+1]))
		put(i, len(data), "")
	}
}

// A blank before it leaves an event to the general reading.
func TestAStructuredEventIsTheSameInEverySpelling(t *testing.T) {
	t.Parallel()
	r := example(t, "status_unresolved_unavailable.structured.json")
	data := compact(t, r.value)
	same := func(begin, end int, text string) {
		value := slices.Concat(data[:begin], []byte(text), data[end:])
		got, err := consume.Decode(r.headers, value)
		want, wantErr := consume.Decode(r.headers, append([]byte(" "), value...))
		require.Equal(t, wantErr == nil, err == nil, "%s: %v, %v", value, err, wantErr)
		require.Equal(t, errors.Is(wantErr, consume.ErrOtherType), errors.Is(err, consume.ErrOtherType))
		require.Equal(t, []any{want.ID, want.Type, want.Time, want.Change, want.Corrects()}, []any{got.ID, got.Type, got.Time, got.Change, got.Corrects()})
		if err == nil {
			full, err := got.Full()
			wanted, wantErr := want.Full()
			require.Equal(t, wantErr, err)
			require.Equal(t, wanted, full)
		}
	}
	same(0, 0, "")
	begins, ends := tokens(t, data)
	for i, begin := range begins {
		for _, other := range []string{``, `null`, `1`, `{}`, `"data"`, `"id"`, `"i\u0064"`, `"1\u002e0"`, `"\ud800"`, `"payment.shipped"`, `"payment.status_changed"`} {
			same(begin, ends[i], other)
		}
	}
	for i := range data {
		same(i, i+1, "")
		same(i, i, string(data[i:i+1]))
	}
}

func TestTheOrderOfTheMembersIsFree(t *testing.T) {
	t.Parallel()
	var members []string
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(everything(t), &all))
	for name, value := range all {
		members = append(members, fmt.Sprintf("%q:%s", name, value))
	}
	rapid.Check(t, func(t *rapid.T) {
		data := []byte("{" + strings.Join(rapid.Permutation(members).Draw(t, "members"), ",") + "}")
		_, fast := consume.Fast(data)
		require.True(t, fast, "%s", data)
		agree(t, data)
	})
}

func TestWhatIsTooMuchIsReadInGeneral(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 100 {
		many[strconv.Itoa(i)] = "x"
	}
	for name, value := range map[string]any{
		"many names": many,
		"deep":       json.RawMessage(strings.Repeat("[", 100) + strings.Repeat("]", 100)),
		"too deep":   json.RawMessage(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)),
	} {
		for _, member := range []string{"metadata", "more"} {
			data, err := json.Marshal(map[string]any{member: value})
			if err != nil {
				data = slices.Concat([]byte(`{"`+member+`":`), value.(json.RawMessage), []byte("}"))
			}
			_, fast := consume.Fast(data)
			assert.False(t, fast, name)
			agree(t, data)
		}
	}
}

func FuzzBothReadingsSayTheSame(f *testing.F) {
	for _, data := range examples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { agree(t, data) })
}
