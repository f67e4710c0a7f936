package snapshot

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// InTime gives all records to fn, chosen or not, one at a time in the order of time; those of one partition stay in their order.
func (s *Snapshot) InTime(ctx context.Context, fn func(kafka.Record) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var streams []<-chan kafka.Record
	for partition, span := range s.Spans {
		stream := make(chan kafka.Record) // without a buffer: a record may have megabytes
		streams = append(streams, stream)
		group.Go(func() error {
			err := s.client.Scan(ctx, s.Topic, partition, span.From, span.To, func(r kafka.Record) error {
				select {
				case stream <- r:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			if err == nil {
				close(stream)
			}
			return s.ended(err)
		})
	}
	group.Go(func() error { return merge(ctx, streams, fn) })
	return group.Wait()
}

// merge takes the oldest of the streams' heads until all are closed.
func merge(ctx context.Context, streams []<-chan kafka.Record, fn func(kafka.Record) error) error {
	heads := make([]*kafka.Record, len(streams))
	next := func(i int) error {
		select {
		case r, open := <-streams[i]:
			heads[i] = nil
			if open {
				heads[i] = &r
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i := range streams {
		if err := next(i); err != nil {
			return err
		}
	}
	for {
		oldest := -1
		for i, r := range heads {
			if r != nil && (oldest < 0 || r.Time.Before(heads[oldest].Time)) {
				oldest = i
			}
		}
		if oldest < 0 {
			return nil
		}
		if err := fn(*heads[oldest]); err != nil {
			return err
		}
		if err := next(oldest); err != nil {
			return err
		}
	}
}
