package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// newFake is a cluster of several brokers that can be made to misbehave.
func newFake(t *testing.T, brokers int) (*kfake.Cluster, *cluster) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(brokers), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	c := clusterAt(t, fake.ListenAddrs()...)
	return fake, c
}

// franz is another client, for what kafka-go cannot do.
func franz(t *testing.T, fake *kfake.Cluster, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// grow gives a topic more partitions.
func grow(t *testing.T, fake *kfake.Cluster, topic string, partitions int32) {
	t.Helper()
	request := kmsg.NewCreatePartitionsRequest()
	request.TimeoutMillis = 5000
	request.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: topic, Count: partitions}}
	response, err := request.RequestWith(context.Background(), franz(t, fake))
	require.NoError(t, err)
	require.Zero(t, response.Topics[0].ErrorCode)
}
