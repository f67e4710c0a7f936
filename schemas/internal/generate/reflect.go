package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// notes say about the fields of one struct, by their JSON names, what their Go types do not: at least a description.
type notes map[string]schema

// named is a Go type that stands under $defs.
type named struct {
	name  string
	about schema // description, and for an enum its values
	notes notes  // for a struct
}

// types is what a document says about Go types, and where the definitions that it came across are collected.
type types struct {
	known map[reflect.Type]named
	order []string
	defs  map[string]schema
}

// object derives the schema of a struct. A field is required unless its tag lets an encoder leave it out.
func (t *types) object(of reflect.Type, about schema, notes notes) (schema, error) {
	about.Type, about.AdditionalProperties = "object", false
	open := maps.Clone(notes)
	for field := range of.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		note, described := open[name]
		if !described || note.Description == "" {
			return schema{}, fmt.Errorf("%s.%s has no description", of, name)
		}
		delete(open, name)
		value, err := t.value(field.Type, note)
		if err != nil {
			return schema{}, err
		}
		about.Properties = append(about.Properties, member{name, value})
		if !strings.Contains(options, "omit") {
			about.Required = append(about.Required, name)
		}
	}
	for name := range open {
		return schema{}, fmt.Errorf("%s has no field %s", of, name)
	}
	return about, nil
}

// value adds to a note what follows from a Go type.
func (t *types) value(of reflect.Type, note schema) (schema, error) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if def, ok := t.known[of]; ok {
		if len(note.AnyOf) == 0 { // otherwise the note says how it refers to the definition
			note.Ref = ref(def.name)
		}
		return note, t.define(of, def)
	}
	var err error
	switch kind := of.Kind(); {
	case of == reflect.TypeFor[time.Time]():
		note.Type, note.Format, note.Pattern = "string", "date-time", "Z$"
	case kind == reflect.String:
		note.Type = "string"
	case kind == reflect.Bool:
		note.Type = "boolean"
	case kind == reflect.Int || kind == reflect.Int64:
		note.Type = "integer"
	case kind == reflect.Slice:
		note.Type = "array"
		var items schema
		items, err = t.value(of.Elem(), schema{})
		note.Items = &items
	case kind == reflect.Map && of.Elem().Kind() == reflect.String:
		note.Type, note.AdditionalProperties = "object", schema{Type: "string"}
	case kind == reflect.Map && note.AdditionalProperties != nil:
		note.Type = "object"
	default:
		err = fmt.Errorf("no schema for the Go type %s", of)
	}
	return note, err
}

func (t *types) define(of reflect.Type, def named) error {
	if slices.Contains(t.order, def.name) {
		return nil
	}
	t.order = append(t.order, def.name)
	body := def.about
	if of.Kind() == reflect.Struct {
		var err error
		if body, err = t.object(of, body, def.notes); err != nil {
			return err
		}
	} else {
		body.Type = "string"
	}
	t.defs[def.name] = body
	return nil
}

// definitions are those that were referred to, in the order of the first reference.
func (t *types) definitions() members {
	out := make(members, 0, len(t.order))
	for _, name := range t.order {
		out = append(out, member{name, t.defs[name]})
	}
	return out
}
