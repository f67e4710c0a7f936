package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/providers"
)

var update = flag.Bool("update", false, "write the effective configuration into testdata; read the difference before you keep it")

// everything sets every key of the file; the secrets come from the environment and a file.
func everything(t testing.TB) *config.Config {
	t.Helper()
	c, problems := config.Load("testdata/full.yaml", []string{"ALPHA_SECRET_KEY=confidential_key"}, definitions)
	require.Empty(t, problems)
	return c
}

func TestTheEffectiveConfigurationShowsEveryKeyAndNoSecret(t *testing.T) {
	t.Parallel()
	for golden, c := range map[string]*config.Config{"testdata/full.effective.yaml": everything(t), "testdata/empty.effective.yaml": loaded(t, "", nil)} {
		text, err := c.Effective()
		require.NoError(t, err)
		here, err := filepath.Abs("testdata")
		require.NoError(t, err)
		got := strings.ReplaceAll(string(text), here, "/etc/paystatus")
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), got)
		assert.NotContains(t, got, "confidential")
	}
}

func TestTheSecretsOfTheFullConfigurationWouldBeRecognised(t *testing.T) {
	t.Parallel()
	c := everything(t)
	first, second := accountOf(t, c, "alpha", "default"), accountOf(t, c, "alpha", "second")
	for _, secret := range []providers.Secret{
		c.Kafka.SASL.Password, first.SecretKey, first.Notifications.Keys["1"], first.Notifications.Keys["2"], second.SecretKey,
	} {
		assert.Contains(t, secret.Reveal(), "confidential")
	}
}

func TestTheEffectiveConfigurationLoadsToTheSame(t *testing.T) {
	t.Parallel()
	requireSameAgain(t, everything(t))
	requireSameAgain(t, loaded(t, "", nil))
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "drawn.yaml")
		require.NoError(t, os.WriteFile(path, []byte(draw(t)), 0o600))
		c, problems := config.Load(path, nil, definitions)
		require.Empty(t, problems)
		requireSameAgain(t, c)
	})
}

// draw makes a configuration that is right.
func draw(t *rapid.T) string {
	duration := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%d%s", rapid.IntRange(1, 5000).Draw(t, "number"), rapid.SampledFrom([]string{"ms", "s", "m", "h"}).Draw(t, "unit"))
	})
	var b strings.Builder
	line := func(text string, args ...any) {
		if rapid.Bool().Draw(t, text) {
			fmt.Fprintf(&b, text+"\n", args...)
		}
	}
	b.WriteString("kafka:\n")
	line("  group: g%d", rapid.IntRange(0, 9).Draw(t, "group"))
	line("  initiated_start: %s", rapid.SampledFrom([]string{"latest", "earliest", "2026-01-31T12:00:00.5Z"}).Draw(t, "start"))
	line("  tls: {enabled: true, server_name: %q}", rapid.SampledFrom([]string{"", "72h0m0s", "null", "true", "12", "$${X}", "a: b", "~", "'"}).Draw(t, "text"))
	b.WriteString("embedded:\n")
	line("  enabled: %v", rapid.Bool().Draw(t, "embedded"))
	b.WriteString("limits:\n")
	line("  lookback: %s", duration.Draw(t, "lookback"))
	b.WriteString("providers:\n")
	line("  beta: {}")
	line("  alpha: {max_answer: %dKiB, rate: %v, accounts: {a.b: {secret_key: s}, \"1\": {secret_key: s, key_version: 3, verify_answers: false}}}",
		rapid.IntRange(1, 4096).Draw(t, "size"), rapid.Float64Range(0, 100).Draw(t, "rate"))
	b.WriteString("schedules:\n")
	for _, name := range []string{"default", "alpha", "liquido", "worldpay"} {
		fmt.Fprintf(&b, "  %s:\n", name)
		line("    open: {every: %s, delays: [%s, %s]}", duration.Draw(t, "every"), duration.Draw(t, "first"), duration.Draw(t, "second"))
		line("    refund: {deadline: %s}", duration.Draw(t, "deadline"))
		line("    not_found_grace: %s", duration.Draw(t, "grace"))
		line("    jitter: %v", rapid.Float64Range(0, 0.99).Draw(t, "jitter"))
		if name != "default" {
			line("    methods: {pse: {open: {delays: []}, recheck: %s}, Cash: {open: {deadline: %s}}}",
				duration.Draw(t, "recheck"), duration.Draw(t, "voucher"))
		}
	}
	return b.String()
}

// requireSameAgain loads what a configuration shows of itself.
func requireSameAgain(t require.TestingT, c *config.Config) {
	text, err := c.Effective()
	require.NoError(t, err)
	file, err := os.CreateTemp("", "effective-*.yaml")
	require.NoError(t, err)
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	again, problems := config.Load(file.Name(), nil, definitions)
	require.Empty(t, problems, "%s", text)
	maskSecrets(c)
	require.Equal(t, c, again, "%s", text)
	shownAgain, err := again.Effective()
	require.NoError(t, err)
	require.Equal(t, string(text), string(shownAgain))
}

// maskSecrets replaces the secrets by what is shown of them.
func maskSecrets(c *config.Config) {
	mask := func(s *providers.Secret) { *s = providers.Secret(s.String()) }
	mask(&c.Kafka.SASL.Password)
	for _, provider := range c.Providers {
		s, ok := provider.(*settings)
		if !ok {
			continue
		}
		for name, a := range s.Accounts {
			mask(&a.SecretKey)
			for id, key := range a.Notifications.Keys {
				mask(&key)
				a.Notifications.Keys[id] = key
			}
			s.Accounts[name] = a
		}
	}
}
