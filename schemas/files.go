package schemas

import "embed"

//go:generate go run ./internal/generate

// Files holds the JSON Schemas, the AsyncAPI document and the examples, by their names in this folder.
//
//go:embed *.schema.json asyncapi.yaml examples/*.json
var Files embed.FS

// The JSON Schemas: of the data of the two events, and of whole events in structured mode.
const (
	InitiatedSchemaFile         = "payment_initiated.v1.schema.json"
	InitiatedEnvelopeSchemaFile = "payment_initiated.v1.cloudevent.schema.json"
	StatusSchemaFile            = "payment_status.v1.schema.json"
	StatusEnvelopeSchemaFile    = "payment_status.v1.cloudevent.schema.json"
)

// The names by which the schemas refer to each other. StatusSchemaID is the dataschema of every status event.
const (
	InitiatedSchemaID         = schemaBase + InitiatedSchemaFile
	InitiatedEnvelopeSchemaID = schemaBase + InitiatedEnvelopeSchemaFile
	StatusSchemaID            = schemaBase + StatusSchemaFile
	StatusEnvelopeSchemaID    = schemaBase + StatusEnvelopeSchemaFile

	schemaBase = "https://raw.githubusercontent.com/paystatus/paystatus/main/schemas/"
)
