package providers

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that never shows: printed, logged or marshalled it is a mask. Only fmt, printing a struct that holds one
// in an unexported field, passes it by.
type Secret string

const secretMask = "********"

// Reveal gives the text itself, for the one place that must send or sign with it.
func (s Secret) Reveal() string { return string(s) }

// String masks.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return secretMask
}

// Format masks, whatever the verb: also one that does not fit a text and would show it with a complaint.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue masks.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks; JSON and YAML use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
