package kafka_test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// progress is the highest number that was handled of each key, with the gaps that were seen.
type progress struct {
	mu   sync.Mutex
	last map[string]int
	gaps []string
}

func (p *progress) handle(msg *message.Message) {
	<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond)
	if rand.IntN(20) == 0 {
		msg.Nack()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if kafka.LeaseOf(msg.Context()).Err() == nil { // else its result may not be published
		key, number := string(kafka.Key(msg)), string(msg.Payload)
		switch n, err := strconv.Atoi(number); {
		case err != nil || n > p.last[key]+1:
			p.gaps = append(p.gaps, key+": "+number+" after "+strconv.Itoa(p.last[key]))
		case n > p.last[key]:
			p.last[key] = n
		}
	}
	msg.Ack()
}

func (p *progress) reached(keys, number int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range keys {
		if p.last[strconv.Itoa(k)] != number {
			return false
		}
	}
	return true
}

// Members come and go, leaders and coordinators move, commits time out and shares are lost: what is handled of a key under a lease goes on
// without a gap, and in the end everything is handled and committed.
func TestDisorderLosesNothing(t *testing.T) {
	t.Parallel()
	const keys, each, partitions = 40, 60, 6
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	fake, c := newFake(t, 3)
	topic := c.topic("disorder", partitions)
	publisher := c.publisher()
	p := &progress{last: map[string]int{}}
	var members []*kafka.Subscriber
	var handlers sync.WaitGroup
	join := func() {
		s := c.subscriber(kafka.SubscriberOptions{Drain: 500 * time.Millisecond, InFlight: 64})
		members = append(members, s)
		handlers.Go(handle(c.subscribe(s, topic), p.handle))
	}
	join()
	for number := range each {
		var round []*message.Message
		for k := range keys {
			round = append(round, keyed(strconv.Itoa(k), number+1))
		}
		require.NoError(t, publisher.Publish(topic, round...))
		<-time.After(100 * time.Millisecond)
		switch random.IntN(20) {
		case 0, 1:
			if len(members) < 4 {
				join()
			}
		case 2, 3:
			if len(members) > 1 {
				require.NoError(t, members[0].Close())
				members = members[1:]
			}
		case 4:
			fake.ShufflePartitionLeaders()
		case 5:
			fake.RehashCoordinators()
		case 6:
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut, Count: 2})
		case 7:
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, TopLevel: true})
		}
	}
	eventually(t, "all handled", func() bool { return p.reached(keys, each) })
	eventually(t, "all committed", func() bool {
		committed, err := c.client.CommittedOffsets(t.Context(), c.group(), topic)
		require.NoError(t, err)
		last, err := c.client.ListOffsets(t.Context(), topic, kafka.Latest)
		require.NoError(t, err)
		for partition, offset := range last {
			if committed[partition] != offset {
				return false
			}
		}
		return len(last) == partitions
	})
	for _, s := range members {
		require.NoError(t, s.Close())
	}
	handlers.Wait()
	require.Empty(t, p.gaps)
}
