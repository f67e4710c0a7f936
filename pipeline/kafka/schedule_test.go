package kafka_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// schedule is what happens to a group, chosen by a seed alone. What the seed cannot choose is how the goroutines and connections of the
// run interleave, so a seed that failed may have to be run more than once to fail again.
type schedule struct {
	seed       uint64
	lanes      kafka.Lanes
	partitions int
	keys       int
	inFlight   int
	steps      []step
}

// step is one action, and a pause after it.
type step struct {
	action action
	number int // messages, requests, or which member, counted from the one that is in the group longest
	pause  time.Duration
}

type action string

const (
	publishes         action = "publish"
	joins             action = "join"
	leaves            action = "leave"
	freezes           action = "freeze" // the coordinator hears nothing of a member for longer than a session
	movesLeaders      action = "move the leaders"
	movesCoordinators action = "move the coordinators"
	commitsTimeOut    action = "commits are applied and time out"
	writesTimeOut     action = "writes are applied and time out"
	fetchesFail       action = "fetches fail"
	shareIsTaken      action = "a heartbeat says that the member is unknown"
	dropsConnections  action = "drop connections"
)

const (
	mostMembers     = 4
	scheduleSession = time.Second
	scheduleDrain   = 300 * time.Millisecond
	scheduleFreeze  = 3 * scheduleSession / 2
)

func newSchedule(seed uint64) schedule {
	random := rand.New(rand.NewPCG(seed, 0))
	s := schedule{
		seed: seed, partitions: 1 + random.IntN(6), keys: 1 + random.IntN(30), inFlight: 1 + random.IntN(40),
		steps: []step{{action: joins}, {action: publishes, number: 30}},
	}
	if random.IntN(4) == 0 {
		s.lanes = kafka.LaneByPartition
	}
	rare := []action{
		freezes, movesLeaders, movesCoordinators, commitsTimeOut, writesTimeOut, fetchesFail, shareIsTaken, dropsConnections,
	}
	members := 1
	for range 6 + random.IntN(12) {
		next := step{action: publishes, number: 1 + random.IntN(40), pause: time.Duration(random.IntN(150)) * time.Millisecond}
		switch chance := random.IntN(10); {
		case chance < 2 && members < mostMembers:
			next.action = joins
			members++
		case chance == 2 && members > 1:
			next.action, next.number = leaves, random.IntN(members)
			members--
		case chance > 2 && chance < 7:
			next.action, next.number = rare[random.IntN(len(rare))], random.IntN(members)
		}
		s.steps = append(s.steps, next)
	}
	return s
}

func (s schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: lanes %d, %d partitions, %d keys, %d in flight", s.seed, s.lanes, s.partitions, s.keys, s.inFlight)
	for _, step := range s.steps {
		fmt.Fprintf(&b, "\n  %s %d, then %s", step.action, step.number, step.pause)
	}
	return b.String()
}

// conduct is what a handler does with a message when it comes for the attempt-th time.
type conduct struct {
	takes time.Duration
	nacks bool
}

func (s schedule) conduct(key, payload string, attempt int) conduct {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s/%s/%d", s.seed, key, payload, attempt)
	random := rand.New(rand.NewPCG(h.Sum64(), 1))
	c := conduct{takes: time.Duration(random.IntN(15)) * time.Millisecond, nacks: attempt < 3 && random.IntN(12) == 0}
	if random.IntN(50) == 0 { // slow; some outlive a drain
		c.takes = time.Duration(100+random.IntN(400)) * time.Millisecond
	}
	return c
}
