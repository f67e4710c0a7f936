package kafka

import "slices"

// tracker knows of one partition which offsets were read and which of them are done. Offsets that were never read (compacted,
// aborted, control records) count as done, so a gap never holds the watermark back.
type tracker struct {
	next int64   // where to read on: everything below was read or skipped
	seen []*seen // read offsets from the watermark on, ascending
	head int     // index of the first that counts; those before it are done
}

type seen struct {
	offset int64
	done   bool
}

// read notes an offset that is to be handled. It must be above all offsets read before.
func (t *tracker) read(offset int64) *seen {
	s := &seen{offset: offset}
	t.seen = append(t.seen, s)
	t.next = offset + 1
	return s
}

// skipTo notes that there is nothing to handle below next.
func (t *tracker) skipTo(next int64) { t.next = max(t.next, next) }

// watermark is the first offset that is not done: the one to commit. It never falls.
func (t *tracker) watermark() int64 {
	for t.head < len(t.seen) && t.seen[t.head].done {
		t.seen[t.head] = nil
		t.head++
	}
	if t.head == len(t.seen) {
		t.seen, t.head = t.seen[:0], 0
		return t.next
	}
	if t.head > 1024 && t.head > len(t.seen)/2 {
		t.seen = slices.Delete(t.seen, 0, t.head)
		t.head = 0
	}
	return t.seen[t.head].offset
}

// span is how many offsets were read from the watermark on, done or not: what a crash would repeat.
func (t *tracker) span() int {
	t.watermark()
	return len(t.seen) - t.head
}
