package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas"
)

// Said is what we last said about a payment, and what else is needed to give the next change its id. The zero Said is that
// of a payment of which nothing was said.
type Said struct {
	Status  schemas.Status   `json:"status,omitempty"` // "" when nothing was said
	Final   bool             `json:"final,omitempty"`
	Sums    schemas.Sums     `json:"sums,omitzero"` // merged over all answers
	Amount  int64            `json:"amount,omitempty"`
	Entry   int              `json:"entry,omitempty"`   // for the how-many-eth time this status with these sums was said
	Dispute *schemas.Dispute `json:"dispute,omitempty"` // stands in the entry's place where a dispute brought or ended the status

	Known      schemas.Status `json:"known,omitempty"`      // the last status other than unknown
	Attempts   []string       `json:"attempts,omitempty"`   // the provider's ids of the attempts spoken of, the latest last
	OccurredAt time.Time      `json:"occurred_at,omitzero"` // the provider's time of the newest that was said or confirmed
	Entries    map[string]int `json:"entries,omitempty"`    // how often each status with its sums was said
	Disputes   []dispute      `json:"disputes,omitempty"`   // every dispute heard of, in that order
	Before     *standing      `json:"before,omitempty"`     // what was said before the first open dispute
	Ahead      time.Time      `json:"ahead,omitzero"`       // when a notification said what no query has shown yet

	Corrections int    `json:"corrections,omitempty"` // how many statements were corrected so far
	Corrects    string `json:"corrects,omitempty"`    // the id of the event that the last statement corrected
}

// dispute is what is known of one dispute.
type dispute struct {
	schemas.Dispute
	At time.Time `json:"at,omitzero"` // the provider's time of this outcome
}

// standing is a status with its sums, as it was said.
type standing struct {
	Status schemas.Status `json:"status"`
	Sums   schemas.Sums   `json:"sums,omitzero"`
	Final  bool           `json:"final,omitempty"`

	Stated schemas.Amounts `json:"stated,omitzero"` // what the query that showed it states, where no event has said so
}

// maxAttempts bounds the attempts that are remembered.
const maxAttempts = 16

// Has reports whether anything was said.
func (s Said) Has() bool { return s.Status != "" }

func (s Said) clone() Said {
	s.Attempts = slices.Clone(s.Attempts)
	s.Entries = maps.Clone(s.Entries)
	s.Disputes = slices.Clone(s.Disputes)
	return s
}

// compared is the status that the next one is held against: unknown is compared through.
func (s Said) compared() schemas.Status {
	if s.Status == schemas.Unknown {
		return s.Known
	}
	return s.Status
}

// stated are the sums as they count in the tuple: one that is zero or equals the payment's amount says nothing.
func (s Said) stated() schemas.Sums {
	count := func(sum int64) int64 {
		if sum == s.Amount {
			return 0
		}
		return sum
	}
	return schemas.Sums{Authorized: count(s.Sums.Authorized), Captured: count(s.Sums.Captured), Refunded: count(s.Sums.Refunded)}
}

// Facts are what an event that says s is identified by.
func (s Said) Facts() schemas.Facts {
	f := schemas.Facts{Status: s.Status, Entry: s.Entry, Final: s.Final, Sums: s.stated()}
	if s.Dispute != nil {
		f.Dispute, f.Entry = s.Dispute, 0
	}
	return f
}

func (s Said) entryKey() string {
	sums := s.stated()
	return fmt.Sprintf("%s/%d/%d/%d", s.Status, sums.Authorized, sums.Captured, sums.Refunded)
}

// sameTuple reports whether the two say the same, so that no event is due.
func (s Said) sameTuple(other Said) bool {
	return s.Status == other.Status && s.Final == other.Final && s.stated() == other.stated() &&
		s.Entry == other.Entry && sameDispute(s.Dispute, other.Dispute)
}

func sameDispute(a, b *schemas.Dispute) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// merge takes over the sums that are stated: one that is not never replaces one that was.
func merge(old, stated schemas.Sums) schemas.Sums {
	pick := func(old, stated int64) int64 {
		if stated != 0 {
			return stated
		}
		return old
	}
	return schemas.Sums{
		Authorized: pick(old.Authorized, stated.Authorized),
		Captured:   pick(old.Captured, stated.Captured),
		Refunded:   pick(old.Refunded, stated.Refunded),
	}
}

// shrinks reports whether a stated sum is smaller than what was said.
func shrinks(old, stated schemas.Sums) bool {
	less := func(old, stated int64) bool { return stated != 0 && stated < old }
	return less(old.Authorized, stated.Authorized) || less(old.Captured, stated.Captured) || less(old.Refunded, stated.Refunded)
}

// say is s after saying a status with the sums that came with it. A dispute stands in the place of the entry count. What
// says the same again keeps its entry and dispute.
func (s Said) say(status schemas.Status, sums schemas.Sums, final bool, by *schemas.Dispute) Said {
	n := s.clone()
	n.Status, n.Sums, n.Final = status, merge(s.Sums, sums), final
	if status != schemas.Unknown {
		n.Known = status
	}
	if by == nil && s.Status == status && s.stated() == n.stated() {
		return n
	}
	n.Corrects = ""
	if by != nil {
		n.Dispute, n.Entry = by, 0
		return n
	}
	n.enter()
	return n
}

// enter counts that what s says became what we say, once more.
func (s *Said) enter() {
	if s.Entries == nil {
		s.Entries = map[string]int{}
	}
	s.Dispute = nil
	key := s.entryKey()
	s.Entries[key]++
	s.Entry = s.Entries[key]
}

// attempt relates an answer's attempt, by the provider's payment id, to the one last spoken of.
type attempt uint8

const (
	attemptSame attempt = iota // also when either is not named
	attemptNewer
	attemptEarlier
)

// attempt of an answer that gives a status an id and a time. One that was not heard of is an earlier one, too, where the
// provider dates it so; a success it may be at any time.
func (s Said) attempt(id string, status schemas.Status, at time.Time) attempt {
	switch {
	case id == "" || len(s.Attempts) == 0 || s.Attempts[len(s.Attempts)-1] == id:
		return attemptSame
	case slices.Contains(s.Attempts, id), !at.IsZero() && at.Before(s.OccurredAt) && !status.Success():
		return attemptEarlier
	default:
		return attemptNewer
	}
}

// lateAfter reports whether s, although it stands after other in the log, was said of an earlier time, or is a repetition that
// consumers have seen: the late write of a stalled process.
func (s Said) lateAfter(other Said) bool {
	if s.Corrections != other.Corrections {
		return s.Corrections < other.Corrections
	}
	if late, settled := s.lateByDisputes(other); settled {
		return late
	}
	switch {
	case s.Entry > 0 && s.Entry <= other.Entries[s.entryKey()] && (s.entryKey() != other.entryKey() || s.Entry != other.Entry):
		return true // a repetition
	case len(s.Attempts) > 0 && other.attempt(s.Attempts[len(s.Attempts)-1], s.Status, s.OccurredAt) == attemptNewer:
		return false
	case s.Status == other.Status:
		return merge(other.Sums, s.Sums) != s.Sums || shrinks(other.Sums, s.Sums) || s.stated() == other.stated() && other.Final && !s.Final
	}
	now, dead := other.compared(), other.Final
	if now.Negative() && len(s.Attempts) > 0 && len(other.Attempts) > 0 {
		dead = true // the same attempt does not come back to life
	}
	ignorant := s.Entries[other.entryKey()] < other.Entry && s.OccurredAt.Before(other.OccurredAt)
	return schemas.Between(now, dead, s.Status) == schemas.MoveBackwards ||
		ignorant && schemas.Between(s.Status, s.Final, now) == schemas.MoveAllowed
}

// lateByDisputes is lateAfter as far as disputes settle it: news of one counts, whatever its writer knew of others; below one only a
// refund does.
func (s Said) lateByDisputes(other Said) (late, settled bool) {
	if s.Dispute == nil {
		both := Said{Disputes: slices.Clone(other.Disputes)}
		both.hear(s.Disputes)
		contested := both.contested()
		below := contested == schemas.ChargedBack || contested == schemas.Disputed && !refund(s.Status)
		return below, below
	}
	i := slices.IndexFunc(other.Disputes, func(k dispute) bool { return k.ID == s.Dispute.ID })
	switch {
	case i < 0:
		return false, true
	case other.Disputes[i].Outcome != s.Dispute.Outcome:
		return !slices.ContainsFunc(s.Disputes, other.Disputes[i].movesTo), true
	default: // known: more may have been said since
		settled = s.Status != other.Status && s.Dispute.Outcome != schemas.DisputeWon
		return settled, settled
	}
}

// learn adds what other knows and s does not: sums, entry counts, disputes, and what the payment was before them. Where a dispute
// brought or ended what s says, the others' outcomes count, too.
func (s *Said) learn(other Said) {
	if s.contested() != "" && (s.Before == nil || !capturedOrLater(s.Before.Status)) && capturedOrLater(other.compared()) {
		s.Before = &standing{Status: other.compared(), Sums: other.Sums, Final: other.Final}
	}
	if s.Corrections == other.Corrections {
		s.Sums = merge(other.Sums, s.Sums)
	}
	if s.Status == schemas.Unknown && s.Known != "" && schemas.Between(s.Known, false, other.compared()) == schemas.MoveAllowed {
		s.Known = other.compared()
	}
	for key, n := range other.Entries {
		if s.Entries == nil {
			s.Entries = map[string]int{}
		}
		s.Entries[key] = max(n, s.Entries[key])
	}
	s.hear(other.Disputes)
	if contested := s.contested(); contested != "" && s.Dispute != nil {
		s.Status, s.Known, s.Final = contested, contested, contested.Final()
	}
}

// hear takes in what others know of disputes.
func (s *Said) hear(known []dispute) {
	for _, k := range known {
		i := slices.IndexFunc(s.Disputes, func(mine dispute) bool { return mine.ID == k.ID })
		switch {
		case i < 0:
			s.Disputes = append(s.Disputes, k)
		case s.Disputes[i].movesTo(k):
			s.Disputes[i] = k
		}
	}
}

// spokenOf notes the attempt and the provider's time of what was said or confirmed. The id may be a part of the answer's text, which a
// lane that keeps it must not keep.
func (s *Said) spokenOf(id string, occurredAt time.Time) {
	if id != "" && !slices.Contains(s.Attempts, id) {
		s.Attempts = append(s.Attempts, strings.Clone(id))
		if len(s.Attempts) > maxAttempts {
			s.Attempts = s.Attempts[1:]
		}
	}
	if occurredAt.After(s.OccurredAt) {
		s.OccurredAt = occurredAt
	}
}
