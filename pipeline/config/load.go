package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
)

// Load reads the configuration in the file at path, with the environment env ("NAME=value", as os.Environ gives it) and the
// settings of the providers that definitions name. An empty path means no file: defaults and environment alone.
//
// Everything that is wrong is in the problems, in the order of the file. With problems the configuration is only fit to be
// shown; it is nil when the file cannot be read at all.
func Load(path string, env []string, definitions []providers.Definition) (*Config, []Problem) {
	d := &decoder{
		file: path, dir: filepath.Dir(path), variables: newVariables(env), definitions: map[string]providers.Definition{},
		places: map[string]place{}, origins: map[*yaml.Node]string{},
	}
	for _, definition := range definitions {
		d.definitions[definition.Name] = definition
	}
	root, problem := d.parse(path)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	d.overlay(root)

	c := defaults()
	d.decode(root, reflect.ValueOf(c).Elem(), "")
	d.settle(c)
	problems := slices.Concat(d.problems, d.check(c))
	sortProblems(problems)
	return c, problems
}

// parse reads the file as a YAML mapping, its ${…} hidden.
func (d *decoder) parse(path string) (*yaml.Node, *Problem) {
	empty := &yaml.Node{Kind: yaml.MappingNode}
	if path == "" {
		return empty, nil
	}
	text, err := readFile(path)
	if err != nil {
		return nil, &Problem{File: path, Text: "the configuration file cannot be read: " + strings.TrimPrefix(err.Error(), "stat "+path+": ")}
	}
	reader := yaml.NewDecoder(bytes.NewReader([]byte(d.variables.hide(string(text)))))
	var document, second yaml.Node
	switch err := reader.Decode(&document); {
	case errors.Is(err, io.EOF):
		return empty, nil
	case err != nil:
		return nil, syntax(path, err)
	}
	if err := reader.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntax(path, err)
		}
		return nil, &Problem{File: path, Line: second.Line, Text: "a second document begins; one file holds one configuration"}
	}
	root := document.Content[0]
	switch {
	case root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		return empty, nil
	case root.Kind != yaml.MappingNode:
		return nil, &Problem{File: path, Line: root.Line, Text: "must be a mapping of sections like kafka: and providers:"}
	}
	return root, nil
}

var syntaxLine = regexp.MustCompile(`^(?:yaml: )?line ([0-9]+): (.*)$`)

// syntax is an error of the YAML library, which counts lines.
func syntax(path string, err error) *Problem {
	p := &Problem{File: path, Text: "is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if parts := syntaxLine.FindStringSubmatch(err.Error()); parts != nil {
		p.Text = "is not YAML: " + parts[2]
		if line, err := strconv.Atoi(parts[1]); err == nil {
			p.Line = line
		}
	}
	return p
}

// settle gives what depends on other keys its value.
func (d *decoder) settle(c *Config) {
	if c.Embedded.Enabled {
		replication, minInsync := c.Topics.Replication, c.Topics.MinInsync
		c.Embed()
		if d.said("topics.replication") {
			c.Topics.Replication = replication
		}
		if d.said("topics.min_insync") {
			c.Topics.MinInsync = minInsync
		}
	}
	c.Schedules = settleSchedules(c.Schedules, slices.Collect(maps.Keys(d.definitions)))
}

// said reports whether a key is set anywhere.
func (d *decoder) said(key string) bool {
	_, ok := d.places[key]
	return ok
}

// at is a problem with the value of a key, in the place of the key or of what it stands in.
func (d *decoder) at(key, text string) Problem {
	p := Problem{File: d.file, Key: key, Text: text}
	for above := key; above != ""; {
		if found, ok := d.places[above]; ok {
			p.File, p.Line = found.file, found.line
			break
		}
		above = above[:max(strings.LastIndexByte(above, '.'), 0)]
	}
	return p
}

// Err is all problems as one error; nil when there are none.
func Err(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return fmt.Errorf("the configuration is wrong:\n%s", strings.Join(lines, "\n"))
}
