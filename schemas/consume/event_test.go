package consume_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// record is an event as it travels.
type record struct {
	headers []consume.Header
	value   []byte
}

// example is one file of the published examples.
func example(t testing.TB, file string) record {
	t.Helper()
	text, err := schemas.Files.ReadFile("examples/" + file)
	require.NoError(t, err)
	if strings.HasSuffix(file, ".structured.json") {
		return record{[]consume.Header{{Key: "content-type", Value: []byte("application/cloudevents+json; charset=UTF-8")}}, text}
	}
	var binary struct {
		Headers map[string]string `json:"headers"`
		Value   json.RawMessage   `json:"value"`
	}
	require.NoError(t, json.Unmarshal(text, &binary))
	r := record{value: binary.Value}
	for name, value := range binary.Headers {
		r.headers = append(r.headers, consume.Header{Key: name, Value: []byte(value)})
	}
	return r
}

func TestEveryExampleIsRead(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(schemas.Files, "examples/*.json")
	require.NoError(t, err)
	read := map[string]bool{}
	for _, file := range files {
		name := path.Base(file)
		if strings.HasSuffix(name, ".bare.json") || strings.HasSuffix(name, ".record.json") {
			continue // data without an envelope, and records of other topics
		}
		r := example(t, name)
		e, err := consume.Decode(r.headers, r.value)
		if strings.HasPrefix(name, "initiated_") {
			require.ErrorIs(t, err, consume.ErrOtherType, name)
			continue
		}
		require.NoError(t, err, name)
		read[e.Type] = true

		known, delta := consume.Known{}.Next(e)
		require.True(t, delta.News(), name)
		_, delta = known.Next(e)
		require.Equal(t, consume.Duplicate, delta.Verdict, name)
	}
	for _, kind := range schemas.ChangeTypes {
		require.True(t, read[kind], kind)
	}
}
