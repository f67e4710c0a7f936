package consumertest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/schemas"
)

func TestAGroupBelongsToOneDatabase(t *testing.T) {
	t.Parallel()
	log := consumertest.NewLog(t)
	for _, payment := range []string{"a", "b", "c", "d", "e"} {
		log.Write(consumertest.Event{Payment: payment, Status: schemas.Captured, Final: true})
	}
	shop := consumertest.NewService(t, log, consumertest.SQLite(t), orders.Name, orders.Migrations, orders.Fulfillment{Policy: orders.DefaultPolicy}.Effect)
	books := consumertest.NewService(t, log, consumertest.SQLite(t), book.Name, book.Migrations, book.Effect)
	assert.Equal(t, int64(5), shop.TakeAll("shared").News)
	for _, untilEnd := range []bool{true, false} {
		counts, err := books.Take(t.Context(), "shared", untilEnd)
		require.ErrorContains(t, err, "group shared has read "+log.Topic+" into another database (fulfillment ")
		assert.Zero(t, counts)
	}
	assert.Zero(t, shop.TakeAll("shared"), "it has what it had")
	assert.Equal(t, int64(5), books.TakeAll("its own").News)
}

func TestTwoThatStartInOneGroupDoNotShareItSilently(t *testing.T) {
	t.Parallel()
	log := consumertest.NewLog(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 2)
	for range 2 {
		service := consumertest.NewService(t, log, consumertest.SQLite(t), book.Name, book.Migrations, book.Effect)
		go func() {
			_, err := service.Take(ctx, "shared", false)
			ended <- err
		}()
	}
	require.ErrorContains(t, <-ended, "another database (ledger ")
	cancel()
	if err := <-ended; err != nil {
		require.ErrorContains(t, err, "another database (ledger ")
	}
}
