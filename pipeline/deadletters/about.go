package deadletters

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// About finds the letters about one payment, given back or not, the oldest first, in the offsets [from, to) of each partition of the topic. It goes
// once through them and looks into those only that may be about the payment.
func About(ctx context.Context, client *kafka.Client, topic, payment string, from, to map[int]int64) ([]Letter, kafka.Searched, error) {
	var mu sync.Mutex
	var letters []Letter
	var total kafka.Searched
	given := map[Position]Given{}
	filter := Filter{Payment: payment, Given: true}
	group, ctx := errgroup.WithContext(ctx)
	for partition, end := range to {
		if from[partition] >= end {
			continue
		}
		group.Go(func() error {
			choose := func(key, value []byte) bool { return value == nil || MayName(payment, key, value) }
			searched, err := client.Search(ctx, topic, partition, from[partition], end, choose, func(r kafka.Record) error {
				mu.Lock()
				defer mu.Unlock()
				if p, g, ok := marker(r); ok {
					given[p] = g
				} else if l, ok := letterOf(r); ok && filter.chooses(&l) {
					letters = append(letters, l)
				}
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			total.Records, total.Bytes = total.Records+searched.Records, total.Bytes+searched.Bytes
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, total, fmt.Errorf("dead letters about %q: %w", payment, err)
	}
	for i := range letters {
		if g, ok := given[letters[i].Position]; ok {
			letters[i].Given = &g
		}
	}
	slices.SortFunc(letters, func(a, b Letter) int { return a.Time.Compare(b.Time) })
	return letters, total, nil
}

// MayName reports whether a record may name a payment: its key does, or its value holds the id as it is or may hold it in another form,
// as JSON escapes and base64 are.
func MayName(payment string, key, value []byte) bool {
	return string(key) == payment || bytes.Contains(value, []byte(payment)) ||
		bytes.IndexByte(value, '\\') >= 0 || bytes.Contains(value, []byte("data_base64"))
}
