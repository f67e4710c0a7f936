package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// ErrOffsetOutOfRange says that the log does not, or no longer, hold an offset.
var ErrOffsetOutOfRange = errors.New("kafka: offset out of range")

const (
	fetchWait  = 250 * time.Millisecond // how long a broker waits for records when there are none
	retryPause = 100 * time.Millisecond
	shortPause = 3 * time.Second // how long a new leader may need to learn how far the log goes
)

// Scan gives the committed records of a partition with offsets in [from, to) to fn, in order, without a group. It ends before to
// with fn's first error, with that of ctx, or with ErrOffsetOutOfRange when the log does not reach from from to to. It waits
// for a transaction that is open before to, and for a partition without a leader.
func (c *Client) Scan(ctx context.Context, topic string, partition int, from, to int64, fn func(Record) error) error {
	s := scan{client: c, topic: topic, partition: partition, most: fetchPartitionBytes, fn: fn}
	return s.run(ctx, from, to)
}

// Searched is what a search went through.
type Searched struct {
	Records int64
	Bytes   int64 // as they came from the broker, compressed where they are
}

// Search is Scan for few records among many: only those that choose chooses by key and value are made, and given to fn; all others are passed
// without an allocation. It fetches more at once than Scan where there is much to go through. What choose is given is valid during the
// call only. What was gone through until the end, or an error, is returned in any case.
func (c *Client) Search(
	ctx context.Context, topic string, partition int, from, to int64, choose func(key, value []byte) bool, fn func(Record) error,
) (Searched, error) {
	s := scan{client: c, topic: topic, partition: partition, most: int(min(searchPartitionBytes, 64<<10*max(to-from, 1))), fn: fn}
	var searched Searched
	s.choose = func(offset int64, key, value []byte) bool {
		if offset >= to {
			return false
		}
		searched.Records++
		return choose(key, value)
	}
	err := s.run(ctx, from, to)
	searched.Bytes = s.bytes
	return searched, err
}

type scan struct {
	client    *Client
	topic     string
	partition int
	most      int    // bytes of a fetch
	choose    choice // nil: all
	fn        func(Record) error
	bytes     int64 // fetched so far
	conn      *leaderConn
	short     time.Time // when the log was first seen to end too early
}

func (s *scan) run(ctx context.Context, from, to int64) error {
	defer s.close()
	for next := from; next < to; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("kafka: scan %s/%d at %d: %w", s.topic, s.partition, next, err)
		}
		after, err := s.step(ctx, next, to)
		if err != nil {
			return fmt.Errorf("kafka: scan %s/%d at %d: %w", s.topic, s.partition, next, err)
		}
		next = after
	}
	return nil
}

// step fetches once from next and returns where to go on.
func (s *scan) step(ctx context.Context, next, to int64) (int64, error) {
	if s.conn == nil {
		leaders, err := s.client.leaders(ctx, s.topic)
		if err != nil {
			return next, err
		}
		address, ok := leaders[s.partition]
		if !ok {
			return next, kafkago.UnknownTopicOrPartition
		}
		if address == "" {
			return next, pause(ctx, retryPause)
		}
		s.conn = &leaderConn{network: s.client.network, address: address, most: s.most}
	}
	answer, err := s.conn.fetch(ctx, s.topic, []position{{s.partition, next}}, fetchWait)
	if err == nil && len(answer) != 1 {
		err = errors.New("the answer lacks the partition")
	}
	if err != nil {
		s.close()
		s.client.network.log.WarnContext(ctx, "kafka: fetch failed, trying again", "topic", s.topic, "error", err)
		return next, pause(ctx, retryPause)
	}
	switch code := kafkago.Error(answer[0].ErrorCode); {
	case code == kafkago.OffsetOutOfRange:
		return next, ErrOffsetOutOfRange
	case code != 0 && !code.Temporary():
		return next, code
	case code != 0:
		s.close()
		return next, pause(ctx, retryPause)
	}
	p := answer[0]
	if p.HighWatermark < to {
		if s.short.IsZero() {
			s.short = time.Now()
		}
		if time.Since(s.short) > shortPause {
			return next, fmt.Errorf("%w: the log ends at %d, before %d", ErrOffsetOutOfRange, p.HighWatermark, to)
		}
		return next, pause(ctx, retryPause)
	}
	s.short = time.Time{}
	s.bytes += int64(len(p.RecordSet))
	return decodeBatches(p.RecordSet, next, p.AbortedTransactions, s.choose, func(r Record) error {
		if r.Offset >= to {
			return nil
		}
		r.Topic, r.Partition = s.topic, s.partition
		return s.fn(r)
	})
}

func (s *scan) close() {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

// leaders gives the address of each partition's leader; empty: it has none now.
func (c *Client) leaders(ctx context.Context, topic string) (map[int]string, error) {
	partitions, err := c.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(map[int]string, len(partitions))
	for _, p := range partitions {
		out[p.ID] = ""
		if p.Leader.Host != "" {
			out[p.ID] = addressOf(p.Leader)
		}
	}
	return out, nil
}

// pause waits, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
