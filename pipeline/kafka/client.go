package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// Client asks and administers the cluster, and reads ranges of partitions without a group.
type Client struct {
	network   *network
	transport *kafkago.Transport
	client    *kafkago.Client
}

// NewClient makes a Client; it connects with the first request.
func NewClient(config Config) (*Client, error) {
	n, err := config.network()
	if err != nil {
		return nil, err
	}
	return newClient(n), nil
}

// newClient keeps metadata of the given topics only, or of all when there are none.
func newClient(n *network, topics ...string) *Client {
	transport := n.transport(topics...)
	return &Client{
		network: n, transport: transport,
		client: &kafkago.Client{Addr: n.addr(), Transport: transport, Timeout: 15 * time.Second},
	}
}

// Close closes the connections.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

// Topic is a topic to be created.
type Topic struct {
	Name        string
	Partitions  int
	Replication int
	Configs     map[string]string // such as cleanup.policy, retention.ms
}

// CreateTopics creates topics and waits until they are known. The error joins those of all topics that were not created; for
// one that is there already errors.Is(err, kafka.TopicAlreadyExists) of kafka-go holds.
func (c *Client) CreateTopics(ctx context.Context, topics ...Topic) error {
	request := &kafkago.CreateTopicsRequest{}
	for _, t := range topics {
		config := kafkago.TopicConfig{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: t.Replication}
		for name, value := range t.Configs {
			config.ConfigEntries = append(config.ConfigEntries, kafkago.ConfigEntry{ConfigName: name, ConfigValue: value})
		}
		request.Topics = append(request.Topics, config)
	}
	response, err := c.client.CreateTopics(ctx, request)
	if err != nil {
		return fmt.Errorf("kafka: create topics: %w", err)
	}
	var all error
	for _, t := range topics {
		if err := response.Errors[t.Name]; err != nil {
			all = errors.Join(all, fmt.Errorf("kafka: create topic %s: %w", t.Name, err))
		}
	}
	return all
}

// TopicDescription is what the cluster says about a topic.
type TopicDescription struct {
	Name        string
	Partitions  int
	Replication int // the least of its partitions
	Configs     map[string]string
}

// DescribeTopics describes the named topics that exist.
func (c *Client) DescribeTopics(ctx context.Context, names ...string) (map[string]TopicDescription, error) {
	metadata, err := c.metadata(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("kafka: describe topics: %w", err)
	}
	out := map[string]TopicDescription{}
	request := &kafkago.DescribeConfigsRequest{}
	for _, topic := range metadata.Topics {
		if errors.Is(topic.Error, kafkago.UnknownTopicOrPartition) {
			continue
		}
		if topic.Error != nil {
			return nil, fmt.Errorf("kafka: describe topic %s: %w", topic.Name, topic.Error)
		}
		d := TopicDescription{Name: topic.Name, Partitions: len(topic.Partitions), Configs: map[string]string{}}
		for i, p := range topic.Partitions {
			if i == 0 || len(p.Replicas) < d.Replication {
				d.Replication = len(p.Replicas)
			}
		}
		out[topic.Name] = d
		request.Resources = append(request.Resources, kafkago.DescribeConfigRequestResource{
			ResourceType: kafkago.ResourceTypeTopic, ResourceName: topic.Name,
		})
	}
	if len(out) == 0 {
		return out, nil
	}
	response, err := c.client.DescribeConfigs(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("kafka: describe configurations of topics: %w", err)
	}
	for _, resource := range response.Resources {
		if resource.Error != nil {
			return nil, fmt.Errorf("kafka: describe configuration of topic %s: %w", resource.ResourceName, resource.Error)
		}
		for _, entry := range resource.ConfigEntries {
			out[resource.ResourceName].Configs[entry.ConfigName] = entry.ConfigValue
		}
	}
	return out, nil
}

// metadata asks about topics. It is patient with a cluster that is slow to answer for the first time: kafka-go's Transport gives that
// answer no longer than MetadataTTL, and until one came it gives the error of its last attempt. Everything begins here, so the error names
// the brokers, and not the function that asked them.
func (c *Client) metadata(ctx context.Context, topics ...string) (*kafkago.MetadataResponse, error) {
	for began := time.Now(); ; {
		metadata, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: topics})
		if err == nil {
			return metadata, nil
		}
		timeout, ok := errors.AsType[net.Error](err)
		if late := ok && timeout.Timeout(); !late || time.Since(began) > c.client.Timeout || pause(ctx, retryPause) != nil {
			return nil, fmt.Errorf("broker %s: %w", strings.Join(c.network.Brokers, ", "), cmp.Or(errors.Unwrap(err), err))
		}
	}
}

// partitions gives the partitions of a topic in ascending order.
func (c *Client) partitions(ctx context.Context, topic string) ([]kafkago.Partition, error) {
	metadata, err := c.metadata(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("kafka: topic %s: %w", topic, err)
	}
	if err := metadata.Topics[0].Error; err != nil {
		return nil, fmt.Errorf("kafka: topic %s: %w", topic, err)
	}
	partitions := metadata.Topics[0].Partitions
	slices.SortFunc(partitions, func(a, b kafkago.Partition) int { return a.ID - b.ID })
	return partitions, nil
}

func addressOf(b kafkago.Broker) string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }

func ids(partitions []kafkago.Partition) []int {
	out := make([]int, len(partitions))
	for i, p := range partitions {
		out[i] = p.ID
	}
	return out
}

// ListOffsets gives, for every partition of a topic, the offset of the first record (Earliest), the offset after the last one
// that a transaction does not keep open (Latest), or the offset of the first record at a time or later (At; the same as Latest
// when there is none).
func (c *Client) ListOffsets(ctx context.Context, topic string, at Start) (map[int]int64, error) {
	partitions, err := c.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	var offsets map[int]int64
	err = again(ctx, func() error {
		offsets, err = c.resolve(ctx, topic, ids(partitions), at)
		return err
	})
	return offsets, err
}

// again repeats a request for some seconds while it fails for a reason that passes, as it does on a topic or a cluster that is just made.
func again(ctx context.Context, request func() error) error {
	for wait := retryPause; ; wait *= 2 {
		err := request()
		if err == nil || !passes(err) || wait > 4*time.Second || pause(ctx, wait) != nil {
			return err
		}
	}
}

// passes tells whether the cause of a failed request may be gone soon: a new leader or coordinator is on its way, or the connection was lost,
// which kafka-go calls an unknown error where it was lost for some of the partitions.
func passes(err error) bool {
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		return code.Temporary() || code == kafkago.Unknown
	}
	_, broken := errors.AsType[*net.OpError](err)
	return broken || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (c *Client) resolve(ctx context.Context, topic string, partitions []int, at Start) (map[int]int64, error) {
	switch at {
	case Earliest:
		return c.listOffsets(ctx, topic, partitions, kafkago.FirstOffsetOf)
	case Latest:
		return c.listOffsets(ctx, topic, partitions, kafkago.LastOffsetOf)
	}
	offsets, err := c.listOffsets(ctx, topic, partitions, func(p int) kafkago.OffsetRequest {
		return kafkago.OffsetRequest{Partition: p, Timestamp: int64(at)}
	})
	if err != nil {
		return nil, err
	}
	var none []int
	for p, offset := range offsets {
		if offset < 0 {
			none = append(none, p)
		}
	}
	if len(none) == 0 {
		return offsets, nil
	}
	last, err := c.resolve(ctx, topic, none, Latest)
	if err != nil {
		return nil, err
	}
	maps.Copy(offsets, last)
	return offsets, nil
}

func (c *Client) listOffsets(
	ctx context.Context, topic string, partitions []int, of func(partition int) kafkago.OffsetRequest,
) (map[int]int64, error) {
	out := map[int]int64{}
	if len(partitions) == 0 {
		return out, nil
	}
	requests := make([]kafkago.OffsetRequest, len(partitions))
	for i, p := range partitions {
		requests[i] = of(p)
	}
	response, err := c.client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{
		Topics: map[string][]kafkago.OffsetRequest{topic: requests}, IsolationLevel: kafkago.ReadCommitted,
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: list offsets of %s: %w", topic, err)
	}
	for _, p := range response.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("kafka: list offsets of %s/%d: %w", topic, p.Partition, p.Error)
		}
		switch of(p.Partition).Timestamp {
		case kafkago.FirstOffset:
			out[p.Partition] = p.FirstOffset
		case kafkago.LastOffset:
			out[p.Partition] = p.LastOffset
		default:
			out[p.Partition] = -1
			for offset := range p.Offsets {
				out[p.Partition] = offset
			}
		}
	}
	for _, p := range partitions {
		if _, ok := out[p]; !ok {
			return nil, fmt.Errorf("kafka: list offsets of %s: the answer lacks partition %d", topic, p)
		}
	}
	return out, nil
}

// CommittedOffsets gives a group's next offset to handle for the partitions of a topic that have one.
func (c *Client) CommittedOffsets(ctx context.Context, group, topic string) (map[int]int64, error) {
	all, err := c.committed(ctx, group, topic)
	return all.offsets, err
}

// Owners gives what SubscriberOptions.Owner said when a group last committed each partition of a topic, each owner once. More than one,
// or another than oneself, means that the group's offsets are also the progress of somebody else.
func (c *Client) Owners(ctx context.Context, group, topic string) ([]string, error) {
	all, err := c.committed(ctx, group, topic)
	return all.owners, err
}

func (c *Client) committed(ctx context.Context, group, topic string) (all committed, err error) {
	partitions, err := c.partitions(ctx, topic)
	if err != nil {
		return all, err
	}
	err = again(ctx, func() error {
		all, err = c.commits(ctx, group, topic, ids(partitions))
		return err
	})
	return all, err
}

// CommitOffsets sets the next offsets to handle of a group that has no members; with members the coordinator refuses.
func (c *Client) CommitOffsets(ctx context.Context, group, topic string, offsets map[int]int64) error {
	return again(ctx, func() error {
		return c.commit(ctx, commit{group: group, generation: -1, topic: topic, offsets: offsets})
	})
}

type commit struct {
	group, member, topic string
	generation           int32
	offsets              map[int]int64
	note                 string
}

func (c *Client) commit(ctx context.Context, what commit) error {
	if len(what.offsets) == 0 {
		return nil
	}
	failed := func(err error) error {
		return fmt.Errorf("kafka: commit offsets of %s on %s: %w", what.group, what.topic, err)
	}
	commits := make([]kafkago.OffsetCommit, 0, len(what.offsets))
	for p, offset := range what.offsets {
		commits = append(commits, kafkago.OffsetCommit{Partition: p, Offset: offset, Metadata: what.note})
	}
	response, err := c.client.OffsetCommit(ctx, &kafkago.OffsetCommitRequest{
		GroupID: what.group, GenerationID: int(what.generation), MemberID: what.member,
		Topics: map[string][]kafkago.OffsetCommit{what.topic: commits},
	})
	if err != nil {
		return failed(err)
	}
	var all error
	for _, p := range response.Topics[what.topic] {
		if p.Error != nil {
			all = errors.Join(all, failed(fmt.Errorf("partition %d: %w", p.Partition, p.Error)))
		}
	}
	if got := len(response.Topics[what.topic]); all == nil && got != len(commits) {
		return failed(fmt.Errorf("%d of %d partitions answered", got, len(commits)))
	}
	return all
}
