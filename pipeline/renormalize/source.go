package renormalize

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/archive"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/pipeline/snapshot"
)

// Log is a frozen range of the emitted log.
type Log struct{ Range *snapshot.Snapshot }

// Walk reads all partitions at a time.
func (l Log) Walk(ctx context.Context, fn func(handlers.Message, bool) error) error {
	err := l.Range.Walk(ctx, func(r kafka.Record, chosen bool) error {
		return fn(snapshot.MessageOf(r), chosen)
	})
	if err != nil {
		return fmt.Errorf("read the emitted log: %w", err)
	}
	return nil
}

// File is an exported file. Of the range only payments, partitions and times are looked at here.
type File struct {
	Name  string
	Range snapshot.Range
	Read  func(bytes int64) // told how much of the file was read; may be nil
}

// Walk reads the lines.
func (f File) Walk(ctx context.Context, fn func(handlers.Message, bool) error) error {
	file, err := os.Open(f.Name)
	if err != nil {
		return fmt.Errorf("read the exported file: %w", err)
	}
	defer func() { _ = file.Close() }()
	return archive.Read(f.Name, file, func(_, bytes int64, r kafka.Record) error {
		if f.Read != nil {
			f.Read(bytes)
		}
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // interrupted
		}
		return fn(snapshot.MessageOf(r), f.Range.Chooses(r))
	})
}

// hands hold what is collected for the workers, by partition of the source.
type hands struct {
	mu          sync.Mutex
	byPartition map[int][][]item
}

// of is the hand of one partition; only the goroutine that reads the partition may use it.
func (h *hands) of(partition, workers int) [][]item {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byPartition == nil {
		h.byPartition = map[int][][]item{}
	}
	if h.byPartition[partition] == nil {
		h.byPartition[partition] = make([][]item, workers)
	}
	return h.byPartition[partition]
}

func (h *hands) all() [][][]item {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.byPartition))
}
