package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/schemas"
)

type event = consumertest.Event

func TestFulfillmentFromTheLogToTheOutbox(t *testing.T) {
	t.Parallel()
	log := consumertest.NewLog(t)
	order := map[string]string{"order": "o-1"}
	log.Write(
		event{Payment: "a", Status: schemas.Authorized, Metadata: order},
		event{Payment: "a", Status: schemas.PartiallyRefunded, Refunded: 2550, Final: true, Metadata: order},
		event{Payment: "b", Provider: "liquido", Status: schemas.Unknown, Metadata: map[string]string{"order": "o-2"}},
	)
	database := consumertest.SQLite(t)
	out, code, err := consumertest.Run(t, root(), "run", "--database", database, "--brokers", log.Kafka.Brokers[0], "--topic", log.Topic, "--until-end",
		"--release", "authorized", "--order-from", "metadata.order")
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Contains(t, out, "3 changes taken, 0 duplicates and 0 late events dropped, 0 records refused")

	out, _, err = consumertest.Run(t, root(), "orders", "--database", database)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimLeft(`
ORDER  STATE     PAYMENT  PROVIDER          STATUS              NOTE
o-1    released  a        checkout default  partially_refunded  released for this
o-2    held      b        liquido default   unknown             held: unknown
`, "\n"), out)

	out, _, err = consumertest.Run(t, root(), "orders", "--database", database, "--state", "held", "--output", "json")
	require.NoError(t, err)
	assert.JSONEq(t, `{"order_id": "o-2", "state": "held", "attempts": [{"provider": "liquido", "account": "default", "payment_id": "b",
		"status": "unknown", "final": false, "released": false, "held": "unknown", "double_payment": false}]}`, out)

	out, _, err = consumertest.Run(t, root(), "actions", "--database", database, "--order", "o-1", "--output", "json")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(out, "\n"), out)
	assert.Contains(t, out, `"key":"release:o-1","kind":"release"`)
	assert.Contains(t, out, `"kind":"partial_refund"`)
	assert.Contains(t, out, `"amount":{"value":2550,"currency":"EUR","exponent":2}`)

	out, _, err = consumertest.Run(t, root(), "actions", "--database", database, "--kind", "hold")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(out, "\n"), out)
}

func TestTheExitCodeTellsMisuseFromFailure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		code int
		says string
	}{
		{"run --brokers b:1 --release declined", cli.ExitMisuse, `an order can be released on captured, capture_pending, authorized, not on "declined"`},
		{"run --brokers b:1 --order-from order_id", cli.ExitMisuse, "an order is named by payment_id or by metadata.FIELD"},
		{"orders --state lost", cli.ExitMisuse, "--state is "},
		{"actions --kind ship", cli.ExitMisuse, "--kind is "},
		{"orders --database nothing-here.db", cli.ExitFailed, "there is no database yet, `fulfillment run` makes it"},
		{"ship", cli.ExitMisuse, `there is no command "fulfillment ship"`},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			_, code, err := consumertest.Run(t, root(), strings.Fields(tt.args)...)
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, tt.code, code)
		})
	}
}
