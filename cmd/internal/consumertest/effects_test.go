package consumertest_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/pipeline/demo"
)

// shown is a viewer that waits for the end.
type shown struct {
	broker string
	ended  chan struct{}
}

func (s *shown) Started(broker, _ string, _ int) { s.broker = broker }
func (s *shown) Seen(demo.Event) error           { return nil }
func (s *shown) Ended([]demo.Ending, int, time.Duration) {
	close(s.ended)
}

// came is what a payment came to, by what its provider says last.
type came struct {
	released bool
	asset    string // the account that holds what we are owed
	refunded int64
}

// cameTo reads the script that the simulated provider followed.
func cameTo(f demo.Fate) came {
	if len(f.Script.Steps) == 0 {
		return came{}
	}
	own := ":" + f.Provider + ":default"
	last := f.Script.Steps[len(f.Script.Steps)-1]
	switch last.Status {
	case "Captured", "SUCCESS CAPTURE", "SUCCESS", "SETTLED":
		return came{released: true, asset: book.Receivable + own}
	case "Sent for Settlement":
		return came{released: true, asset: book.Clearing + own}
	case "Partially Refunded":
		balances, _ := last.Fields["balances"].(map[string]any)
		refunded, _ := balances["total_refunded"].(int)
		return came{asset: book.Receivable + own, refunded: int64(refunded)} // the capture itself was never seen: for a person
	default:
		return came{}
	}
}

// Payments of all providers go through the simulated providers and the real pipeline. Whatever the consumers suffer, each order is released once,
// and the books say to the minor unit what the providers say.
func TestEveryPaymentTakesEffectOnce(t *testing.T) {
	t.Parallel()
	payments := 2 * demo.EveryFate
	viewer := &shown{ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan error, 1)
	go func() {
		over <- demo.Run(ctx, demo.Options{Payments: payments, Keep: true, Viewer: viewer, Log: slog.New(slog.DiscardHandler)})
	}()
	select {
	case <-viewer.ended:
	case err := <-over:
		require.NoError(t, err)
	case <-time.After(2 * time.Minute):
		require.Fail(t, "the payments do not end")
	}
	log := consumertest.OpenLog(t, []string{viewer.broker}, "payments.status_changed")
	shop := consumertest.NewService(t, log, consumertest.SQLite(t), orders.Name, orders.Migrations, orders.Fulfillment{Policy: orders.DefaultPolicy}.Effect)
	books := consumertest.NewService(t, log, consumertest.SQLite(t), book.Name, book.Migrations, book.Effect)
	for _, service := range []*consumertest.Service{shop, books} {
		service.TakeAndDie("first "+service.Name, 10)
		service.TakeAndDie("first "+service.Name, 20)
		service.TakeAll("first " + service.Name)
	}
	checkEffects(t, shop, books, payments, nobodys)

	log.WriteAgain() // every event stands there twice now
	for _, service := range []*consumertest.Service{shop, books} {
		assert.Zero(t, service.TakeAll("first "+service.Name).News)
		assert.Zero(t, service.TakeAll("second "+service.Name).News, "a full re-read from the beginning")
	}
	checkEffects(t, shop, books, payments, nobodys)
	cancel()
	require.NoError(t, <-over)
}

// checkEffects holds orders and books against what the providers say. Some orders were released by mistake.
func checkEffects(t *testing.T, shop, books *consumertest.Service, payments int, byMistake func(demo.Fate) bool) {
	t.Helper()
	releases := actions(t, shop, orders.Release)
	type place struct{ account, currency string }
	want := map[place]int64{}
	for _, f := range demo.Fates(payments) {
		expected, amount := cameTo(f), f.Script.Amount
		if expected.released || byMistake(f) {
			assert.Equal(t, 1, releases[f.PaymentID], "%s (%s)", f.PaymentID, f.Story)
		} else {
			assert.Zero(t, releases[f.PaymentID], "%s (%s)", f.PaymentID, f.Story)
		}
		if expected.asset != "" {
			want[place{expected.asset, amount.Currency}] += amount.Value - expected.refunded
			want[place{book.Sales, amount.Currency}] -= amount.Value
		}
		if expected.refunded != 0 {
			want[place{book.Refunds, amount.Currency}] += expected.refunded
		}
	}
	balance, err := book.TrialBalance(t.Context(), books.DB)
	require.NoError(t, err)
	assert.True(t, balance.Balanced())
	got := map[place]int64{}
	for _, a := range balance.Accounts {
		if a.Balance != 0 {
			got[place{a.Account, a.Currency}] += a.Balance
		}
	}
	assert.Equal(t, want, got)
}

func nobodys(demo.Fate) bool { return false }

func TestTheStoriesOfTheDemoComeToSomething(t *testing.T) {
	t.Parallel()
	released, taken, refunded := 0, map[string]bool{}, int64(0)
	for _, f := range demo.Fates(demo.EveryFate) {
		c := cameTo(f)
		if c.released {
			released++
		}
		taken[strings.SplitN(c.asset, ":", 2)[0]] = true
		refunded += c.refunded
	}
	assert.GreaterOrEqual(t, released, 8)
	assert.True(t, taken[book.Receivable] && taken[book.Clearing])
	assert.Equal(t, int64(2500), refunded)
}
