package checkout

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers"
)

const (
	sandboxNAS    = "sk_sbox_abcdefghijklmnopqrstuvwxyz2"
	productionNAS = "sk_abcdefghijklmnopqrstuvwxyz2"
	sandboxABC    = "sk_test_00000000-aaaa-bbbb-cccc-dddddddddddd"
	productionABC = "sk_00000000-aaaa-bbbb-cccc-dddddddddddd"
)

func TestSettingsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	const production, elsewhere = "https://api.checkout.com", "https://abcdefgh.api.sandbox.checkout.com"
	for name, tc := range map[string]struct {
		baseURL string
		account Account
		want    []string
	}{
		"a NAS key":                    {production, Account{SecretKey: productionNAS}, nil},
		"an ABC key":                   {production, Account{SecretKey: productionABC}, nil},
		"sandbox keys in the sandbox":  {elsewhere, Account{SecretKey: sandboxNAS}, nil},
		"a sandbox ABC key there":      {elsewhere, Account{SecretKey: sandboxABC}, nil},
		"OAuth":                        {production, Account{ClientID: "ack_x", ClientSecret: "y"}, nil},
		"any key at a host of our own": {"http://127.0.0.1:8080/checkout", Account{SecretKey: sandboxNAS}, nil},
		"a key of a form unknown":      {production, Account{SecretKey: "sk_new_form"}, nil},
		"nothing":                      {production, Account{}, []string{"accounts.main.secret_key"}},
		"both":                         {production, Account{SecretKey: productionNAS, ClientID: "ack_x"}, []string{"accounts.main.secret_key"}},
		"a client id alone":            {production, Account{ClientID: "ack_x"}, []string{"accounts.main.client_secret"}},
		"a client secret alone":        {production, Account{ClientSecret: "y"}, []string{"accounts.main.client_id"}},
		"a public key":                 {production, Account{SecretKey: "pk_abcdefghijklmnopqrstuvwxyz2"}, []string{"accounts.main.secret_key"}},
		"a key with a line break":      {production, Account{SecretKey: productionNAS + "\n"}, []string{"accounts.main.secret_key"}},
		"a sandbox key in production":  {production, Account{SecretKey: sandboxNAS}, []string{"accounts.main.secret_key"}},
		"an ABC sandbox key there":     {production, Account{SecretKey: sandboxABC}, []string{"accounts.main.secret_key"}},
		"a production key elsewhere":   {elsewhere, Account{SecretKey: productionNAS}, []string{"accounts.main.secret_key"}},
		"an ABC production key there":  {elsewhere, Account{SecretKey: productionABC}, []string{"accounts.main.secret_key"}},
		"plain http":                   {"http://api.checkout.com", Account{SecretKey: productionNAS}, []string{"base_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := defaults()
			settings.BaseURL = tc.baseURL
			settings.Accounts = map[string]Account{"main": tc.account}
			var keys []string
			for _, p := range settings.Validate() {
				keys = append(keys, p.Key)
				if key := tc.account.SecretKey.Reveal(); key != "" {
					assert.NotContains(t, p.Text, key)
				}
			}
			assert.Equal(t, tc.want, keys)
		})
	}
	settings := defaults()
	settings.TokenURL = "access.checkout.com"
	require.Len(t, settings.Validate(), 2)
	assert.Equal(t, "token_url", settings.Validate()[0].Key)
	assert.Equal(t, "accounts", settings.Validate()[1].Key)
}

func TestTheTokenURLBelongsToTheBaseURL(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://api.checkout.com":                   "https://access.checkout.com/connect/token",
		"https://api.sandbox.checkout.com/":          "https://access.sandbox.checkout.com/connect/token",
		"https://abcdefgh.api.sandbox.checkout.com":  "https://abcdefgh.access.sandbox.checkout.com/connect/token",
		"http://127.0.0.1:8080/checkout":             "http://127.0.0.1:8080/checkout/connect/token",
		"https://payments.example/checkout-api/live": "https://payments.example/checkout-api/live/connect/token",
	} {
		settings := defaults()
		settings.BaseURL = base
		assert.Equal(t, want, settings.tokenURL(), base)
	}
	settings := defaults()
	settings.TokenURL = "https://tokens.example/x"
	assert.Equal(t, "https://tokens.example/x", settings.tokenURL())
}

func TestSettingsOfAnotherProviderAreAnError(t *testing.T) {
	t.Parallel()
	_, err := Definition.New(nil, providers.Options{})
	assert.Error(t, err)
}
