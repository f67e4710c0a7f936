package kafka

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
)

// fence stands between kafka-go's Writer, which gathers records for some milliseconds, and the connection. It looks at the leases of a
// batch again while the request is being encoded, so that a process that was frozen in between writes nothing when it thaws.
type fence struct {
	kafkago.RoundTripper

	mu     sync.RWMutex
	leases map[*kafkago.Header]*Lease // by the array of the record's headers, which is what kafka-go hands through
}

func newFence(to kafkago.RoundTripper) *fence {
	return &fence{RoundTripper: to, leases: map[*kafkago.Header]*Lease{}}
}

// guard makes records subject to the leases of their messages until release.
func (f *fence) guard(records []kafkago.Message, letters []letter) (release func()) {
	var guarded []*kafkago.Header
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range records {
		if l := letters[i].lease; l != nil {
			records[i].Headers = slices.Grow(records[i].Headers, 1)
			name := &records[i].Headers[:1][0]
			f.leases[name] = l
			guarded = append(guarded, name)
		}
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, name := range guarded {
			delete(f.leases, name)
		}
	}
}

func (f *fence) leaseOf(headers []kafkago.Header) *Lease {
	if cap(headers) == 0 {
		return nil
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.leases[&headers[:1][0]]
}

// RoundTrip is part of kafka.RoundTripper.
func (f *fence) RoundTrip(ctx context.Context, addr net.Addr, request kafkago.Request) (kafkago.Response, error) {
	if p, ok := request.(*produce.Request); ok {
		for _, topic := range p.Topics {
			for i := range topic.Partitions {
				set := &topic.Partitions[i].RecordSet
				set.Records = &guardedRecords{RecordReader: set.Records, fence: f}
			}
		}
	}
	return f.RoundTripper.RoundTrip(ctx, addr, request)
}

// guardedRecords fail at the first record that may not be written any more, and with it the whole request, of which nothing was sent by then.
type guardedRecords struct {
	protocol.RecordReader

	fence *fence
}

// ReadRecord is part of protocol.RecordReader.
func (r *guardedRecords) ReadRecord() (*protocol.Record, error) {
	record, err := r.RecordReader.ReadRecord()
	if err != nil {
		return record, err
	}
	if err := r.fence.leaseOf(record.Headers).Err(); err != nil {
		return nil, fmt.Errorf("a record of the batch: %w", err)
	}
	return record, nil
}
