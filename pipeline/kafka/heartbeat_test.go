package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

func TestHeartbeatsGoToTheCoordinatorAlsoDuringADrain(t *testing.T) {
	t.Parallel()
	fake, c := newFake(t, 3)
	topic := c.topic("beating", 1)
	require.NoError(t, c.publisher().Publish(topic, keyed("k", 1)))
	w := &witness{}
	s := c.subscriber(kafka.SubscriberOptions{Drain: patience, Hooks: []kafka.Hook{w}})
	msg := receive(t, c.subscribe(s, topic))
	coordinator := fake.CoordinatorFor(c.group())
	astray := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Observe: true, Count: -1, Nodes: []int32{(coordinator + 1) % 3, (coordinator + 2) % 3}})
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-kafka.Draining(msg.Context())
	beats := 0
	w.locked(func() { beats = len(w.heartbeats) })
	eventually(t, "some heartbeats", w.saw(func() bool { return len(w.heartbeats) > beats+2 }))
	require.NoError(t, kafka.LeaseOf(msg.Context()).Err())
	msg.Ack()
	require.NoError(t, <-closed)
	assert.Zero(t, astray.Hits())
	assert.Equal(t, int64(1), c.committed(c.group(), topic), "still a member, so that the last commit was taken")
	for _, err := range w.heartbeats {
		require.NoError(t, err)
	}
}
