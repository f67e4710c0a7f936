package kafka_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// creating is a Subscriber that creates its topics, as the suite expects.
type creating struct {
	*kafka.Subscriber
	cluster    *cluster
	partitions int
}

func (s creating) SubscribeInitialize(topic string) error {
	err := s.cluster.client.CreateTopics(context.Background(), kafka.Topic{Name: topic, Partitions: s.partitions, Replication: 1})
	if errors.Is(err, kafkago.TopicAlreadyExists) {
		return nil
	}
	return err
}

// TestWatermillsSuite runs the tests that every Watermill Pub/Sub has to pass; with WATERMILL_SUITE=full the long ones, too, and with
// WATERMILL_SUITE=stress all of them ten times at once, which takes minutes.
func TestWatermillsSuite(t *testing.T) {
	t.Parallel()
	watermillsSuite(t, os.Getenv("WATERMILL_SUITE") == "")
}

func watermillsSuite(t *testing.T, short bool) {
	t.Helper()
	suite := tests.TestPubSub
	if os.Getenv("WATERMILL_SUITE") == "stress" {
		suite = tests.TestPubSubStressTest
	}
	for name, test := range map[string]struct {
		lanes      kafka.Lanes
		partitions int
		features   tests.Features
	}{
		// The suite's messages have no key, so that nothing orders them by key, nor over several partitions.
		"lanes by key": {kafka.LaneByKey, 4, tests.Features{}},
		"lanes by partition": {
			kafka.LaneByPartition, 1, tests.Features{GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			test.features.ConsumerGroups = true
			test.features.Persistent = true
			test.features.ForceShort = short
			withGroup := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
				t.Helper()
				publisher, err := kafka.NewPublisher(c.config, kafka.PublisherOptions{})
				require.NoError(t, err)
				subscriber, err := kafka.NewSubscriber(c.config, kafka.SubscriberOptions{
					Group: group, Lanes: test.lanes, SessionTimeout: patience / 2, Drain: time.Second, NackPause: 20 * time.Millisecond,
				})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, errors.Join(subscriber.Close(), publisher.Close())) })
				return publisher, creating{subscriber, c, test.partitions}
			}
			suite(t, test.features,
				func(t *testing.T) (message.Publisher, message.Subscriber) {
					t.Helper()
					return withGroup(t, "group of "+t.Name()+c.suffix)
				},
				withGroup,
			)
		})
	}
}
