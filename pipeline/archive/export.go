package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// Export writes the status events of a frozen range to an archive.
type Export struct {
	Range  *snapshot.Snapshot
	File   string    // ends in .gz: compressed; "-": Stdout
	Stdout io.Writer // where "-" goes
	DryRun bool      // count, write nothing

	// Progress is told how many records were read and how many events written, by one goroutine at a time. It may be nil.
	Progress func(records, events int64)
}

// Exported is what an export came to.
type Exported struct {
	Records int64 `json:"records"` // read
	Events  int64 `json:"events"`  // written
	Foreign int64 `json:"foreign"` // records of the topic that are no status events; they are left out
	Bytes   int64 `json:"bytes"`   // of lines, before compression
}

// Run reads all partitions at a time. The events of a partition, and so those of a payment, are written in their order.
func (x *Export) Run(ctx context.Context) (Exported, error) {
	var to *writer
	if !x.DryRun {
		var err error
		if to, err = create(x.File, x.Stdout); err != nil {
			return Exported{}, err
		}
	}
	var sum Exported
	var mu sync.Mutex
	err := x.Range.Walk(ctx, func(r kafka.Record, chosen bool) error {
		var text bytes.Buffer
		foreign := false
		if chosen {
			e, err := handlers.ReadStatusEvent(snapshot.MessageOf(r))
			switch {
			case errors.Is(err, handlers.ErrNoStatusEvent):
				foreign = true
			case x.Range.Has(e.Data.Provider):
				if err := appendLine(&text, r); err != nil {
					return err
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		sum.Records++
		if foreign {
			sum.Foreign++
		}
		if x.Progress != nil && sum.Records%256 == 0 {
			x.Progress(sum.Records, sum.Events)
		}
		if text.Len() == 0 {
			return nil
		}
		sum.Events++
		sum.Bytes += int64(text.Len())
		if to == nil {
			return nil
		}
		return to.write(text.Bytes())
	})
	if to != nil {
		err = to.close(err)
	}
	return sum, err
}
