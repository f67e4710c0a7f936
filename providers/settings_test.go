package providers_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
)

func TestTheDefaultSettingsAreValid(t *testing.T) {
	t.Parallel()
	assert.Empty(t, providers.DefaultSettings("https://api.example.com").Validate())
}

func TestWrongSettingsAreNamedByTheirKey(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*providers.Settings){
		"base_url":         func(s *providers.Settings) { s.BaseURL = "api.example.com" },
		"timeout":          func(s *providers.Settings) { s.Timeout = 0 },
		"concurrency":      func(s *providers.Settings) { s.Concurrency = -1 },
		"max_answer":       func(s *providers.Settings) { s.MaxAnswer = 0 },
		"breaker.failures": func(s *providers.Settings) { s.Breaker.Failures = 0 },
		"breaker.open":     func(s *providers.Settings) { s.Breaker.Open = -1 },
		"rate":             func(s *providers.Settings) { s.Rate = -1 },
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			settings := providers.DefaultSettings("https://api.example.com")
			change(&settings)
			problems := settings.Validate()
			require.Len(t, problems, 1)
			assert.Equal(t, key, problems[0].Key)
			assert.NotEmpty(t, problems[0].Text)
		})
	}
	t.Run("a rate that is no number", func(t *testing.T) {
		t.Parallel()
		for _, rate := range []float64{math.NaN(), math.Inf(1)} {
			settings := providers.DefaultSettings("https://api.example.com")
			settings.Rate = rate
			assert.Len(t, settings.Validate(), 1)
		}
	})
	t.Run("no limit", func(t *testing.T) {
		t.Parallel()
		settings := providers.DefaultSettings("https://api.example.com")
		settings.Rate = 0
		assert.Empty(t, settings.Validate())
	})
}

func TestTheURLOfAnAPI(t *testing.T) {
	t.Parallel()
	for text, accepted := range map[string]bool{
		"https://api.example.com":           true,
		"https://api.example.com/prefix/":   true,
		"HTTPS://api.example.com":           true,
		"http://127.0.0.1:8090/liquido":     true,
		"http://127.9.9.9":                  true,
		"http://[::1]:8090":                 true,
		"http://LocalHost:8090":             true,
		"http://api.example.com":            false,
		"http://localhost.example.com":      false,
		"http://10.0.0.1":                   false,
		"http://0.0.0.0:8090":               false,
		"https://user:h1dden@example.com":   false,
		"https://user@example.com":          false,
		"https://api.example.com?key=value": false,
		"https://api.example.com#part":      false,
		"ftp://api.example.com":             false,
		"https://":                          false,
		"https:///path":                     false,
		"api.example.com":                   false,
		"":                                  false,
		"https://api.example.com/%zz":       false,
	} {
		problems := providers.CheckURL("some_url", text, false)
		assert.Equal(t, accepted, len(problems) == 0, "%q: %v", text, problems)
		for _, p := range problems {
			assert.Equal(t, "some_url", p.Key)
			assert.NotContains(t, p.Text, "h1dden")
		}
	}
	assert.Empty(t, providers.CheckURL("some_url", "http://proxy.internal:3128", true), "plain http can be allowed")
}

func TestSizesHaveUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]providers.Size{"256KiB": 256 << 10, "1MiB": 1 << 20, "2GiB": 2 << 30, "1 MB": 1e6, "10KB": 1e4, "17B": 17} {
		var size providers.Size
		require.NoError(t, yaml.Unmarshal([]byte(text), &size), text)
		assert.Equal(t, want, size)
		written, err := size.MarshalText()
		require.NoError(t, err)
		var again providers.Size
		require.NoError(t, again.UnmarshalText(written))
		assert.Equal(t, want, again, "%s", written)
	}
	for _, text := range []string{"", "17", "KiB", "-1KiB", "1.5MiB", "1TiB", "9999999999GiB", "x"} {
		var size providers.Size
		require.Error(t, size.UnmarshalText([]byte(text)), text)
	}
}
