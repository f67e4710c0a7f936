package delay

import (
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers"
)

// headerHops of a waiting record names the tiers that come after this one: "5s,1s". When it is due says its append time.
const headerHops = "paystatus_hops"

// Waiting is a record on its way through the tiers: which tier it goes into next, "" for back to work.
type Waiting struct {
	Tier    string
	Headers []handlers.Header
}

// Begin sends a record on its way to wait for d.
func (t Tiers) Begin(d time.Duration, headers []handlers.Header) Waiting {
	return enter(t.Compose(d), headers)
}

// Forward sends a record that has waited in one tier on its way: into the next one, or back to work.
func (t Tiers) Forward(headers []handlers.Header) Waiting {
	var left []Tier
	for _, h := range headers {
		if h.Key != headerHops {
			continue
		}
		for name := range strings.SplitSeq(string(h.Value), ",") {
			if tier, ok := t.byName(name); ok {
				left = append(left, tier)
			}
		}
	}
	return enter(left, headers)
}

func enter(tiers []Tier, headers []handlers.Header) Waiting {
	kept := make([]handlers.Header, 0, len(headers)+1)
	for _, h := range headers {
		if h.Key != headerHops {
			kept = append(kept, h)
		}
	}
	if len(tiers) == 0 {
		return Waiting{Headers: kept}
	}
	if len(tiers) > 1 {
		kept = append(kept, handlers.Header{Key: headerHops, Value: []byte(names(tiers[1:]))})
	}
	return Waiting{Tier: tiers[0].Name, Headers: kept}
}
