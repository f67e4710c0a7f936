package orders_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/fulfillment/orders"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/pipeline/kafka"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

func TestAnOrderIsReleasedOnce(t *testing.T) {
	t.Parallel()
	for name, database := range consumertest.Databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testAnOrderIsReleasedOnce(t, nil, database)
		})
	}
}

// testAnOrderIsReleasedOnce tells every story of the default policy on many orders at once, with repeats, and with a process that dies between
// the database and Kafka again and again. Then everything is read again by a new group.
func testAnOrderIsReleasedOnce(t *testing.T, brokers []string, database string) {
	t.Helper()
	log, want := consumertest.NewLog(t, brokers...), map[string][]string{}
	for i := range 5 {
		for j, story := range stories {
			if story.policy == nil {
				id := fmt.Sprintf("%d-%d", i, j)
				log.Tell(id, story.events)
				want[id] = story.want
			}
		}
	}
	service := consumertest.NewService(t, log, database, orders.Name, orders.Migrations, orders.Fulfillment{Policy: orders.DefaultPolicy}.Effect)
	service.Survives(func() {
		t.Helper()
		got, keys := map[string][]string{}, map[string]bool{}
		require.NoError(t, orders.Actions(t.Context(), service.DB, orders.Chosen{}, func(a orders.ListedAction) error {
			line := orders.Action{Kind: a.Kind, Reason: a.Reason, Amount: a.Amount}
			got[a.OrderID] = append(got[a.OrderID], text(line))
			assert.False(t, keys[a.Key], "key %s twice", a.Key)
			keys[a.Key] = true
			return nil
		}))
		for id, actions := range want {
			assert.Equal(t, actions, got[id], "order %s", id)
		}
		listed := 0
		require.NoError(t, orders.List(t.Context(), service.DB, "", func(o orders.Listed) error {
			listed++
			j := 0
			_, err := fmt.Sscanf(o.OrderID, "%d-%d", new(int), &j)
			assert.Equal(t, stories[j].state, o.State, "order %s: %s", o.OrderID, stories[j].name)
			return err
		}))
		assert.Len(t, want, listed)
	})
}

func TestAnOrderIsNamedByThePaymentOrByItsMetadata(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"payment_id": "", "metadata.order_id": "order_id"} {
		got, err := orders.ParseOrderFrom(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "order_id", "metadata.", "metadata"} {
		_, err := orders.ParseOrderFrom(text)
		require.ErrorContains(t, err, "payment_id or by metadata.FIELD")
	}
}

func TestTwoPaymentsOfOneOrderReleaseItOnce(t *testing.T) {
	t.Parallel()
	for name, database := range consumertest.Databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := consumertest.NewLog(t)
			for i := range 20 {
				order := map[string]string{"order_id": fmt.Sprintf("o-%d", i)}
				log.Write(
					event{Payment: fmt.Sprintf("first-%d", i), Status: schemas.Captured, Final: true, Metadata: order},
					event{Payment: fmt.Sprintf("second-%d", i), Provider: "liquido", Status: schemas.Captured, Final: true, Metadata: order},
					event{Payment: fmt.Sprintf("second-%d", i), Provider: "liquido", Status: schemas.Refunded, Final: true}, // it is known by now whose it is
				)
			}
			service := consumertest.NewService(t, log, database, orders.Name, orders.Migrations,
				orders.Fulfillment{Policy: orders.DefaultPolicy, MetadataField: "order_id"}.Effect)
			service.TakeAll("g")
			kinds := map[orders.Kind]int{}
			require.NoError(t, orders.Actions(t.Context(), service.DB, orders.Chosen{}, func(a orders.ListedAction) error {
				kinds[a.Kind]++
				return nil
			}))
			assert.Equal(t, 20, kinds[orders.Release])
			assert.Equal(t, 20, kinds[orders.DoublePayment])
		})
	}
}

func TestTheDatabaseItselfAppendsToTheOutboxWhoeverCommitsFirst(t *testing.T) {
	t.Parallel()
	database, ok := consumertest.Databases(t)["PostgreSQL"]
	if !ok {
		t.Skip("for PostgreSQL: SQLite has one writer at a time")
	}
	db, err := store.Open(t.Context(), database, orders.Name, orders.Migrations)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	release := func(payment string, before func()) error {
		return db.InTx(t.Context(), func(tx *store.Tx) error {
			e := event{Payment: payment, Status: schemas.Captured, Final: true}.Decoded(t)
			_, err := consume.Handle(t.Context(), tx, e, func(d consume.Delta) error {
				return orders.Fulfillment{Policy: orders.DefaultPolicy}.Effect(t.Context(), tx, e, d)
			})
			before()
			return err
		})
	}
	second := make(chan error, 1)
	require.NoError(t, release("first", func() {
		go func() { second <- release("second", func() {}) }()
		require.Eventually(t, func() bool {
			waiting := 0
			assert.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&waiting))
			return waiting == 1
		}, 20*time.Second, 10*time.Millisecond, "the second waits for the first")
	}))
	require.NoError(t, <-second)
	var listed []string
	require.NoError(t, orders.Actions(t.Context(), db, orders.Chosen{}, func(a orders.ListedAction) error {
		listed = append(listed, a.OrderID)
		return nil
	}))
	assert.Equal(t, []string{"first", "second"}, listed)
}

func TestWhatCannotBeTakenIsKeptForAPersonAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	log := consumertest.NewLog(t)
	log.Produce(log.Topic, "broken", []byte("{"), kafka.Header{Key: "ce_specversion", Value: []byte("1.0")}, kafka.Header{Key: "ce_type", Value: []byte(schemas.TypeStatusChanged)})
	log.Produce(log.Topic, "foreign", []byte("{}"), kafka.Header{Key: "ce_specversion", Value: []byte("1.0")}, kafka.Header{Key: "ce_type", Value: []byte("order.placed")})
	log.Write(event{Payment: "nameless", Status: schemas.Captured, Final: true})
	log.Write(event{Payment: "p", Status: schemas.Captured, Final: true, Metadata: map[string]string{"order_id": "o"}})
	service := consumertest.NewService(t, log, consumertest.SQLite(t), orders.Name, orders.Migrations,
		orders.Fulfillment{Policy: orders.DefaultPolicy, MetadataField: "order_id"}.Effect)

	counts := service.TakeAll("g")

	assert.Equal(t, int64(1), counts.News)
	assert.Equal(t, int64(2), counts.Refused)
	assert.Equal(t, int64(1), counts.Others)
	reasons := map[string]string{}
	require.NoError(t, service.DB.Refused(t.Context(), func(r store.Refused) error {
		reasons[r.Key] = r.Reason
		return nil
	}))
	assert.Len(t, reasons, 2)
	assert.Contains(t, reasons["broken"], "id is missing or not a UUID")
	assert.Contains(t, reasons["nameless"], `its metadata has no "order_id"`)
}
