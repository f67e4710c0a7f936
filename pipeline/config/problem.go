package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is something wrong in the configuration.
type Problem struct {
	File string // the configuration file, or "environment variable X"
	Line int    // from 1; 0: not in a line
	Key  string // "kafka.session_timeout"; empty: the file as a whole
	Text string // what is wrong and what to do about it; never a value that could be a secret
}

// String is the problem in one line: "paystatus.yaml:7: kafka.session_timeout: must be …".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// sortProblems puts problems into the order of the file, those with the environment after it.
func sortProblems(problems []Problem) {
	outside := func(p Problem) int { return strings.Count(p.File, fromVariable) }
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(outside(a), outside(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
}

// join puts a key below another.
func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}
