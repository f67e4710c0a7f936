package why

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// note begins the account of a stretch, or goes on with it where the same part of the topic is read in pieces.
func (s *Scanned) note(part stretch) *ScannedTopic {
	for _, t := range s.Topics {
		if t.Topic == part.source.topic && t.What == part.what {
			t.Partitions = append(t.Partitions, part.partitions...)
			slices.Sort(t.Partitions)
			t.Partitions = slices.Compact(t.Partitions)
			return t
		}
	}
	t := &ScannedTopic{Topic: part.source.topic, What: part.what, Partitions: part.partitions, Of: len(part.source.end)}
	s.Topics = append(s.Topics, t)
	return t
}

func (s *Scanned) total() {
	for _, t := range s.Topics {
		s.Records, s.Bytes = s.Records+t.Records, s.Bytes+t.Bytes
	}
}

// partitions is over how many partitions of how many topics it went.
func (s *Scanned) partitions() (partitions, topics int) {
	byTopic := map[string][]int{}
	for _, t := range s.Topics {
		byTopic[t.Topic] = append(byTopic[t.Topic], t.Partitions...)
	}
	for _, all := range byTopic {
		slices.Sort(all)
		partitions += len(slices.Compact(all))
	}
	return partitions, len(byTopic)
}

// notLookedAt says what a story may lack because it was not read.
func (r *reading) notLookedAt() {
	s := r.sources
	add := func(format string, args ...any) {
		r.scanned.NotLookedAt = append(r.scanned.NotLookedAt, fmt.Sprintf(format, args...))
	}
	var missing []string
	for _, source := range s.all() {
		if source.missing {
			missing = append(missing, source.topic)
		}
	}
	if len(missing) > 0 {
		add("%s: no such topic", strings.Join(missing, ", "))
	}
	if n := len(s.events.end); n > 1 && !r.AllPartitions {
		add("the other partitions of topics keyed by payment_id: this one's is %d of %d now; if that number was changed, --all-partitions reads all",
			s.events.home(r.PaymentID), n)
	}
	for _, source := range []*source{s.events, s.checks, s.replays} {
		if left, of := r.before(source); left > 0 {
			add("%s before %s: %d records%s; --since goes back", source.topic, r.scanned.Since.Format(time.RFC3339), left, of)
		}
	}
	if !r.read(s.initiated, withinTimes) && !s.initiated.missing {
		add("%s that intake has done: each record that it took is named by a check, and each that it refused is a dead letter", s.initiated.topic)
	}
	if !s.notified.missing {
		add("%s that the notification handler has done: each that is about a payment became a check with its bytes, or is a dead letter", s.notified.topic)
	}
	var idle []string
	for _, source := range s.all() {
		if source.idle {
			idle = append(idle, source.group)
		}
	}
	if len(idle) > 0 {
		add("what is done: %s have no committed offsets, so all that their topics hold counts as not done; is kafka.group right?", strings.Join(idle, ", "))
	}
	if r.found.foreign > 0 {
		add("%d records under this key that this version cannot read", r.found.foreign)
	}
}

// before is how many records of the partitions that were read stand before the times and were not read.
func (r *reading) before(s *source) (left int64, of string) {
	if s.missing || r.read(s, beforeTimes) {
		return 0, ""
	}
	partitions := s.partitions(r.PaymentID, r.AllPartitions)
	for _, p := range partitions {
		left += s.since[p] - s.first[p]
	}
	if len(partitions) == 1 {
		of = fmt.Sprintf(" of partition %d", partitions[0])
	}
	return left, of
}

func (r *reading) read(s *source, what string) bool {
	return slices.ContainsFunc(r.scanned.Topics, func(t *ScannedTopic) bool { return t.Topic == s.topic && t.What == what })
}
