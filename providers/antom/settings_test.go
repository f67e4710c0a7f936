package antom

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
)

func settingsWith(change func(*Account)) *Settings {
	s := Definition.Settings().(*Settings)
	a := Account{ClientID: "SANDBOX_1", PrivateKey: privateText(ourKey())}
	change(&a)
	s.Accounts = map[string]Account{"default": a}
	return s
}

func TestValidateNamesEveryMistakeWithItsKey(t *testing.T) {
	t.Parallel()
	public, off := publicText(t, theirKey()), false
	for name, tc := range map[string]struct {
		change func(*Account)
		keys   []string
	}{
		"all is there":                  {func(a *Account) { a.AntomPublicKey = public }, nil},
		"no key to verify with":         {func(*Account) {}, []string{"antom_public_key"}},
		"no key, and nothing to verify": {func(a *Account) { a.VerifyAnswers = &off }, nil},
		"no credentials":                {func(a *Account) { *a = Account{} }, []string{"client_id", "private_key", "antom_public_key"}},
		"keys that are none":            {func(a *Account) { a.PrivateKey, a.AntomPublicKey = "s3cret", "x" }, []string{"private_key", "antom_public_key"}},
		"keys in each other's place": {
			func(a *Account) { a.PrivateKey, a.AntomPublicKey = public, a.PrivateKey }, []string{"private_key", "antom_public_key"},
		},
		"blanks in the client id":          {func(a *Account) { a.ClientID, a.AntomPublicKey = "x ", public }, []string{"client_id"}},
		"a negative key version":           {func(a *Account) { a.KeyVersion, a.AntomPublicKey = -1, public }, []string{"key_version"}},
		"a notification path that is none": {func(a *Account) { a.Notifications.Path, a.AntomPublicKey = "notify", public }, []string{"notifications.path"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := settingsWith(tc.change).Validate()
			var keys []string
			for _, p := range problems {
				keys = append(keys, strings.TrimPrefix(p.Key, "accounts.default."))
				assert.True(t, strings.HasPrefix(p.Key, "accounts.default."), p.Key)
				assert.NotEmpty(t, p.Text)
				assert.NotContains(t, p.Text, "s3cret")
			}
			assert.Equal(t, tc.keys, keys)
		})
	}
}

func TestSettingsAreReadFromYAMLWithTheirDefaults(t *testing.T) {
	t.Parallel()
	s := Definition.Settings().(*Settings)
	require.NoError(t, yaml.Unmarshal([]byte(fmt.Sprintf(`
timeout: 3s
accounts:
  default: {client_id: A, private_key: %[1]s, antom_public_key: %[2]s}
  other: {client_id: SANDBOX_B, private_key: %[1]s, antom_public_key: %[2]s, key_version: 4, verify_answers: false, notifications: {path: /n}}
`, privateText(ourKey()).Reveal(), publicText(t, theirKey()).Reveal())), s))
	require.Empty(t, s.Validate())
	assert.Equal(t, "https://open-sea-global.alipay.com", s.BaseURL)

	built, err := Definition.New(s, providers.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"default", "other"}, built.Accounts())
	p := built.(*provider)
	assert.Equal(t, 1, p.accounts["default"].KeyVersion)
	assert.True(t, p.accounts["default"].verifies())
	assert.Equal(t, 4, p.accounts["other"].KeyVersion)
	assert.False(t, p.accounts["other"].verifies())
	assert.NotContains(t, fmt.Sprintf("%+v", s), privateText(ourKey()).Reveal())
}

func TestNewRefusesKeysThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*Account){
		"private_key":      func(a *Account) { a.PrivateKey = "s3cret" },
		"antom_public_key": func(a *Account) { a.AntomPublicKey = "s3cret" },
	} {
		_, err := Definition.New(settingsWith(change), providers.Options{})
		require.ErrorContains(t, err, "accounts.default."+key)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}
