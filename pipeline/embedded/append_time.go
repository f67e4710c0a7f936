package embedded

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kfake stores the topic configuration message.timestamp.type and does not act on it. So the broker's time is put into the record
// batches on their way in. What remains different from a real broker: its acknowledgements do not tell the time.

const (
	timestampType = "message.timestamp.type"
	logAppendTime = "LogAppendTime"
	renewal       = 1000 // requests after which kfake is made to forget the connections that they came by
)

// Where things stand in a record batch.
const (
	crcAt       = 17
	checkedFrom = 21 // the first byte that the checksum covers
	firstTimeAt = 27
	maxTimeAt   = 35
	timesEnd    = 43
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// stampAppendTimes makes the cluster go by its topics' message.timestamp.type.
func stampAppendTimes(cluster *kfake.Cluster) {
	calls := 0
	cluster.ControlKey(kmsg.Produce.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if calls++; calls == renewal {
			cluster.DropControl()
			stampAppendTimes(cluster)
		}
		if produce, ok := request.(*kmsg.ProduceRequest); ok {
			now := time.Now()
			for _, topic := range produce.Topics {
				if !stamped(cluster, topic) {
					continue
				}
				for _, p := range topic.Partitions {
					stamp(p.Records, now)
				}
			}
		}
		return nil, nil, false //nolint:nilnil // kfake goes on with it
	})
}

func stamped(cluster *kfake.Cluster, topic kmsg.ProduceRequestTopic) bool {
	info := cluster.TopicInfo(topic.Topic)
	if topic.Topic == "" {
		info = cluster.TopicIDInfo(topic.TopicID)
	}
	return info != nil && info.Configs[timestampType] != nil && *info.Configs[timestampType] == logAppendTime
}

// stamp moves the times of a batch so that the latest is now. A batch with a wrong checksum is left to kfake's judgement.
func stamp(batch []byte, now time.Time) {
	if len(batch) < timesEnd || crc32.Checksum(batch[checkedFrom:], castagnoli) != binary.BigEndian.Uint32(batch[crcAt:]) {
		return
	}
	shift := uint64(now.UnixMilli()) - binary.BigEndian.Uint64(batch[maxTimeAt:])
	for _, at := range []int{firstTimeAt, maxTimeAt} {
		binary.BigEndian.PutUint64(batch[at:], binary.BigEndian.Uint64(batch[at:])+shift)
	}
	binary.BigEndian.PutUint32(batch[crcAt:], crc32.Checksum(batch[checkedFrom:], castagnoli))
}
