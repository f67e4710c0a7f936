package kafka_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/paystatus/paystatus/pipeline/embedded"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// A handler on Watermill's router: thousands of orders are shipped at once, those of one customer one after the other.
func Example() {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	broker, err := embedded.Start(embedded.Options{})
	check(err)
	defer broker.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config := kafka.Config{Brokers: []string{broker.Addr()}}
	client, err := kafka.NewClient(config)
	check(err)
	defer func() { _ = client.Close() }()
	check(client.CreateTopics(ctx,
		kafka.Topic{Name: "orders", Partitions: 12, Replication: 1}, kafka.Topic{Name: "shipments", Partitions: 12, Replication: 1},
	))
	publisher, err := kafka.NewPublisher(config, kafka.PublisherOptions{})
	check(err)
	subscriber, err := kafka.NewSubscriber(config, kafka.SubscriberOptions{Group: "shipping", InFlight: 2000})
	check(err)
	router, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	check(err)
	router.AddHandler("ship", "orders", subscriber, "shipments", publisher, func(order *message.Message) ([]*message.Message, error) {
		fmt.Printf("ship %s to %s\n", order.Payload, kafka.Key(order))
		// With the order's context the shipment has its key, and is published only while its partition is ours.
		shipment := message.NewMessageWithContext(order.Context(), watermill.NewUUID(), order.Payload)
		go cancel() // enough for an example
		return []*message.Message{shipment}, nil
	})

	order := message.NewMessage(watermill.NewUUID(), []byte("a book"))
	kafka.SetKey(order, []byte("Ada"))
	check(publisher.Publish("orders", order))
	check(router.Run(ctx))
	// Output: ship a book to Ada
}
