package exactjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWhatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		code Code
	}{
		"nothing":                         {"", Empty},
		"only blanks":                     {" \n\t", Empty},
		"html":                            {"<html><body>Bad gateway</body></html>", NotJSON},
		"two values":                      {`{} {}`, NotJSON},
		"a leading zero":                  {`{"month": 06}`, NotJSON},
		"a trailing comma":                {`{"a": 1,}`, NotJSON},
		"cut off in an object":            {`{"a": {"b": 1`, Truncated},
		"cut off in a string":             {`{"a": "xy`, Truncated},
		"one name with two values":        {`{"status": "a", "x": 1, "status": "b"}`, DuplicateName},
		"a duplicate deep inside":         {`{"a": [{"b": {"c": 1, "c": 2}}]}`, DuplicateName},
		"a duplicate in a large object":   {`{` + manyNames(40) + `"n7": "other"}`, DuplicateName},
		"a duplicate spelt with escapes":  {`{"ab": 1, "\u0061b": 2}`, DuplicateName},
		"objects nested far too deeply":   {strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), TooDeep},
		"arrays nested until memory ends": {strings.Repeat(`[`, 1_000_000), TooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tc.text))
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tc.code, e.Code, e.Error())
		})
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"n` + string(rune('0'+i%10)) + strings.Repeat("x", i/10) + `": 1, `)
	}
	return b.String()
}

func TestNamesCompareExactly(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte(`{"Status": "Captured", "status": "Pending", "a": {"b": [1, "x"]}, "twice": 1, "twice": 1}`))
	require.NoError(t, err)
	assert.Equal(t, "Pending", v.Get("status").Str())
	assert.Equal(t, "Captured", v.Get("Status").Str())
	assert.Equal(t, Missing, v.Get("STATUS").Kind())
	assert.Equal(t, Missing, v.Get("a", "c", "d").Kind(), "a look-up through what is not there finds nothing")
	assert.Equal(t, "x", slices.Collect(v.Get("a", "b").Items())[1].Str())
	assert.Equal(t, "1", v.Get("twice").Text(), "the same name with the same value does no harm")
}

func TestBytesThatDoNotDecideDoNoHarm(t *testing.T) {
	t.Parallel()
	v, err := Parse([]byte("\xef\xbb\xbf{\"name\": \"Jos\xe9\", \"status\": \"SETTLED\"}"))
	require.NoError(t, err, "a byte order mark and Latin-1 bytes")
	assert.Equal(t, "SETTLED", v.Get("status").Str())
}

func TestStringsAreReadAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"plain"`: "plain", `""`: "", `"a\"b"`: `a"b`, `"\""`: `"`, `"\\"`: `\`, `"a\\"`: `a\`, `"\u00e9"`: "é", `"é"`: "é", `"tab\t"`: "tab\t",
		"\"bad \xff\"": "bad \ufffd", `"\"x"`: `"x`, `"x\""`: `x"`,
	} {
		v, err := Parse([]byte(`{` + text + `: [` + text + `, 1, ` + text + `]}`))
		require.NoError(t, err, text)
		for m := range v.Members() {
			assert.Equal(t, want, m.Name(), text)
			items := slices.Collect(m.Items())
			assert.Equal(t, want, items[0].Str(), text)
			assert.Equal(t, want, items[2].Str(), text)
		}
	}
}

// TestEveryStringIsThatOfEncodingJSON holds the short cut for strings without escapes against the standard library.
func TestEveryStringIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.String()).Draw(t, "strings")
		text, err := json.Marshal(want)
		require.NoError(t, err)
		v, err := Parse(text)
		require.NoError(t, err)
		i := 0
		for item := range v.Items() {
			assert.Equal(t, want[i], item.Str())
			i++
		}
		assert.Len(t, want, i)
	})
}

func TestIntegersAreNeverRounded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		`300`: int64(300), `"8000"`: int64(8000), `-5`: int64(-5), `300.0`: int64(300), `"300.00"`: int64(300), `"0120"`: int64(120),
		`9223372036854775807`: int64(9223372036854775807),
		`9223372036854775808`: nil, `3e2`: nil, `300.5`: nil, `" 300"`: nil, `"+3"`: nil, `"300."`: nil,
		`""`: nil, `true`: nil, `null`: nil, `".0"`: nil, `"1_000"`: nil,
	} {
		v, err := Parse([]byte(text))
		require.NoError(t, err, text)
		n, ok := v.Int64()
		if want == nil {
			assert.False(t, ok, text)
			continue
		}
		assert.True(t, ok, text)
		assert.Equal(t, want, n, text)
	}
}

// FuzzParse holds every value against what encoding/json reads.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": null}, -0.5e3], "c": "\u00e9\\", "\u0061": [1, {"b": null}, -0.5e3], "e": {}, "f": [true, false]}`))
	f.Add([]byte("[\"\\ud800\", \"\\ud83d\\ude00\", \"\xff\"]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if err != nil {
			return
		}
		var want any
		decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&want))
		require.Equal(t, want, plain(v))
	})
}

// plain is a value as encoding/json gives it.
func plain(v Value) any {
	switch v.Kind() {
	case Object:
		object := map[string]any{}
		for m := range v.Members() {
			object[m.Name()] = plain(m)
		}
		return object
	case Array:
		items := []any{}
		for item := range v.Items() {
			items = append(items, plain(item))
		}
		return items
	case String:
		return v.Str()
	case Number:
		return json.Number(v.Text())
	case Bool:
		return v.Text() == "true"
	default:
		return nil
	}
}

func BenchmarkParse2KB(b *testing.B) {
	row := `{"id": "pay_g26ap2k3dtt2vdx5shygqfsk2e", "amount": 5000, "approved": true, "links": {"self": null}},`
	text := []byte(`{"data": [` + strings.Repeat(row, 18) + `1]}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
