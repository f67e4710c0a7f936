package kafka

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// encoded is a batch with a record for each offset delta; last is its last offset, which compaction may have made larger than that of its last record.
func encoded(base, last int64, attributes int16, producer int64, firstTime, maxTime int64, deltas ...int32) []byte {
	var records []byte
	for _, delta := range deltas {
		r := kmsg.Record{OffsetDelta: delta, TimestampDelta64: int64(delta), Key: []byte("k"), Value: []byte{byte(base) + byte(delta)}}
		if attributes&attributeControl != 0 {
			r.Key = []byte{0, 0, 0, 0} // version 0, abort
		}
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		records = r.AppendTo(records)
	}
	b := kmsg.RecordBatch{
		FirstOffset: base, Length: int32(49 + len(records)), Magic: 2, Attributes: attributes, LastOffsetDelta: int32(last - base),
		FirstTimestamp: firstTime, MaxTimestamp: maxTime, ProducerID: producer, NumRecords: int32(len(deltas)), Records: records,
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
	return raw
}

func plainBatch(base, last int64, deltas ...int32) []byte {
	return encoded(base, last, 0, -1, 1000, 1000, deltas...)
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func TestDecodeBatches(t *testing.T) {
	t.Parallel()
	const transactional, control = attributeTransactional, attributeTransactional | attributeControl
	for name, test := range map[string]struct {
		data    []byte
		from    int64
		aborted []abortedTransaction
		offsets []int64
		next    int64
	}{
		"nothing": {from: 7, next: 7},
		"two batches": {
			data: join(plainBatch(0, 1, 0, 1), plainBatch(2, 2, 0)), offsets: []int64{0, 1, 2}, next: 3,
		},
		"from inside a batch": {
			data: plainBatch(0, 3, 0, 1, 2, 3), from: 2, offsets: []int64{2, 3}, next: 4,
		},
		"a batch below where it was asked to begin": {
			data: join(plainBatch(0, 1, 0, 1), plainBatch(2, 2, 0)), from: 2, offsets: []int64{2}, next: 3,
		},
		"the last batch is cut off": {
			data: join(plainBatch(0, 0, 0), plainBatch(1, 1, 0)[:65]), offsets: []int64{0}, next: 1,
		},
		"only a piece of a batch": {data: plainBatch(5, 5, 0)[:30], from: 5, next: 5},
		"compaction left gaps": {
			data: join(plainBatch(0, 9, 4, 7), plainBatch(20, 29, 1)), offsets: []int64{4, 7, 21}, next: 30,
		},
		"compaction left an empty batch": {data: plainBatch(10, 19), from: 10, next: 20},
		"a control batch at the end": {
			data: join(plainBatch(0, 0, 0), encoded(1, 1, control, 9, 0, 0, 0)), offsets: []int64{0}, next: 2,
		},
		"an aborted transaction, then one of the same producer that was not": {
			data: join(
				encoded(0, 0, transactional, 9, 0, 0, 0), plainBatch(1, 1, 0), encoded(2, 2, control, 9, 0, 0, 0),
				encoded(3, 3, transactional, 9, 0, 0, 0),
			),
			aborted: []abortedTransaction{{ProducerID: 9, FirstOffset: 0}}, offsets: []int64{1, 3}, next: 4,
		},
		"two producers, aborted transactions in any order": {
			data: join(
				encoded(0, 0, transactional, 8, 0, 0, 0), encoded(1, 1, transactional, 9, 0, 0, 0),
				encoded(2, 2, transactional, 7, 0, 0, 0), encoded(3, 3, control, 9, 0, 0, 0), encoded(4, 4, control, 8, 0, 0, 0),
			),
			aborted: []abortedTransaction{{ProducerID: 9, FirstOffset: 1}, {ProducerID: 8, FirstOffset: 0}},
			offsets: []int64{2}, next: 5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var offsets []int64
			next, err := decodeBatches(test.data, test.from, test.aborted, nil, func(r Record) error {
				offsets = append(offsets, r.Offset)
				assert.Equal(t, []byte("k"), r.Key)
				assert.Equal(t, []byte{byte(r.Offset)}, r.Value)
				return nil
			})
			require.NoError(t, err)
			assert.Equal(t, test.offsets, offsets)
			assert.Equal(t, test.next, next)
		})
	}
}

func TestTheTimeOfARecordIsTheBrokersWhereTheTopicSaysSo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		attributes int16
		first      int64
		times      []time.Time
	}{
		"create time":     {0, 1000, []time.Time{time.UnixMilli(1000), time.UnixMilli(1001)}},
		"log append time": {attributeLogAppendTime, 1000, []time.Time{time.UnixMilli(5000), time.UnixMilli(5000)}},
		"none":            {0, -2, []time.Time{{}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var times []time.Time
			_, err := decodeBatches(encoded(0, 1, test.attributes, -1, test.first, 5000, 0, 1), 0, nil, nil, func(r Record) error {
				times = append(times, r.Time)
				return nil
			})
			require.NoError(t, err)
			require.Len(t, times, 2)
			for i, at := range test.times {
				assert.True(t, at.Equal(times[i]), "%s is not %s", times[i], at)
			}
		})
	}
}

func TestMalformedBatchesAreErrors(t *testing.T) {
	t.Parallel()
	change := func(at int, to byte, checksum bool) []byte {
		raw := plainBatch(5, 6, 0, 1)
		raw[at] = to
		if checksum {
			binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
		}
		return raw
	}
	for name, data := range map[string][]byte{
		"an old format":               change(16, 1, false),
		"shorter than its header":     change(11, 5, false),
		"wrong checksum":              change(70, 0xff, false),
		"unknown compression":         change(22, 7, true),
		"not what compression makes":  change(22, 1, true),
		"more records than there are": change(60, 9, true),
		"last offset below the first": change(23, 0x80, true),
		"a negative count":            change(57, 0x80, true),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next, err := decodeBatches(join(plainBatch(4, 4, 0), data), 4, nil, nil, func(Record) error { return nil })
			require.ErrorIs(t, err, errBatch)
			assert.Equal(t, int64(5), next, "the good batch before counts")
		})
	}
}

func FuzzDecodeBatches(f *testing.F) {
	f.Add(join(plainBatch(0, 9, 4, 7), encoded(10, 10, attributeTransactional|attributeControl, 9, 0, 0, 0)), int64(0))
	f.Add(plainBatch(0, 3, 0, 1, 2, 3), int64(2))
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		if len(data) > 61 { // let the fuzzer past the checksum
			if size := 12 + int(binary.BigEndian.Uint32(data[8:])); size > 61 && size <= len(data) {
				binary.BigEndian.PutUint32(data[17:], crc32.Checksum(data[21:size], castagnoli))
			}
		}
		next, err := decodeBatches(data, from, nil, nil, func(r Record) error {
			if r.Offset < from {
				return errors.New("below where it was asked to begin")
			}
			return nil
		})
		if err != nil && !errors.Is(err, errBatch) {
			t.Fatal(err)
		}
		if next < from {
			t.Fatalf("next %d is before %d", next, from)
		}
	})
}
