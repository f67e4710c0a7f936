package worldpay_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

const (
	liveURL   = "https://access.worldpay.com"
	liveLink  = liveURL + "/payments/events/eyJrIjoiazNhYjYzMiJ9"
	reference = "Memory265-13/08/1876"
	paymentID = "payVGX28GOT7iDY5qanttPWF0"
)

// unconfigured reads answers and has no account.
func unconfigured(t testing.TB) providers.Provider {
	t.Helper()
	return create(t, worldpay.Definition.Settings().(*worldpay.Settings))
}

func create(t testing.TB, settings *worldpay.Settings) providers.Provider {
	t.Helper()
	provider, err := worldpay.Definition.New(settings, providers.Options{})
	require.NoError(t, err)
	return provider
}

// sandboxSettings are the settings that fit the simulator at baseURL.
func sandboxSettings(t testing.TB, baseURL string) *worldpay.Settings {
	t.Helper()
	sections := map[string]yaml.Node{}
	require.NoError(t, yaml.Unmarshal([]byte(sandbox.Worldpay().Config(baseURL)), &sections))
	settings := worldpay.Definition.Settings().(*worldpay.Settings)
	section := sections["worldpay"]
	require.NoError(t, section.Decode(settings))
	settings.Rate = 0
	return settings
}

// initiated is an event with a reference.
func initiated(ref schemas.Reference) schemas.Initiated {
	return schemas.Initiated{
		PaymentID: "order-1042", Provider: "worldpay", Account: "default", Amount: schemas.Amount{Value: 1200, Currency: "GBP"},
		InitiatedAt: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), Reference: ref, Capture: schemas.CaptureAutomatic,
	}
}

// paid is the payment of such an event.
func paid(t testing.TB, provider providers.Provider, ref schemas.Reference) providers.Payment {
	t.Helper()
	event := initiated(ref)
	completed, err := provider.Identify(event)
	require.NoError(t, err)
	return providers.PaymentOf(event, completed)
}

func TestFixtures(t *testing.T) {
	t.Parallel()
	providertest.RunFixtures(t, unconfigured(t), "testdata")
}

func TestEveryMappingRowHasAFixtureThatShowsIt(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	rows, shown := map[string]schemas.Status{}, map[string]bool{}
	for _, row := range provider.Mapping() {
		name := row.Value
		if row.Condition != "" {
			name += " / " + row.Condition
		}
		require.NotContains(t, rows, name, "a row stands twice")
		rows[name] = row.Status
	}
	for _, f := range providertest.Fixtures(t, provider, "testdata") {
		row := f.Circumstances.Row
		if row == "" {
			continue
		}
		require.Contains(t, rows, row, "%s shows a row that the mapping does not have", f.Name)
		shown[row] = true
		var want providers.Document
		require.NoError(t, json.Unmarshal(f.Want, &want))
		require.Equal(t, providers.Observed, want.Outcome, f.Name)
		require.Equal(t, rows[row], want.Data.Status, f.Name)
	}
	for row := range rows {
		require.True(t, shown[row], "no fixture shows the row %q", row)
	}
}

func TestTheDocumentsSamplesAreKeptByteForByte(t *testing.T) {
	t.Parallel()
	// The user's document shows the same answer for the events link and for the recovery query.
	link, err := os.ReadFile(filepath.Join("testdata", "document-events-link", "answer.json"))
	require.NoError(t, err)
	recovery, err := os.ReadFile(filepath.Join("testdata", "document-recovery", "answer.json"))
	require.NoError(t, err)
	require.Equal(t, string(link), string(recovery))
	require.Len(t, link, 671)
}
