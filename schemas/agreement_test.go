package schemas_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/schematest"
)

// verdict is a test that only remembers whether it failed.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Errorf(string, ...any) { v.failed = true }

func allowed(validate func(testing.TB, []byte), data []byte) bool {
	v := &verdict{}
	validate(v, data)
	return !v.failed
}

// The schema may not promise what ParseInitiated refuses, and refuses more than it only where a provider would.
func TestTheSchemaAndParseInitiatedAgree(t *testing.T) {
	t.Parallel()
	const absent = "absent"
	paths := []string{
		"payment_id", "provider", "account", "amount", "amount.value", "amount.currency", "initiated_at", "reference", "reference.reference",
		"reference.unheard_of", "capture", "method", "return_url", "initiation_response", "initiation_response.http_status",
		"initiation_response.body", "metadata", "metadata.order", "unheard_of", "amount.unheard_of",
	}
	values := []string{
		absent, `null`, `""`, `" "`, `"x"`, `"\u0000"`, `"EUR"`, `"checkout"`, `"8000"`, `"automatic"`, `"2026-03-02T09:14:05Z"`, `"2026-03-02"`,
		`0`, `-1`, `1`, `200`, `600`, `1.5`, `300.00`, `9223372036854775807`, `9223372036854775808`,
		`true`, `[]`, `{}`, `{"a": "b"}`, `{"a": 1}`, `{"a": null}`, `["a"]`,
		`"` + strings.Repeat("x", 128) + `"`, `"` + strings.Repeat("x", 129) + `"`,
	}
	// What only a provider judges, or what the schema asks of writers although it does not matter to the reader.
	stricter := map[string]bool{"provider": true, "capture \"\"": true}
	agreed, judged := 0, 0
	for _, path := range paths {
		for _, value := range values {
			event := replace(t, completeEvent, path, value, value == absent)
			_, err := schemas.ParseInitiated(event)
			taken, promised := err == nil, allowed(schematest.ValidateInitiated, event)
			switch {
			case taken == promised:
				agreed++
			case taken && (stricter[path] || stricter[path+" "+value]):
				judged++
			default:
				assert.Fail(t, "the schema and the code differ", "%s = %s: the code says %v, the schema %v", path, value, err, promised)
			}
		}
	}
	assert.Positive(t, agreed)
	assert.Positive(t, judged)
}

// replace sets what stands at a path of names with dots, or takes it away.
func replace(t *testing.T, event, path, value string, remove bool) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(event), &members))
	name, rest, deeper := strings.Cut(path, ".")
	switch {
	case deeper:
		members[name] = replace(t, string(members[name]), rest, value, remove)
	case remove:
		delete(members, name)
	default:
		members[name] = json.RawMessage(value)
	}
	out, err := json.Marshal(members)
	require.NoError(t, err)
	return out
}

func TestTheSchemaHoldsReferencesAgainstTheirProvider(t *testing.T) {
	t.Parallel()
	const id = "k7m2q4w6x8z3b5n7v9c2t4y6ra"
	for name, tc := range map[string]struct {
		members string
		allowed bool
	}{
		"checkout by payment":                   {`"reference": {"payment_id": "pay_` + id + `"}`, true},
		"checkout by session":                   {`"reference": {"session_id": "sid_` + id + `"}`, true},
		"checkout by reference":                 {`"reference": {"reference": "any text"}`, true},
		"checkout by all":                       {`"reference": {"payment_id": "pay_` + id + `", "session_id": "sid_` + id + `", "reference": "R"}`, true},
		"checkout with a name that is not ours": {`"reference": {"reference": "R", "order": "1"}`, true},
		"checkout with a null":                  {`"reference": {"reference": "R", "payment_id": null}`, true},
		"checkout by an action":                 {`"reference": {"payment_id": "act_` + id + `"}`, false},
		"checkout by a misplaced session":       {`"reference": {"payment_id": "sid_` + id + `"}`, false},
		"checkout by an id that is too short":   {`"reference": {"payment_id": "pay_k7m2"}`, false},
		"checkout by an id with a line break":   {`"reference": {"payment_id": "pay_` + id + `\n"}`, false},
		"checkout by nothing":                   {``, false},
		"checkout by an empty reference":        {`"reference": {}`, false},
		"checkout by a null reference":          {`"reference": null`, false},
		"checkout by a return url":              {`"return_url": "https://shop.example/r?cko-payment-id=pay_` + id + `"`, true},
		"checkout by a response":                {`"initiation_response": {"http_status": 201, "body": "{}"}`, true},
		"checkout by nothing but an empty url":  {`"return_url": ""`, false},
		"antom by request":                      {`"provider": "antom", "reference": {"payment_request_id": "A-1"}`, true},
		"antom by payment":                      {`"provider": "antom", "reference": {"payment_id": "20260302194010800100188000000001"}`, true},
		"antom by a request of 65 letters":      {`"provider": "antom", "reference": {"payment_request_id": "` + strings.Repeat("x", 65) + `"}`, false},
		"antom by a payment of 65 letters":      {`"provider": "antom", "reference": {"payment_id": "` + strings.Repeat("x", 65) + `"}`, false},
		"worldpay by link":                      {`"provider": "worldpay", "reference": {"events_link": "https://access.worldpay.com/events/x"}`, true},
		"worldpay by reference and entity":      {`"provider": "worldpay", "reference": {"transaction_reference": "W-1", "entity": "default"}`, true},
		"worldpay by payment":                   {`"provider": "worldpay", "reference": {"payment_id": "` + strings.Repeat("x", 256) + `"}`, true},
		"worldpay by 65 letters":                {`"provider": "worldpay", "reference": {"transaction_reference": "` + strings.Repeat("x", 65) + `"}`, false},
		"liquido by key":                        {`"provider": "liquido", "reference": {"idempotency_key": "` + strings.Repeat("x", 128) + `"}`, true},
		"liquido by a key of 129 letters":       {`"provider": "liquido", "reference": {"idempotency_key": "` + strings.Repeat("x", 129) + `"}`, false},
		"liquido by another name":               {`"provider": "liquido", "reference": {"payment_id": "L-1"}`, false},
		"liquido by an empty key":               {`"provider": "liquido", "reference": {"idempotency_key": ""}`, false},
		"liquido with a name of checkout's":     {`"provider": "liquido", "reference": {"idempotency_key": "L-1", "payment_id": "x"}`, true},
		"a provider that is not ours":           {`"provider": "other", "reference": {"id": "1"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.allowed, allowed(schematest.ValidateInitiated, []byte(with(tc.members))))
		})
	}
}
