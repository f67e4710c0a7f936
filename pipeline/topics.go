package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/delay"
	"github.com/paystatus/paystatus/pipeline/kafka"
)

// Topics are the topics by what they are for.
type Topics struct {
	config.Topics

	Tiers delay.Tiers // nil: delay.Standard
}

func (t Topics) tiers() delay.Tiers {
	if t.Tiers == nil {
		return delay.Standard
	}
	return t.Tiers
}

// Checks is the work topic.
func (t Topics) Checks() string { return t.Internal(config.ChecksTopic) }

// DeadLetters holds everything that cannot go on.
func (t Topics) DeadLetters() string { return t.Internal(config.DeadLettersTopic) }

// Redriven holds dead letters that are given back.
func (t Topics) Redriven() string { return t.Internal(config.RedrivenTopic) }

// Replays holds what the checks of backfills came to.
func (t Topics) Replays() string { return t.Internal(config.ReplaysTopic) }

// Tier is the topic of a delay.
func (t Topics) Tier(name string) string { return t.Internal(config.DelayTopic + name) }

// The retentions of internal topics; a tier keeps twice its delay on top.
const (
	retention            = 7 * 24 * time.Hour
	retentionDeadLetters = 30 * 24 * time.Hour
)

// The sizes of messages. A dead letter must hold the largest input with what is said about it.
const (
	maxMessage        = 2 << 20
	maxMessageLetters = maxMessage + 64<<10
)

// requirement is what a topic is created like, and, if it is internal, must be like.
type requirement struct {
	name      string
	internal  bool // its partition count must equal that of the other internal topics
	retention time.Duration
	maxBytes  int
}

func (t Topics) requirements() []requirement {
	all := []requirement{
		{name: t.Initiated},
		{name: t.StatusChanged, maxBytes: maxMessage},
		{name: t.Notified, retention: retention},
		{name: t.Checks(), internal: true, retention: retention, maxBytes: maxMessage},
		{name: t.Redriven(), internal: true, retention: retention, maxBytes: maxMessageLetters},
		{name: t.Replays(), internal: true, retention: retention},
		{name: t.DeadLetters(), internal: true, retention: retentionDeadLetters, maxBytes: maxMessageLetters},
	}
	for _, tier := range t.tiers() {
		all = append(all, requirement{name: t.Tier(tier.Name), internal: true, retention: retention + 2*tier.Delay, maxBytes: maxMessage})
	}
	return all
}

func (t Topics) all() []string {
	var names []string
	for _, r := range t.requirements() {
		names = append(names, r.name)
	}
	return names
}

// topic is how this program creates what is required.
func (t Topics) topic(r requirement) kafka.Topic {
	configs := map[string]string{
		"cleanup.policy":      "delete",
		"min.insync.replicas": strconv.Itoa(t.MinInsync),
	}
	if r.internal {
		configs["message.timestamp.type"] = "LogAppendTime"
		configs["retention.bytes"] = "-1"
	}
	if r.retention > 0 {
		configs["retention.ms"] = strconv.FormatInt(r.retention.Milliseconds(), 10)
	}
	if r.maxBytes > 0 {
		configs["max.message.bytes"] = strconv.Itoa(r.maxBytes)
	}
	return kafka.Topic{Name: r.name, Partitions: t.Partitions, Replication: t.Replication, Configs: configs}
}

// MissingTopics names the topics that do not exist.
func MissingTopics(ctx context.Context, client *kafka.Client, t Topics) ([]string, error) {
	there, err := client.DescribeTopics(ctx, t.all()...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(t.all(), func(name string) bool { _, ok := there[name]; return ok }), nil
}

// CreateTopics creates the topics that are missing and says which it created.
func CreateTopics(ctx context.Context, client *kafka.Client, t Topics) (created []string, err error) {
	missing, err := MissingTopics(ctx, client, t)
	if err != nil {
		return nil, err
	}
	for _, r := range t.requirements() {
		if !slices.Contains(missing, r.name) {
			continue
		}
		err := client.CreateTopics(ctx, t.topic(r))
		switch {
		case errors.Is(err, kafkago.TopicAlreadyExists): // by another instance
		case err != nil:
			return created, fmt.Errorf("create topic %s: %w", r.name, err)
		default:
			created = append(created, r.name)
		}
	}
	return created, nil
}

// CheckTopics says plainly what is wrong with the topics; an empty list means nothing.
func CheckTopics(ctx context.Context, client *kafka.Client, t Topics) (problems []string, err error) {
	there, err := client.DescribeTopics(ctx, t.all()...)
	if err != nil {
		return nil, err
	}
	work, known := there[t.Checks()]
	for _, r := range t.requirements() {
		d, ok := there[r.name]
		if !ok {
			problems = append(problems, fmt.Sprintf("topic %s does not exist", r.name))
			continue
		}
		complain := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("topic %s: ", r.name)+fmt.Sprintf(format, args...))
		}
		if r.internal && known && d.Partitions != work.Partitions {
			complain("has %d partitions but %s has %d; internal topics need equal counts", d.Partitions, t.Checks(), work.Partitions)
		}
		problems = append(problems, t.checkConfigs(r, d)...)
	}
	return problems, nil
}

func (t Topics) checkConfigs(r requirement, d kafka.TopicDescription) (problems []string) {
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf("topic %s: ", r.name)+fmt.Sprintf(format, args...))
	}
	if policy, ok := d.Configs["cleanup.policy"]; ok && policy != "delete" && r.name != t.StatusChanged {
		complain("cleanup.policy is %q and must be \"delete\"", policy)
	}
	if !r.internal {
		return problems // its owner decides how long and how large
	}
	if kind, ok := d.Configs["message.timestamp.type"]; ok && kind != "LogAppendTime" {
		complain("message.timestamp.type is %q and must be \"LogAppendTime\"", kind)
	}
	if limit, ok := number(d, "retention.bytes"); ok && limit >= 0 {
		complain("retention.bytes is %d and must be -1: a full tier must not lose checks", limit)
	}
	if d.Replication < t.Replication {
		complain("has %d replicas and the configuration wants %d", d.Replication, t.Replication)
	}
	if n, ok := number(d, "min.insync.replicas"); ok && n < int64(t.MinInsync) {
		complain("min.insync.replicas is %d and the configuration wants %d", n, t.MinInsync)
	}
	if kept, ok := number(d, "retention.ms"); ok && r.retention > 0 && kept >= 0 && kept < r.retention.Milliseconds() {
		complain("retention.ms is %d (%s) and must be at least %d (%s)", kept, time.Duration(kept)*time.Millisecond, r.retention.Milliseconds(), r.retention)
	}
	if size, ok := number(d, "max.message.bytes"); ok && r.maxBytes > 0 && size < int64(r.maxBytes) {
		complain("max.message.bytes is %d and must be at least %d", size, r.maxBytes)
	}
	return problems
}

func number(d kafka.TopicDescription, name string) (int64, bool) {
	n, err := strconv.ParseInt(d.Configs[name], 10, 64)
	return n, err == nil
}

// ErrOffsetsLost says that an internal topic holds records but its group has no committed offset.
var ErrOffsetsLost = errors.New("committed offsets are missing")

// CommitStarts commits where every group begins, on all partitions that have no committed offset yet, before any handler
// runs or command produces. Of an internal topic that holds records already it is an error, unless accepted: somebody lost
// the offsets.
func CommitStarts(ctx context.Context, client *kafka.Client, t Topics, group string, initiated kafka.Start, accept bool) error {
	for name, topic := range t.Consumed() {
		start := kafka.Earliest
		if topic == t.Initiated {
			start = initiated
		}
		if err := commitStart(ctx, client, GroupOf(group, name), topic, start, accept || topic == t.Initiated || topic == t.Notified); err != nil {
			return err
		}
	}
	return nil
}

// Consumed are the topics by the handler that consumes each.
func (t Topics) Consumed() map[string]string {
	all := map[string]string{
		handlers.NameIntake: t.Initiated, handlers.NameNotification: t.Notified,
		handlers.NameCheck: t.Checks(), handlers.NameRedriven: t.Redriven(),
	}
	for _, tier := range t.tiers() {
		all[wakeName(tier)] = t.Tier(tier.Name)
	}
	return all
}

// GroupOf is the consumer group of a handler.
func GroupOf(group, handler string) string { return group + "." + handler }

func wakeName(t delay.Tier) string { return "wake." + t.Name }

func commitStart(ctx context.Context, client *kafka.Client, group, topic string, at kafka.Start, accept bool) error {
	committed, err := client.CommittedOffsets(ctx, group, topic)
	if err != nil {
		return fmt.Errorf("committed offsets of %s: %w", group, err)
	}
	first, err := client.ListOffsets(ctx, topic, kafka.Earliest)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", topic, err)
	}
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(first)), func(p int) bool { _, ok := committed[p]; return ok })
	if len(missing) == 0 {
		return nil
	}
	last, err := client.ListOffsets(ctx, topic, kafka.Latest)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", topic, err)
	}
	begin, err := client.ListOffsets(ctx, topic, at)
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", topic, err)
	}
	starts := map[int]int64{}
	for _, p := range missing {
		if last[p] > first[p] && !accept {
			return fmt.Errorf("%w: group %s has none on %s/%d, which holds %d records; if that is right, start once with --accept-lost-offsets",
				ErrOffsetsLost, group, topic, p, last[p]-first[p])
		}
		starts[p] = begin[p]
	}
	if err := client.CommitOffsets(ctx, group, topic, starts); err != nil {
		// With members the coordinator refuses: those commit their starts themselves.
		if again, check := client.CommittedOffsets(ctx, group, topic); check == nil && len(again) == len(first) {
			return nil
		}
		return fmt.Errorf("commit the start of %s: %w", group, err)
	}
	return nil
}
