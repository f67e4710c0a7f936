package worldpay_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/worldpay"
)

func TestSettingsNameEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, yaml string
		keys       []string
	}{
		{"nothing", `accounts: {default: {username: u, password: p}}`, nil},
		{"all of an account", `accounts: {default: {username: u, password: p, entity: branch 2, settled_events: true,
  notifications: {keys: {1: 00ff, "2": text}, key_encoding: text}}}`, nil},
		{"no account", `{}`, []string{"accounts"}},
		{"no credentials", `accounts: {default: {}, second: {username: u}}`, []string{
			"accounts.default.username", "accounts.default.password",
			"accounts.second.password",
		}},
		{"an entity of the wrong form", `accounts: {default: {username: u, password: p, entity: "a/b"}}`, []string{"accounts.default.entity"}},
		{
			"keys that cannot be read", `accounts: {default: {username: u, password: p, notifications: {keys: {"1": secret-text, "2": "", "a/b": 00}}}}`,
			[]string{"accounts.default.notifications.keys.1", "accounts.default.notifications.keys.2", "accounts.default.notifications.keys.a/b"},
		},
		{
			"an encoding that does not exist", `accounts: {default: {username: u, password: p, notifications: {key_encoding: base64}}}`,
			[]string{"accounts.default.notifications.key_encoding"},
		},
		{
			"versions left empty", `{media_types: {events_accept: "", events_content_type: "", payment_queries: ""},
  api_versions: {payments: "", apm: ""}, accounts: {default: {username: u, password: p}}}`,
			[]string{
				"media_types.events_accept", "media_types.events_content_type", "media_types.payment_queries",
				"api_versions.payments", "api_versions.apm",
			},
		},
		{"what all providers have", `{base_url: "http://access.worldpay.com", accounts: {default: {username: u, password: p}}}`, []string{"base_url"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			settings := worldpay.Definition.Settings().(*worldpay.Settings)
			require.NoError(t, yaml.Unmarshal([]byte(c.yaml), settings))
			var keys []string
			for _, problem := range settings.Validate() {
				keys = append(keys, problem.Key)
				assert.NotEmpty(t, problem.Text)
				assert.NotContains(t, problem.Text, "secret-text")
			}
			assert.Equal(t, c.keys, keys)
		})
	}
}

func TestSettingsHaveTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	settings := worldpay.Definition.Settings().(*worldpay.Settings)
	assert.Equal(t, "https://access.worldpay.com", settings.BaseURL)
	assert.Equal(t, "application/vnd.worldpay.payments-v7+json", settings.MediaTypes.EventsAccept)
	assert.Empty(t, settings.Accounts)
}

func TestSettingsDoNotShowSecrets(t *testing.T) {
	t.Parallel()
	settings := worldpay.Definition.Settings().(*worldpay.Settings)
	settings.Accounts = map[string]worldpay.Account{"default": {
		Username: "the-username", Password: "the-password",
		Notifications: worldpay.Notifications{Keys: map[string]providers.Secret{"1": "the-key"}},
	}}
	written, err := yaml.Marshal(settings)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", *settings, *settings, *settings), string(written)} {
		for _, secret := range []string{"the-username", "the-password", "the-key"} {
			assert.NotContains(t, text, secret)
		}
	}
	_, err = worldpay.Definition.New(settings, providers.Options{})
	require.ErrorContains(t, err, "accounts.default.notifications: keys.1: is not hexadecimal")
	assert.NotContains(t, err.Error(), "the-key")
}

func TestTheSettingsOfAnotherProviderAreRefused(t *testing.T) {
	t.Parallel()
	_, err := worldpay.Definition.New(nil, providers.Options{})
	require.Error(t, err)
}
