package kafka

import (
	"errors"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
)

func TestOnlyAcknowledgedMessagesTellWhenTheyWereAppended(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var told []time.Time
	p := &Publisher{options: PublisherOptions{OnAppend: func(at time.Time) { told = append(told, at) }}}
	p.completed([]kafkago.Message{{Time: now}, {Time: now}}, nil)
	p.completed([]kafkago.Message{{}}, nil) // a topic with the producers' times
	p.completed([]kafkago.Message{{Time: now.Add(time.Hour)}}, errors.New("not written"))
	assert.Equal(t, []time.Time{now}, told)
	(&Publisher{}).completed([]kafkago.Message{{Time: now}}, nil) // nobody wants to know
}
