package worldpay

import (
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// history is what Payment Queries tells of a payment in events[].
type history struct {
	there       bool
	authorized  bool
	sold        bool
	settlements []settlement
	last        exactjson.Value // the newest event with the name of lastEvent
	lastAt      time.Time
}

// settlement is one command to settle, through all of its events.
type settlement struct {
	command   string
	requested bool
	submitted bool
	lost      bool // failed or timed out
	partial   bool
	amount    int64
	counted   bool // the amount is known
}

func readHistory(events exactjson.Value, lastEvent string) history {
	var h history
	last := fold(lastEvent)
	for event := range events.Items() {
		h.there = true
		name := fold(event.Get("eventName").Str())
		if name != "" && name == last {
			at := parseTime(event.Get("timestamp").Str())
			if h.last.Kind() == exactjson.Missing || !at.Before(h.lastAt) {
				h.last, h.lastAt = event, at
			}
		}
		switch {
		case name == "authorizationsucceeded":
			h.authorized = true
		case name == "salesucceeded":
			h.sold = true
		case strings.HasPrefix(name, "settle"):
			h.settle(event, name)
		}
	}
	return h
}

// settle adds an event to its command; name is folded. The request names kind and amount, the events after it only the command.
func (h *history) settle(event exactjson.Value, name string) {
	command, request := event.Get("commandId").Str(), name == "settlementrequested"
	var s *settlement
	for i := range h.settlements {
		if known := &h.settlements[i]; command != "" && known.command == command ||
			command == "" && !request && known.requested && !known.submitted && !known.lost {
			s = known
		}
	}
	if s == nil {
		h.settlements = append(h.settlements, settlement{command: command})
		s = &h.settlements[len(h.settlements)-1]
	}
	switch {
	case request:
		s.requested = true
	case strings.HasSuffix(name, "failed"), strings.HasSuffix(name, "timedout"), strings.HasSuffix(name, "rejected"):
		s.lost = true
	default:
		s.submitted = true
	}
	s.partial = s.partial || strings.EqualFold(event.Get("type").Str(), "partialSettlement")
	if amount, ok := event.Get("value", "amount").Int64(); ok {
		s.amount, s.counted = amount, true
	}
}

// settled says how much the commands come to of what was authorised; 0 is an unknown sum.
func (h *history) settled(authorized int64) share {
	sum, counted, parts := int64(0), true, 0
	for _, s := range h.settlements {
		switch {
		case s.lost:
		case !s.partial:
			return whole
		default:
			parts++
			sum += s.amount
			counted = counted && s.counted
		}
	}
	switch {
	case parts == 0:
		return nothing
	case counted && authorized > 0 && sum >= authorized:
		return whole
	default:
		return part
	}
}

// parseTime reads a time that may lack its zone, which is then UTC. What is no time is the zero time.
func parseTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
