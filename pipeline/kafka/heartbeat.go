package kafka

import (
	"context"
	"errors"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

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
	response, err := g.sub.client.client.Heartbeat(ctx, &kafkago.HeartbeatRequest{
		GroupID: g.sub.options.Group, GenerationID: g.id, MemberID: g.member,
	})
	if err == nil {
		err = response.Error
	}
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
