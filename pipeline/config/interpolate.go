package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// variables are the ${…} of a configuration file. Before the file is read as YAML each is replaced by a placeholder, so
// that it may stand unquoted anywhere in a value and what the environment holds can never change the structure of the file.
type variables struct {
	env   map[string]string
	texts []string        // what was replaced, by placeholder
	named map[string]bool // the variables that the file names
}

// The placeholder of variable 7 is openMark + "7" + closeMark: characters that YAML passes and nobody writes.
const (
	openMark  = "\uE0F0"
	closeMark = "\uE0F1"
)

var (
	// A doubled $ keeps what follows from being replaced.
	reference   = regexp.MustCompile(`\$\$\{[^}\n]*\}|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}\n]*))?\}`)
	placeholder = regexp.MustCompile(openMark + `([0-9]+)` + closeMark)
)

func newVariables(env []string) *variables {
	v := &variables{env: map[string]string{}, named: map[string]bool{}}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		v.env[name] = value
	}
	return v
}

// hide replaces every ${…} by a placeholder.
func (v *variables) hide(text string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		v.texts = append(v.texts, found)
		v.named[reference.FindStringSubmatch(found)[1]] = true
		return openMark + strconv.Itoa(len(v.texts)-1) + closeMark
	})
}

// hidden reports whether a value holds placeholders.
func (v *variables) hidden(value string) bool { return placeholder.MatchString(value) }

// fill puts the environment's values in the place of placeholders. The problem says what is wrong with one of them.
func (v *variables) fill(value string) (filled, problem string) {
	if strings.Contains(value, "${") {
		return "", "holds ${…} that cannot be read; write ${NAME} or ${NAME:-default}, or $${…} for the characters themselves"
	}
	filled = placeholder.ReplaceAllStringFunc(value, func(mark string) string {
		index, err := strconv.Atoi(strings.Trim(mark, openMark+closeMark))
		if err != nil || index >= len(v.texts) {
			return mark
		}
		text := v.texts[index]
		if strings.HasPrefix(text, "$$") {
			return text[1:]
		}
		parts := reference.FindStringSubmatch(text)
		name, hasDefault, preset := parts[1], parts[2] != "", parts[3]
		set, ok := v.env[name]
		switch {
		case hasDefault && set == "":
			return preset
		case !ok:
			problem = fmt.Sprintf("the environment variable %s is not set; set it, or give a default with ${%s:-default}", name, name)
		}
		return set
	})
	return filled, problem
}
