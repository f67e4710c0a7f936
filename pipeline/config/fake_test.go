package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/providers"
)

// settings are those of providers that exist for these tests only, with every form that the real ones use.
type settings struct {
	providers.Settings `yaml:",inline"`

	TokenURL   string             `yaml:"token_url"`
	MediaTypes mediaTypes         `yaml:"media_types"`
	Accounts   map[string]account `yaml:"accounts"`
}

type mediaTypes struct {
	Queries string `yaml:"queries"`
}

type account struct {
	ClientID      string           `yaml:"client_id"`
	SecretKey     providers.Secret `yaml:"secret_key"`
	KeyVersion    int              `yaml:"key_version"`
	VerifyAnswers *bool            `yaml:"verify_answers"`
	Notifications notifications    `yaml:"notifications"`
}

type notifications struct {
	Path string                      `yaml:"path"`
	Keys map[string]providers.Secret `yaml:"keys"`
}

func (s *settings) Common() *providers.Settings { return &s.Settings }

func (s *settings) Validate() []providers.Problem {
	problems := s.Settings.Validate()
	for name, a := range s.Accounts {
		if a.SecretKey == "" {
			problems = append(problems, providers.Problem{Key: "accounts." + name + ".secret_key", Text: "is missing"})
		}
	}
	return problems
}

func definition(name string) providers.Definition {
	return providers.Definition{Name: name, Settings: func() providers.ProviderSettings {
		return &settings{Settings: providers.DefaultSettings("https://api." + name + ".example"), MediaTypes: mediaTypes{Queries: "application/json"}}
	}}
}

var definitions = []providers.Definition{definition("alpha"), definition("beta"), definition("worldpay"), definition("liquido")}

// load reads a configuration from its text, with files beside it: name, content, name, content ….
func load(t testing.TB, text string, env []string, files ...string) (*config.Config, []config.Problem) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600))
	}
	path := filepath.Join(dir, "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, problems := config.Load(path, env, definitions)
	for i := range problems {
		if strings.HasPrefix(problems[i].File, dir) {
			problems[i].File = filepath.Base(problems[i].File)
		}
		problems[i].Text = strings.ReplaceAll(problems[i].Text, dir+string(filepath.Separator), "")
	}
	return c, problems
}

// loaded reads a configuration that must be right.
func loaded(t testing.TB, text string, env []string, files ...string) *config.Config {
	t.Helper()
	c, problems := load(t, text, env, files...)
	require.Empty(t, problems)
	return c
}

// account gives the settings of an account of a provider.
func accountOf(t testing.TB, c *config.Config, provider, name string) account {
	t.Helper()
	require.Contains(t, c.Providers, provider)
	s, ok := c.Providers[provider].(*settings)
	require.True(t, ok)
	require.Contains(t, s.Accounts, name)
	return s.Accounts[name]
}
