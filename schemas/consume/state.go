package consume

import (
	"slices"

	"github.com/paystatus/paystatus/schemas"
)

// late reports whether an event says what was before: of an earlier attempt, backwards by the table, below a dispute, or, where the
// table allows both ways, of an earlier time by one who did not know what we know.
func (s State) late(e Event) bool {
	attempt, move := s.attempt(e.Change), s.move(e)
	switch {
	case attempt == attemptEarlier || move == schemas.MoveBackwards || s.below(e.Change.Status):
		return true
	case attempt == attemptNewer || !s.comesAfter(e) || s.follows(e):
		return false
	case e.Change.ObservedAt.Before(s.ObservedAt):
		return true
	default: // one who finds a move unexpected says so: otherwise it was not from here
		return move == schemas.MoveUnexpected && !slices.Contains(e.Change.Anomalies, schemas.UnexpectedTransition)
	}
}

// below reports whether a status is what the payment was before a dispute: without news of the dispute only a refund moves a disputed payment on,
// and nothing one that is charged back.
func (s State) below(status schemas.Status) bool {
	switch s.Known {
	case schemas.ChargedBack:
		return status.Valid()
	case schemas.Disputed:
		return status.Valid() && !slices.Contains(refunds, status)
	default:
		return false
	}
}

var refunds = []schemas.Status{schemas.RefundPending, schemas.PartiallyRefunded, schemas.Refunded, schemas.RefundFailed}

// comesAfter reports whether what is known may come after what an event says.
func (s State) comesAfter(e Event) bool {
	move := schemas.Between(e.Change.Status, e.Change.Final, s.Known)
	return move == schemas.MoveAllowed || move == schemas.MoveSame
}

// follows reports whether an event was said by one who knew what we know.
func (s State) follows(e Event) bool {
	return e.Change.PreviousStatus != nil && *e.Change.PreviousStatus == s.Status
}

// move classifies the step to an event's status. A negative that is not final may be followed by anything of another attempt, but
// the same attempt, where both name it, does not come back to life.
func (s State) move(e Event) schemas.Move {
	from, to, id := s.Known, e.Change.Status, e.Change.ProviderPaymentID
	switch {
	case from.Negative() && s.attempt(e.Change) == attemptNewer:
		return schemas.MoveAllowed
	case from.Negative() && id != "" && len(s.Attempts) > 0:
		return schemas.Between(from, true, to)
	default:
		return schemas.Between(from, s.Final, to)
	}
}

type attempt uint8

const (
	attemptSame attempt = iota // also where either is not named
	attemptNewer
	attemptEarlier
)

// maxAttempts bounds the attempts that are remembered, as the pipeline does.
const maxAttempts = 16

// attempt relates the attempt that an event speaks of to the one last spoken of. One never heard of is an earlier one, too, where the
// provider dates it so; a success it may be at any time.
func (s State) attempt(c schemas.Change) attempt {
	id := c.ProviderPaymentID
	switch {
	case id == "" || len(s.Attempts) == 0 || s.Attempts[len(s.Attempts)-1] == id:
		return attemptSame
	case slices.Contains(s.Attempts, id), !c.OccurredAt.IsZero() && c.OccurredAt.Before(s.OccurredAt) && !c.Status.Success():
		return attemptEarlier
	default:
		return attemptNewer
	}
}

// take is s after an event. It shares nothing with s that either changes.
func (s State) take(e Event) State {
	c := e.Change
	fresh := s.attempt(c) == attemptNewer
	s.Status, s.Final, s.Unresolved = c.Status, c.Final, ""
	if c.Dispute != nil {
		s.Disputes = slices.Clone(s.Disputes)
		if known := s.dispute(c.Dispute); known == nil {
			s.Disputes = append(s.Disputes, disputeOf(c))
		} else if known.Outcome != c.Dispute.Outcome {
			*known = disputeOf(c)
		}
		if contested := s.contested(); contested != "" && contested != s.Status {
			s.Status, s.Final = contested, contested.Final()
		}
	}
	switch {
	case !s.Status.Valid():
		if known := func(row schemas.StatusInfo) bool { return row.Funds == c.Funds }; slices.ContainsFunc(schemas.Statuses, known) {
			s.Funds = c.Funds
		}
	case s.Status != schemas.Unknown:
		s.Known, s.Funds = s.Status, s.Status.Funds()
	case fresh && s.Known.Negative():
		s.Known = "" // another attempt has begun and makes no sense yet
	}
	s.add(c.Amounts)
	if id := c.ProviderPaymentID; id != "" && !slices.Contains(s.Attempts, id) {
		s.Attempts = append(slices.Clip(s.Attempts), id)
		s.Attempts = s.Attempts[max(0, len(s.Attempts)-maxAttempts):]
	}
	if c.OccurredAt.After(s.OccurredAt) {
		s.OccurredAt = c.OccurredAt
	}
	if c.ObservedAt.After(s.ObservedAt) {
		s.ObservedAt = c.ObservedAt
	}
	return s
}

// add takes over the sums that are stated.
func (s *State) add(a schemas.Amounts) {
	for _, sum := range []*schemas.Money{a.Requested, a.Authorized, a.Captured, a.Refunded} {
		if sum != nil {
			s.Currency, s.Exponent = sum.Currency, sum.Exponent
		}
	}
	pick := func(known *int64, stated *schemas.Money) {
		if stated != nil && stated.Value != 0 {
			*known = stated.Value
		}
	}
	pick(&s.Requested, a.Requested)
	pick(&s.Authorized, a.Authorized)
	pick(&s.Captured, a.Captured)
	pick(&s.Refunded, a.Refunded)
}

func stated(a schemas.Amounts) schemas.Sums {
	var s State
	s.add(a)
	return s.Sums
}

// shrinks reports whether a stated sum is smaller than what is known.
func shrinks(known, stated schemas.Sums) bool {
	less := func(known, stated int64) bool { return stated != 0 && stated < known }
	return less(known.Authorized, stated.Authorized) || less(known.Captured, stated.Captured) || less(known.Refunded, stated.Refunded)
}

func disputeOf(c schemas.Change) Dispute { return Dispute{Dispute: *c.Dispute, At: c.OccurredAt} }

// dispute is what is known of one, nil when nothing is.
func (s State) dispute(named *schemas.Dispute) *Dispute {
	if named == nil {
		return nil
	}
	for i := range s.Disputes {
		if s.Disputes[i].ID == named.ID {
			return &s.Disputes[i]
		}
	}
	return nil
}

// contested is what the disputes make of the payment: one lost outweighs one open; "" when neither is.
func (s State) contested() schemas.Status {
	status := schemas.Status("")
	for _, d := range s.Disputes {
		switch d.Outcome {
		case schemas.DisputeLost:
			return schemas.ChargedBack
		case schemas.DisputeOpen:
			status = schemas.Disputed
		case schemas.DisputeWon:
		}
	}
	return status
}

// movesTo reports whether news changes what is known of a dispute: an open one ends, a lost one is reversed, or the news is younger by
// the provider's own time.
func (d Dispute) movesTo(news Dispute) bool {
	switch {
	case d.Outcome == news.Outcome:
		return false
	case d.At.IsZero() || news.At.IsZero() || d.At.Equal(news.At):
		return d.Outcome == schemas.DisputeOpen || d.Outcome == schemas.DisputeLost && news.Outcome == schemas.DisputeWon
	default:
		return news.At.After(d.At)
	}
}
