package providers

import "log/slog"

// Secret is a text that never shows: printed, logged or marshalled it is a mask.
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

// GoString masks.
func (s Secret) GoString() string { return s.String() }

// LogValue masks.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks; JSON and YAML use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
