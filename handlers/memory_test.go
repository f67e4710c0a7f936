package handlers

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

func TestWhatWasLearnedInAnEarlierTenureIsNotKept(t *testing.T) {
	t.Parallel()
	m, key := NewMemory(), schemas.PaymentKey{Provider: "p", Account: "a", PaymentID: "1"}
	known := watch.Lane{High: watch.Place{Epoch: 1, Step: 3}}

	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, none := m.Lane(0, key)
	m.Keep(none, key, known, from)
	lane, _ := m.Lane(0, key)
	assert.Zero(t, lane, "a partition that is not ours is not remembered")

	m.Assign(0, from)
	_, first := m.Lane(0, key)
	assert.Equal(t, from, first.LogFrom)
	m.Keep(first, key, known, from)
	lane, _ = m.Lane(0, key)
	assert.Equal(t, known, lane)

	m.Revoke(0)
	m.Assign(0, from)
	lane, _ = m.Lane(0, key)
	assert.Zero(t, lane, "a revoked partition is forgotten")
	m.Keep(first, key, known, from)
	lane, _ = m.Lane(0, key)
	assert.Zero(t, lane, "a late handler of the earlier tenure changes nothing")
}

func TestTheLeastUsedPaymentIsForgottenFirst(t *testing.T) {
	t.Parallel()
	m, began := NewMemory(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m.Assign(0, began)
	keep := func(n int, said time.Time) {
		key := schemas.PaymentKey{PaymentID: strconv.Itoa(n)}
		_, tenure := m.Lane(0, key)
		m.Keep(tenure, key, watch.Lane{High: watch.Place{Epoch: 1, Step: n + 1}}, said)
	}
	remembers := func(n int) (bool, time.Time) {
		lane, tenure := m.Lane(0, schemas.PaymentKey{PaymentID: strconv.Itoa(n)})
		return lane.High.Step > 0, tenure.LogFrom
	}
	keep(0, began.Add(time.Minute))
	keep(0, time.Time{}) // asked again, and nothing said
	keep(1, time.Time{})
	for n := range MaxLanes - 2 {
		keep(n+2, began.Add(time.Hour))
	}
	known, logFrom := remembers(MaxLanes - 1)
	assert.True(t, known)
	assert.Equal(t, began, logFrom)

	keep(MaxLanes, time.Time{})
	known, logFrom = remembers(0)
	assert.False(t, known)
	assert.Equal(t, began.Add(time.Minute), logFrom, "what was said of a payment that is not remembered is not known until then")
	keep(MaxLanes+1, time.Time{})
	known, logFrom = remembers(1)
	assert.False(t, known)
	assert.Equal(t, began.Add(time.Minute), logFrom, "nothing was said of this one")
}
