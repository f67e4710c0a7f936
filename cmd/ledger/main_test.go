package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/internal/store"
	"github.com/paystatus/paystatus/cmd/ledger/book"
	"github.com/paystatus/paystatus/schemas"
)

type event = consumertest.Event

func TestTheLedgerFromTheLogToTheTrialBalance(t *testing.T) {
	t.Parallel()
	log := consumertest.NewLog(t)
	log.Write(consumertest.Of("p", event{Status: schemas.Captured, Final: true}, event{Status: schemas.PartiallyRefunded, Refunded: 2550, Final: true})...)
	log.Write(consumertest.Of("y", event{Provider: "worldpay", Status: schemas.CapturePending, Requested: 700, Currency: "JPY", Final: true})...)
	log.Write(consumertest.Of("q", event{Status: schemas.PartiallyCaptured})...)
	database := consumertest.SQLite(t)
	run := []string{"run", "--database", database, "--brokers", log.Kafka.Brokers[0], "--topic", log.Topic, "--until-end", "--output", "json"}

	out, code, err := consumertest.Run(t, root(), run...)
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.JSONEq(t, `{"news": 4, "duplicates": 0, "regressions": 0, "refused": 0, "others": 0}`, out)

	out, _, err = consumertest.Run(t, root(), append(run, "--group", "another")...)
	require.NoError(t, err)
	assert.JSONEq(t, `{"news": 0, "duplicates": 4, "regressions": 0, "refused": 0, "others": 0}`, out)

	out, _, err = consumertest.Run(t, root(), "balance", "--database", database)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimLeft(`
ACCOUNT                      DEBITS      CREDITS     BALANCE
receivable:checkout:default  100.00 EUR  25.50 EUR   74.50 EUR
refunds                      25.50 EUR   0.00 EUR    25.50 EUR
sales                        0.00 EUR    100.00 EUR  -100.00 EUR
clearing:worldpay:default    700 JPY     0 JPY       700 JPY
sales                        0 JPY       700 JPY     -700 JPY
TOTAL                        125.50 EUR  125.50 EUR  0.00 EUR
TOTAL                        700 JPY     700 JPY     0 JPY
`, "\n"), out)

	out, _, err = consumertest.Run(t, root(), "entries", "y", "--database", database)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(out, "\n"), out)
	assert.Contains(t, out, "clearing:worldpay:default  700 JPY")

	out, _, err = consumertest.Run(t, root(), "questions", "--database", database, "--output", "json")
	require.NoError(t, err)
	assert.JSONEq(t, `{"provider": "checkout", "account": "default", "payment_id": "q", "status": "partially_captured", "question": "captured_sum_not_stated"}`, out)

	out, _, err = consumertest.Run(t, root(), "refused", "--database", database)
	require.NoError(t, err)
	assert.Equal(t, "RECORD  KEY  REFUSED  REASON\n", out)
}

func TestBooksThatDoNotBalanceExitWithOne(t *testing.T) {
	t.Parallel()
	database := consumertest.SQLite(t)
	db, err := store.Open(t.Context(), database, book.Name, book.Migrations)
	require.NoError(t, err)
	for _, statement := range []string{
		"DROP TRIGGER entries_balance",
		`INSERT INTO transactions (transaction_id, event_id, part, payment_id, provider, account, status, observed_at)
			VALUES ('forged', 'e', 'booking', 'p', 'checkout', 'default', 'captured', '2026-01-31 12:00:00')`,
		"INSERT INTO entries (transaction_id, line, account, currency, exponent, amount) VALUES ('forged', 1, 'sales', 'EUR', 2, -1)",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())

	out, code, err := consumertest.Run(t, root(), "balance", "--database", database, "--output", "json")
	require.ErrorContains(t, err, "the books do not balance")
	assert.Equal(t, cli.ExitFailed, code)
	assert.Contains(t, out, `"unbalanced":["forged"]`)
}

func TestTheExitCodeTellsMisuseFromFailure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		code int
		says string
	}{
		{"run", cli.ExitMisuse, "--brokers is missing"},
		{"run --brokers b:1 --from yesterday", cli.ExitMisuse, "--from is earliest, latest or an RFC 3339 time"},
		{"run --brokers b:1 --batch 0", cli.ExitMisuse, "--batch must be at least 1"},
		{"run --brokers b", cli.ExitMisuse, `broker "b" is not host:port`},
		{"run --brokers b:1 --database mysql://u:secret@h/d", cli.ExitFailed, "postgres://… or the path of a file"},
		{"run --brokers b:1 --ca-file nothing-here.pem", cli.ExitFailed, "--ca-file: open nothing-here.pem"},
		{"run --brokers b:1 --sasl-username u", cli.ExitMisuse, "belong together"},
		{"run --brokers b:1 --sasl-mechanism gssapi --sasl-username u --sasl-password-file main.go", cli.ExitMisuse, `sasl mechanism "gssapi" is not one of plain`},
		{"run --brokers b:1 --sasl-mechanism plain --sasl-username u --sasl-password-file nothing-here", cli.ExitFailed, "--sasl-password-file: open nothing-here"},
		{"balance --database nothing-here.db", cli.ExitFailed, "there is no database yet, `ledger run` makes it"},
		{"balance --output xml", cli.ExitMisuse, `--output is text or json, not "xml"`},
		{"entries a b", cli.ExitMisuse, "accepts at most 1 arg(s)"},
		{"balanc", cli.ExitMisuse, "did you mean balance?"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(tt.args)
			if args[0] == "run" && !strings.Contains(tt.args, "--database") {
				args = append(args, "--database", consumertest.SQLite(t))
			}
			_, code, err := consumertest.Run(t, root(), args...)
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, tt.code, code)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}
