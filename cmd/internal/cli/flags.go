package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Flag adds a flag whose text is read as soon as it is given; a wrong one is a misuse. The error of read goes on a sentence that begins
// with the flag's name: "must be at least 1, not 0". While none is given, what it is read into stays as it is; shown is how --help writes
// that, and kind what it calls a value.
func Flag[T any](cmd *cobra.Command, to *T, name, shown, kind, usage string, read func(string) (T, error)) {
	cmd.Flags().Var(&flag[T]{to, name, shown, kind, read}, name, usage)
}

type flag[T any] struct {
	to               *T
	name, text, kind string
	read             func(string) (T, error)
}

// String is the text that was given.
func (f *flag[T]) String() string { return f.text }

// Type is what --help calls a value.
func (f *flag[T]) Type() string { return f.kind }

// Set reads a text.
func (f *flag[T]) Set(text string) error {
	read, err := f.read(text)
	if err != nil {
		return misuse{fmt.Errorf("--%s %w", f.name, err)}
	}
	*f.to, f.text = read, text
	return nil
}

// AtLeast adds a flag of a whole number that may not be smaller.
func AtLeast(cmd *cobra.Command, least int, to *int, name, usage string) {
	Flag(cmd, to, name, strconv.Itoa(*to), "int", usage, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least {
			return 0, fmt.Errorf("must be at least %d, not %q", least, text)
		}
		return n, nil
	})
}

// OneOf adds a flag with one of a few values, which the shell completes.
func OneOf[T ~string](cmd *cobra.Command, to *T, name, usage string, values ...T) {
	oneOf(cmd, to, name, "", usage, values)
}

func oneOf[T ~string](cmd *cobra.Command, to *T, name, shorthand, usage string, values []T) {
	unset, all := *to, make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	cmd.Flags().VarP(&flag[T]{to, name, string(unset), "string", func(text string) (T, error) {
		if last := len(all) - 1; T(text) != unset && !slices.Contains(all, text) {
			return "", fmt.Errorf("is %s or %s, not %q", strings.Join(all[:last], ", "), all[last], text)
		}
		return T(text), nil
	}}, name, shorthand, usage)
	Complete(cmd, name, all...)
}

// TimeHelp says what a flag of a time takes.
const TimeHelp = "an RFC 3339 time, or a duration before now such as 36h"

// Time adds a flag of a time.
func Time(cmd *cobra.Command, to *time.Time, name, usage string) {
	Flag(cmd, to, name, "", "time", usage+": "+TimeHelp, func(text string) (time.Time, error) { return parseTime(text, time.Now()) })
}

// parseTime reads a time: RFC 3339, or a duration before now.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("is %s, not %q", TimeHelp, text)
	}
	return at, nil
}
