package schemas_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/schemas"
)

// The ids were computed with another program (Python's uuid.uuid5 over the same names). They never change: consumers
// remember them.
func TestEventIDsAreTheSameForEver(t *testing.T) {
	t.Parallel()
	order := schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "order-1"}
	dispute := func(outcome schemas.DisputeOutcome) *schemas.Dispute {
		return &schemas.Dispute{ID: "dsp_1", Outcome: outcome}
	}
	for name, tc := range map[string]struct {
		key   schemas.PaymentKey
		facts schemas.Facts
		id    string
	}{
		"captured":       {order, schemas.Facts{Status: schemas.Captured, Entry: 1, Final: true}, "3996d272-0576-52f1-b4ef-1ce8770ce9de"},
		"captured again": {order, schemas.Facts{Status: schemas.Captured, Entry: 2, Final: true}, "3771e52e-3a43-5a8f-b5a2-f5377edaa6d4"},
		"partly captured": {
			order,
			schemas.Facts{Status: schemas.PartiallyCaptured, Entry: 1, Sums: schemas.Sums{Captured: 5000}},
			"e40c94fb-fabd-5583-bd53-b6bd2a9af31b",
		},
		"all three sums": {
			order,
			schemas.Facts{Status: schemas.PartiallyRefunded, Entry: 1, Final: true, Sums: schemas.Sums{Authorized: 1, Captured: 2, Refunded: 3}},
			"f7e6fbae-7aaa-5225-8858-927f7dfc8365",
		},
		"a dispute opened": {order, schemas.Facts{Status: schemas.Disputed, Dispute: dispute(schemas.DisputeOpen)}, "cf75ce28-0936-572e-8b82-1cb354bbd449"},
		"a dispute lost": {
			order,
			schemas.Facts{Status: schemas.ChargedBack, Final: true, Dispute: dispute(schemas.DisputeLost)},
			"5f19c1bb-dbc6-5d4c-ab9e-ea8187d96cc6",
		},
		"unresolved": {
			order,
			schemas.Facts{Status: schemas.Unknown, Final: true, Reason: schemas.UnresolvedNotFound},
			"079e17bc-574c-5bba-87d8-afa69f3364ae",
		},
		"a strange id": {
			schemas.PaymentKey{Provider: "liquido", Account: "b", PaymentID: "a\"\nb\\"},
			schemas.Facts{Status: schemas.Pending, Entry: 1},
			"ed520b05-6b12-5eaa-b647-b8df6291fe8a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := schemas.EventID(tc.key, tc.facts)
			assert.Equal(t, tc.id, id.String())
			assert.EqualValues(t, 5, id.Version())
		})
	}
}

func TestTheEntryCountsForNothingWhereADisputeStandsInItsPlace(t *testing.T) {
	t.Parallel()
	facts := schemas.Facts{Status: schemas.Disputed, Dispute: &schemas.Dispute{ID: "dsp_1", Outcome: schemas.DisputeOpen}}
	counted := facts
	counted.Entry = 3
	assert.Equal(t, schemas.EventID(schemas.PaymentKey{}, facts), schemas.EventID(schemas.PaymentKey{}, counted))
}

type said struct {
	key     schemas.PaymentKey
	facts   schemas.Facts
	dispute schemas.Dispute
}

// anything draws what could be said, of ids made of what could break a separator.
func anything(t *rapid.T, label string) said {
	hostile := rapid.StringOfN(rapid.SampledFrom([]rune("a\"\\\n0 \x00é\ufffd")), 0, 3, -1)
	ends := rapid.SampledFrom([]string{"", "", "\xff", "\xfe", "\n\"\"", "dispute \"a\" open", "unresolved deadline"})
	broken := rapid.Custom(func(t *rapid.T) string { return hostile.Draw(t, "text") + ends.Draw(t, "end") })
	sum := rapid.Int64Range(0, 11)
	return rapid.Custom(func(t *rapid.T) said {
		s := said{
			key: schemas.PaymentKey{Provider: broken.Draw(t, "provider"), Account: broken.Draw(t, "account"), PaymentID: broken.Draw(t, "payment")},
			facts: schemas.Facts{
				Status: rapid.SampledFrom(schemas.Statuses).Draw(t, "status").Status,
				Entry:  rapid.IntRange(0, 12).Draw(t, "entry"),
				Final:  rapid.Bool().Draw(t, "final"),
				Sums:   schemas.Sums{Authorized: sum.Draw(t, "authorized"), Captured: sum.Draw(t, "captured"), Refunded: sum.Draw(t, "refunded")},
			},
		}
		if rapid.Bool().Draw(t, "unresolved") {
			s.facts.Reason = rapid.SampledFrom(schemas.UnresolvedReasons).Draw(t, "reason").Code
		}
		if rapid.Bool().Draw(t, "disputed") {
			s.facts.Entry = 0
			s.dispute = schemas.Dispute{ID: broken.Draw(t, "dispute"), Outcome: rapid.SampledFrom(schemas.DisputeOutcomes).Draw(t, "outcome")}
		}
		return s
	}).Draw(t, label)
}

func (s said) id() string {
	facts := s.facts
	if s.dispute.Outcome != "" {
		dispute := s.dispute // a copy: the pointer must not matter
		facts.Dispute = &dispute
	}
	return schemas.EventID(s.key, facts).String()
}

func TestOneFactHasOneIDAndAnotherFactAnother(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := anything(t, "a")
		b := a
		other := anything(t, "other")
		// Change one part at a time: two unrelated draws hardly ever come close.
		switch rapid.IntRange(0, 9).Draw(t, "part") {
		case 0:
			b.key.Provider = other.key.Provider
		case 1:
			b.key.Account = other.key.Account
		case 2:
			b.key.PaymentID = other.key.PaymentID
		case 3:
			b.key.Provider, b.key.Account = other.key.Provider, other.key.Account
		case 4:
			b.facts.Status = other.facts.Status
		case 5:
			b.facts.Entry, b.dispute = other.facts.Entry, other.dispute
		case 6:
			b.facts.Final = other.facts.Final
		case 7:
			b.facts.Sums = other.facts.Sums
		case 8:
			b.facts.Reason = other.facts.Reason
		default:
			b = other
		}
		if a == b {
			assert.Equal(t, a.id(), b.id())
		} else {
			assert.NotEqual(t, a.id(), b.id(), "%#v\n%#v", a, b)
		}
	})
}
