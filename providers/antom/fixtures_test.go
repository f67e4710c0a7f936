package antom

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// reader is Antom for reading only.
func reader(t testing.TB) providers.Provider {
	t.Helper()
	p, err := Definition.New(Definition.Settings(), providers.Options{})
	require.NoError(t, err)
	return p
}

func TestFixtures(t *testing.T) {
	t.Parallel()
	providertest.RunFixtures(t, reader(t), "testdata")
}

func TestEveryRowOfTheMappingHasAFixtureAndDecidesIt(t *testing.T) {
	t.Parallel()
	status := map[string]schemas.Status{}
	for _, r := range reader(t).Mapping() {
		key := r.Value
		if r.Condition != "" {
			key += " / " + r.Condition
		}
		assert.NotContains(t, status, key, "a row stands twice")
		status[key] = r.Status
	}
	shown := map[string]bool{}
	for _, f := range providertest.Fixtures(t, reader(t), "testdata") {
		key := f.Circumstances.Row
		if key == "" {
			continue
		}
		want, exists := status[key]
		assert.True(t, exists, "%s: the mapping has no row %q", f.Name, key)
		o := reader(t).Read(f.Answer(), f.Payment)
		require.Equal(t, providers.Observed, o.Kind, f.Name)
		assert.Equal(t, want, o.Observation.Status, f.Name)
		shown[key] = true
	}
	for key := range status {
		assert.True(t, shown[key], "no fixture shows the row %q", key)
	}
}

// FuzzRead holds that nothing makes reading panic, and that no status comes from garbage.
func FuzzRead(f *testing.F) {
	provider := reader(f)
	sources := []schemas.Source{schemas.SourceQuery, schemas.SourceNotification, schemas.SourceInitiation}
	var payment providers.Payment
	for _, fixture := range providertest.Fixtures(f, provider, "testdata") {
		for i := range sources {
			f.Add(fixture.Body, uint8(i), fixture.Payment.Known())
		}
		if fixture.Name == "card_authorized" {
			payment = fixture.Payment
		}
	}
	require.True(f, payment.Known())
	f.Fuzz(func(t *testing.T, body []byte, source uint8, known bool) {
		p := providers.Payment{}
		if known {
			p = payment
		}
		answer := providers.Answer{
			From:  sources[int(source)%len(sources)],
			Pages: []providers.Page{{HTTPStatus: 200, Body: body, ReceivedAt: providertest.ReceivedAt}},
		}
		o := provider.Read(answer, p)
		require.NoError(t, providertest.Earned(provider, body, o))
		if o.Kind != providers.Observed {
			return
		}
		if known && answer.From == schemas.SourceQuery {
			stated, err := exactjson.Parse(body)
			require.NoError(t, err)
			require.Equal(t, p.Reference["payment_request_id"], stated.Get("paymentRequestId").Text(), "a status from a query answer about something else")
		}
		if amount := o.Observation.Amounts.Requested; known && amount != nil && o.Observation.Status == schemas.Captured {
			require.Equal(t, p.Amount.Currency, amount.Currency)
		}
		_, err := json.Marshal(providers.Describe(provider, answer, o, p, ""))
		require.NoError(t, err)
	})
}

func BenchmarkRead(b *testing.B) {
	provider := reader(b)
	var fixture providertest.Fixture
	for _, f := range providertest.Fixtures(b, provider, "testdata") {
		if f.Name == "card_captured_with_everything" {
			fixture = f
		}
	}
	require.NotEmpty(b, fixture.Body)
	answer := fixture.Answer()
	b.SetBytes(int64(len(fixture.Body)))
	b.ReportAllocs()
	for b.Loop() {
		o := provider.Read(answer, fixture.Payment)
		_ = providers.Describe(provider, answer, o, fixture.Payment, "")
	}
}
