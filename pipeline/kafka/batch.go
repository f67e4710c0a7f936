package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// Record batches are decoded here, not by kafka-go, because its decoder drops two fields of their header: the last offset, without
// which a reader cannot pass a batch that compaction has emptied, and the largest timestamp, which is the only place where the
// append time of a topic with message.timestamp.type=LogAppendTime is stored.

const (
	batchHeader = 61      // bytes of a batch before its records
	maxInflated = 1 << 28 // bytes of records in one compressed batch

	attributeCodec         = 0x07
	attributeLogAppendTime = 0x08
	attributeTransactional = 0x10
	attributeControl       = 0x20
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errBatch   = errors.New("kafka: malformed record batch")
)

// abortedTransaction is where, in a fetched range, the records of an aborted transaction of a producer begin.
type abortedTransaction struct {
	ProducerID  int64 `kafka:"min=v4,max=v11"`
	FirstOffset int64 `kafka:"min=v4,max=v11"`
}

// batch is one record batch, format version 2, as it is stored and sent.
type batch struct {
	base, last   int64
	attributes   int16
	firstTime    int64
	maxTime      int64
	producer     int64
	count        int
	recordsBytes []byte
}

// nextBatch splits the first batch off data. ok is false when data ends before the batch does, as a fetched range may.
func nextBatch(data []byte) (b batch, rest []byte, ok bool, err error) {
	if len(data) < 17 {
		return b, nil, false, nil
	}
	size := 12 + int64(binary.BigEndian.Uint32(data[8:]))
	if magic := data[16]; magic != 2 {
		return b, nil, false, fmt.Errorf("%w: message format %d is not supported", errBatch, magic)
	}
	if size < batchHeader {
		return b, nil, false, fmt.Errorf("%w: %d bytes", errBatch, size)
	}
	if int64(len(data)) < size {
		return b, nil, false, nil
	}
	raw := data[:size]
	if crc32.Checksum(raw[21:], castagnoli) != binary.BigEndian.Uint32(raw[17:]) {
		return b, nil, false, fmt.Errorf("%w: wrong checksum", errBatch)
	}
	b = batch{
		base:         int64(binary.BigEndian.Uint64(raw)),           //nolint:gosec // two's complement on the wire
		attributes:   int16(binary.BigEndian.Uint16(raw[21:])),      //nolint:gosec // as above
		firstTime:    int64(binary.BigEndian.Uint64(raw[27:])),      //nolint:gosec // as above
		maxTime:      int64(binary.BigEndian.Uint64(raw[35:])),      //nolint:gosec // as above
		producer:     int64(binary.BigEndian.Uint64(raw[43:])),      //nolint:gosec // as above
		count:        int(int32(binary.BigEndian.Uint32(raw[57:]))), //nolint:gosec // as above
		recordsBytes: raw[batchHeader:],
	}
	b.last = b.base + int64(int32(binary.BigEndian.Uint32(raw[23:]))) //nolint:gosec // as above
	if b.last < b.base || b.count < 0 {
		return b, nil, false, fmt.Errorf("%w: header contradicts itself", errBatch)
	}
	return b, data[size:], true, nil
}

// decodeBatches gives the committed records of data with offsets from from on to each, in order, and returns the offset after the
// last complete batch, which may be a control batch, aborted or empty. It stops at the first error of each. Records that choose refuses are
// passed over; nil chooses all.
func decodeBatches(data []byte, from int64, aborted []abortedTransaction, choose choice, each func(Record) error) (next int64, err error) {
	aborted = slices.Clone(aborted)
	slices.SortFunc(aborted, func(a, b abortedTransaction) int { return int(a.FirstOffset - b.FirstOffset) })
	rolledBack := map[int64]bool{}
	for next = from; ; {
		b, rest, ok, err := nextBatch(data)
		if err != nil || !ok {
			return next, err
		}
		data = rest
		for len(aborted) > 0 && aborted[0].FirstOffset <= b.last {
			rolledBack[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		switch {
		case b.attributes&attributeControl != 0:
			abort, err := b.endsInAbort()
			if err != nil {
				return next, err
			}
			if abort {
				delete(rolledBack, b.producer)
			}
		case b.last < from, b.attributes&attributeTransactional != 0 && rolledBack[b.producer]:
		default:
			if err := b.records(from, choose, each); err != nil {
				return next, err
			}
		}
		next = max(next, b.last+1)
	}
}

// endsInAbort tells whether a control batch ends a transaction by aborting it.
func (b batch) endsInAbort() (abort bool, err error) {
	err = b.records(b.base, nil, func(r Record) error {
		if len(r.Key) < 4 {
			return fmt.Errorf("%w: control record with a key of %d bytes", errBatch, len(r.Key))
		}
		abort = binary.BigEndian.Uint16(r.Key[2:]) == 0
		return nil
	})
	return abort, err
}

// choice looks at a record's key and value, which it must not keep, before anything is made of the record; nil chooses all.
type choice func(offset int64, key, value []byte) bool

func (b batch) records(from int64, choose choice, each func(Record) error) error {
	data, err := b.inflated()
	if err != nil {
		return err
	}
	d := decoder{data: data}
	for range b.count {
		r, chosen := d.record(b, from, choose)
		if d.failed {
			return fmt.Errorf("%w: records at offset %d are cut off", errBatch, b.base)
		}
		if !chosen {
			continue
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func (b batch) inflated() ([]byte, error) {
	codec := compress.Compression(b.attributes & attributeCodec)
	if codec == compress.None {
		return b.recordsBytes, nil
	}
	if codec.Codec() == nil {
		return nil, fmt.Errorf("%w: compression %d is not supported", errBatch, codec)
	}
	r := codec.Codec().NewReader(bytes.NewReader(b.recordsBytes))
	data, err := io.ReadAll(io.LimitReader(r, maxInflated+1))
	err = errors.Join(err, r.Close())
	if err == nil && len(data) > maxInflated {
		err = fmt.Errorf("more than %d bytes", maxInflated)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: inflate: %w", errBatch, err)
	}
	return data, nil
}

// decoder reads the variable-length numbers and byte strings that records are made of; failed sticks.
type decoder struct {
	data   []byte
	failed bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.data)
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.varint()
	switch {
	case d.failed, n < 0:
		return nil
	case n > int64(len(d.data)):
		d.failed = true
		return nil
	}
	out := d.data[:n:n]
	d.data = d.data[n:]
	return out
}

// record reads the next record; what is not chosen, or stands before from, it only passes.
func (d *decoder) record(b batch, from int64, choose choice) (r Record, chosen bool) {
	length := d.varint()
	if d.failed || length < 1 || length > int64(len(d.data)) {
		d.failed = true
		return Record{}, false
	}
	fields := decoder{data: d.data[1:length:length]} // without attributes, which are unused
	d.data = d.data[length:]
	millis := b.firstTime + fields.varint()
	if b.attributes&attributeLogAppendTime != 0 {
		millis = b.maxTime
	}
	r = Record{Offset: b.base + fields.varint(), Key: fields.bytes(), Value: fields.bytes()}
	if !fields.failed && (r.Offset < from || choose != nil && !choose(r.Offset, r.Key, r.Value)) {
		return Record{}, false
	}
	if millis >= 0 {
		r.Time = time.UnixMilli(millis).UTC()
	}
	count := fields.varint()
	if fields.failed || count > int64(len(fields.data)) {
		d.failed = true
		return Record{}, false
	}
	for range count {
		r.Headers = append(r.Headers, Header{Key: string(fields.bytes()), Value: fields.bytes()})
	}
	d.failed = fields.failed
	return r, !d.failed
}
