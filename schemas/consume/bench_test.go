package consume_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// BenchmarkHandle takes the events of one payment, each with a raw answer of 2 KB: decoding, judging and a store in memory.
func BenchmarkHandle(b *testing.B) {
	event := example(b, "status_changed_captured.binary.json")
	var data schemas.Change
	require.NoError(b, json.Unmarshal(event.value, &data))
	data.Raw.Body = strings.Repeat(data.Raw.Body, 4)[:2048]
	var err error
	event.value, err = json.Marshal(data) // as the pipeline writes it
	require.NoError(b, err)
	b.SetBytes(int64(len(event.value)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := consume.Decode(event.headers, event.value)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := consume.Handle(context.Background(), fresh{}, e, func(consume.Delta) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// fresh is a store in which every payment is a new one.
type fresh struct{}

func (fresh) Load(context.Context, schemas.PaymentKey) (consume.Known, error) {
	return consume.Known{}, nil
}
func (fresh) Store(context.Context, schemas.PaymentKey, consume.Known) error { return nil }
