package antom

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	type ref = schemas.Reference
	given := func(r ref, body string) schemas.Initiated {
		e := schemas.Initiated{Reference: r}
		if body != "" {
			e.InitiationResponse = &schemas.InitiationResponse{HTTPStatus: 200, Body: body}
		}
		return e
	}
	long := fmt.Sprintf("%065d", 1)
	for name, tc := range map[string]struct {
		event schemas.Initiated
		want  schemas.Reference
		field string // of the error
	}{
		"the merchant's id":  {given(ref{"payment_request_id": "P 1"}, ""), ref{"payment_request_id": "P 1"}, ""},
		"Antom's id":         {given(ref{"payment_id": "2024"}, ""), ref{"payment_id": "2024"}, ""},
		"unknown names":      {given(ref{"payment_id": "2024", "order": "7"}, ""), ref{"payment_id": "2024"}, ""},
		"one of them empty":  {given(ref{"payment_request_id": "P", "payment_id": ""}, ""), ref{"payment_request_id": "P"}, ""},
		"none":               {given(nil, ""), nil, "reference"},
		"none that is known": {given(ref{"order": "7"}, ""), nil, "reference"},
		"too long":           {given(ref{"payment_id": long}, ""), nil, "reference.payment_id"},
		"a line break":       {given(ref{"payment_request_id": "a\nb"}, ""), nil, "reference.payment_request_id"},
		"blanks around":      {given(ref{"payment_request_id": " a"}, ""), nil, "reference.payment_request_id"},
		"all from pay's answer": {
			given(nil, `{"paymentId":"2024","paymentRequestId":"P"}`),
			ref{"payment_request_id": "P", "payment_id": "2024"},
			"",
		},
		"Antom's id from pay's answer": {
			given(ref{"payment_request_id": "P"}, `{"paymentId":"2024","paymentRequestId":"P"}`),
			ref{"payment_request_id": "P", "payment_id": "2024"},
			"",
		},
		"pay's answer about another payment gives nothing": {
			given(ref{"payment_request_id": "P"}, `{"paymentId":"2024","paymentRequestId":"Q"}`),
			ref{"payment_request_id": "P"},
			"",
		},
		"pay's answer that cannot be read gives nothing": {
			given(ref{"payment_request_id": "P"}, `<html>`),
			ref{"payment_request_id": "P"},
			"",
		},
		"nothing but an answer without ids": {given(nil, `{"result":{"resultStatus":"U"}}`), nil, "reference"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := reader(t).Identify(tc.event)
			if tc.field != "" {
				var wrong *schemas.FieldError
				require.ErrorAs(t, err, &wrong)
				assert.Equal(t, tc.field, wrong.Field)
				assert.NotEmpty(t, wrong.Problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}
