package watch_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// worldRuns is how many random worlds the normal test lives through: about five seconds on two busy cores with the race
// detector. WATCH_RUNS asks for more, WATCH_SEED for those from another seed on.
const worldRuns = 1000

const (
	runsVariable = "WATCH_RUNS"
	seedVariable = "WATCH_SEED"
)

// blocksOf is the run of a seed, always the same.
func blocksOf(seed uint64) []block {
	random := rand.New(rand.NewPCG(seed, seed))
	blocks := make([]block, 10+random.IntN(90))
	for i := range blocks {
		for j := range blocks[i] {
			blocks[i][j] = byte(random.Uint32())
		}
	}
	return blocks
}

// kept reports whether the run kept a promise.
func kept(blocks []block, broken broken, promise string) bool {
	return !slices.ContainsFunc(run(blocks, broken, false).findings, func(f finding) bool { return f.promise == promise })
}

// shrink leaves out what a run does not need to break a promise, block by block, then byte by byte.
func shrink(blocks []block, broken broken, promise string) []block {
	for smaller := true; smaller; {
		smaller = false
		for size := len(blocks) / 2; size >= 1; size /= 2 {
			for i := 2; i+size <= len(blocks); {
				without := slices.Concat(blocks[:i], blocks[i+size:])
				if kept(without, broken, promise) {
					i++
					continue
				}
				blocks, smaller = without, true
			}
		}
		for i := range blocks {
			for j := range blocks[i] {
				if blocks[i][j] == 0 || i >= 2 && j == 0 {
					continue
				}
				simpler := slices.Clone(blocks)
				simpler[i][j] = 0
				if !kept(simpler, broken, promise) {
					blocks, smaller = simpler, true
				}
			}
		}
	}
	return blocks
}

// traceOf tells how a promise was broken: the shortest run found, step by step.
func traceOf(blocks []block, broken broken, promise string) string {
	w := run(shrink(blocks, broken, promise), broken, true)
	details := make([]string, 0, len(w.findings))
	for _, f := range w.findings {
		details = append(details, f.promise+": "+f.detail)
	}
	return strings.Join(details, "\n") + "\n" + strings.Join(w.trace, "\n")
}

func setting(t *testing.T, variable string, normal uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return normal
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

func TestThePromisesHoldInRandomWorlds(t *testing.T) {
	t.Parallel()
	first, runs := setting(t, seedVariable, 1), setting(t, runsVariable, worldRuns)
	broken := map[string][]uint64{}
	for seed := first; seed < first+runs; seed++ {
		for _, f := range run(blocksOf(seed), sound, false).findings {
			if seeds := broken[f.promise]; len(seeds) == 0 || seeds[len(seeds)-1] != seed {
				broken[f.promise] = append(seeds, seed)
			}
		}
	}
	for promise, seeds := range broken {
		most := min(len(seeds), 20)
		t.Errorf("the promise %q is broken by %d of %d runs, seeds %v (%s=%d %s=1 runs the first again)\n%s", promise, len(seeds), runs, seeds[:most],
			seedVariable, seeds[0], runsVariable, traceOf(blocksOf(seeds[0]), sound, promise))
	}
	if len(broken) == 0 {
		t.Logf("%d runs from seed %d on", runs, first)
	}
}

// sound is a process that is as it should be.
var sound = broken{}

func TestARunIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		once, again := run(blocksOf(seed), sound, true), run(blocksOf(seed), sound, true)
		if a, b := fmt.Sprint(once.trace), fmt.Sprint(again.trace); a != b {
			t.Fatalf("seed %d runs differently the second time", seed)
		}
	}
}
