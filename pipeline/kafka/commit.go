package kafka

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

const (
	commitInterval = time.Second
	commitDeadline = 5 * time.Second
)

// commitNote is the metadata of every commit: how many partitions the topic had when the group first saw it, and whose progress it is.
// A partition above that number came later, so the group reads it from its first record, whatever Start says: a group that starts at the
// end must not miss what is written between the growth and its notice.
type commitNote struct {
	Partitions int    `json:"partitions"`
	Owner      string `json:"owner,omitempty"`
}

// committed is what a group has committed on a topic.
type committed struct {
	offsets map[int]int64
	count   int      // of the partitions that the group began with: the least that a commit notes, or up to the highest that has a commit
	owners  []string // that commits note, each once
}

// resolve finds out where to read each assigned partition from. Where nothing is committed it commits what Start means, so that the
// next generation does not resolve it anew and skip what came in between.
func (g *generation) resolve(ctx context.Context) error {
	client, group, topic := g.sub.client, g.sub.options.Group, g.sub.topic
	all, err := client.partitions(ctx, topic)
	if err != nil {
		return err
	}
	committed, err := client.commits(ctx, group, topic, ids(all))
	if err != nil {
		return err
	}
	g.count = committed.count
	var first, grown []int
	for _, id := range g.ids() {
		if _, ok := committed.offsets[id]; ok {
			continue
		}
		if id < g.count {
			first = append(first, id)
		} else {
			grown = append(grown, id)
		}
	}
	starts, err := client.resolve(ctx, topic, first, g.sub.options.Start)
	if err != nil {
		return err
	}
	begins, err := client.resolve(ctx, topic, grown, Earliest)
	if err != nil {
		return err
	}
	maps.Copy(starts, begins)
	if err := g.commit(ctx, starts); err != nil {
		return err
	}
	for _, p := range g.partitions {
		offset, ok := committed.offsets[p.id]
		if !ok {
			offset = starts[p.id]
		}
		p.committed, p.tracker.next = offset, offset
	}
	g.committed = time.Now()
	return nil
}

func (c *Client) commits(ctx context.Context, group, topic string, partitions []int) (committed, error) {
	out := committed{offsets: map[int]int64{}, count: len(partitions)}
	response, err := c.client.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: partitions},
	})
	if err == nil {
		err = response.Error
	}
	if errors.Is(err, kafkago.GroupIdNotFound) { // some brokers say so instead of answering "none" for each partition
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("kafka: committed offsets of %s on %s: %w", group, topic, err)
	}
	noted, highest := 0, 0
	for _, p := range response.Topics[topic] {
		if p.Error != nil {
			return out, fmt.Errorf("kafka: committed offset of %s on %s/%d: %w", group, topic, p.Partition, p.Error)
		}
		if p.CommittedOffset < 0 {
			continue
		}
		out.offsets[p.Partition] = p.CommittedOffset
		highest = max(highest, p.Partition+1)
		var note commitNote
		if json.Unmarshal([]byte(p.Metadata), &note) != nil {
			continue
		}
		if note.Partitions > 0 && (noted == 0 || note.Partitions < noted) {
			noted = note.Partitions
		}
		if note.Owner != "" && !slices.Contains(out.owners, note.Owner) {
			out.owners = append(out.owners, note.Owner)
		}
	}
	out.count = cmp.Or(noted, highest, out.count)
	return out, nil
}

func (g *generation) commit(ctx context.Context, offsets map[int]int64) error {
	note, err := json.Marshal(commitNote{Partitions: g.count, Owner: g.sub.options.Owner})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commitDeadline)
	defer cancel()
	return g.sub.client.commit(ctx, commit{
		group: g.sub.options.Group, generation: g.id, member: g.member, topic: g.sub.topic, offsets: offsets, note: string(note),
	})
}

// commitLoop is the generation's only committer until stop.
func (g *generation) commitLoop(ctx context.Context, stop <-chan struct{}) {
	ticker := time.NewTicker(commitInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		if err := g.commitDone(ctx); err != nil {
			g.log.WarnContext(ctx, "kafka: commit failed, trying again", "error", err)
		}
	}
}

// commitDone commits the watermarks that have risen.
func (g *generation) commitDone(ctx context.Context) error {
	risen := map[int]int64{}
	g.mu.Lock()
	for _, p := range g.partitions {
		if w := p.tracker.watermark(); w > p.committed {
			risen[p.id] = w
		}
	}
	g.mu.Unlock()
	if err := g.commit(ctx, risen); err != nil {
		tell(g.sub.options.Hooks, func(h HookCommitError) { h.OnCommitError(g.sub.topic, err) })
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.committed = time.Now()
	for id, offset := range risen {
		g.partitions[id].committed = offset
	}
	return nil
}

// lastCommit commits what was done when the share was revoked. What cannot be committed is done again by the next owner.
func (g *generation) lastCommit(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, commitDeadline)
	defer cancel()
	for {
		err := g.commitDone(ctx)
		if err == nil {
			return
		}
		if fenced(err) || pause(ctx, retryPause) != nil {
			g.log.ErrorContext(ctx, "kafka: last commit failed, finished messages will be repeated", "error", err)
			return
		}
	}
}
