package backfill_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/backfill"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// csv is a file of payments with the usual columns.
func csv(lines ...string) io.Reader {
	return strings.NewReader("payment_id,provider,value,currency,initiated_at,reference.idempotency_key\n" + strings.Join(lines, "\n"))
}

// known is a provider with the account default that asks nobody.
type known struct{ providers.Provider }

func (known) Accounts() []string { return []string{schemas.DefaultAccount} }

// files are payments to be read from files.
func files(t *testing.T) *backfill.Payments {
	t.Helper()
	intake := &handlers.Intake{Providers: map[string]providers.Provider{}, Types: []string{schemas.TypeInitiated}}
	for _, name := range []string{"liquido", "checkout"} {
		reader, err := pipeline.Reader(name)
		require.NoError(t, err)
		intake.Providers[name] = known{reader}
	}
	return backfill.NewPayments(intake, backfill.Selection{})
}

func TestAFileOfPaymentsIsReadAsInitiatedEventsAre(t *testing.T) {
	t.Parallel()
	p := files(t)
	require.NoError(t, p.ReadCSV("f", strings.NewReader(
		"\ufeffpayment_id, provider,account,value,currency,initiated_at,capture,method,reference.payment_id,reference.session_id,metadata.order\n"+
			"a,checkout,default,1000,EUR,2026-01-31T12:00:00Z,manual,card,pay_aaaaaaaaaaaaaaaaaaaaaaaaaa,,\"7, the red one\"\n")))
	require.NoError(t, p.ReadJSON("f", strings.NewReader(
		`{"payment_id":"b","provider":"liquido","amount":{"value":300,"currency":"COP"},"initiated_at":"2026-01-31T12:00:00Z","reference":{"idempotency_key":"k"}}`+"\n\n"+
			`{"specversion":"1.0","id":"1","source":"/shop","type":"payment.initiated","data":`+
			`{"payment_id":"c","provider":"liquido","amount":{"value":1,"currency":"COP"},"initiated_at":"2026-01-31T12:00:00Z","reference":{"idempotency_key":"l"}}}`)))
	all := p.All()
	require.Len(t, all, 3)
	assert.Equal(t, "a", all[0].PaymentID)
	assert.Equal(t, schemas.Amount{Value: 1000, Currency: "EUR"}, all[0].Context.Amount)
	assert.Equal(t, schemas.CaptureManual, all[0].Context.Capture)
	assert.Equal(t, schemas.Reference{"payment_id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, all[0].Context.Reference)
	assert.Equal(t, map[string]string{"order": "7, the red one"}, all[0].Context.Metadata)
	assert.Equal(t, "b", all[1].PaymentID)
	assert.Equal(t, "1", all[2].Context.CausationID)
}

func TestLinesAboutOnePaymentAreMerged(t *testing.T) {
	t.Parallel()
	p := files(t)
	require.NoError(t, p.ReadCSV("f", strings.NewReader("payment_id,provider,value,currency,initiated_at,reference.reference,reference.payment_id\n"+
		"a,checkout,1000,EUR,2026-01-31T12:00:00Z,order-1,\n"+
		"a,checkout,1000,EUR,2026-01-31T12:00:00Z,,pay_aaaaaaaaaaaaaaaaaaaaaaaaaa\n")))
	require.Len(t, p.All(), 1)
	assert.Equal(t, schemas.Reference{"reference": "order-1", "payment_id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, p.All()[0].Context.Reference)
}

func TestABadLineOfAFileIsNamed(t *testing.T) {
	t.Parallel()
	const good = "p,liquido,300,COP,2026-01-31T12:00:00Z,k"
	for name, test := range map[string]struct {
		from io.Reader
		want []string
	}{
		"no value":         {csv(good, "q,liquido,,COP,2026-01-31T12:00:00Z,k"), []string{"f, line 3: amount.value: is missing (invalid_event)"}},
		"not whole":        {csv("q,liquido,3.50,COP,2026-01-31T12:00:00Z,k"), []string{"f, line 2: amount.value: must be an integer"}},
		"no such provider": {csv("q,paypal,300,COP,2026-01-31T12:00:00Z,k"), []string{"f, line 2: no provider \"paypal\" is configured"}},
		"too few fields":   {csv(good, "q,liquido"), []string{"f, line 3: has 2 fields and the first line 6"}},
		"a quote":          {csv(good, `q,"liq"uido,300`), []string{"f, line 3: "}},
		"two lines": {
			csv("q,liquido,x,COP,2026-01-31T12:00:00Z,k", good, "r,liquido,300,cop,2026-01-31T12:00:00Z,k"),
			[]string{"f, line 2: ", "f, line 4: amount.currency"},
		},
		"a contradiction": {csv(good, "p,liquido,301,COP,2026-01-31T12:00:00Z,k"), []string{"f, line 3: amount: differs from that of an earlier"}},
		"a quoted line break before it": {
			csv("\"p\nq\",liquido,300,COP,2026-01-31T12:00:00Z,k", "q,liquido,300,COP,yesterday,k"),
			[]string{"f, line 4: initiated_at"},
		},
		"a column":   {strings.NewReader("payment_id,sum\n"), []string{`f, line 1: there is no column "sum"`}},
		"a column 2": {strings.NewReader("value,value\n"), []string{`f, line 1: column value is there twice`}},
		"nothing":    {strings.NewReader(""), []string{"f: the first line must name the columns"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := files(t).ReadCSV("f", test.from)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	t.Run("in JSON lines", func(t *testing.T) {
		t.Parallel()
		err := files(t).ReadJSON("f", strings.NewReader("\n{\n{}\n"+`{"specversion":"1.0","id":"1","source":"/s","type":"order.placed","data":{}}`))
		require.ErrorContains(t, err, "f, line 2: ")
		require.ErrorContains(t, err, "f, line 3: payment_id: is missing")
		require.ErrorContains(t, err, "f, line 4: is a CloudEvent of another type")
	})
	t.Run("but not endlessly", func(t *testing.T) {
		t.Parallel()
		err := files(t).ReadJSON("f", strings.NewReader(strings.Repeat("{}\n", 1000)))
		assert.Len(t, strings.Split(err.Error(), "\n"), 21)
	})
}
