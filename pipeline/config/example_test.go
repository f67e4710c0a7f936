package config_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/antom"
	"github.com/paystatus/paystatus/providers/checkout"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/worldpay"
)

var realProviders = []providers.Definition{checkout.Definition, antom.Definition, worldpay.Definition, liquido.Definition}

const examplePath = "../../deployments/paystatus.example.yaml"

// exampleEnv sets what the example takes from the environment.
func exampleEnv(t *testing.T) []string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	return []string{
		"CHECKOUT_SECRET_KEY=sk_aaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"ANTOM_CLIENT_ID=5TEST00000000001",
		"ANTOM_PRIVATE_KEY_FILE=" + write("private.pem", "PRIVATE KEY", private),
		"ANTOM_PUBLIC_KEY_FILE=" + write("public.pem", "PUBLIC KEY", public),
		"WORLDPAY_USERNAME=user", "WORLDPAY_PASSWORD=password",
		"LIQUIDO_CLIENT_ID=client", "LIQUIDO_CLIENT_SECRET=secret", "LIQUIDO_API_KEY=key",
	}
}

func TestTheExampleIsRight(t *testing.T) {
	t.Parallel()
	c, problems := config.Load(examplePath, exampleEnv(t), realProviders)
	require.Empty(t, problems)
	assert.Len(t, c.Providers, len(realProviders))
}

func TestTheExampleShowsTheDefaults(t *testing.T) {
	t.Parallel()
	example, problems := config.Load(examplePath, exampleEnv(t), realProviders)
	require.Empty(t, problems)
	standard, problems := config.Load("", nil, realProviders)
	require.Empty(t, problems)
	for _, definition := range realProviders {
		assert.Equal(t, *definition.Settings().Common(), *example.Providers[definition.Name].Common(), definition.Name)
	}
	example.Kafka.Brokers, example.Providers = standard.Kafka.Brokers, standard.Providers
	assert.Equal(t, standard, example)
}

func TestTheExampleWithoutItsEnvironmentNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, problems := config.Load(examplePath, nil, realProviders)
	text := config.Err(problems).Error()
	for _, name := range []string{
		"CHECKOUT_SECRET_KEY", "ANTOM_CLIENT_ID", "WORLDPAY_USERNAME", "WORLDPAY_PASSWORD", "LIQUIDO_CLIENT_ID", "LIQUIDO_CLIENT_SECRET", "LIQUIDO_API_KEY",
	} {
		assert.Contains(t, text, "the environment variable "+name+" is not set")
	}
}

func TestTheExampleHoldsEveryKey(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(examplePath)
	require.NoError(t, err)
	var example, effective map[string]any
	require.NoError(t, yaml.Unmarshal(text, &example))
	standard, problems := config.Load("", nil, realProviders)
	require.Empty(t, problems)
	text, err = standard.Effective()
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &effective))
	requireKeys(t, "", effective, example)
}

func requireKeys(t *testing.T, path string, want, got map[string]any) {
	t.Helper()
	for key, value := range want {
		require.Contains(t, got, key, "the example lacks %s%s", path, key)
		if section, ok := value.(map[string]any); ok {
			inner, ok := got[key].(map[string]any)
			require.True(t, ok, path+key)
			requireKeys(t, path+key+".", section, inner)
		}
	}
}
