package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Effective is the configuration as a file would say it, every key written out and secrets masked. But for the secrets it
// loads to the same configuration again.
func (c *Config) Effective() ([]byte, error) {
	document, err := encode(reflect.ValueOf(c).Elem())
	if err != nil {
		return nil, fmt.Errorf("config: write the effective configuration: %w", err)
	}
	var text bytes.Buffer
	writer := yaml.NewEncoder(&text)
	writer.SetIndent(2)
	if err := writer.Encode(document); err != nil {
		return nil, fmt.Errorf("config: write the effective configuration: %w", err)
	}
	return text.Bytes(), nil
}

// encode writes what decode reads.
func encode(v reflect.Value) (*yaml.Node, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	node := &yaml.Node{Kind: yaml.MappingNode}
	add := func(key string, value reflect.Value) error {
		inner, err := encode(value)
		if err == nil {
			node.Content = append(node.Content, text(key), inner)
		}
		return err
	}
	switch kindOf(v.Type()) {
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			value := v.FieldByIndex(f.index)
			if value.Kind() == reflect.Pointer && value.IsNil() || f.omitEmpty && value.IsZero() {
				continue
			}
			if err := add(f.key, value); err != nil {
				return nil, err
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			if err := add(key.String(), v.MapIndex(key)); err != nil {
				return nil, err
			}
		}
	case reflect.Slice:
		node.Kind, node.Style = yaml.SequenceNode, yaml.FlowStyle
		for i := range v.Len() {
			item, err := encode(v.Index(i))
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, item)
		}
	default:
		return scalar(v)
	}
	return node, nil
}

// scalar writes a single value. What would be read as a variable is escaped.
func scalar(v reflect.Value) (*yaml.Node, error) {
	if v.Type() == durationType {
		return text(short(time.Duration(v.Int()))), nil
	}
	var node yaml.Node
	if err := node.Encode(v.Interface()); err != nil {
		return nil, err
	}
	node.Value = strings.ReplaceAll(node.Value, "${", "$${")
	return &node, nil
}

func text(s string) *yaml.Node {
	var node yaml.Node
	node.SetString(s)
	return &node
}

// short writes a duration as people do: 72h, not 72h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
