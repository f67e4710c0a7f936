package kafka

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALeaseHoldsForASessionFromTheSendingOfTheLastAcknowledgedHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLease(10*time.Second, time.Now())
		time.Sleep(4 * time.Second)
		sent := time.Now()
		time.Sleep(3 * time.Second) // the acknowledgement takes its time
		l.renew(sent)
		time.Sleep(7*time.Second - time.Nanosecond)
		require.NoError(t, l.Err())
		time.Sleep(time.Nanosecond)
		require.ErrorIs(t, l.Err(), ErrLeaseLost)
		l.renew(time.Now())
		require.NoError(t, l.Err(), "late, but the share was not given away")
		l.end()
		require.ErrorIs(t, l.Err(), ErrLeaseLost)
		l.renew(time.Now())
		require.ErrorIs(t, l.Err(), ErrLeaseLost, "handed over is for good")
	})
}

func TestWhichLeaseAContextCarries(t *testing.T) {
	t.Parallel()
	require.NoError(t, LeaseOf(context.Background()).Err(), "none always holds")
	own, other := newLease(time.Hour, time.Now()), newLease(time.Hour, time.Now())
	received := context.WithValue(context.Background(), deliveryContext{}, &delivery{lease: own})
	assert.Same(t, own, LeaseOf(received))
	assert.Same(t, other, LeaseOf(WithLease(received, other)))
	assert.Nil(t, LeaseOf(WithLease(received, nil)))
}

func TestMessagesOfOneKeyGoInRounds(t *testing.T) {
	t.Parallel()
	var letters []*letter
	for _, m := range []struct{ key, payload string }{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"", "4"}, {"", "5"}, {"a", "6"}, {"b", "7"}} {
		l := &letter{record: kafkago.Message{Value: []byte(m.payload)}}
		if m.key != "" {
			l.record.Key = []byte(m.key)
		}
		letters = append(letters, l)
	}
	var got [][]string
	for _, round := range rounds(letters) {
		var payloads []string
		for _, l := range round {
			payloads = append(payloads, string(l.record.Value))
		}
		got = append(got, payloads)
	}
	assert.Equal(t, [][]string{{"1", "2", "4", "5"}, {"3", "7"}, {"6"}}, got)
}
