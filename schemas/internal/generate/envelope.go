package main

import "github.com/paystatus/paystatus/schemas"

// statusEnvelope is the schema of a whole status event in structured mode. It knows the type of the event, so it can say
// what each type must hold.
func statusEnvelope() schema {
	var ended, parked []any
	for _, row := range schemas.UnresolvedReasons {
		if row.Final {
			ended = append(ended, row.Code)
		} else {
			parked = append(parked, row.Code)
		}
	}
	unresolved := func(final bool, codes []any) schema {
		return schema{Properties: members{
			{"final", schema{Const: final}},
			{"reason", schema{Properties: members{{"code", schema{Enum: codes}}}}},
		}}
	}
	return schema{
		Draft: draft, ID: schemas.StatusEnvelopeSchemaID, Title: "Payment status as a structured CloudEvent, version 1",
		Description:   "A status event in structured mode, application/cloudevents+json. In binary mode the attributes are Kafka headers with the prefix ce_.",
		Type:          "object",
		Required:      []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"},
		PropertyNames: &schema{Description: "Other attributes are extensions of CloudEvents.", Pattern: "^[a-z0-9]+$"},
		Properties: members{
			{"specversion", schema{Const: "1.0"}},
			{"id", text(schema{Description: "Follows from what the event says: the same fact has the same id, whoever says it and whenever.", Format: "uuid"})},
			{"source", text(schema{Description: "The installation.", Format: "uri-reference", MinLength: 1})},
			{"type", text(schema{
				Description: "The status changed; the sums changed while the status did not; the watch ended or is parked without a final status; " +
					"or what was said before was wrong.",
				Enum: list(schemas.ChangeTypes...),
			})},
			{"subject", text(schema{Description: "The payment_id.", MinLength: 1, MaxLength: schemas.MaxPaymentID})},
			{"time", text(schema{Description: "When the answer was received: observed_at.", Format: "date-time", Pattern: "Z$"})},
			{"datacontenttype", schema{Const: "application/json"}},
			{"dataschema", schema{Const: schemas.StatusSchemaID}},
			{"traceparent", text(schema{Description: "W3C trace context.", Pattern: "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"})},
			{"causationid", text(schema{Description: "The id of the initiated event, if it had one.", MinLength: 1})},
			{"data", schema{Ref: schemas.StatusSchemaFile}},
		},
		If: &schema{Properties: members{{"type", schema{Const: schemas.TypeStatusUnresolved}}}},
		Then: &schema{Properties: members{{"data", schema{
			Required: []string{"reason"},
			OneOf:    []schema{unresolved(true, ended), unresolved(false, parked)},
		}}}},
		Else: &schema{Properties: members{{"data", schema{
			Required: []string{"raw"},
			OneOf:    []schema{{Required: []string{"entry"}}, {Required: []string{"dispute"}}},
		}}}},
		AllOf: []schema{{
			If:   &schema{Properties: members{{"type", schema{Const: schemas.TypeStatusCorrected}}}},
			Then: &schema{Properties: members{{"data", schema{Required: []string{"corrects"}}}}},
			Else: &schema{Properties: members{{"data", schema{Not: &schema{Required: []string{"corrects"}}}}}},
		}},
	}
}

// initiatedEnvelope is the schema of a whole initiated event in structured mode.
func initiatedEnvelope() schema {
	return schema{
		Draft: draft, ID: schemas.InitiatedEnvelopeSchemaID, Title: "Payment initiated as a structured CloudEvent, version 1",
		Description: "An initiated event in structured mode. Binary mode, and the bare data without any envelope, are as good.",
		Type:        "object",
		Required:    []string{"specversion", "id", "source", "type", "data"},
		Properties: members{
			{"specversion", schema{Const: "1.0"}},
			{"id", text(schema{Description: "Comes back as causationid.", MinLength: 1})},
			{"source", text(schema{Format: "uri-reference", MinLength: 1})},
			{"type", text(schema{Description: "One that the configuration takes for ours; others are ignored.", MinLength: 1, Default: schemas.TypeInitiated})},
			{"time", text(schema{Format: "date-time"})},
			{"traceparent", text(schema{Description: "W3C trace context; travels along."})},
			{"data", schema{Ref: schemas.InitiatedSchemaFile}},
		},
	}
}
