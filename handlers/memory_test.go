package handlers

import (
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

	_, none := m.Lane(0, key)
	m.Keep(none, key, known)
	lane, _ := m.Lane(0, key)
	assert.Zero(t, lane, "a partition that is not ours is not remembered")

	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m.Assign(0, from)
	_, first := m.Lane(0, key)
	assert.Equal(t, from, first.LogFrom)
	m.Keep(first, key, known)
	lane, _ = m.Lane(0, key)
	assert.Equal(t, known, lane)

	m.Revoke(0)
	m.Assign(0, from)
	lane, _ = m.Lane(0, key)
	assert.Zero(t, lane, "a revoked partition is forgotten")
	m.Keep(first, key, known)
	lane, _ = m.Lane(0, key)
	assert.Zero(t, lane, "a late handler of the earlier tenure changes nothing")
}

func TestTheLeastUsedPaymentIsForgottenFirst(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	m.Assign(0, time.Time{})
	for i := range MaxLanes + 1 {
		key := schemas.PaymentKey{PaymentID: time.Duration(i).String()}
		_, tenure := m.Lane(0, key)
		m.Keep(tenure, key, watch.Lane{High: watch.Place{Epoch: 1, Step: i + 1}})
	}
	oldest, _ := m.Lane(0, schemas.PaymentKey{PaymentID: time.Duration(0).String()})
	newest, _ := m.Lane(0, schemas.PaymentKey{PaymentID: time.Duration(MaxLanes).String()})
	assert.Zero(t, oldest)
	assert.NotZero(t, newest)
}
