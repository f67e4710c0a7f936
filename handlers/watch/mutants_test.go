package watch_test

import (
	"testing"
)

// mutantRuns is how many random worlds a broken process may live through before one of them must show it. Each mutant begins at
// a seed where that is so; after a change to the world WATCH_SEED=1 WATCH_RUNS=100000 finds it again.
const mutantRuns = 100

func TestBrokenProcessesAreFoundOut(t *testing.T) {
	t.Parallel()
	for _, mutant := range []struct {
		does   string
		broken broken
		from   uint64
	}{
		{"commits a message when it begins with it", broken{commitsEarly: true}, 1},
		{"does not read the log on assignment", broken{skipsLog: true}, 1},
		{"does not read the tail of the work topic on assignment", broken{skipsTail: true}, 1},
		{"takes uncommitted records of the work topic for done", broken{readsUncommitted: true}, 1},
		{"asks overtaken steps again", broken{asksOvertaken: true}, 101},
		{"takes every repeat for a redelivery", broken{dropsRepeats: true}, 1051},
		{"takes an event's own step for completed", broken{ownStep: true}, 651},
		{"carries no entry counts", broken{noEntries: true}, 101},
		{"carries no attempts", broken{noAttempts: true}, 1101},
		{"carries no disputes", broken{noDisputes: true}, 1},
		{"handles a message again when a write fails", broken{handlesAgain: true}, 4551},
		{"drops the identifier that an overtaken check brings", broken{ignoresBrought: true}, 167501},
		{"lets a later, conflicting initiated event displace the first", broken{laterWins: true}, 601},
	} {
		t.Run(mutant.does, func(t *testing.T) {
			t.Parallel()
			first, runs := setting(t, seedVariable, mutant.from), setting(t, runsVariable, mutantRuns)
			for seed := first; seed < first+runs; seed++ {
				if found := run(blocksOf(seed), mutant.broken, false).findings; len(found) > 0 {
					t.Logf("seed %d: %s: %s", seed, found[0].promise, found[0].detail)
					return
				}
			}
			t.Errorf("no promise was broken in %d runs from seed %d on", runs, first)
		})
	}
}
