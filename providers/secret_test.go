package providers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
)

func TestSecretsNeverShow(t *testing.T) {
	t.Parallel()
	const hidden = "h1dden"
	secret := providers.Secret(hidden)
	holder := struct {
		Key  providers.Secret            `json:"key"  yaml:"key"`
		Keys map[string]providers.Secret `json:"keys" yaml:"keys"`
		Next *providers.Secret           `json:"next" yaml:"next"`
	}{secret, map[string]providers.Secret{"a": secret}, &secret}

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s", "%T %v"} {
		for _, value := range []any{secret, &secret, holder, &holder, []providers.Secret{secret}} {
			printed := fmt.Sprintf(verb, value, value)
			assert.NotContains(t, printed, hidden, verb)
			assert.NotContains(t, printed, fmt.Sprintf("%x", hidden), verb)
		}
	}
	assert.Equal(t, "********", fmt.Sprint(secret))
	assert.NotContains(t, fmt.Errorf("with %v: %w", secret, fmt.Errorf("%s", secret)).Error(), hidden)

	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var log bytes.Buffer
		slog.New(handler(&log)).Info("configured", "secret", secret, "holder", holder, "pointer", &secret)
		assert.NotContains(t, log.String(), hidden, name)
		assert.Contains(t, log.String(), "********", name)
	}

	asJSON, err := json.Marshal(holder)
	require.NoError(t, err)
	assert.JSONEq(t, `{"key":"********","keys":{"a":"********"},"next":"********"}`, string(asJSON))
	asYAML, err := yaml.Marshal(holder)
	require.NoError(t, err)
	assert.NotContains(t, string(asYAML), hidden)
	assert.Contains(t, string(asYAML), "********")
}

func TestASecretIsReadAndRevealed(t *testing.T) {
	t.Parallel()
	var holder struct {
		Key providers.Secret `yaml:"key"`
	}
	require.NoError(t, yaml.Unmarshal([]byte("key: h1dden"), &holder))
	assert.Equal(t, "h1dden", holder.Key.Reveal())
	assert.Empty(t, providers.Secret("").String(), "an absent secret shows that it is absent")
}
