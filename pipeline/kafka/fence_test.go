package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire encodes produce requests as a connection does, after something happened.
type wire struct {
	before  func()
	written int
}

func (w *wire) RoundTrip(_ context.Context, _ net.Addr, request kafkago.Request) (kafkago.Response, error) {
	w.before()
	p, ok := request.(*produce.Request)
	if !ok {
		return nil, errors.New("unexpected request")
	}
	p.Prepare(7)
	if err := protocol.WriteRequest(io.Discard, 7, 1, "", p); err != nil {
		return nil, err
	}
	w.written++
	return &produce.Response{}, nil
}

func TestALeaseThatEndsWhileItsBatchWaitsKeepsTheBatchFromBeingWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		headers []kafkago.Header
		ends    bool
		written int
	}{
		"it ends, without headers": {nil, true, 0},
		"it ends, with headers":    {[]kafkago.Header{{Key: "a"}, {Key: "b"}}, true, 0},
		"it holds":                 {nil, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lease := newLease(time.Hour, time.Now())
			w := &wire{before: func() {
				if test.ends {
					lease.end()
				}
			}}
			f := newFence(w)
			records := []kafkago.Message{{Value: []byte("free")}, {Value: []byte("own"), Headers: test.headers}}
			release := f.guard(records, []letter{{}, {lease: lease}})
			writing := func() error {
				var readers []protocol.Record
				for _, r := range records {
					readers = append(readers, protocol.Record{Value: protocol.NewBytes(r.Value), Headers: r.Headers})
				}
				_, err := f.RoundTrip(t.Context(), nil, &produce.Request{Topics: []produce.RequestTopic{{Partitions: []produce.RequestPartition{
					{RecordSet: protocol.RecordSet{Version: 2, Records: protocol.NewRecordReader(readers...)}},
				}}}})
				return err
			}
			err := writing()
			assert.Equal(t, test.written, w.written)
			if test.ends {
				require.ErrorIs(t, err, ErrLeaseLost)
			} else {
				require.NoError(t, err)
			}
			release()
			assert.Empty(t, f.leases)
			require.NoError(t, writing(), "what is not guarded is written")
		})
	}
}
