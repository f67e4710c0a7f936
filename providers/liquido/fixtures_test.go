package liquido_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/providertest"
)

// newReader makes the provider without accounts, for reading only.
func newReader(t testing.TB, change ...func(*liquido.Settings)) providers.Provider {
	t.Helper()
	settings := liquido.Definition.Settings().(*liquido.Settings)
	for _, c := range change {
		c(settings)
	}
	provider, err := liquido.Definition.New(settings, providers.Options{})
	require.NoError(t, err)
	return provider
}

func TestFixtures(t *testing.T) {
	t.Parallel()
	providertest.RunFixtures(t, newReader(t), "testdata")
}

func TestEveryRowOfTheMappingIsShownByAFixture(t *testing.T) {
	t.Parallel()
	provider := newReader(t)
	shown := map[string]bool{}
	for _, f := range providertest.Fixtures(t, provider, "testdata") {
		if f.Circumstances.Row == "" {
			continue
		}
		row, fault := liquido.DecidingRow(f.Answer(), f.Payment)
		require.Nil(t, fault, f.Name)
		assert.Equal(t, f.Circumstances.Row, rowName(row), "%s is decided by another row than it is meant to show", f.Name)
		o := provider.Read(f.Answer(), f.Payment)
		require.Equal(t, providers.Observed, o.Kind, f.Name)
		assert.Equal(t, row.Status, o.Observation.Status, f.Name)
		shown[rowName(row)] = true
	}
	for _, row := range provider.Mapping() {
		assert.True(t, shown[rowName(row)], "no fixture shows the row %q", rowName(row))
	}
}

func rowName(row providers.Row) string {
	if row.Condition == "" {
		return row.Value
	}
	return row.Value + " / " + row.Condition
}
