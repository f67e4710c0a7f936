//go:build unix

package renormalize_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/renormalize"
)

// BenchmarkAnswersReadAgain reads events as records hold them: envelope, data, memory and the provider's answer. Its answers/s are of
// a second of processor time, so that what else the machine does is not in the figure.
func BenchmarkAnswersReadAgain(b *testing.B) {
	for _, name := range pipeline.ProviderNames() {
		b.Run(name, func(b *testing.B) {
			all := corpus(b, name)
			r := reader(b, provider(b, name))
			b.ReportAllocs()
			b.ResetTimer()
			began := used(b)
			for i := range b.N {
				e, err := renormalize.ReadEvent(all[i%len(all)])
				if err != nil || r.Read(e).Finding != renormalize.Same {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/(used(b)-began).Seconds(), "answers/cpu-s")
		})
	}
}

// BenchmarkScan is the whole of it but for Kafka: records to workers, and the report.
func BenchmarkScan(b *testing.B) {
	var all slice
	scan := renormalize.Scan{Reader: &renormalize.Reader{Providers: reader(b, provider(b, "checkout")).Providers, Schedule: schedules, Now: time.Now()}}
	corpora := corpus(b, "checkout")
	for n := range 20_000 {
		m := corpora[n%len(corpora)]
		m.Partition, m.Offset = n%12, int64(n)
		all = append(all, m)
	}
	scan.Source = all
	b.ResetTimer()
	began := used(b)
	for range b.N {
		got, err := scan.Run(b.Context())
		require.NoError(b, err)
		require.Equal(b, int64(len(all)), got.Events, fmt.Sprint(got.Rows))
	}
	b.ReportMetric(float64(b.N*len(all))/(used(b)-began).Seconds(), "answers/cpu-s")
	b.ReportMetric(float64(b.N*len(all))/b.Elapsed().Seconds(), "answers/s")
}

// used is the processor time of this process so far.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
