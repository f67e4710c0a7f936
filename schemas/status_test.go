package schemas_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/schemas"
)

var negatives = []schemas.Status{schemas.Declined, schemas.Failed, schemas.Canceled, schemas.Voided, schemas.Expired}

func TestTheStatusTableSaysWhatWasAgreed(t *testing.T) {
	t.Parallel()
	type row struct {
		final bool
		funds schemas.Funds
	}
	want := map[schemas.Status]row{
		"pending": {false, "none"}, "requires_action": {false, "none"}, "authorized": {false, "reserved"}, "verified": {true, "none"},
		"capture_pending": {false, "settling"}, "partially_captured": {false, "captured"}, "captured": {true, "captured"},
		"declined": {true, "none"}, "failed": {true, "none"}, "canceled": {true, "none"}, "voided": {true, "none"}, "expired": {true, "none"},
		"refund_pending": {false, "captured"}, "partially_refunded": {true, "captured"}, "refunded": {true, "returned"}, "refund_failed": {true, "captured"},
		"disputed": {false, "contested"}, "charged_back": {true, "returned"}, "unknown": {false, "unknown"},
	}
	got := map[schemas.Status]row{}
	for _, info := range schemas.Statuses {
		assert.NotContains(t, got, info.Status, "each status has one row")
		assert.NotEmpty(t, info.Meaning, info.Status)
		got[info.Status] = row{info.Final, info.Funds}
	}
	assert.Equal(t, want, got)
	for status, r := range want {
		assert.Equal(t, r.final, status.Final(), "the method reads the table: %s", status)
		assert.Equal(t, r.funds, status.Funds(), "the method reads the table: %s", status)
		assert.True(t, status.Valid())
	}
}

func TestAStatusOfAnotherVersionIsNotFinalAndItsFundsAreUnknown(t *testing.T) {
	t.Parallel()
	other := schemas.Status("authorised")
	assert.False(t, other.Valid())
	assert.False(t, other.Final())
	assert.False(t, other.Success())
	assert.False(t, other.Negative())
	assert.Equal(t, schemas.FundsUnknown, other.Funds())
	assert.Equal(t, schemas.MoveUnexpected, schemas.Between(schemas.Pending, false, other))
	assert.Equal(t, schemas.MoveUnexpected, schemas.Between(other, false, schemas.Captured))
}

func TestEveryStatusIsUndecidedOrNegativeOrASuccess(t *testing.T) {
	t.Parallel()
	undecided := []schemas.Status{schemas.Pending, schemas.RequiresAction, schemas.Unknown}
	for _, info := range schemas.Statuses {
		is := 0
		for _, holds := range []bool{info.Status.Negative(), info.Status.Success(), slices.Contains(undecided, info.Status)} {
			if holds {
				is++
			}
		}
		assert.Equal(t, 1, is, info.Status)
	}
	for _, status := range negatives {
		assert.True(t, status.Negative(), status)
		assert.Equal(t, schemas.FundsNone, status.Funds(), "a payment that was not made holds no money: %s", status)
	}
}

func TestTransitionsAreAListOfStepsBetweenDifferentKnownStatuses(t *testing.T) {
	t.Parallel()
	seen := map[schemas.Transition]bool{}
	for _, step := range schemas.Transitions() {
		assert.NotEqual(t, step.From, step.To, "no status follows itself")
		assert.True(t, step.From.Valid() && step.To.Valid(), "%v", step)
		assert.False(t, seen[step], "%v stands twice", step)
		seen[step] = true
		assert.Equal(t, schemas.MoveAllowed, schemas.Between(step.From, false, step.To), "%v", step)
		if step.To != schemas.Unknown {
			assert.Equal(t, schemas.MoveAllowed, schemas.Between(step.From, step.From.Final(), step.To), "%v", step)
		}
		if step.From.Final() {
			assert.NotEqual(t, schemas.Unknown, step.To, "nothing final becomes unknown: %v", step)
		}
	}
	require.NotEmpty(t, seen)
}

func TestAStepThatIsAllowedBothWaysIsOneOfTheFewThatAreMeant(t *testing.T) {
	t.Parallel()
	allowed := map[schemas.Transition]bool{}
	for _, step := range schemas.Transitions() {
		allowed[step] = true
	}
	disputes := map[schemas.Status]bool{schemas.Disputed: true, schemas.ChargedBack: true}
	for step := range allowed {
		if !allowed[schemas.Transition{From: step.To, To: step.From}] {
			continue
		}
		undecided := step.From.Funds() == schemas.FundsNone && !step.From.Negative() && step.To.Funds() == schemas.FundsNone && !step.To.Negative()
		assert.True(t, undecided || disputes[step.From] || disputes[step.To] || step.From == schemas.Unknown || step.To == schemas.Unknown,
			"%s and %s may follow each other for ever", step.From, step.To)
	}
}

func TestWhatMustNotBeTakenBackIsAMoveBackwards(t *testing.T) {
	t.Parallel()
	backwards := func(from, to schemas.Status) {
		assert.Equal(t, schemas.MoveBackwards, schemas.Between(from, true, to), "%s to %s", from, to)
	}
	backwards(schemas.Captured, schemas.Authorized)
	for _, negative := range negatives {
		backwards(schemas.Captured, negative)
		backwards(schemas.PartiallyCaptured, negative)
		backwards(schemas.Refunded, negative)
		backwards(negative, schemas.Pending)
		backwards(negative, schemas.RequiresAction)
		backwards(negative, schemas.Authorized)
	}
	for _, info := range schemas.Statuses {
		if info.Final {
			backwards(info.Status, schemas.Unknown)
		}
	}
	backwards(schemas.CapturePending, schemas.Unknown)
	backwards(schemas.RefundPending, schemas.Unknown)
}

func TestUnknownMayFollowWhatIsNotFinal(t *testing.T) {
	t.Parallel()
	for _, from := range []schemas.Status{
		schemas.Pending, schemas.RequiresAction, schemas.Authorized, schemas.CapturePending,
		schemas.PartiallyCaptured, schemas.RefundPending, schemas.Declined, schemas.Voided,
	} {
		assert.Equal(t, schemas.MoveAllowed, schemas.Between(from, false, schemas.Unknown), from)
	}
}

func TestBetweenNamesEachKindOfMove(t *testing.T) {
	t.Parallel()
	type step struct {
		from      schemas.Status
		fromFinal bool
		to        schemas.Status
		want      schemas.Move
	}
	for name, tc := range map[string]step{
		"the same as was said before":        {schemas.Captured, true, schemas.Captured, schemas.MoveSame},
		"the first thing that is said":       {"", false, schemas.Captured, schemas.MoveAllowed},
		"a step along a payment's life":      {schemas.Pending, false, schemas.Captured, schemas.MoveAllowed},
		"a void, then an old authorisation":  {schemas.Voided, true, schemas.Authorized, schemas.MoveBackwards},
		"a final decline, then captured":     {schemas.Declined, true, schemas.Captured, schemas.MoveUnexpected},
		"a decline not final, then captured": {schemas.Declined, false, schemas.Captured, schemas.MoveAllowed},
		"an authorisation that is declined":  {schemas.Authorized, false, schemas.Declined, schemas.MoveUnexpected},
		"canceled, then voided after all":    {schemas.Canceled, true, schemas.Voided, schemas.MoveAllowed},
		"a refund of what was taken":         {schemas.Captured, true, schemas.Refunded, schemas.MoveAllowed},
		"a refund, then an old capture":      {schemas.Refunded, true, schemas.Captured, schemas.MoveBackwards},
		"a refund under way, then captured":  {schemas.RefundPending, false, schemas.Captured, schemas.MoveBackwards},
		"a dispute that was won":             {schemas.Disputed, false, schemas.Captured, schemas.MoveAllowed},
		"a chargeback that was reversed":     {schemas.ChargedBack, true, schemas.Captured, schemas.MoveAllowed},
		"a chargeback contested again":       {schemas.ChargedBack, true, schemas.Disputed, schemas.MoveAllowed},
		"a dispute and an old authorisation": {schemas.Disputed, false, schemas.Authorized, schemas.MoveBackwards},
		"a verified card that is charged":    {schemas.Verified, true, schemas.Refunded, schemas.MoveUnexpected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, schemas.Between(tc.from, tc.fromFinal, tc.to))
		})
	}
}

func TestAfterANegativeThatIsNotFinalAnythingMayFollow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom(negatives).Draw(t, "from")
		to := rapid.SampledFrom(schemas.Statuses).Draw(t, "to").Status
		want := schemas.MoveAllowed
		if from == to {
			want = schemas.MoveSame
		}
		assert.Equal(t, want, schemas.Between(from, false, to))
	})
}

func TestOfTwoStatusesOneAtMostIsTheEarlier(t *testing.T) {
	t.Parallel()
	for _, from := range schemas.Statuses {
		for _, to := range schemas.Statuses {
			there, back := schemas.Between(from.Status, true, to.Status), schemas.Between(to.Status, true, from.Status)
			both := there == schemas.MoveBackwards && back == schemas.MoveBackwards
			assert.False(t, both, "%s and %s are each earlier than the other", from.Status, to.Status)
		}
	}
}
