package pipeline_test

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/pipeline"
)

// Not parallel: the environment and the collector are the process's.
func TestTheCollectorRunsLessOftenWhereTheEnvironmentSaysNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		gogc, limit string
		want        uint64
	}{
		"nothing is said": {want: 200},
		"GOGC":            {gogc: "70", want: 100},
		"GOGC off":        {gogc: "off", want: 100},
		"GOMEMLIMIT":      {limit: "1GiB", want: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", tt.gogc)
			t.Setenv("GOMEMLIMIT", tt.limit)
			before := debug.SetGCPercent(100)
			defer debug.SetGCPercent(before)

			pipeline.CollectLess()

			percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
			metrics.Read(percent)
			assert.Equal(t, tt.want, percent[0].Value.Uint64())
		})
	}
}
