package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
)

// heartbeatVersion is that of kafka-go's own heartbeats, in which an answer is nothing but the error.
const heartbeatVersion = 0

// beat is a heartbeat for the coordinator. kafka-go's Client.Heartbeat asks any broker, and reads the answers of later versions with their
// fields in the wrong order, so that every refusal looks like success.
type beat struct {
	heartbeat.Request

	clientID string
}

var (
	_ protocol.GroupMessage = (*beat)(nil)
	_ protocol.RawExchanger = (*beat)(nil)
)

// Group makes the Transport ask the group's coordinator.
func (b *beat) Group() string { return b.GroupID }

// Required makes the Transport call RawExchange.
func (b *beat) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the heartbeat and reads the answer. Nothing else is under way on the connection meanwhile.
func (b *beat) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	return protocol.RoundTrip(rw, heartbeatVersion, 0, b.clientID, &b.Request)
}

// heartbeat is nil when the coordinator acknowledged.
func (c *Client) heartbeat(ctx context.Context, group string, generation int32, member string) error {
	answer, err := c.transport.RoundTrip(ctx, c.network.addr(), &beat{
		Request: heartbeat.Request{GroupID: group, GenerationID: generation, MemberID: member}, clientID: c.network.ClientID,
	})
	if err != nil {
		return err
	}
	response, ok := answer.(*heartbeat.Response)
	switch {
	case !ok:
		return fmt.Errorf("a heartbeat was answered with %T", answer)
	case response.ErrorCode != 0:
		return kafkago.Error(response.ErrorCode)
	}
	return nil
}

// kafka-go stops its heartbeats the moment a generation ends, and does not tell when the last one was acknowledged. The generation
// sends its own: they keep the member alive while it drains, and they feed the lease.

// firstHeartbeat tries until one is acknowledged, or working ends or the share is lost.
func (g *generation) firstHeartbeat(working context.Context) bool {
	for {
		switch g.heartbeat(working) {
		case alive:
			return true
		case wanted, gone:
			g.lease.end()
			return false
		case unheard:
			if pause(working, retryPause) != nil {
				return false
			}
		}
	}
}

// heartbeats beats until stop, and stops the work when the coordinator wants or took the share.
func (g *generation) heartbeats(ctx context.Context, stop <-chan struct{}, stopWorking func()) {
	ticker := time.NewTicker(g.sub.heartbeatInterval())
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		switch g.heartbeat(ctx) {
		case alive, unheard:
		case wanted:
			stopWorking()
		case gone:
			g.lease.end()
			close(g.lost)
			stopWorking()
			return
		}
	}
}

// pulse is what came of a heartbeat.
type pulse int

const (
	alive   pulse = iota // acknowledged
	wanted               // acknowledged, but the group rebalances
	gone                 // the coordinator has given the share away
	unheard              // no answer, or a coordinator that moves
)

func (g *generation) heartbeat(ctx context.Context) pulse {
	ctx, cancel := context.WithTimeout(ctx, g.sub.options.SessionTimeout/3)
	defer cancel()
	sent := time.Now()
	err := g.sub.client.heartbeat(ctx, g.sub.options.Group, g.id, g.member)
	tell(g.sub.options.Hooks, func(h HookHeartbeat) { h.OnHeartbeat(g.sub.topic, time.Since(sent), err) })
	switch {
	case err == nil:
		g.lease.renew(sent)
		return alive
	case errors.Is(err, kafkago.RebalanceInProgress):
		g.lease.renew(sent) // the old generation lives until this member joins the next
		return wanted
	case fenced(err):
		g.log.WarnContext(ctx, "kafka: the coordinator gave the share away", "error", err)
		return gone
	}
	g.log.WarnContext(ctx, "kafka: heartbeat failed", "error", err)
	return unheard
}
