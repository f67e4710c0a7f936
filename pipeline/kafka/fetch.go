package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

const (
	fetchVersion         = 11       // Kafka 2.3; the newest that kafka-go can encode
	fetchBytes           = 16 << 20 // of one answer; a first batch that is larger comes whole
	fetchPartitionBytes  = 1 << 20
	searchPartitionBytes = 4 << 20   // where few records are wanted of many
	fetchAheadBytes      = 128 << 10 // of one partition, where many are read ahead of the handlers
	fetchLimit           = 1 << 28   // of an answer that is still believed
	fetchTimeout         = 15 * time.Second
)

// fetchResponse is the answer to a fetch request with the record sets left as bytes.
type fetchResponse struct {
	ThrottleTimeMs int32        `kafka:"min=v1,max=v11"`
	ErrorCode      int16        `kafka:"min=v7,max=v11"`
	SessionID      int32        `kafka:"min=v7,max=v11"`
	Topics         []fetchTopic `kafka:"min=v0,max=v11"`
}

type fetchTopic struct {
	Topic      string           `kafka:"min=v0,max=v11"`
	Partitions []fetchPartition `kafka:"min=v0,max=v11"`
}

type fetchPartition struct {
	Partition            int32                `kafka:"min=v0,max=v11"`
	ErrorCode            int16                `kafka:"min=v0,max=v11"`
	HighWatermark        int64                `kafka:"min=v0,max=v11"`
	LastStableOffset     int64                `kafka:"min=v4,max=v11"`
	LogStartOffset       int64                `kafka:"min=v5,max=v11"`
	AbortedTransactions  []abortedTransaction `kafka:"min=v4,max=v11"`
	PreferredReadReplica int32                `kafka:"min=v11,max=v11"`
	RecordSet            []byte               `kafka:"min=v0,max=v11"`
}

// position is where to fetch a partition from.
type position struct {
	partition int
	offset    int64
}

// leaderConn is a connection to one broker for fetching from the partitions that it leads. It is for one goroutine, dials when it is
// first needed, and again after an error.
type leaderConn struct {
	network     *network
	address     string
	most        int // bytes of one partition in an answer
	conn        net.Conn
	correlation int32
	body        []byte   // of the last answer: decoding copies what it keeps
	records     []Record // of one partition in it, while they are being taken in
}

// fetch asks for the records of one topic's partitions from their positions on, up to the last stable offset. It waits up to wait when there are
// none, and is interrupted by ctx.
func (l *leaderConn) fetch(ctx context.Context, topic string, positions []position, wait time.Duration) (_ []fetchPartition, err error) {
	if l.conn == nil {
		if l.conn, err = l.network.authenticated(ctx, l.address); err != nil {
			l.conn = nil
			return nil, fmt.Errorf("kafka: connect to %s: %w", l.address, err)
		}
	}
	conn := l.conn
	defer func() {
		if err != nil {
			l.close()
			err = fmt.Errorf("kafka: fetch %s from %s: %w", topic, l.address, err)
		}
	}()
	if err := conn.SetDeadline(time.Now().Add(wait + fetchTimeout)); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(0, 1)) })()

	request := &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(wait.Milliseconds()), MinBytes: 1, MaxBytes: fetchBytes, //nolint:gosec // below a second
		IsolationLevel: int8(kafkago.ReadCommitted), SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{Topic: topic}},
	}
	for _, p := range positions {
		request.Topics[0].Partitions = append(request.Topics[0].Partitions, fetch.RequestPartition{
			Partition: int32(p.partition), CurrentLeaderEpoch: -1, FetchOffset: p.offset, LogStartOffset: -1, //nolint:gosec // came as int32
			PartitionMaxBytes: int32(l.most), //nolint:gosec // at most searchPartitionBytes
		})
	}
	l.correlation++
	if err := protocol.WriteRequest(conn, fetchVersion, l.correlation, l.network.ClientID, request); err != nil {
		return nil, err
	}
	body, err := l.read(conn)
	if err != nil {
		return nil, err
	}
	var response fetchResponse
	if err := protocol.Unmarshal(body, fetchVersion, &response); err != nil {
		return nil, err
	}
	if response.ErrorCode != 0 {
		return nil, kafkago.Error(response.ErrorCode)
	}
	if len(response.Topics) != 1 || response.Topics[0].Topic != topic {
		return nil, errors.New("the answer is about other topics")
	}
	return response.Topics[0].Partitions, nil
}

func (l *leaderConn) read(conn net.Conn) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > fetchLimit {
		return nil, fmt.Errorf("an answer of %d bytes", size)
	}
	if got := int32(binary.BigEndian.Uint32(head[4:])); got != l.correlation { //nolint:gosec // two's complement on the wire
		return nil, fmt.Errorf("answer %d to request %d", got, l.correlation)
	}
	l.body = slices.Grow(l.body[:0], int(size-4))[:size-4]
	_, err := io.ReadFull(conn, l.body)
	return l.body, err
}

func (l *leaderConn) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}
