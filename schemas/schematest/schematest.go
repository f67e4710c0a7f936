// Package schematest holds what a program reads and writes against the published JSON Schemas. Every test here and in
// programs that consume or produce our events can call it, so that no event is published that its schema does not allow.
package schematest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// ValidateChange reports an error unless data is the data of a status event: allowed by its schema, and with a raw answer
// that is what its hash and size say.
func ValidateChange(t testing.TB, data []byte) {
	t.Helper()
	report(t, schemas.StatusSchemaFile, data, checkRaw)
}

// ValidateInitiated reports an error unless the schema allows data as the data of an initiated event.
func ValidateInitiated(t testing.TB, data []byte) {
	t.Helper()
	report(t, schemas.InitiatedSchemaFile, data)
}

// ValidateStructured reports an error unless event is a whole CloudEvent in structured mode: a status event, or by its type
// an initiated one. Of a status event it also checks the raw answer, and that subject and time repeat what its data says.
func ValidateStructured(t testing.TB, event []byte) {
	t.Helper()
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(event, &head); err != nil {
		t.Errorf("not a structured event: %v", err)
		return
	}
	if head.Type == schemas.TypeInitiated {
		report(t, schemas.InitiatedEnvelopeSchemaFile, event)
		return
	}
	report(t, schemas.StatusEnvelopeSchemaFile, event, checkEnvelope)
}

func report(t testing.TB, file string, data []byte, more ...func([]byte) error) {
	t.Helper()
	err := validate(file, data)
	for _, check := range more {
		if err == nil {
			err = check(data)
		}
	}
	if err != nil {
		t.Errorf("not allowed by %s: %v\n%s", file, err, data)
	}
}

func validate(file string, data []byte) error {
	if _, err := exactjson.Parse(data); err != nil { // also finds names that stand twice
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	all, err := compiled()
	if err != nil {
		return err
	}
	return all[file].Validate(value)
}

// compiled are the schemas by their file names.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	names, err := fs.Glob(schemas.Files, "*.schema.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := schemas.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		id, _ := doc.(map[string]any)["$id"].(string)
		if err := compiler.AddResource(id, doc); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	all := make(map[string]*jsonschema.Schema, len(names))
	for file, id := range map[string]string{
		schemas.StatusSchemaFile:            schemas.StatusSchemaID,
		schemas.StatusEnvelopeSchemaFile:    schemas.StatusEnvelopeSchemaID,
		schemas.InitiatedSchemaFile:         schemas.InitiatedSchemaID,
		schemas.InitiatedEnvelopeSchemaFile: schemas.InitiatedEnvelopeSchemaID,
	} {
		if all[file], err = compiler.Compile(id); err != nil {
			return nil, err
		}
	}
	return all, nil
})

func checkEnvelope(event []byte) error {
	var e struct {
		Subject string          `json:"subject"`
		Time    time.Time       `json:"time"`
		Data    json.RawMessage `json:"data"`
	}
	var data struct {
		PaymentID  string    `json:"payment_id"`
		ObservedAt time.Time `json:"observed_at"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return err
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return err
	}
	if e.Subject != data.PaymentID {
		return fmt.Errorf("subject is %q and payment_id %q", e.Subject, data.PaymentID)
	}
	if !e.Time.Equal(data.ObservedAt) {
		return fmt.Errorf("time is %s and observed_at %s", e.Time, data.ObservedAt)
	}
	return checkRaw(e.Data)
}

func checkRaw(data []byte) error {
	var change struct {
		Raw *schemas.Raw `json:"raw"`
	}
	if err := json.Unmarshal(data, &change); err != nil {
		return err
	}
	raw := change.Raw
	if raw == nil || raw.Body == "" && raw.Size > 0 { // kept off the bus
		return nil
	}
	body := []byte(raw.Body)
	if raw.Encoding == "base64" {
		var err error
		if body, err = base64.StdEncoding.DecodeString(raw.Body); err != nil {
			return fmt.Errorf("raw.body: %w", err)
		}
	}
	if len(body) != raw.Size {
		return fmt.Errorf("raw.size is %d and raw.body has %d bytes", raw.Size, len(body))
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != raw.SHA256 {
		return errors.New("raw.sha256 is not that of raw.body")
	}
	return nil
}
