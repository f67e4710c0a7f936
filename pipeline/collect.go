package pipeline

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much new memory, in percent of what is in use, is allocated before the garbage collector runs.
const gcPercent = 200

// CollectLess has the garbage collector run half as often as by default, for about a third more memory. What the environment says in GOGC
// or GOMEMLIMIT holds instead.
func CollectLess() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
