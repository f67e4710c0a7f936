package schematest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// verdict is a test that only remembers what it was told.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper()                           {}
func (v *verdict) Errorf(format string, args ...any) { v.said += fmt.Sprintf(format, args...) }

func read(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := schemas.Files.ReadFile("examples/" + file)
	require.NoError(t, err)
	var event map[string]any
	require.NoError(t, json.Unmarshal(text, &event))
	return event
}

func write(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

// set puts a value at a path of names with dots; nil takes away.
func set(event map[string]any, path string, value any) {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		event = event[name].(map[string]any)
	}
	if last := names[len(names)-1]; value == nil {
		delete(event, last)
	} else {
		event[last] = value
	}
}

type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func TestAStatusEventMustBeExactlyWhatWasAgreed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path  string
		value any
		says  string
	}{
		"a field that is not ours":                  {"extra", 1, "additional properties"},
		"a field inside that is not ours":           {"raw.extra", 1, "additional properties"},
		"no payment id":                             {"payment_id", nil, "missing property 'payment_id'"},
		"a null payment id":                         {"payment_id", null{}, "/payment_id"},
		"an empty payment id":                       {"payment_id", "", "/payment_id"},
		"a status that is not ours":                 {"status", "authorised", "/status"},
		"funds that do not fit the status":          {"funds", "reserved", "/funds"},
		"a previous status that is not ours":        {"previous_status", "new", "/previous_status"},
		"no previous status":                        {"previous_status", nil, "previous_status"},
		"a final that is a word":                    {"final", "true", "/final"},
		"a null list of anomalies":                  {"anomalies", null{}, "/anomalies"},
		"an anomaly that is not ours":               {"anomalies", []string{"odd"}, "/anomalies/0"},
		"an anomaly that stands twice":              {"anomalies", []string{"stale_read", "stale_read"}, "/anomalies"},
		"an object in place of the provider's word": {"provider_status.status", map[string]any{}, "/provider_status/status"},
		"an amount in a string":                     {"amounts.captured.value", "8000", "/amounts/captured/value"},
		"an amount with a fraction":                 {"amounts.captured.value", 80.5, "/amounts/captured/value"},
		"an amount below zero":                      {"amounts.captured.value", -1, "/amounts/captured/value"},
		"an amount without exponent":                {"amounts.captured.exponent", nil, "exponent"},
		"a sum that is not ours":                    {"amounts.voided", map[string]any{}, "additional properties"},
		"a local time":                              {"observed_at", "2026-03-02T10:14:37+01:00", "/observed_at"},
		"a time that is none":                       {"observed_at", "2026-02-30T10:14:37Z", "/observed_at"},
		"a zero time":                               {"occurred_at", "", "/occurred_at"},
		"an empty code":                             {"avs", "", "/avs"},
		"a source that is not ours":                 {"source", "guess", "/source"},
		"a cause that is not ours":                  {"cause", "boredom", "/cause"},
		"an entry of zero":                          {"entry", 0, "/entry"},
		"both an entry and a dispute":               {"dispute", map[string]any{"id": "dsp_1", "outcome": "open"}, "'not' failed"},
		"an expiry of a thirteenth month":           {"card.expiry", "2029-13", "/card/expiry"},
		"a full card number":                        {"card.bin", "4242424242424242", "/card/bin"},
		"an encoding that is not ours":              {"raw.encoding", "latin-1", "/raw/encoding"},
		"a normalizer without version":              {"normalizer", "checkout", "/normalizer"},
		"metadata that is a number":                 {"metadata.order", 1, "/metadata/order"},
		"a raw answer of another size":              {"raw.size", 3, "raw.size is 3"},
		"a raw answer of another hash":              {"raw.sha256", strings.Repeat("0", 64), "raw.sha256 is not that of raw.body"},
		"a raw answer that was changed":             {"raw.body", "{}", "raw.size"},
		"a raw answer that is not base64":           {"raw.encoding", "base64", "raw.body: illegal base64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := read(t, "status_changed_captured.binary.json")["value"].(map[string]any)
			schematest.ValidateChange(t, write(t, data))
			set(data, tc.path, tc.value)
			v := &verdict{}
			schematest.ValidateChange(v, write(t, data))
			assert.Contains(t, v.said, tc.says)
		})
	}
}

func TestWhatIsOptionalMayBeAbsent(t *testing.T) {
	t.Parallel()
	data := read(t, "status_changed_captured.binary.json")["value"].(map[string]any)
	for _, name := range []string{
		"provider_payment_id", "reference", "provider_status", "three_ds", "avs", "cvv", "card", "occurred_at", "entry", "cause", "attempt",
		"raw", "metadata", "amounts.requested", "amounts.authorized", "amounts.captured",
	} {
		set(data, name, nil)
		schematest.ValidateChange(t, write(t, data))
	}
	set(data, "previous_status", null{})
	schematest.ValidateChange(t, write(t, data))
}

func TestABodyThatIsNotUTF8OrKeptOffTheBusIsAllowed(t *testing.T) {
	t.Parallel()
	data := read(t, "status_changed_captured.binary.json")["value"].(map[string]any)
	set(data, "raw.body", nil)
	schematest.ValidateChange(t, write(t, data))

	set(data, "raw.encoding", "base64")
	set(data, "raw.body", "6Q==") // é in Latin-1
	set(data, "raw.size", 1)
	set(data, "raw.sha256", strings.Repeat("0", 64))
	v := &verdict{}
	schematest.ValidateChange(v, write(t, data))
	assert.Contains(t, v.said, "raw.sha256")
	set(data, "raw.sha256", sha256OfE9)
	schematest.ValidateChange(t, write(t, data))
}

const sha256OfE9 = "de2e331d891ae267a7009cb45b4e8830f170e0c937288ea2731a1941c7a53b0d" // of the byte 0xE9

func TestANameThatStandsTwiceIsNotAllowed(t *testing.T) {
	t.Parallel()
	data := write(t, read(t, "status_changed_captured.binary.json")["value"])
	v := &verdict{}
	schematest.ValidateChange(v, append([]byte(`{"status":"declined",`), data[1:]...))
	assert.Contains(t, v.said, "stands twice")
}

func TestAnEnvelopeMustSayWhatItsDataSays(t *testing.T) {
	t.Parallel()
	const (
		changed    = "status_changed_declined.structured.json"
		disputed   = "status_changed_disputed.structured.json"
		unresolved = "status_unresolved_not_found.structured.json"
		parked     = "status_unresolved_unavailable.structured.json"
		initiated  = "initiated_worldpay.structured.json"
	)
	for name, tc := range map[string]struct {
		file, path string
		value      any
		says       string
	}{
		"another subject":                       {changed, "subject", "other", "subject is"},
		"another time":                          {changed, "time", "2026-03-02T11:00:08Z", "time is"},
		"no id":                                 {changed, "id", nil, "missing property 'id'"},
		"an id that is no UUID":                 {changed, "id", "1", "/id"},
		"a type that is not ours":               {changed, "type", "payment.paid", "/type"},
		"another schema":                        {changed, "dataschema", "https://example.com/", "/dataschema"},
		"no data":                               {changed, "data", nil, "missing property 'data'"},
		"an attribute CloudEvents cannot carry": {changed, "paystatus_said", "x", "paystatus_said"},
		"a change without entry":                {changed, "data.entry", nil, "entry"},
		"a change without raw answer":           {changed, "data.raw", nil, "raw"},
		"a dispute's change without dispute":    {disputed, "data.dispute", nil, "dispute"},
		"data that the schema does not allow":   {changed, "data.extra", 1, "additional properties"},
		"a raw answer that was changed":         {changed, "data.raw.body", "{}", "raw.size"},
		"an unresolved end without reason":      {unresolved, "data.reason", nil, "reason"},
		"an unresolved end for no known reason": {unresolved, "data.reason.code", "bored", "/data/reason/code"},
		"an ended watch that goes on":           {unresolved, "data.final", false, "/data"},
		"a parked watch that has ended":         {parked, "data.final", true, "/data"},
		"an initiated event without amount":     {initiated, "data.amount", nil, "amount"},
		"an initiated event without source":     {initiated, "source", nil, "source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := read(t, tc.file)
			schematest.ValidateStructured(t, write(t, event))
			set(event, tc.path, tc.value)
			v := &verdict{}
			schematest.ValidateStructured(v, write(t, event))
			assert.Contains(t, v.said, tc.says)
		})
	}
}

func TestWhatIsNotJSONIsNotAllowed(t *testing.T) {
	t.Parallel()
	for _, validate := range []func(testing.TB, []byte){schematest.ValidateChange, schematest.ValidateInitiated, schematest.ValidateStructured} {
		for _, text := range []string{"", "{", "[]", "null", `"x"`} {
			v := &verdict{}
			validate(v, []byte(text))
			assert.NotEmpty(t, v.said, "%q", text)
		}
	}
}
