package why_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/why"
)

// BenchmarkWhyAmongAMillionEvents tells the story of one payment whose two events are among 1,000,000 others in 12 partitions, with values
// of 1 KiB and the headers of a binary CloudEvent, on the embedded broker in the same process.
//
//	go test ./pipeline/why -run '^$' -bench Million -benchtime 10x
func BenchmarkWhyAmongAMillionEvents(b *testing.B) {
	const events, atOnce = 1_000_000, 5_000
	w := newWorld(b, 12)
	stop := w.Start()
	w.Scripted("order-1", said("IN_PROGRESS", 1), said("SETTLED", 1))
	w.initiate("order-1")
	w.comesTo("order-1", why.StateEnded, 5)
	stop()

	filler := strings.Repeat("x", 850)
	for done := 0; done < events; done += atOnce {
		messages := make([]*message.Message, atOnce)
		for i := range messages {
			id := fmt.Sprintf("order-%d", 2+done+i)
			value := fmt.Sprintf(`{"payment_id":%q,"provider":"liquido","account":"default","status":"captured","previous_status":"pending",`+
				`"final":true,"raw":{"body":%q}}`, id, filler)
			messages[i] = message.NewMessage("", []byte(value))
			kafka.SetKey(messages[i], []byte(id))
			kafka.SetHeaders(messages[i], []kafka.Header{
				{Key: "ce_specversion", Value: []byte("1.0")},
				{Key: "ce_id", Value: []byte("7d6b1f5e-3c0a-5b1e-9a52-6c8f0e5d4b21")},
				{Key: "ce_type", Value: []byte("payment.status_changed")},
				{Key: "ce_source", Value: []byte("/paystatus")},
				{Key: "ce_subject", Value: []byte(id)},
				{Key: "ce_time", Value: []byte("2026-01-31T12:00:00.123456789Z")},
				{Key: "content-type", Value: []byte("application/json")},
			})
		}
		require.NoError(b, w.Writer.Publish(w.Topics.StatusChanged, messages...))
	}
	for _, all := range []bool{false, true} {
		b.Run(fmt.Sprintf("all partitions=%v", all), func(b *testing.B) {
			var scanned why.Scanned
			for b.Loop() {
				story := w.ask("order-1", func(q *why.Question) { q.AllPartitions = all })
				require.Len(b, story.Payments, 1)
				require.Equal(b, why.StateEnded, story.Payments[0].Now.State)
				scanned = story.Scanned
			}
			b.ReportMetric(float64(scanned.Records), "records/op")
			b.ReportMetric(float64(scanned.Bytes)/(1<<20), "MiB/op")
		})
	}
}
