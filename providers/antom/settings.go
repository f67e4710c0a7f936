package antom

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
)

// Name is the provider's name in events and configuration.
const Name = "antom"

// DefaultBaseURL is the host for merchants outside of the USA and Europe. Sandbox and production share it.
const DefaultBaseURL = "https://open-sea-global.alipay.com"

// Settings are Antom's section of the configuration.
type Settings struct {
	providers.Settings `yaml:",inline"`

	// Accounts are the sets of credentials, by the name that events use.
	Accounts map[string]Account `yaml:"accounts"`
}

// Account is one set of credentials. Keys are PEM, or base64 of the DER without armour as Antom's dashboard shows them.
type Account struct {
	// ClientID is the client id of the dashboard. One that begins with SANDBOX_ uses the sandbox's paths.
	ClientID string `yaml:"client_id"`

	// PrivateKey signs our requests: RSA, PKCS#8 or PKCS#1.
	PrivateKey providers.Secret `yaml:"private_key"`

	// AntomPublicKey verifies answers and notifications: RSA, SubjectPublicKeyInfo.
	AntomPublicKey providers.Secret `yaml:"antom_public_key"`

	// KeyVersion is the version of our key at Antom. Default: 1.
	KeyVersion int `yaml:"key_version,omitempty"`

	// VerifyAnswers says whether answers must carry a valid signature. Default: true. False is for proxies that change
	// bodies; notifications are always verified.
	VerifyAnswers *bool `yaml:"verify_answers"`

	// Notifications is about what Antom sends to us.
	Notifications Notifications `yaml:"notifications,omitempty"`
}

// Notifications are the settings of an account's notifications.
type Notifications struct {
	// Path is the path (and query, if it has one) of the notification URL that Antom was told; it is part of what is signed.
	// Default: the path on which a notification arrived, else /notifications/antom/{account}.
	Path string `yaml:"path"`
}

// Definition registers the provider.
var Definition = providers.Definition{
	Name: Name,
	Settings: func() providers.ProviderSettings {
		return &Settings{Settings: providers.DefaultSettings(DefaultBaseURL)}
	},
	New: func(s providers.ProviderSettings, o providers.Options) (providers.Provider, error) {
		settings, ok := s.(*Settings)
		if !ok {
			return nil, fmt.Errorf("antom: the settings are a %T", s)
		}
		return newProvider(settings, o)
	},
	Webhook: providers.Webhook{
		Headers:         []string{"Signature", "Client-Id", "Request-Time"},
		Acknowledgement: `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`,
	},
}

// Common are the keys that every provider has.
func (s *Settings) Common() *providers.Settings { return &s.Settings }

// Validate names everything that is wrong or missing.
func (s *Settings) Validate() []providers.Problem {
	problems := s.Settings.Validate()
	for _, name := range slices.Sorted(maps.Keys(s.Accounts)) {
		for _, p := range s.Accounts[name].problems() {
			problems = append(problems, providers.Problem{Key: "accounts." + name + "." + p.Key, Text: p.Text})
		}
	}
	return problems
}

func (a Account) problems() []providers.Problem {
	var all []providers.Problem
	add := func(key, text string) { all = append(all, providers.Problem{Key: key, Text: text}) }
	switch {
	case a.ClientID == "":
		add("client_id", "is missing; the dashboard shows it")
	case strings.TrimSpace(a.ClientID) != a.ClientID:
		add("client_id", "must not have blanks around it")
	}
	if a.PrivateKey == "" {
		add("private_key", "is missing; give the key that signs requests, or private_key_file")
	} else if _, err := parsePrivateKey(a.PrivateKey.Reveal()); err != nil {
		add("private_key", err.Error())
	}
	if a.AntomPublicKey == "" {
		if a.verifies() {
			add("antom_public_key", "is missing; give Antom's public key, or antom_public_key_file, or verify_answers: false")
		}
	} else if _, err := parsePublicKey(a.AntomPublicKey.Reveal()); err != nil {
		add("antom_public_key", err.Error())
	}
	if a.KeyVersion < 0 {
		add("key_version", "must not be negative")
	}
	if path := a.Notifications.Path; path != "" && !strings.HasPrefix(path, "/") {
		add("notifications.path", "must begin with a slash, like /notifications/antom/default")
	}
	return all
}

func (a Account) verifies() bool { return a.VerifyAnswers == nil || *a.VerifyAnswers }
