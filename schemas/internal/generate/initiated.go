package main

import "github.com/paystatus/paystatus/schemas"

// initiatedEvent is the schema of an initiated event's data. It is lenient: others write it, so unknown names are allowed and
// null is as good as absent. What schemas.ParseInitiated takes is held against it in a test.
func initiatedEvent() schema {
	doc := schema{
		Draft: draft, ID: schemas.InitiatedSchemaID, Title: "Payment initiated, version 1",
		Description: "The data of a payment initiated event: one attempt to take money at one provider. Unknown names are ignored; null is as good as absent.",
		Type:        "object",
		Required:    []string{"payment_id", "provider", "amount", "initiated_at"},
		Properties: members{
			{"payment_id", text(schema{
				Description: "The merchant's id of this payment, at most 128 bytes of UTF-8; the Kafka key everywhere.",
				MinLength:   1, MaxLength: schemas.MaxPaymentID, Pattern: notBlank,
			})},
			{"provider", schema{Description: "The payment service provider that the payment was made at.", Type: "string", Enum: providers()}},
			{"account", optional(schema{
				Description: "The account at the provider, by its name in the configuration of this program.",
				Pattern:     noNUL, Default: schemas.DefaultAccount,
			})},
			{"amount", schema{
				Description: "What the payment was made for.",
				Type:        "object", Required: []string{"value", "currency"},
				Properties: members{
					{"value", schema{Description: "In minor units, as sent to the provider.", Type: "integer", Minimum: &zero, Maximum: &maxInt64}},
					{"currency", text(currency)},
				},
			}},
			{"initiated_at", schema{Description: "When the payment was made.", Type: "string", Format: "date-time"}},
			{"reference", schema{
				Description: "What the provider knows the payment by: names by provider. Required unless return_url or initiation_response yields one.",
				Type:        []string{"object", "null"}, AdditionalProperties: optional(schema{Pattern: noNUL}),
			}},
			{"capture", schema{
				Description: "Who starts the capture of an authorised payment.",
				Enum:        append(list(schemas.Captures...), nil), Default: schemas.CaptureAutomatic,
			}},
			{"method", optional(schema{Description: "The payment method.", Pattern: noNUL, Examples: list("card", "pse", "pix")})},
			{"return_url", optional(schema{Description: "The URL that the customer came back on.", Pattern: noNUL})},
			{"initiation_response", schema{
				Description: "The provider's synchronous answer to the call that made the payment.",
				Type:        []string{"object", "null"}, Required: []string{"http_status", "body"},
				Properties: members{
					{"http_status", schema{Description: "Of the answer.", Type: "integer", Minimum: &minHTTP, Maximum: &maxHTTP}},
					{"body", schema{Description: "The exact text of the answer.", Type: "string"}},
				},
			}},
			{"metadata", schema{
				Description: "Copied to every event of this payment. Names and values together are at most 4096 bytes.",
				Type:        []string{"object", "null"}, PropertyNames: &schema{Pattern: noNUL}, AdditionalProperties: optional(schema{Pattern: noNUL}),
			}},
		},
		AnyOf: []schema{
			{Required: []string{"reference"}, Properties: members{{"reference", schema{Type: "object", MinProperties: 1}}}},
			{Required: []string{"return_url"}, Properties: members{{"return_url", schema{Type: "string", MinLength: 1}}}},
			{Required: []string{"initiation_response"}, Properties: members{{"initiation_response", schema{Type: "object"}}}},
		},
	}
	for _, each := range references {
		name := each.name + "_reference"
		each.schema.Type = []string{"object", "null"}
		doc.Defs = append(doc.Defs, member{name, each.schema})
		doc.AllOf = append(doc.AllOf, schema{
			If:   &schema{Properties: members{{"provider", schema{Const: each.name}}}},
			Then: &schema{Properties: members{{"reference", schema{Ref: ref(name)}}}},
		})
	}
	return doc
}

// references are the names that a reference may hold, by provider.
var references = members{
	{"checkout", schema{Description: "Checkout.com: any of these; the first that is there is asked by.", Properties: members{
		{"payment_id", optional(schema{Description: "Checkout.com's id of the payment.", Pattern: `^pay_\w{26}$`})},
		{"session_id", optional(schema{Description: "Of a 3-D Secure session; it can be asked by for 15 minutes.", Pattern: `^sid_\w{26}$`})},
		{"reference", optional(schema{Description: "The merchant's reference. A hosted page lets a customer try again under it."})},
	}}},
	{"antom", schema{Description: "Antom: either or both.", Properties: members{
		{"payment_request_id", optional(schema{Description: "The merchant's id of the request to pay.", MaxLength: 64})},
		{"payment_id", optional(schema{Description: "Antom's id of the payment.", MaxLength: 64})},
	}}},
	{"worldpay", schema{Description: "Worldpay: any of these.", Properties: members{
		{"events_link", optional(schema{Description: "The events link of the answer that made the payment, on Worldpay's own host.", MinLength: 1})},
		{"transaction_reference", optional(schema{Description: "The merchant's reference.", MaxLength: 64})},
		{"entity", optional(schema{Description: "The merchant entity that the payment was made under; by default the account's."})},
		{"payment_id", optional(schema{Description: "Worldpay's id of the payment.", MaxLength: 256})},
	}}},
	{"liquido", schema{Description: "Liquido: the key that the payment was made under.", Required: []string{"idempotency_key"}, Properties: members{
		{"idempotency_key", schema{Description: "The merchant's idempotency key, at most 128 bytes.", Type: "string", MinLength: 1, MaxLength: 128}},
	}}},
}

const (
	noNUL    = `^[^\x00]*$`
	notBlank = `^[^\x00]*[^\s\x00][^\x00]*$`
)

func providers() []any {
	names := make([]any, len(references))
	for i, each := range references {
		names[i] = each.name
	}
	return names
}

func text(s schema) schema {
	s.Type = "string"
	return s
}

func optional(s schema) schema {
	s.Type = []string{"string", "null"}
	return s
}
