package consume_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/consume"
)

// structured is a binary event as one document.
func (r record) structured(t *testing.T) record {
	t.Helper()
	event := map[string]any{"data": json.RawMessage(r.value)}
	for _, h := range r.headers {
		if name, isAttribute := bytes.CutPrefix([]byte(h.Key), []byte("ce_")); isAttribute {
			event[string(name)] = string(h.Value)
		}
	}
	value, err := json.Marshal(event)
	require.NoError(t, err)
	return record{[]consume.Header{{Key: "Content-Type", Value: []byte("application/cloudevents+json")}}, value}
}

func TestBothModesSayTheSame(t *testing.T) {
	t.Parallel()
	r := example(t, "status_changed_captured.binary.json")
	binary, err := consume.Decode(r.headers, r.value)
	require.NoError(t, err)
	r = r.structured(t)
	structured, err := consume.Decode(r.headers, r.value)
	require.NoError(t, err)

	for _, e := range []consume.Event{binary, structured} {
		assert.Equal(t, "72e75783-ef8c-5547-92b3-e56d02ff84ee", e.ID.String())
		assert.Equal(t, schemas.TypeStatusChanged, e.Type)
		assert.Equal(t, "2026-03-02T09:14:37.402118Z", e.Time.Format("2006-01-02T15:04:05.999999Z07:00"))
		assert.Equal(t, schemas.PaymentKey{Provider: "checkout", Account: "default", PaymentID: "order-10427-1"}, e.Key())
		assert.Equal(t, schemas.Captured, e.Change.Status)
		assert.Equal(t, "10427", e.Change.Metadata["order"])
	}
	assert.Equal(t, binary.Change, structured.Change)
	all, err := binary.Full()
	require.NoError(t, err)
	again, err := structured.Full()
	require.NoError(t, err)
	assert.Equal(t, all, again)
}

func TestAllDataIsThereForWhoAsks(t *testing.T) {
	t.Parallel()
	r := example(t, "status_changed_captured.binary.json")
	for name, value := range map[string][]byte{"as people indent it": r.value, "as it travels": compact(t, r.value)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := consume.Decode(r.headers, value)
			require.NoError(t, err)
			assert.Nil(t, e.Change.Raw)
			full, err := e.Full()
			require.NoError(t, err)
			var want schemas.Change
			require.NoError(t, json.Unmarshal(value, &want))
			assert.Equal(t, want, full)
			assert.Len(t, full.Raw.Body, full.Raw.Size)

			want.Reference, want.ProviderStatus, want.ThreeDS, want.Card, want.Raw = nil, nil, nil, nil, nil
			assert.Equal(t, want, e.Change)
		})
	}
}

func compact(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, text))
	return b.Bytes()
}

// Wherever the word raw stands, only the member of that name is passed over.
func TestTheAnswerIsPassedOverAndNothingElse(t *testing.T) {
	t.Parallel()
	r := example(t, "status_changed_captured.binary.json")
	for name, change := range map[string]func(map[string]any){
		"metadata of that name":     func(d map[string]any) { d["metadata"] = map[string]any{"raw": "x"} },
		"metadata that quotes one":  func(d map[string]any) { d["metadata"] = map[string]any{"a": `,"raw":{"b":{{`} },
		"a provider's word":         func(d map[string]any) { d["provider_status"] = map[string]any{"a": 1, "raw": map[string]any{"x": "}"}} },
		"an answer with braces":     func(d map[string]any) { d["raw"] = map[string]any{"body": `}}\"{{"\`} },
		"an answer that quotes all": func(d map[string]any) { d["raw"] = map[string]any{"body": `,"raw":{},"normalizer":"x"`} },
		"no answer":                 func(d map[string]any) { delete(d, "raw") },
		"null for an answer":        func(d map[string]any) { d["raw"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var data map[string]any
			require.NoError(t, json.Unmarshal(r.value, &data))
			change(data)
			value, err := json.Marshal(data)
			require.NoError(t, err)
			var want schemas.Change
			require.NoError(t, json.Unmarshal(value, &want))
			written, err := json.Marshal(want) // in the order in which paystatus writes
			require.NoError(t, err)
			newer := strings.Replace(string(written), `"raw":{`, `"raw":{"more":{"a":1},"normalizer":"x",`, 1)
			want.Reference, want.ProviderStatus, want.ThreeDS, want.Card, want.Raw = nil, nil, nil, nil, nil
			for _, value := range [][]byte{value, written, []byte(newer)} {
				e, err := consume.Decode(r.headers, value)
				require.NoError(t, err)
				assert.Equal(t, want, e.Change)
			}
		})
	}
}

func TestABrokenEventSaysWhatIsBroken(t *testing.T) {
	t.Parallel()
	drop := func(name string) func(map[string]string, map[string]any) {
		return func(_ map[string]string, data map[string]any) { delete(data, name) }
	}
	set := func(name string, value any) func(map[string]string, map[string]any) {
		return func(_ map[string]string, data map[string]any) { data[name] = value }
	}
	header := func(name, value string) func(map[string]string, map[string]any) {
		return func(headers map[string]string, _ map[string]any) { headers[name] = value }
	}
	money := func(value int, currency string) map[string]any {
		return map[string]any{"value": value, "currency": currency, "exponent": 2}
	}
	for name, tc := range map[string]struct {
		breaks func(map[string]string, map[string]any)
		says   string
	}{
		"no payment":           {drop("payment_id"), "payment_id is missing"},
		"no provider":          {drop("provider"), "provider is missing"},
		"no account":           {drop("account"), "account is missing"},
		"no status":            {drop("status"), "status is missing"},
		"no funds":             {drop("funds"), "funds is missing"},
		"no time of answer":    {drop("observed_at"), "observed_at is missing"},
		"a status of digits":   {set("status", 7), `"/status" is not what it should be`},
		"a sum below zero":     {set("amounts", map[string]any{"captured": money(-1, "EUR")}), "a sum is negative"},
		"a sum of nothing":     {set("amounts", map[string]any{"captured": money(1, "")}), "no currency"},
		"two currencies":       {set("amounts", map[string]any{"requested": money(1, "EUR"), "captured": money(1, "USD")}), "different currencies"},
		"a nameless dispute":   {set("dispute", map[string]any{"outcome": "open"}), "dispute.id is missing"},
		"a reasonless end":     {header("ce_type", schemas.TypeStatusUnresolved), "reason.code is missing"},
		"a lost correction":    {header("ce_type", schemas.TypeStatusCorrected), "corrects is missing"},
		"an id that is none":   {header("ce_id", "17"), "id is missing or not a UUID"},
		"a time that is none":  {header("ce_time", "today"), "time is missing or not RFC 3339"},
		"another payment":      {header("ce_subject", "other"), "subject is not its payment_id"},
		"other CloudEvents":    {header("ce_specversion", "2.0"), "specversion is not 1.0"},
		"a name written twice": {nil, "not JSON at byte"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := example(t, "status_changed_captured.binary.json")
			headers, data := map[string]string{}, map[string]any{}
			for _, h := range r.headers {
				headers[h.Key] = string(h.Value)
			}
			require.NoError(t, json.Unmarshal(r.value, &data))
			if tc.breaks != nil {
				tc.breaks(headers, data)
			}
			var broken record
			var err error
			broken.value, err = json.Marshal(data)
			require.NoError(t, err)
			if tc.breaks == nil {
				broken.value = append([]byte(`{"status":"captured",`), broken.value[1:]...)
			}
			for name, value := range headers {
				broken.headers = append(broken.headers, consume.Header{Key: name, Value: []byte(value)})
			}
			_, err = consume.Decode(broken.headers, broken.value)
			require.ErrorContains(t, err, tc.says)
			assert.NotContains(t, err.Error(), "order-10427")
			broken = broken.structured(t)
			_, err = consume.Decode(broken.headers, broken.value)
			require.ErrorContains(t, err, map[bool]string{true: "not JSON", false: tc.says}[tc.breaks == nil])
		})
	}
}

func TestWhatIsNoEventIsAnErrorAndAnotherTypeIsSkipped(t *testing.T) {
	t.Parallel()
	_, err := consume.Decode(nil, []byte(`{"status":"captured"}`))
	require.ErrorContains(t, err, "no CloudEvent")
	_, err = consume.Decode([]consume.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}}, []byte(`{"id"`))
	require.ErrorContains(t, err, "structured event: not JSON")
	require.NotErrorIs(t, err, consume.ErrOtherType)
	_, err = consume.Decode([]consume.Header{{Key: "CE_Type", Value: []byte("payment.shipped")}}, nil)
	require.ErrorIs(t, err, consume.ErrOtherType)
}
