package consume_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// ledger is a service with its database; here both are a map. With database/sql, Load and Store are a SELECT … FOR UPDATE and an upsert
// of one row in the transaction in which the effect writes its postings.
type ledger map[schemas.PaymentKey]consume.Known

func (l ledger) Load(_ context.Context, key schemas.PaymentKey) (consume.Known, error) {
	return l[key], nil
}

func (l ledger) Store(_ context.Context, key schemas.PaymentKey, known consume.Known) error {
	l[key] = known
	return nil
}

// take is what the service does with every record, whichever client brings it.
func (l ledger) take(ctx context.Context, headers []consume.Header, value []byte) error {
	event, err := consume.Decode(headers, value)
	switch {
	case errors.Is(err, consume.ErrOtherType):
		return nil
	case err != nil:
		return err
	}
	// Begin the transaction here.
	delta, err := consume.Handle(ctx, l, event, func(d consume.Delta) error {
		fmt.Printf("%s: from %q to %q, captured %d more\n", d.Verdict, d.Before.Status, d.After.Status, d.After.Captured-d.Before.Captured)
		return nil
	})
	if err != nil {
		return err // and roll back
	}
	if !delta.News() {
		fmt.Println(delta.Verdict)
	}
	return nil // and commit
}

// captured is a record of the topic, for the examples.
func captured() (headers map[string]string, value []byte) {
	headers = map[string]string{
		"ce_specversion": "1.0", "ce_type": "payment.status_changed",
		"ce_id": "3996d272-0576-52f1-b4ef-1ce8770ce9de", "ce_time": "2026-03-02T09:14:37Z", "content-type": "application/json",
	}
	value = []byte(`{"payment_id":"order-1","provider":"checkout","account":"default","status":"captured","previous_status":null,"final":true,
		"funds":"captured","amounts":{"captured":{"value":8000,"currency":"EUR","exponent":2}},"observed_at":"2026-03-02T09:14:37Z",
		"source":"query","entry":1,"anomalies":[],"normalizer":"checkout/1"}`)
	return headers, value
}

func Example_kafkaGo() {
	names, value := captured()
	record := kafka.Message{Value: value} // from reader.FetchMessage
	for name, text := range names {
		record.Headers = append(record.Headers, kafka.Header{Key: name, Value: []byte(text)})
	}

	service := ledger{}
	for range 2 { // delivered twice
		headers := make([]consume.Header, len(record.Headers))
		for i, h := range record.Headers {
			headers[i] = consume.Header(h)
		}
		if err := service.take(context.Background(), headers, record.Value); err != nil {
			fmt.Println(err) // and try the record again
		}
		// Now reader.CommitMessages.
	}
	// Output:
	// apply: from "" to "captured", captured 8000 more
	// duplicate
}

func Example_watermill() {
	names, value := captured()
	msg := message.NewMessage("1", value) // from a subscriber, Kafka headers being its metadata
	msg.Metadata = names

	service := ledger{}
	handler := func(msg *message.Message) error { // for router.AddConsumerHandler: an error nacks
		headers := make([]consume.Header, 0, len(msg.Metadata))
		for name, text := range msg.Metadata {
			headers = append(headers, consume.Header{Key: name, Value: []byte(text)})
		}
		return service.take(msg.Context(), headers, msg.Payload)
	}
	for range 2 { // delivered twice
		if err := handler(msg); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// apply: from "" to "captured", captured 8000 more
	// duplicate
}

func Example_franzGo() {
	names, value := captured()
	record := &kgo.Record{Value: value} // from client.PollFetches
	for name, text := range names {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: []byte(text)})
	}

	service := ledger{}
	for range 2 { // delivered twice
		headers := make([]consume.Header, len(record.Headers))
		for i, h := range record.Headers {
			headers[i] = consume.Header(h)
		}
		if err := service.take(context.Background(), headers, record.Value); err != nil {
			fmt.Println(err) // and try the record again
		}
		// Now client.CommitRecords.
	}
	// Output:
	// apply: from "" to "captured", captured 8000 more
	// duplicate
}
