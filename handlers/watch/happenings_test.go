package watch_test

import "time"

// scenario is what stays as it is during a run.
type scenario struct {
	payableAgain  bool          // under this reference a declined customer can pay again
	namesAttempts bool          // answers name the provider's payment id
	statesTimes   bool          // answers say when their status came about
	needsID       bool          // the provider finds the payment only by the second identifier
	lag           time.Duration // how old a stale read is
	appears       time.Duration // when the provider comes to know the payment
	tail          int           // records of the work topic that a process reads on assignment
	replies       bool          // initiated events carry the provider's reply to the call
	showsCaptured bool          // queries show a failed refund as captured
	lastWords     bool          // a pending capture is the last that queries show: final
	nobody        bool          // no initiated event ever comes
	leaves        byte          // what does not happen in this run, so that it does not heal what went wrong
}

const blockSize = 8

type block [blockSize]byte

func newScenario(a, b block) scenario {
	return scenario{
		payableAgain:  a[0]%3 == 1,
		namesAttempts: a[1]%8 != 1 || a[0]%3 == 1,                // how else to tell a second attempt
		statesTimes:   a[2]%4 != 1 || a[1]%8 == 1 || a[0]%3 == 1, // how else to tell which attempt is the later one
		needsID:       a[3]%5 == 1,
		lag:           []time.Duration{0, 20 * time.Second, 700 * time.Second}[a[4]%3],
		appears:       []time.Duration{0, 0, 50 * time.Second, 700 * time.Second, 2000 * time.Second}[a[5]%5],
		tail:          []int{50, 2, 0}[a[6]%3],
		replies:       a[7]%4 == 1,
		showsCaptured: b[0]%3 == 1,
		lastWords:     b[1]%8 == 1,
		nobody:        b[2]%16 == 1,
		leaves:        b[4],
	}
}

// happening is one thing that can happen in a world.
type happening struct {
	weight int  // how often, against the others
	spare  bool // some runs go without it, so that it does not heal what went wrong
	do     func(*world, block)
}

// happenings are all that can happen. A block's first byte chooses one.
var happenings = []happening{
	{10, false, func(w *world, b block) { w.work(int(b[1]%6)+1, b); w.mishap(b) }},
	{5, false, func(w *world, b block) {
		if b[1]%4 > 0 {
			w.sleep()
		}
		w.wake(b[2]%16 == 1)
	}},
	{2, false, func(w *world, b block) { w.readInitiated(int(b[1])%2, b[2]%8 == 1) }},
	{3, false, func(w *world, b block) { w.readNotified(b[2]%8 == 1) }},
	{4, false, func(w *world, b block) { w.provider.advance(b[1]) }},
	{3, true, func(w *world, b block) { w.push(b[1]) }},
	{2, true, func(w *world, b block) { w.now = w.now.Add(jumps[b[1]%8]) }},
	{1, true, func(w *world, b block) { w.repeat(b[1], b[2]) }},
	{1, true, func(w *world, _ block) { w.backfill() }},
	{1, true, func(w *world, b block) { w.redrive(b[1]) }},
	{1, true, func(w *world, _ block) { w.evict() }},
	{1, true, func(w *world, _ block) { w.lateWrite() }},
}

// jumps are how far time goes on at once.
var jumps = []time.Duration{
	time.Second, 7 * time.Second, 61 * time.Second, 620 * time.Second, 1000 * time.Second, 3700 * time.Second, 21700 * time.Second, 200 * time.Second,
}

// act makes one thing happen.
func (w *world) act(b block) {
	all, spare := 0, byte(1)
	for _, h := range happenings {
		all += h.weight
	}
	chosen := int(b[0]) % all
	for _, h := range happenings {
		if chosen -= h.weight; chosen < 0 {
			if !h.spare || w.leaves&spare == 0 {
				h.do(w, b)
			}
			return
		}
		if h.spare {
			spare <<= 1
		}
	}
}

// mishap is what may befall a process wherever it stands: mostly nothing, and often a commit.
func (w *world) mishap(b block) {
	if b[5]%2 == 1 {
		w.committed = w.acked
	}
	switch b[6] % 12 {
	case 1:
		w.crash()
	case 2:
		w.rebalance()
	case 3:
		w.retry()
	}
}

const mostFaults = 8

// fault counts a fault, as long as there were not too many.
func (w *world) fault(happens string) bool {
	if w.count.faults == mostFaults {
		return false
	}
	w.count.faults++
	w.sayf("%s", happens)
	return true
}
