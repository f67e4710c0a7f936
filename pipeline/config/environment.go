package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// envPrefix begins the environment variables that set a key: kafka.group is PAYSTATUS_KAFKA_GROUP.
const envPrefix = "PAYSTATUS_"

// fromVariable begins the place of a problem with a value from the environment.
const fromVariable = "environment variable "

// kubernetes matches what Kubernetes puts into the environment about services that happen to be named like us.
var kubernetes = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// overlay writes the keys that the environment sets into the tree of the file, where they replace what stands there.
// Variables that the file itself names are the user's own.
func (d *decoder) overlay(root *yaml.Node) {
	written := map[*yaml.Node]bool{}
	for _, name := range slices.Sorted(maps.Keys(d.variables.env)) {
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours {
			continue
		}
		path, typ, found := d.resolve(reflect.TypeFor[Config](), rest, root)
		switch {
		case found:
			d.put(root, path, d.valueOf(name, typ), written)
		case !d.variables.named[name] && !kubernetes.MatchString("_"+rest):
			d.problems = append(d.problems, Problem{File: fromVariable + name, Text: "sets no key: none has this name"})
		}
	}
}

// resolve finds the key that rest names below a type: its path, and the type of its value. Node is what the file holds
// there, for the spelling of names that are the user's.
func (d *decoder) resolve(t reflect.Type, rest string, node *yaml.Node) (path []string, typ reflect.Type, found bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, candidate := range d.candidates(t, rest, node) {
		switch {
		case isValue(candidate.typ) && candidate.rest == "":
			return []string{candidate.key}, candidate.typ, true
		case isValue(candidate.typ):
		default:
			if path, typ, found = d.resolve(candidate.typ, candidate.rest, child(node, candidate.key)); found {
				return append([]string{candidate.key}, path...), typ, true
			}
		}
	}
	return nil, nil, false
}

// candidate is a way to read the beginning of a variable's rest as a key.
type candidate struct {
	key  string
	typ  reflect.Type // of its value
	rest string       // what remains
}

// candidates are the ways to read rest below a type. In a map whose keys are the user's these are the keys that the file
// holds, then every beginning that ends at a "_".
func (d *decoder) candidates(t reflect.Type, rest string, node *yaml.Node) []candidate {
	var all []candidate
	try := func(key string, typ reflect.Type) {
		if below, ok := strings.CutPrefix(rest, envName(key)); ok && key != "" && (below == "" || below[0] == '_') {
			all = append(all, candidate{key, typ, strings.TrimPrefix(below, "_")})
		}
	}
	switch kind := kindOf(t); {
	case kind == reflect.Struct:
		for _, f := range fieldsOf(t) {
			try(f.key, f.typ)
			if f.typ == secretType {
				try(f.key+fileSuffix, f.typ)
			}
		}
	case kind == reflect.Map && t.Elem() == settingsType:
		for name, definition := range d.definitions {
			try(name, reflect.TypeOf(definition.Settings()))
		}
	case kind == reflect.Map:
		if node != nil && node.Kind == yaml.MappingNode {
			for i := 0; i < len(node.Content); i += 2 {
				try(node.Content[i].Value, t.Elem())
			}
		}
		for i, c := range rest {
			if c == '_' {
				try(strings.ToLower(rest[:i]), t.Elem())
			}
		}
		try(strings.ToLower(rest), t.Elem())
	}
	return all
}

// isValue tells a type of single values and lists from a section.
func isValue(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := kindOf(t)
	return kind != reflect.Struct && kind != reflect.Map && kind != reflect.Interface
}

var notInNames = regexp.MustCompile(`[^A-Z0-9_]`)

// envName is a key as the name of a variable holds it.
func envName(key string) string { return notInNames.ReplaceAllString(strings.ToUpper(key), "_") }

// valueOf is a variable's value as YAML: a list of what stands between commas, or a single value.
func (d *decoder) valueOf(name string, typ reflect.Type) *yaml.Node {
	from := func(value *yaml.Node) *yaml.Node {
		d.origins[value] = fromVariable + name
		return value
	}
	text := d.variables.env[name]
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if kindOf(typ) != reflect.Slice {
		return from(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list.Content = append(list.Content, from(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: item}))
		}
	}
	return from(list)
}

// put sets the value at path, making sections on the way. A secret takes the place of the file that would hold it, and the
// other way round, unless that comes from the environment, too.
func (d *decoder) put(node *yaml.Node, path []string, value *yaml.Node, written map[*yaml.Node]bool) {
	for _, key := range path[:len(path)-1] {
		next := child(node, key)
		if next == nil || next.Kind != yaml.MappingNode {
			next = &yaml.Node{Kind: yaml.MappingNode}
			d.origins[next] = d.origins[value]
			d.setKey(node, key, next)
		}
		node = next
	}
	key := path[len(path)-1]
	twin := key + fileSuffix
	if before, ok := strings.CutSuffix(key, fileSuffix); ok {
		twin = before
	}
	if i := indexOf(node, twin); i >= 0 && !written[node.Content[i+1]] {
		node.Content = slices.Delete(node.Content, i, i+2)
	}
	d.setKey(node, key, value)
	written[value] = true
}

// setKey sets a key of a mapping. The key comes from where the value comes from.
func (d *decoder) setKey(mapping *yaml.Node, key string, value *yaml.Node) {
	name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}
	d.origins[name] = d.origins[value]
	if i := indexOf(mapping, key); i >= 0 {
		mapping.Content[i], mapping.Content[i+1] = name, value
		return
	}
	mapping.Content = append(mapping.Content, name, value)
}

// child is the value of a key. An alias becomes a copy of its own first, because it may be written to.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	i := indexOf(mapping, key)
	if i < 0 {
		return nil
	}
	if value := mapping.Content[i+1]; value.Kind == yaml.AliasNode {
		mapping.Content[i+1] = clone(value.Alias)
	}
	return mapping.Content[i+1]
}

func clone(node *yaml.Node) *yaml.Node {
	twin := *node
	twin.Anchor = ""
	twin.Content = make([]*yaml.Node, len(node.Content))
	for i, inner := range node.Content {
		twin.Content[i] = clone(inner)
	}
	return &twin
}
