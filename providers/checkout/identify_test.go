package checkout

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
)

func TestIdentifiersAreTakenFromWhereverTheEventHoldsThem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reference schemas.Reference
		url       string
		reply     *schemas.InitiationResponse
		want      schemas.Reference
	}{
		"a payment id":                     {reference: byID, want: byID},
		"a session id":                     {reference: bySession, want: bySession},
		"a merchant reference":             {reference: schemas.Reference{refReference: "ORD 1/ü"}, want: schemas.Reference{refReference: "ORD 1/ü"}},
		"names that are not ours are left": {reference: schemas.Reference{refReference: order, "x": "y"}, want: byOrder},
		"empty values are none":            {reference: schemas.Reference{refReference: order, refPayment: ""}, want: byOrder},
		"a return URL with a payment id":   {url: "http://127.0.0.1:3000/result?cko-payment-id=" + payID, want: byID},
		"a return URL with a session id":   {url: "http://127.0.0.1:3000/result?a=b&cko-session-id=" + sid, want: bySession},
		"other parameters are left":        {reference: byOrder, url: "https://shop.example/?cko-payment-session-id=ps_1", want: byOrder},
		"the same id twice":                {reference: byID, url: "https://shop.example/?cko-payment-id=" + payID, want: byID},
		"the reply to the create call": {
			reply: &schemas.InitiationResponse{HTTPStatus: 202, Body: `{"id":"` + payID + `","status":"Pending","reference":"` + order + `"}`},
			want:  schemas.Reference{refPayment: payID, refReference: order},
		},
		"the reply that made a hosted page gives its reference": {
			reply: &schemas.InitiationResponse{HTTPStatus: 201, Body: `{"id":"hpp_1","reference":"` + order + `"}`},
			want:  byOrder,
		},
		"a redirect to 3ds_… is no id": {
			reply: &schemas.InitiationResponse{
				HTTPStatus: 202, Body: `{"id":"` + payID + `","_links":{"redirect":{"href":"https://x.example/3ds_` + sid[4:] + `"}}}`,
			},
			want: byID,
		},
		"a refusal gives nothing, but does no harm": {
			reference: byOrder,
			reply:     &schemas.InitiationResponse{HTTPStatus: 422, Body: `{"error_type":"request_invalid","reference":"other"}`},
			want:      byOrder,
		},
		"a reply that is no JSON does no harm": {
			reference: byOrder, reply: &schemas.InitiationResponse{HTTPStatus: 502, Body: "<html>"},
			want: byOrder,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := initiated(tc.reference)
			event.ReturnURL, event.InitiationResponse = tc.url, tc.reply
			got, err := reader().Identify(event)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestIdentifiersOfTheWrongFormAreRejectedWithTheField(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reference schemas.Reference
		url       string
		reply     *schemas.InitiationResponse
		field     string
	}{
		"nothing at all":                 {field: "reference"},
		"nothing usable":                 {reference: schemas.Reference{"order": "1"}, url: "https://shop.example/", field: "reference"},
		"a session id as payment id":     {reference: schemas.Reference{refPayment: sid}, field: "reference.payment_id"},
		"a payment id as session id":     {reference: schemas.Reference{refSession: payID}, field: "reference.session_id"},
		"25 letters":                     {reference: schemas.Reference{refPayment: payID[:29]}, field: "reference.payment_id"},
		"27 letters":                     {reference: schemas.Reference{refPayment: payID + "a"}, field: "reference.payment_id"},
		"a path":                         {reference: schemas.Reference{refPayment: "pay_../" + payID[7:]}, field: "reference.payment_id"},
		"a line break behind":            {reference: schemas.Reference{refPayment: payID + "\n"}, field: "reference.payment_id"},
		"an action id":                   {reference: schemas.Reference{refPayment: "act_" + payID[4:]}, field: "reference.payment_id"},
		"a 3ds_… id in the URL":          {url: "https://shop.example/?cko-session-id=3ds_" + sid[4:], field: "return_url"},
		"a payment id as session in URL": {url: "https://shop.example/?cko-session-id=" + payID, field: "return_url"},
		"a URL that is none":             {reference: byOrder, url: "http://shop example:port", field: "return_url"},
		"two payments in the URL":        {url: "https://shop.example/?cko-payment-id=" + payID + "&cko-payment-id=" + otherID, field: "return_url"},
		"another payment in the URL":     {reference: byID, url: "https://shop.example/?cko-payment-id=" + otherID, field: "return_url"},
		"another payment in the reply": {
			reference: byID, reply: &schemas.InitiationResponse{HTTPStatus: 201, Body: `{"id":"` + otherID + `"}`},
			field: "initiation_response",
		},
		"a reply without a payment alone": {reply: &schemas.InitiationResponse{HTTPStatus: 201, Body: `{"id":"3ds_` + sid[4:] + `"}`}, field: "reference"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := initiated(tc.reference)
			event.ReturnURL, event.InitiationResponse = tc.url, tc.reply
			_, err := reader().Identify(event)
			var field *schemas.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, tc.field, field.Field)
			assert.NotContains(t, err.Error(), strings.TrimPrefix(payID, "pay_"), "the value is not repeated")
		})
	}
}
