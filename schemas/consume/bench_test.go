package consume_test

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// BenchmarkHandle takes a topic of many payments, each of which lives one of the worked examples, so that every verdict is among them, at each
// of the providers, with what they say besides and an answer of 2 KB: decoding, judging, and a store in memory.
func BenchmarkHandle(b *testing.B) {
	topic := topicOfAll(b)
	known := store{}
	bytes, i := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if i == len(topic) {
			clear(known)
			i = 0
		}
		e, err := consume.Decode(topic[i].headers, topic[i].value)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := consume.Handle(context.Background(), known, e, func(consume.Delta) error { return nil }); err != nil {
			b.Fatal(err)
		}
		bytes += len(topic[i].value)
		i++
	}
	b.SetBytes(int64(bytes / b.N))
}

// topicOfAll has the records of every worked example told by every example of a status event, in the order of time.
func topicOfAll(b *testing.B) []record {
	b.Helper()
	files, err := fs.Glob(schemas.Files, "examples/*.json")
	require.NoError(b, err)
	type written struct {
		record
		at int
	}
	var all []written
	for _, file := range files {
		r := example(b, path.Base(file))
		e, err := consume.Decode(r.headers, r.value)
		if err != nil {
			continue // of another topic
		}
		teller, err := e.Full()
		require.NoError(b, err)
		for _, s := range readSequences(b) {
			told := teller
			told.PaymentID, told.Amounts = fmt.Sprintf("order-%d", len(all)), schemas.Amounts{Requested: money(9900)}
			if teller.Raw != nil && teller.Raw.Body != "" {
				answer, body := *teller.Raw, teller.Raw.Body
				answer.Body = strings.Repeat(body, 2+2048/len(body))[len(all)%len(body):][:2048]
				told.Raw = &answer
			}
			for _, step := range s.Events {
				all = append(all, written{step.record(b, told), step.At})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y written) int { return cmp.Compare(x.at, y.at) })
	topic := make([]record, len(all))
	for i := range all {
		topic[i] = all[i].record
	}
	return topic
}

// store is a database in memory.
type store map[schemas.PaymentKey]consume.Known

func (s store) Load(_ context.Context, key schemas.PaymentKey) (consume.Known, error) {
	return s[key], nil
}

func (s store) Store(_ context.Context, key schemas.PaymentKey, known consume.Known) error {
	s[key] = known
	return nil
}
