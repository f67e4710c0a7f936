package providers

import (
	"math"
	"sync/atomic"
)

// Share is the part of the limits that hold over all instances which this instance may use up. The zero value, like nil, is
// all of them. It is safe for concurrent use.
type Share struct {
	bits atomic.Uint64 // of the part as a float64; 0: not set
}

// Set says that this instance owns some of all partitions of the work: its share of every limit is as large. Without any
// partition it keeps the share it had, for what is still running.
func (s *Share) Set(owned, all int) {
	if s != nil && owned > 0 && all > 0 {
		s.bits.Store(math.Float64bits(min(float64(owned)/float64(all), 1)))
	}
}

// Part is the share, more than 0 and at most 1.
func (s *Share) Part() float64 {
	if s == nil {
		return 1
	}
	if bits := s.bits.Load(); bits != 0 {
		return math.Float64frombits(bits)
	}
	return 1
}
