package schemas_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/schemas"
)

const asyncapi = "asyncapi.yaml"

// documents opens files of this folder by name and follows references between them.
type documents map[string]any

func (d documents) open(t *testing.T, file string) any {
	t.Helper()
	if doc, ok := d[file]; ok {
		return doc
	}
	text, err := schemas.Files.ReadFile(file)
	require.NoError(t, err)
	var doc any
	require.NoError(t, yaml.Unmarshal(text, &doc), file) // JSON is YAML
	d[file] = doc
	return doc
}

// follow gives what stands at "file#/pointer", and in which file it stands.
func (d documents) follow(t *testing.T, from, ref string) (target any, file string) {
	t.Helper()
	file, pointer, _ := strings.Cut(ref, "#")
	if file = path.Join(path.Dir(from), file); strings.HasPrefix(ref, "#") {
		file = from
	}
	target = d.open(t, file)
	for name := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if name == "" {
			continue
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch inside := target.(type) {
		case map[string]any:
			require.Contains(t, inside, name, "%s refers to %s", from, ref)
			target = inside[name]
		case []any:
			i, err := strconv.Atoi(name)
			require.NoError(t, err)
			require.Less(t, i, len(inside))
			target = inside[i]
		default:
			require.Fail(t, "nothing there", "%s refers to %s", from, ref)
		}
	}
	return target, file
}

// resolve follows v while it is a reference.
func (d documents) resolve(t *testing.T, v any) any {
	t.Helper()
	for from := asyncapi; ; {
		ref, ok := refOf(v)
		if !ok {
			return v
		}
		v, from = d.follow(t, from, ref)
	}
}

func refOf(v any) (string, bool) {
	m, _ := v.(map[string]any)
	ref, ok := m["$ref"].(string)
	return ref, ok
}

func walk(v any, visit func(any)) {
	visit(v)
	switch v := v.(type) {
	case map[string]any:
		for _, inside := range v {
			walk(inside, visit)
		}
	case []any:
		for _, inside := range v {
			walk(inside, visit)
		}
	}
}

func TestEveryReferenceOfTheAsyncAPIDocumentAndTheSchemasResolves(t *testing.T) {
	t.Parallel()
	docs := documents{}
	files, err := fs.Glob(schemas.Files, "*.schema.json")
	require.NoError(t, err)
	referred := map[string]bool{}
	for _, file := range append(files, asyncapi) {
		walk(docs.open(t, file), func(v any) {
			if ref, ok := refOf(v); ok {
				target, to := docs.follow(t, file, ref)
				assert.NotNil(t, target)
				referred[to] = true
			}
		})
	}
	for _, pattern := range []string{"*.schema.json", "examples/*.json"} {
		all, err := fs.Glob(schemas.Files, pattern)
		require.NoError(t, err)
		for _, file := range all {
			assert.True(t, referred[file], "nobody refers to %s", file)
		}
	}
}

func TestTheAsyncAPIDocumentNamesThePublicTopics(t *testing.T) {
	t.Parallel()
	docs := documents{}
	assert.Equal(t, "3.0.0", docs.open(t, asyncapi).(map[string]any)["asyncapi"])
	channels, _ := docs.follow(t, asyncapi, "#/channels")
	topics, used := []string{}, map[string]bool{}
	for _, channel := range channels.(map[string]any) {
		topics = append(topics, channel.(map[string]any)["address"].(string))
		for _, message := range channel.(map[string]any)["messages"].(map[string]any) {
			ref, _ := refOf(message)
			used[strings.TrimPrefix(ref, "#/components/messages/")] = true
		}
	}
	assert.ElementsMatch(t, []string{"payments.initiated", "payments.notified", "payments.status_changed", "paystatus.dead_letters"}, topics)
	messages, _ := docs.follow(t, asyncapi, "#/components/messages")
	for name := range messages.(map[string]any) {
		assert.True(t, used[name], "%s is on no topic", name)
	}
}

func TestTheAsyncAPIDocumentAgreesWithGo(t *testing.T) {
	t.Parallel()
	docs := documents{}
	at := func(ref string) any {
		target, _ := docs.follow(t, asyncapi, ref)
		return docs.resolve(t, target)
	}
	types := []any{}
	for _, kind := range schemas.ChangeTypes {
		types = append(types, kind)
	}
	headers := "#/components/schemas/statusHeaders/properties/"
	assert.Equal(t, types, at(headers + "ce_type").(map[string]any)["enum"])
	assert.Equal(t, schemas.StatusSchemaID, at(headers + "ce_dataschema").(map[string]any)["const"])
	assert.Equal(t, schemas.MaxPaymentID, at("#/components/messageBindings/paymentKey/kafka/key").(map[string]any)["maxLength"])
	assert.Equal(t, schemas.TypeInitiated, at("#/components/schemas/initiatedHeaders/properties/ce_type").(map[string]any)["default"])
	for message, id := range map[string]string{
		"initiatedBare": schemas.InitiatedSchemaID, "initiatedBinary": schemas.InitiatedSchemaID, "initiatedStructured": schemas.InitiatedEnvelopeSchemaID,
		"statusBinary": schemas.StatusSchemaID, "statusStructured": schemas.StatusEnvelopeSchemaID,
	} {
		assert.Equal(t, id, at("#/components/messages/" + message + "/payload").(map[string]any)["$id"], message)
	}
}

func TestTheExamplesOfTheAsyncAPIDocumentAreWhatItsMessagesAllow(t *testing.T) {
	t.Parallel()
	docs := documents{}
	messages, _ := docs.follow(t, asyncapi, "#/components/messages")
	compiler := compilerOf(t)
	for name, message := range messages.(map[string]any) {
		examples := message.(map[string]any)["examples"].([]any)
		assert.NotEmpty(t, examples, name)
		for _, example := range examples {
			for part, value := range example.(map[string]any) {
				if part == "name" {
					continue
				}
				schema, err := compiler.Compile(schemaBase + asyncapi + "#/components/messages/" + name + "/" + part)
				require.NoError(t, err)
				assert.NoError(t, schema.Validate(asJSON(t, docs.resolve(t, value))), "%s of an example of %s", part, name)
			}
		}
	}
}

func TestARecordWithoutItsHeadersIsNotAllowed(t *testing.T) {
	t.Parallel()
	docs := documents{}
	compiler := compilerOf(t)
	headers, _ := docs.follow(t, asyncapi, "#/components/schemas")
	for name, schema := range headers.(map[string]any) {
		required, _ := schema.(map[string]any)["required"].([]any)
		if len(required) == 0 {
			continue
		}
		compiled, err := compiler.Compile(schemaBase + asyncapi + "#/components/schemas/" + name)
		require.NoError(t, err)
		assert.Error(t, compiled.Validate(map[string]any{}), name)
	}
}

var schemaBase = strings.TrimSuffix(schemas.StatusSchemaID, schemas.StatusSchemaFile)

// compilerOf knows every schema, and the AsyncAPI document beside them.
func compilerOf(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	docs := documents{}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	files, err := fs.Glob(schemas.Files, "*.schema.json")
	require.NoError(t, err)
	for _, file := range append(files, asyncapi) {
		require.NoError(t, compiler.AddResource(schemaBase+file, asJSON(t, docs.open(t, file))))
	}
	return compiler
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return out
}
