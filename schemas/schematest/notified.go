package schematest

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/schemas"
)

// ValidateNotified reports an error unless the AsyncAPI document allows headers as those of a notification: of a record that
// hands a provider's webhook on. The record's value is the webhook's body, whatever it is.
func ValidateNotified(t testing.TB, headers map[string]string) {
	t.Helper()
	schema, err := notificationHeaders()
	if err != nil {
		t.Errorf("the schema of notifications: %v", err)
		return
	}
	value := make(map[string]any, len(headers))
	for name, text := range headers {
		value[name] = text
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("not the headers of a notification: %v\n%v", err, headers)
	}
}

const asyncapi = "asyncapi.yaml"

// notificationHeaders are the headers' schema in the AsyncAPI document, which refers to the schemas beside it.
var notificationHeaders = sync.OnceValues(func() (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	base := strings.TrimSuffix(schemas.StatusSchemaID, schemas.StatusSchemaFile)
	for _, file := range []string{asyncapi, schemas.InitiatedSchemaFile, schemas.StatusSchemaFile, schemas.StatusEnvelopeSchemaFile} {
		text, err := schemas.Files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var document any
		if err := yaml.Unmarshal(text, &document); err != nil { // JSON is YAML
			return nil, err
		}
		if text, err = json.Marshal(document); err != nil {
			return nil, err
		}
		if document, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
			return nil, err
		}
		if err := compiler.AddResource(base+file, document); err != nil {
			return nil, err
		}
	}
	return compiler.Compile(base + asyncapi + "#/components/schemas/notificationHeaders")
})
