package watch

import (
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// dispute takes in what a notification, or one of the few queries that see them, says about a dispute. One lost gives
// charged_back, else one open gives disputed, else what this check's query says where that is not earlier than the status
// before, else the status before, else captured, unconfirmed. Nothing else is said in this check. It returns false when it is
// no news.
func (d *deciding) dispute(r *Reading) (news bool) {
	obs := r.observation()
	now := dispute{Dispute: *obs.Dispute, At: obs.OccurredAt}
	now.ID = strings.Clone(now.ID) // not the whole answer with it
	said := d.said.clone()
	i := said.which(now, obs.DisputeUnnamed)
	switch {
	case i < 0:
		said.Disputes = append(said.Disputes, now)
	case said.Disputes[i].movesTo(now):
		now.ID = said.Disputes[i].ID
		said.Disputes[i] = now
	default:
		return false
	}
	if said.Status != schemas.Disputed && said.Status != schemas.ChargedBack {
		said.Before = &standing{Status: said.compared(), Sums: said.Sums, Final: said.Final}
		if own := d.underneath(said); !own.assumed {
			said.Before = &own.standing
		}
	}

	status, final := d.afterDisputes(said)
	d.unconfirmed = d.unconfirmed || status.assumed && now.Outcome == schemas.DisputeWon
	said.spokenOf(obs.ProviderPaymentID, obs.OccurredAt)
	said = said.say(status.Status, status.Sums, final, &schemas.Dispute{ID: now.ID, Outcome: now.Outcome})
	d.state(Statement{Said: said, Reading: r, Beside: status.Stated, Derived: status.Status != obs.Status})
	return true
}

// underneath is a payment's own status below its disputes.
type underneath struct {
	standing
	assumed bool // neither the provider nor the log says so
}

func (d *deciding) underneath(said Said) underneath {
	own := underneath{standing: standing{Status: schemas.Captured, Final: true}, assumed: true}
	if said.Before != nil && capturedOrLater(said.Before.Status) {
		own = underneath{standing: *said.Before}
	}
	if obs := d.Query.observation(); obs != nil && capturedOrLater(obs.Status) {
		ahead := schemas.Between(own.Status, own.Final, obs.Status)
		sums := stated(obs.Amounts)
		if (ahead == schemas.MoveSame || ahead == schemas.MoveAllowed) && !shrinks(own.Sums, sums) {
			own = underneath{standing: standing{
				Status: obs.Status, Sums: merge(own.Sums, sums), Final: obs.Final, Stated: obs.Amounts.Or(own.Stated),
			}}
		}
	}
	return own
}

func (d *deciding) afterDisputes(said Said) (underneath, bool) {
	own := d.underneath(said)
	if contested := said.contested(); contested != "" {
		own.Status, own.Final, own.assumed = contested, contested.Final(), false
	}
	return own, own.Final
}

// contested is what the disputes make of the payment, whatever its own status is; "" when nothing.
func (s Said) contested() schemas.Status {
	switch {
	case slices.ContainsFunc(s.Disputes, func(k dispute) bool { return k.Outcome == schemas.DisputeLost }):
		return schemas.ChargedBack
	case slices.ContainsFunc(s.Disputes, dispute.open):
		return schemas.Disputed
	default:
		return ""
	}
}

// sticks reports whether a dispute keeps a status from being news: after it only refunds are, and after it was lost only
// disputes. A refund that the dispute found is none: what the first query says where nobody knew the status before, or what
// the provider itself dates before the dispute.
func (d *deciding) sticks(r *Reading) bool {
	switch d.said.Status {
	case schemas.ChargedBack:
		return true
	case schemas.Disputed:
	default:
		return false
	}
	obs, before := r.observation(), d.said.Before
	found := r.From == schemas.SourceQuery && (before == nil || !capturedOrLater(before.Status)) ||
		!obs.OccurredAt.IsZero() && obs.OccurredAt.Before(d.said.contestedSince())
	if found {
		if own := d.underneath(d.said); !own.assumed {
			d.said.Before = &own.standing
		}
		return true
	}
	if !refund(obs.Status) || before == nil {
		return !refund(obs.Status)
	}
	same := before.Status == obs.Status && merge(before.Sums, stated(obs.Amounts)) == before.Sums
	return same || schemas.Between(before.Status, before.Final, obs.Status) == schemas.MoveBackwards
}

// contestedSince is the provider's time of the first dispute that is open, zero where it states none.
func (s Said) contestedSince() time.Time {
	var since time.Time
	for _, k := range s.Disputes {
		if k.open() && (since.IsZero() || k.At.Before(since)) {
			since = k.At
		}
	}
	return since
}

// refund tells the statuses that move a disputed payment on.
func refund(s schemas.Status) bool {
	return slices.Contains([]schemas.Status{schemas.RefundPending, schemas.PartiallyRefunded, schemas.Refunded, schemas.RefundFailed}, s)
}

func capturedOrLater(s schemas.Status) bool {
	return slices.Contains([]schemas.Status{
		schemas.CapturePending, schemas.PartiallyCaptured, schemas.Captured, schemas.RefundPending,
		schemas.PartiallyRefunded, schemas.Refunded, schemas.RefundFailed,
	}, s)
}

func (k dispute) open() bool { return k.Outcome == schemas.DisputeOpen }

// which is the dispute that news speaks of, -1 for one that nobody has heard of. Where the provider names it that is plain. Else
// a win is of the last that was lost, or is open; anything else is of one that is open, or of the last, unless that had ended
// before: then it is the first of another.
func (s Said) which(news dispute, unnamed bool) int {
	named := slices.IndexFunc(s.Disputes, func(k dispute) bool { return k.ID == news.ID })
	if named >= 0 || !unnamed {
		return named
	}
	last, lost, open := -1, -1, -1
	for i, k := range s.Disputes {
		switch {
		case k.Outcome == news.Outcome && !k.At.IsZero() && k.At.Equal(news.At):
			return i // the same again
		case k.open():
			open = i
		case k.Outcome == schemas.DisputeLost:
			lost = i
		}
		last = i
	}
	won := news.Outcome == schemas.DisputeWon
	switch {
	case won && lost >= 0:
		return lost
	case open >= 0:
		return open
	case last >= 0 && !won && news.Outcome != s.Disputes[last].Outcome && s.Disputes[last].before(news):
		return -1
	default:
		return last
	}
}

// before reports whether the provider dates the one before the other.
func (k dispute) before(other dispute) bool {
	return !k.At.IsZero() && !other.At.IsZero() && k.At.Before(other.At)
}

// movesTo reports whether news changes what is known of a dispute: an open one ends, a lost one is reversed, or the news is
// younger by the provider's own time.
func (k dispute) movesTo(news dispute) bool {
	switch {
	case k.Outcome == news.Outcome:
		return false
	case k.At.IsZero() || news.At.IsZero() || k.At.Equal(news.At):
		return k.open() || k.Outcome == schemas.DisputeLost && news.Outcome == schemas.DisputeWon
	default:
		return news.At.After(k.At)
	}
}
