package main

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// schema is the part of JSON Schema that the documents use. Every keyword in it means the same in draft-07, which is what
// AsyncAPI tools read, and in 2020-12, which is what the documents say they are.
//
//nolint:tagliatelle // the keywords are JSON Schema's
type schema struct {
	Draft                string   `json:"$schema,omitempty"`
	ID                   string   `json:"$id,omitempty"`
	Title                string   `json:"title,omitempty"`
	Description          string   `json:"description,omitempty"`
	Ref                  string   `json:"$ref,omitempty"`
	Type                 any      `json:"type,omitzero"` // a name, or a list of names
	Const                any      `json:"const,omitzero"`
	Enum                 []any    `json:"enum,omitempty"`
	Format               string   `json:"format,omitempty"`
	Pattern              string   `json:"pattern,omitempty"`
	MinLength            int      `json:"minLength,omitzero"`
	MaxLength            int      `json:"maxLength,omitzero"` // characters
	Minimum              *int64   `json:"minimum,omitzero"`
	Maximum              *int64   `json:"maximum,omitzero"`
	UniqueItems          bool     `json:"uniqueItems,omitzero"`
	MinProperties        int      `json:"minProperties,omitzero"`
	Default              any      `json:"default,omitzero"`
	Examples             []any    `json:"examples,omitempty"`
	Required             []string `json:"required,omitempty"`
	Properties           members  `json:"properties,omitempty"`
	AdditionalProperties any      `json:"additionalProperties,omitzero"` // false, or what the others must be
	PropertyNames        *schema  `json:"propertyNames,omitzero"`
	Items                *schema  `json:"items,omitzero"`
	AnyOf                []schema `json:"anyOf,omitempty"`
	OneOf                []schema `json:"oneOf,omitempty"`
	Not                  *schema  `json:"not,omitzero"`
	If                   *schema  `json:"if,omitzero"`
	Then                 *schema  `json:"then,omitzero"`
	Else                 *schema  `json:"else,omitzero"`
	AllOf                []schema `json:"allOf,omitempty"`
	Defs                 members  `json:"$defs,omitempty"`
}

// members are named schemas in the order in which people should read them.
type members []member

type member struct {
	name   string
	schema schema
}

// MarshalJSONTo writes an object that keeps the order.
func (m members) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, each := range m {
		if err := enc.WriteToken(jsontext.String(each.name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, each.schema); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (s schema) bytes() ([]byte, error) {
	text, err := json.Marshal(s, jsontext.WithIndent("  "))
	return append(text, '\n'), err
}

// list gives a table's column as what Enum wants.
func list[T any](values ...T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

func ref(name string) string { return "#/$defs/" + name }
