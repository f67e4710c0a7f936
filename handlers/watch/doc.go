// Package watch holds what is hard about watching a payment, without I/O and without a clock: which check messages to
// act on (Lane.Take), what an answer means after all that was said before, and when to ask again (Decide).
//
// The provider is the truth about a payment, and the log of emitted events is the truth about what we have said. A Lane is
// a cache of these two for one payment; losing it may cost a repeated query or a repeated event with the same id.
package watch
