package worldpay_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

// FuzzRead holds that nothing makes reading panic, and that no status comes from garbage.
func FuzzRead(f *testing.F) {
	provider := unconfigured(f)
	payment := paid(f, provider, schemas.Reference{"payment_id": paymentID, "transaction_reference": reference})
	answers, err := filepath.Glob(filepath.Join("testdata", "*", "answer.*"))
	require.NoError(f, err)
	for i, path := range answers {
		body, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(body, uint8(i), 200)
	}
	requests := []string{"", "link", "payment", "list", "recovery"}
	sources := schemas.Sources
	f.Fuzz(func(t *testing.T, body []byte, kind uint8, status int) {
		for _, p := range []providers.Payment{payment, {}} {
			answer := pages(providers.Page{Request: requests[int(kind)%len(requests)], HTTPStatus: status, Body: body})
			answer.From = sources[int(kind/16)%len(sources)]
			o := provider.Read(answer, p)
			providers.Describe(provider, answer, o, p, schemas.Captured)
			require.NoError(t, providertest.Earned(provider, body, o))
			if o.Kind != providers.Observed {
				continue
			}
			if p.Known() && answer.From == schemas.SourceQuery && answer.Pages[0].Request == "list" { // the others are asked about one payment
				require.True(t, providertest.Names(body, p), "a status of what is not ours")
			}
			if o.Observation.Status != schemas.Unknown {
				require.NotEmpty(t, o.Observation.ProviderStatus["last_event"], "a status without a word")
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	provider := unconfigured(b)
	for _, f := range providertest.Fixtures(b, provider, "testdata") {
		if f.Name != "query-partly-settled-partly-refunded" {
			continue
		}
		answer := f.Answer()
		b.SetBytes(int64(len(f.Body)))
		b.ReportAllocs()
		for b.Loop() {
			providers.Describe(provider, answer, provider.Read(answer, f.Payment), f.Payment, "")
		}
	}
}
