package watch

import (
	"slices"

	"github.com/paystatus/paystatus/schemas"
)

// dispute takes in what a notification says about a dispute. One lost gives charged_back, else one open gives disputed, else
// what this check's query says where that is not earlier than the status before, else the status before, else captured,
// unconfirmed. The query itself says nothing more in this check: queries do not see disputes. It returns false when the
// notification is no news.
func (d *deciding) dispute(r *Reading) (news bool) {
	obs := r.observation()
	now := dispute{Dispute: *obs.Dispute, At: obs.OccurredAt}
	said := d.said.clone()
	open := slices.ContainsFunc(said.Disputes, dispute.open)
	i := slices.IndexFunc(said.Disputes, func(k dispute) bool { return k.ID == now.ID })
	switch {
	case i < 0:
		said.Disputes = append(said.Disputes, now)
	case said.Disputes[i].movesTo(now):
		said.Disputes[i] = now
	default:
		return false
	}
	if !open && said.Status != schemas.Disputed && said.Status != schemas.ChargedBack {
		said.Before = &standing{Status: said.compared(), Sums: said.Sums, Final: said.Final}
	}

	status, final := d.afterDisputes(said)
	d.unconfirmed = d.unconfirmed || status.assumed && now.Outcome == schemas.DisputeWon
	said.spokenOf(obs.ProviderPaymentID, obs.OccurredAt)
	said = said.say(status.Status, status.Sums, final, &schemas.Dispute{ID: now.ID, Outcome: now.Outcome})
	d.state(Statement{Said: said, Reading: r, Derived: status.Status != obs.Status})
	return true
}

// underneath is a payment's own status below its disputes.
type underneath struct {
	standing
	assumed bool // neither the provider nor the log says so
}

func (d *deciding) afterDisputes(said Said) (underneath, bool) {
	own := underneath{standing: standing{Status: schemas.Captured, Final: true}, assumed: true}
	if said.Before != nil && capturedOrLater(said.Before.Status) {
		own = underneath{standing: *said.Before}
	}
	if obs := d.Query.observation(); obs != nil && capturedOrLater(obs.Status) {
		ahead := schemas.Between(own.Status, own.Final, obs.Status)
		sums := stated(obs.Amounts)
		if (ahead == schemas.MoveSame || ahead == schemas.MoveAllowed) && !shrinks(own.Sums, sums) {
			own = underneath{standing: standing{Status: obs.Status, Sums: merge(own.Sums, sums), Final: obs.Final}}
		}
	}
	switch {
	case slices.ContainsFunc(said.Disputes, func(k dispute) bool { return k.Outcome == schemas.DisputeLost }):
		own.Status, own.assumed = schemas.ChargedBack, false
	case slices.ContainsFunc(said.Disputes, dispute.open):
		own.Status, own.assumed = schemas.Disputed, false
	default:
		return own, own.Final
	}
	return own, own.Status.Final()
}

func capturedOrLater(s schemas.Status) bool {
	return slices.Contains([]schemas.Status{schemas.CapturePending, schemas.PartiallyCaptured, schemas.Captured, schemas.RefundPending,
		schemas.PartiallyRefunded, schemas.Refunded, schemas.RefundFailed}, s)
}

func (k dispute) open() bool { return k.Outcome == schemas.DisputeOpen }

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
