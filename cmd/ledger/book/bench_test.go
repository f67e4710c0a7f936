package book_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/schemas"
)

// BenchmarkTake reads 5,000 payments with two events each from an embedded broker into the books, once: use -benchtime=1x.
func BenchmarkTake(b *testing.B) {
	for name, database := range consumertest.Databases(b) {
		b.Run(name, func(b *testing.B) {
			const payments = 5000
			log := consumertest.NewLog(b)
			var events []event
			for i := range payments {
				events = append(events, consumertest.Of(strconv.Itoa(i),
					event{Status: schemas.CapturePending}, event{Status: schemas.Captured, Final: true})...)
			}
			log.Write(events...)
			service := consumertest.NewService(b, log, database, book.Name, book.Migrations, book.Effect)
			b.ResetTimer()
			began := time.Now()
			require.Equal(b, int64(len(events)), service.TakeAll("g").News)
			b.ReportMetric(float64(len(events))/time.Since(began).Seconds(), "events/s")
		})
	}
}
