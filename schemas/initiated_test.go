package schemas_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

const completeEvent = `{
	"payment_id": "order-1", "provider": "checkout", "account": "marketplace", "amount": {"value": 8000, "currency": "EUR"},
	"initiated_at": "2026-03-02T10:14:05.25+01:00", "reference": {"payment_id": "pay_k7m2q4w6x8z3b5n7v9c2t4y6ra", "reference": "R 1"},
	"capture": "manual", "method": "card", "return_url": "https://shop.example/return?a=b", "metadata": {"order": "1", "shop.region": "eu"},
	"initiation_response": {"http_status": 201, "body": "{\"id\": 1}"}
}`

func TestACompleteEventIsReadAsItStands(t *testing.T) {
	t.Parallel()
	event, err := schemas.ParseInitiated([]byte(completeEvent))
	require.NoError(t, err)
	assert.Equal(t, schemas.Initiated{
		PaymentID: "order-1", Provider: "checkout", Account: "marketplace", Amount: schemas.Amount{Value: 8000, Currency: "EUR"},
		InitiatedAt: time.Date(2026, 3, 2, 9, 14, 5, 250e6, time.UTC),
		Reference:   schemas.Reference{"payment_id": "pay_k7m2q4w6x8z3b5n7v9c2t4y6ra", "reference": "R 1"},
		Capture:     schemas.CaptureManual, Method: "card", ReturnURL: "https://shop.example/return?a=b",
		InitiationResponse: &schemas.InitiationResponse{HTTPStatus: 201, Body: `{"id": 1}`},
		Metadata:           map[string]string{"order": "1", "shop.region": "eu"},
	}, event)
	assert.Equal(t, schemas.PaymentKey{Provider: "checkout", Account: "marketplace", PaymentID: "order-1"}, event.Key())
}

// with is the least that an event must have, with more members or other ones in their place.
func with(members string) string {
	var given map[string]json.RawMessage
	_ = json.Unmarshal([]byte("{"+members+"}"), &given) // what cannot be read replaces nothing
	all := []string{}
	for name, value := range map[string]string{
		"payment_id": `"order-1"`, "provider": `"checkout"`, "amount": `{"value": 8000, "currency": "EUR"}`, "initiated_at": `"2026-03-02T09:14:05Z"`,
	} {
		if given[name] == nil {
			all = append(all, `"`+name+`": `+value)
		}
	}
	if members != "" {
		all = append(all, members)
	}
	return "{" + strings.Join(all, ", ") + "}"
}

func TestWhatIsNotSaidHasADefault(t *testing.T) {
	t.Parallel()
	plain := schemas.Initiated{
		PaymentID: "order-1", Provider: "checkout", Account: schemas.DefaultAccount, Amount: schemas.Amount{Value: 8000, Currency: "EUR"},
		InitiatedAt: time.Date(2026, 3, 2, 9, 14, 5, 0, time.UTC), Capture: schemas.CaptureAutomatic,
	}
	for name, members := range map[string]string{
		"nothing more": ``,
		"null": `"account": null, "reference": null, "capture": null, "method": null, "return_url": null, "initiation_response": null,
			"metadata": null`,
		"empty":         `"account": "", "capture": "", "method": "", "return_url": ""`,
		"unknown names": `"extra": {"deep": [1, null]}, "value": 3`,
		"names in another letter case": `"Account": "b", "ACCOUNT": 3, "Metadata": 7, "captUre": "never", "Reference": [], "AMOUNT": {"value": 1},
			"Payment_ID": "x", "paymentId": "y"`,
		"a name that stands twice with one value": `"method": null, "method": null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, err := schemas.ParseInitiated([]byte(with(members)))
			require.NoError(t, err)
			assert.Equal(t, plain, event)
		})
	}
}

func TestWhatIsWrongIsNamedWithWhatIsExpected(t *testing.T) {
	t.Parallel()
	const (
		exactText  = `must be a string, the exact text of the answer`
		integer    = `must be an integer in minor units, as a JSON number`
		rfc3339    = `must be an RFC 3339 time with zone, like 2026-01-31T12:00:00Z`
		httpStatus = `must be an HTTP status, an integer from 100 to 599`
		iso4217    = `must be an ISO 4217 code, three capital letters`
		noNUL      = `must not hold NUL characters`
		amount     = `must be an object {"value": minor units, "currency": ISO 4217 code}`
		response   = `must be an object {"http_status": integer, "body": string}`
	)
	for name, tc := range map[string]struct{ members, field, problem string }{
		"no payment id":                {`"payment_id": null`, "payment_id", `is missing`},
		"an empty payment id":          {`"payment_id": ""`, "payment_id", `must not be empty`},
		"a blank payment id":           {`"payment_id": "\t\u00a0 "`, "payment_id", `must not be empty`},
		"a number as payment id":       {`"payment_id": 17`, "payment_id", `must be a string`},
		"a payment id of 129 bytes":    {`"payment_id": "` + strings.Repeat("é", 64) + `x"`, "payment_id", `must be at most 128 bytes`},
		"a payment id with NUL":        {`"payment_id": "a\u0000"`, "payment_id", noNUL},
		"half a surrogate pair":        {`"payment_id": "a\ud800"`, "payment_id", `must be UTF-8`},
		"no provider":                  {`"provider": null`, "provider", `is missing`},
		"a list as provider":           {`"provider": ["checkout"]`, "provider", `must be a string`},
		"a number as account":          {`"account": 1`, "account", `must be a string`},
		"no amount":                    {`"amount": null`, "amount", `is missing; give {"value": minor units, "currency": ISO 4217 code}`},
		"a number as amount":           {`"amount": 8000`, "amount", amount},
		"an amount without value":      {`"amount": {"currency": "EUR"}`, "amount.value", `is missing`},
		"a value in a string":          {`"amount": {"value": "8000", "currency": "EUR"}`, "amount.value", integer},
		"a fraction":                   {`"amount": {"value": 80.5, "currency": "EUR"}`, "amount.value", integer},
		"an exponent":                  {`"amount": {"value": 8e3, "currency": "EUR"}`, "amount.value", integer},
		"more than fits":               {`"amount": {"value": 9223372036854775808, "currency": "EUR"}`, "amount.value", integer},
		"a negative value":             {`"amount": {"value": -1, "currency": "EUR"}`, "amount.value", `must not be negative`},
		"an amount without currency":   {`"amount": {"value": 1}`, "amount.currency", `is missing`},
		"a currency in small letters":  {`"amount": {"value": 1, "currency": "eur"}`, "amount.currency", iso4217},
		"a currency with a line break": {`"amount": {"value": 1, "currency": "EUR\n"}`, "amount.currency", iso4217},
		"a currency's number":          {`"amount": {"value": 1, "currency": 978}`, "amount.currency", `must be a string`},
		"no time":                      {`"initiated_at": null`, "initiated_at", `is missing`},
		"a time as number":             {`"initiated_at": 1772442845`, "initiated_at", `must be a string`},
		"a time without zone":          {`"initiated_at": "2026-03-02T09:14:05"`, "initiated_at", rfc3339},
		"a date alone":                 {`"initiated_at": "2026-03-02"`, "initiated_at", rfc3339},
		"a day that is not":            {`"initiated_at": "2026-02-30T09:14:05Z"`, "initiated_at", rfc3339},
		"a time before all years":      {`"initiated_at": "0000-01-01T00:00:00+23:59"`, "initiated_at", rfc3339},
		"a time after all years":       {`"initiated_at": "9999-12-31T23:59:59-23:59"`, "initiated_at", rfc3339},
		"a string as reference":        {`"reference": "pay_1"`, "reference", `must be an object of strings`},
		"a number in a reference":      {`"reference": {"idempotency_key": 17}`, "reference.idempotency_key", `must be a string`},
		"a reference with NUL":         {`"reference": {"reference": "\u0000"}`, "reference.reference", noNUL},
		"another capture mode":         {`"capture": "later"`, "capture", `must be "automatic" or "manual"`},
		"a bool as capture mode":       {`"capture": true`, "capture", `must be a string`},
		"a number as method":           {`"method": 1`, "method", `must be a string`},
		"an object as return url":      {`"return_url": {}`, "return_url", `must be a string`},
		"a string as response":         {`"initiation_response": "{}"`, "initiation_response", response},
		"a response without status":    {`"initiation_response": {"body": ""}`, "initiation_response.http_status", httpStatus},
		"a status in a string":         {`"initiation_response": {"http_status": "200", "body": ""}`, "initiation_response.http_status", httpStatus},
		"a status of six hundred":      {`"initiation_response": {"http_status": 600, "body": ""}`, "initiation_response.http_status", httpStatus},
		"a response without body":      {`"initiation_response": {"http_status": 200}`, "initiation_response.body", exactText},
		"a response with a JSON body":  {`"initiation_response": {"http_status": 200, "body": {}}`, "initiation_response.body", exactText},
		"a list as metadata":           {`"metadata": ["a"]`, "metadata", `must be an object of strings`},
		"a number in the metadata":     {`"metadata": {"order.id": 7}`, "metadata.order.id", `must be a string`},
		"metadata with NUL":            {`"metadata": {"a": "\u0000"}`, "metadata.a", noNUL},
		"a name with NUL":              {`"metadata": {"a\u0000": "b"}`, "metadata", noNUL},
		"a name that is not UTF-8":     {"\"metadata\": {\"a\xff\": \"b\"}", "metadata", `must be UTF-8`},
		"more than 4 KiB of metadata":  {`"metadata": {"a": "` + strings.Repeat("x", 4095) + `", "b": ""}`, "metadata", `must be at most 4096 bytes`},
		"two wrong things, one named":  {`"payment_id": 1, "capture": 2`, "payment_id", `must be a string`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, err := schemas.ParseInitiated([]byte(with(tc.members)))
			var wrong *schemas.FieldError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, tc.field+": "+tc.problem, wrong.Error())
			assert.Zero(t, event)
		})
	}
}

func TestTheLimitsThemselvesAreAllowed(t *testing.T) {
	t.Parallel()
	for name, members := range map[string]string{
		"a payment id of 128 bytes": `"payment_id": "` + strings.Repeat("é", 64) + `"`,
		"4 KiB of metadata":         `"metadata": {"a": "` + strings.Repeat("x", 4095) + `"}`,
		"nothing to pay":            `"amount": {"value": 0, "currency": "EUR"}`,
		"the largest value":         `"amount": {"value": 9223372036854775807, "currency": "EUR"}`,
		"a fraction of zeros":       `"amount": {"value": 8000.00, "currency": "EUR"}`,
		"a status of 100":           `"initiation_response": {"http_status": 100, "body": ""}`,
		"a status of 599":           `"initiation_response": {"http_status": 599, "body": ""}`,
		"nanoseconds":               `"initiated_at": "2026-03-02T09:14:05.123456789Z"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := schemas.ParseInitiated([]byte(with(members)))
			assert.NoError(t, err)
		})
	}
}

func TestNullInsideAReferenceOrMetadataIsAbsent(t *testing.T) {
	t.Parallel()
	event, err := schemas.ParseInitiated([]byte(with(`"reference": {"payment_id": null, "reference": "R"}, "metadata": {"a.b": "c", "d": null}`)))
	require.NoError(t, err)
	assert.Equal(t, schemas.Reference{"reference": "R"}, event.Reference)
	assert.Equal(t, map[string]string{"a.b": "c"}, event.Metadata)
}

func TestWhatIsNotOneObjectCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]exactjson.Code{
		"": exactjson.Empty, "<html>": exactjson.NotJSON, strings.TrimSuffix(with(""), "}"): exactjson.Truncated, with("") + "{}": exactjson.NotJSON,
		with(`"payment_id": "order-1", "payment_id": "order-2"`): exactjson.DuplicateName,
		with(`"metadata": {"a": "b", "a": "c"}`):                 exactjson.DuplicateName,
	} {
		_, err := schemas.ParseInitiated([]byte(text))
		var unreadable *exactjson.Error
		require.ErrorAs(t, err, &unreadable, text)
		assert.Equal(t, code, unreadable.Code, text)
	}
	for _, text := range []string{"[]", `"order-1"`, "null", "17"} {
		_, err := schemas.ParseInitiated([]byte(text))
		assert.EqualError(t, err, "the event's data must be a JSON object", text)
	}
}

func TestAnErrorDoesNotRepeatTheValue(t *testing.T) {
	t.Parallel()
	_, err := schemas.ParseInitiated([]byte(with(`"capture": "secret-value"`)))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret-value")
}

func TestALaterEventMayAddButNotContradict(t *testing.T) {
	t.Parallel()
	first := schemas.Initiated{Amount: schemas.Amount{Value: 1, Currency: "EUR"}, Reference: schemas.Reference{"reference": "R", "session_id": "S"}}
	for name, tc := range map[string]struct {
		later schemas.Initiated
		field string
	}{
		"the same again":     {first, ""},
		"another identifier": {schemas.Initiated{Amount: first.Amount, Reference: schemas.Reference{"payment_id": "P"}}, ""},
		"no identifier":      {schemas.Initiated{Amount: first.Amount}, ""},
		"another value":      {schemas.Initiated{Amount: schemas.Amount{Value: 2, Currency: "EUR"}}, "amount"},
		"another currency":   {schemas.Initiated{Amount: schemas.Amount{Value: 1, Currency: "USD"}}, "amount"},
		"another reference":  {schemas.Initiated{Amount: first.Amount, Reference: schemas.Reference{"reference": "Q"}}, "reference.reference"},
		"both, the first named": {
			schemas.Initiated{Amount: first.Amount, Reference: schemas.Reference{"session_id": "T", "reference": "Q"}}, "reference.reference",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := first.Conflict(tc.later)
			if tc.field == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, tc.field+": differs from that of an earlier initiated event of this payment")
			}
		})
	}
}

func TestMergingAddsWhatIsLackingAndChangesNothing(t *testing.T) {
	t.Parallel()
	first := schemas.Reference{"reference": "R"}
	merged, added := first.Merge(schemas.Reference{"reference": "Q", "payment_id": "P"})
	assert.True(t, added)
	assert.Equal(t, schemas.Reference{"reference": "R", "payment_id": "P"}, merged)
	assert.Equal(t, schemas.Reference{"reference": "R"}, first, "the first is left as it was")

	_, added = first.Merge(schemas.Reference{"reference": "Q"})
	assert.False(t, added)
	merged, added = schemas.Reference(nil).Merge(schemas.Reference{"payment_id": "P"})
	assert.True(t, added)
	assert.Equal(t, schemas.Reference{"payment_id": "P"}, merged)
}

func FuzzParseInitiated(f *testing.F) {
	for _, seed := range []string{
		completeEvent, with(""), with(`"account": null`), "", "{}", "[", "\xef\xbb\xbf" + with(""), with(`"metadata": {"a\xff": ""}`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		event, err := schemas.ParseInitiated(data)
		if err != nil {
			var field *schemas.FieldError
			var text *exactjson.Error
			assert.True(t, errors.As(err, &field) || errors.As(err, &text), "an error that callers can tell: %v", err)
			return
		}
		assert.NotEmpty(t, event.PaymentID)
		assert.LessOrEqual(t, len(event.PaymentID), schemas.MaxPaymentID)
		assert.NotEmpty(t, event.Account)
		assert.Contains(t, schemas.Captures, event.Capture)
		assert.GreaterOrEqual(t, event.Amount.Value, int64(0))

		// What was read can be written and read again: it travels in check messages.
		written, err := json.Marshal(event)
		require.NoError(t, err)
		again, err := schemas.ParseInitiated(written)
		require.NoError(t, err, "%s", written)
		if len(event.Reference) == 0 { // an empty object is not written
			event.Reference, again.Reference = nil, nil
		}
		if len(event.Metadata) == 0 {
			event.Metadata, again.Metadata = nil, nil
		}
		assert.Equal(t, event, again)
	})
}
