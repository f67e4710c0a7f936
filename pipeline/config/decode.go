package config

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
)

// decoder reads YAML into the sections by their yaml tags, onto what stands there already, and collects what is wrong.
type decoder struct {
	file        string // as problems name it
	dir         string // what paths of files are relative to
	variables   *variables
	definitions map[string]providers.Definition

	places   map[string]place      // where each key is set
	origins  map[*yaml.Node]string // values that do not come from the file
	problems []Problem
}

// place is where a key is set.
type place struct {
	file string
	line int
}

func (d *decoder) placeOf(node *yaml.Node) place {
	if origin, outside := d.origins[node]; outside {
		return place{file: origin}
	}
	return place{d.file, node.Line}
}

// complainf notes a problem at a node.
func (d *decoder) complainf(node *yaml.Node, path, format string, args ...any) {
	at := d.placeOf(node)
	d.problems = append(d.problems, Problem{File: at.file, Line: at.line, Key: path, Text: fmt.Sprintf(format, args...)})
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[providers.Secret]()
	fileType     = reflect.TypeFor[File]()
	settingsType = reflect.TypeFor[providers.ProviderSettings]()
)

// decode reads node into v. A null leaves v as it is.
func (d *decoder) decode(node *yaml.Node, v reflect.Value, path string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.decode(node, v.Elem(), path)
		return
	}
	switch kind := kindOf(v.Type()); kind {
	case reflect.Struct:
		d.structure(node, v, path)
	case reflect.Map:
		d.mapping(node, v, path)
	case reflect.Slice:
		d.list(node, v, path)
	default:
		d.scalar(node, v, path)
	}
}

// kindOf is the kind of a type, Invalid for those that are written as one text.
func kindOf(t reflect.Type) reflect.Kind {
	if t == durationType || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return reflect.Invalid
	}
	return t.Kind()
}

// members calls each for the keys of a mapping, with the value's node. Keys that are no names are problems.
func (d *decoder) members(node *yaml.Node, path string, each func(key string, keyNode, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		d.complainf(node, path, "must be a mapping of keys to values")
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		keyNode, value := node.Content[i], node.Content[i+1]
		key := keyNode.Value
		line, twice := first[key]
		switch {
		case keyNode.Kind != yaml.ScalarNode || key == "":
			d.complainf(keyNode, path, "a key must be a plain word")
		case d.variables.hidden(key):
			d.complainf(keyNode, path, "${…} stands in a key; it is replaced inside values only")
		case twice:
			d.complainf(keyNode, join(path, key), "stands twice, first in line %d", line)
		default:
			first[key] = keyNode.Line
			d.places[join(path, key)] = d.placeOf(keyNode)
			each(key, keyNode, value)
		}
	}
}

func (d *decoder) structure(node *yaml.Node, v reflect.Value, path string) {
	known := map[string]reflect.Value{}
	for _, f := range fieldsOf(v.Type()) {
		known[f.key] = v.FieldByIndex(f.index)
	}
	given := map[string]bool{}
	d.members(node, path, func(key string, keyNode, value *yaml.Node) {
		given[key] = true
		if field, ok := known[key]; ok {
			d.decode(value, field, join(path, key))
			return
		}
		if field, ok := known[strings.TrimSuffix(key, fileSuffix)]; ok && field.Type() == secretType && strings.HasSuffix(key, fileSuffix) {
			d.secretFile(value, field, join(path, key))
			return
		}
		d.complainf(keyNode, join(path, key), "is not a key; the keys here are %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	})
	for key, field := range known {
		if field.Type() == secretType && given[key] && given[key+fileSuffix] {
			d.complainf(keyOf(node, key+fileSuffix), join(path, key+fileSuffix), "is given and %s, too; give one of them", key)
		}
	}
}

func (d *decoder) mapping(node *yaml.Node, v reflect.Value, path string) {
	if v.IsNil() && len(node.Content) > 0 {
		v.Set(reflect.MakeMap(v.Type()))
	}
	d.members(node, path, func(key string, keyNode, value *yaml.Node) {
		elem := reflect.New(v.Type().Elem()).Elem()
		switch {
		case elem.Type() == settingsType:
			d.provider(key, keyNode, value, v, path)
			return
		case elem.Type() == secretType && strings.HasSuffix(key, fileSuffix):
			name := strings.TrimSuffix(key, fileSuffix)
			if keyOf(node, name) != nil {
				d.complainf(keyNode, join(path, key), "is given and %s, too; give one of them", name)
			}
			d.secretFile(value, elem, join(path, key))
			v.SetMapIndex(reflect.ValueOf(name), elem)
			return
		}
		if present := v.MapIndex(reflect.ValueOf(key)); present.IsValid() {
			elem.Set(present)
		}
		d.decode(value, elem, join(path, key))
		v.SetMapIndex(reflect.ValueOf(key), elem)
	})
}

// provider reads one provider's section into its own settings. A section without anything in it, not even {}, is absent.
func (d *decoder) provider(name string, keyNode, value *yaml.Node, into reflect.Value, path string) {
	definition, ok := d.definitions[name]
	if !ok {
		d.complainf(keyNode, join(path, name), "is not a provider; there are %s", strings.Join(slices.Sorted(maps.Keys(d.definitions)), ", "))
		return
	}
	if value.Kind == yaml.ScalarNode && value.Tag == "!!null" {
		return
	}
	settings := definition.Settings()
	d.decode(value, reflect.ValueOf(settings), join(path, name))
	into.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(settings))
}

func (d *decoder) list(node *yaml.Node, v reflect.Value, path string) {
	if node.Kind != yaml.SequenceNode {
		d.complainf(node, path, "must be a list: [a, b]")
		return
	}
	if len(node.Content) == 0 {
		v.SetLen(0)
		return
	}
	items := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		d.decode(item, items.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	v.Set(items)
}

func (d *decoder) scalar(node *yaml.Node, v reflect.Value, path string) {
	text, ok := d.text(node, path)
	if !ok {
		return
	}
	if err := d.set(v, text); err != nil {
		d.complainf(node, path, "%s", err)
		return
	}
	if quoted := node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0; quoted && !d.variables.hidden(node.Value) {
		if v.Type() != durationType && (v.Kind() == reflect.Bool || v.CanInt() || v.CanFloat()) && kindOf(v.Type()) != reflect.Invalid {
			d.complainf(node, path, "must not stand in quotes")
		}
	}
	if kindOf(v.Type()) == reflect.String && node.Tag == "!!bool" {
		d.complainf(node, path, "must be a text; put it in quotes if it is meant")
	}
}

// text is the content of a scalar, with the environment's values in it.
func (d *decoder) text(node *yaml.Node, path string) (string, bool) {
	if node.Kind != yaml.ScalarNode {
		d.complainf(node, path, "must be a single value")
		return "", false
	}
	if _, outside := d.origins[node]; outside {
		return node.Value, true
	}
	text, problem := d.variables.fill(node.Value)
	if problem != "" {
		d.complainf(node, path, "%s", problem)
		return "", false
	}
	return text, true
}

var bare = regexp.MustCompile(`^[0-9.]+$`)

// set reads a text into a value. The error says what is expected and does not repeat the text.
func (d *decoder) set(v reflect.Value, text string) error {
	if v.Type() == durationType {
		duration, err := time.ParseDuration(text)
		switch {
		case bare.MatchString(text) && text != "0":
			return errors.New("must have a unit, like 500ms, 10s, 5m or 72h")
		case err != nil:
			return errors.New("must be a duration like 500ms, 10s, 5m or 72h")
		case duration < 0:
			return errors.New("must not be negative")
		}
		v.SetInt(int64(duration))
		return nil
	}
	if unmarshaler, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return unmarshaler.UnmarshalText([]byte(text))
	}
	switch {
	case v.Type() == fileType:
		return d.setFile(v, text)
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		if text = strings.ToLower(text); text != "true" && text != "false" {
			return errors.New("must be true or false")
		}
		v.SetBool(text == "true")
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return errors.New("must be a whole number")
		}
		v.SetInt(n)
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return errors.New("must be a number")
		}
		v.SetFloat(n)
	default:
		return fmt.Errorf("cannot be configured: there is no way to write a %s", v.Type())
	}
	return nil
}

// field is one key of a section.
type field struct {
	key       string
	index     []int
	typ       reflect.Type
	omitEmpty bool
}

// fieldsOf are the keys of a struct by its yaml tags, those of inlined structs among them.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
		case strings.Contains(options, "inline"):
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
		default:
			if tag == "" {
				tag = strings.ToLower(f.Name)
			}
			all = append(all, field{tag, []int{i}, f.Type, strings.Contains(options, "omitempty")})
		}
	}
	return all
}

// keyOf finds the node of a key in a mapping; nil when it is not there.
func keyOf(mapping *yaml.Node, key string) *yaml.Node {
	if i := indexOf(mapping, key); i >= 0 {
		return mapping.Content[i]
	}
	return nil
}

func indexOf(mapping *yaml.Node, key string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i
		}
	}
	return -1
}
