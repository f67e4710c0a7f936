package kafka

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wire stands for the brokers: it encodes produce requests as a connection does and answers them.
type wire struct {
	before func()                             // encoding
	answer func(*produce.Response)            // changes the answer
	code   func(topic string, id int32) int16 // of a partition; nil: 0
	takes  time.Duration

	mu       sync.Mutex
	requests [][]string // what was written, "topic/partition: values"
	atOnce   int
	most     int
}

// RoundTrip is part of kafka.RoundTripper.
func (w *wire) RoundTrip(_ context.Context, _ net.Addr, request kafkago.Request) (kafkago.Response, error) {
	if w.before != nil {
		w.before()
	}
	p, ok := request.(*produce.Request)
	if !ok {
		return nil, errors.New("unexpected request")
	}
	var written []string
	response := &produce.Response{}
	for _, topic := range p.Topics {
		answer := produce.ResponseTopic{Topic: topic.Topic}
		for _, partition := range topic.Partitions {
			parts := []string{topic.Topic + "/" + strconv.Itoa(int(partition.Partition)) + ":"}
			for _, l := range partition.RecordSet.Records.(*recordsOf).letters {
				parts = append(parts, string(l.record.Value[:min(9, len(l.record.Value))]))
			}
			written = append(written, strings.Join(parts, " "))
			one := produce.ResponsePartition{Partition: partition.Partition, LogAppendTime: 1000 * int64(partition.Partition+1)}
			if w.code != nil {
				one.ErrorCode = w.code(topic.Topic, partition.Partition)
			}
			answer.Partitions = append(answer.Partitions, one)
		}
		response.Topics = append(response.Topics, answer)
	}
	p.Prepare(7)
	if err := protocol.WriteRequest(io.Discard, 7, 1, "", p); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.requests = append(w.requests, written)
	w.atOnce++
	w.most = max(w.most, w.atOnce)
	w.mu.Unlock()
	time.Sleep(w.takes)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atOnce--
	if w.answer != nil {
		w.answer(response)
	}
	return response, nil
}

// led is a writer to a wire, for two topics with two partitions each: 0 at "a:1" and 1 at "b:1", or all at "a:1".
func led(w *wire, second string) *writer {
	out := newWriter(&Client{network: &network{Config: Config{Brokers: []string{"a:1"}}}, transport: &kafkago.Transport{}}, nil)
	out.to = w
	for _, topic := range []string{"t", "u"} {
		out.routes[topic] = &route{until: time.Now().Add(time.Hour), ids: []int{0, 1}, leaders: map[int]string{0: "a:1", 1: cmp.Or(second, "a:1")}}
	}
	return out
}

// to is a letter to a partition.
func to(partition int, topic, value string) *letter {
	for i := 0; ; i++ {
		key := strconv.Itoa(i)
		if (kafkago.Murmur2Balancer{}).Balance(kafkago.Message{Key: []byte(key)}, 0, 1) == partition {
			return &letter{record: kafkago.Message{Topic: topic, Key: []byte(key), Value: []byte(value)}}
		}
	}
}

func TestWhatComesWithinTheLingerGoesInOneRequestToALeader(t *testing.T) {
	t.Parallel()
	for second, want := range map[string][][]string{
		"a:1": {{"t/0: one four", "t/1: two", "u/0: three"}},
		"b:1": {{"t/0: one four", "u/0: three"}, {"t/1: two"}},
	} {
		t.Run(second, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				out := led(w, second)
				var wg sync.WaitGroup
				for i, l := range []*letter{to(0, "t", "one"), to(1, "t", "two"), to(0, "u", "three"), to(0, "t", "four")} {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * time.Millisecond)
						out.write(l.record.Topic, []*letter{l})
						assert.NoError(t, l.err)
					})
				}
				wg.Wait()
				slices.SortFunc(w.requests, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
				assert.Equal(t, want, w.requests)
				out.close()
			})
		})
	}
}

func TestRequestsToOneLeaderAreFewAndTheNextOneGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{takes: time.Second}
		out := led(w, "")
		var wg sync.WaitGroup
		for range 100 {
			time.Sleep(2 * linger)
			wg.Go(func() {
				l := to(0, "t", "x")
				out.write("t", []*letter{l})
				assert.NoError(t, l.err)
			})
		}
		wg.Wait()
		assert.Equal(t, requestsAtOnce, w.most)
		assert.Len(t, w.requests, requestsAtOnce+1, "all that came meanwhile goes with one request")
		out.close()
	})
}

func TestBatchesAreNoLargerThanABrokerTakes(t *testing.T) {
	t.Parallel()
	large := func(name string, n int) string { return name + string(make([]byte, n)) }
	alone := to(0, "t", "alone....")
	alone.alone = true
	letters := []*letter{
		to(0, "t", large("first....", batchBytes/2)), to(0, "t", large("second...", batchBytes/2)), to(0, "t", "third...."),
		to(1, "t", large("huge.....", 3*batchBytes)), to(1, "t", "little..."), alone, to(0, "u", large("most.....", requestBytes)),
	}
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		out := led(w, "")
		out.write("t", letters)
		assert.Equal(t, [][]string{
			{"t/0: first.... third....", "t/1: huge....."},
			{"t/0: second...", "t/1: little..."},
			{"t/0: alone...."},
			{"u/0: most....."},
		}, w.requests)
		out.close()
	})
}

func TestEveryLetterLearnsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code   func(string, int32) int16
		answer func(*produce.Response)
		wants  []error // of partitions 0 and 1
	}{
		"both are written":       {nil, nil, []error{nil, nil}},
		"one lost its leader":    {func(_ string, id int32) int16 { return int16(kafkago.NotLeaderForPartition) * int16(id) }, nil, []error{nil, kafkago.NotLeaderForPartition}},
		"one is not spoken of":   {nil, func(r *produce.Response) { r.Topics[0].Partitions = r.Topics[0].Partitions[1:] }, []error{errAny, nil}},
		"a foreign one is":       {nil, func(r *produce.Response) { r.Topics[0].Partitions[0].Partition = 7 }, []error{errAny, nil}},
		"there is only nonsense": {nil, func(r *produce.Response) { r.Topics = nil }, []error{errAny, errAny}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				out := led(&wire{code: test.code, answer: test.answer}, "")
				var appended []time.Time
				out.onAppend = func(at time.Time) { appended = append(appended, at) }
				letters := []*letter{to(0, "t", "one"), to(1, "t", "two")}
				out.write("t", letters)
				var want []time.Time
				for i, l := range letters {
					switch {
					case test.wants[i] == nil:
						require.NoError(t, l.err)
						want = append(want, time.UnixMilli(1000*int64(i+1)))
					case errors.Is(test.wants[i], errAny):
						require.Error(t, l.err)
					default:
						require.ErrorIs(t, l.err, test.wants[i])
					}
				}
				assert.Equal(t, want, appended, "only what was written tells when")
				_, known := out.routes["t"]
				assert.Equal(t, name == "both are written", known, "after an error the leaders are looked up again")
				out.close()
			})
		})
	}
}

var errAny = errors.New("any")

func TestAPartitionWithoutALeaderFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := led(&wire{}, "")
		out.routes["t"].leaders[1] = ""
		letters := []*letter{to(0, "t", "one"), to(1, "t", "two")}
		out.write("t", letters)
		require.NoError(t, letters[0].err)
		require.ErrorIs(t, letters[1].err, kafkago.LeaderNotAvailable)
		assert.Empty(t, out.routes["t"])
		out.close()
	})
}

func TestALeaseThatEndsWhileItsLetterWaitsKeepsItFromBeingWritten(t *testing.T) {
	t.Parallel()
	for name, encoding := range map[string]bool{"before the request is made": false, "while it is being encoded": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				lease := newLease(time.Hour, time.Now())
				w := &wire{}
				out := led(w, "")
				own, free := to(0, "t", "own"), to(1, "t", "free")
				own.lease = lease
				if encoding {
					w.before = lease.end
				} else {
					time.AfterFunc(linger/2, lease.end)
				}
				out.write("t", []*letter{own, free})
				require.ErrorIs(t, own.err, ErrLeaseLost)
				if encoding {
					require.ErrorIs(t, free.err, ErrLeaseLost, "the request was not made")
					assert.Empty(t, w.requests)
				} else {
					require.NoError(t, free.err)
					assert.Equal(t, [][]string{{"t/1: free"}}, w.requests)
				}
				out.close()
			})
		})
	}
}

func TestClosingWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{takes: time.Second}
		out := led(w, "")
		l := to(0, "t", "x")
		go out.write("t", []*letter{l})
		synctest.Wait()
		began := time.Now()
		out.close()
		require.NoError(t, l.err)
		assert.Equal(t, time.Second, time.Since(began), "without the linger")
		out.write("t", []*letter{l})
		require.ErrorIs(t, l.err, ErrClosed)
	})
}
