package worldpay

import (
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/paystatus/paystatus/providers"
)

const (
	liveURL       = "https://access.worldpay.com"
	defaultEntity = "default"
)

// Settings are the configuration of Worldpay.
type Settings struct {
	providers.Settings `yaml:",inline"`

	// MediaTypes select the version of the APIs that take it from the media type.
	MediaTypes MediaTypes `yaml:"media_types"`

	// APIVersions select the version of the APIs that take it from the header WP-Api-Version.
	APIVersions APIVersions `yaml:"api_versions"`

	// Accounts are the sets of credentials, by name.
	Accounts map[string]Account `yaml:"accounts"`
}

// MediaTypes are the media types that requests name. Card Payments before version 7 tells the type it accepts
// (…-v6.hal+json) from that of the content (…-v6+json); both are demanded even of requests without content.
type MediaTypes struct {
	EventsAccept      string `yaml:"events_accept"`
	EventsContentType string `yaml:"events_content_type"`
	PaymentQueries    string `yaml:"payment_queries"`
}

// APIVersions are the values of the header WP-Api-Version.
type APIVersions struct {
	Payments string `yaml:"payments"`
	APM      string `yaml:"apm"`
}

// Account is one set of credentials.
type Account struct {
	// Username and Password are those of HTTP Basic authentication. Try and Live have different ones.
	Username providers.Secret `yaml:"username"`
	Password providers.Secret `yaml:"password"`

	// Entity is the merchant entity that payments are recovered under whose initiated event names none. Default: "default".
	Entity string `yaml:"entity"`

	// SettledEvents says that this account's set-up reports Settled and Refunded. Most do not: then capture_pending and
	// refund_pending are the last that will ever be heard, and final.
	SettledEvents bool `yaml:"settled_events"`

	// Notifications hold the keys of the event webhooks.
	Notifications Notifications `yaml:"notifications"`
}

// The ways a notification key can be written.
const (
	keyHex  = "hex"
	keyText = "text"
)

// Notifications are what the webhooks of an account are verified with.
type Notifications struct {
	// Keys are the secrets by key id. During a rotation there are two.
	Keys map[string]providers.Secret `yaml:"keys"`

	// KeyEncoding says how the secrets are written: "hex" (default), or "text" where the characters themselves are the key.
	KeyEncoding string `yaml:"key_encoding"`
}

// WebhookKeys are the keys that event webhooks of the account are signed with, by key id.
func (a Account) WebhookKeys() (map[string][]byte, error) { return a.Notifications.decode() }

// decode gives the keys as bytes.
func (n Notifications) decode() (map[string][]byte, error) {
	keys := map[string][]byte{}
	for id, secret := range n.Keys {
		key, problem := decodeKey(secret, n.KeyEncoding)
		if problem != "" {
			return nil, fmt.Errorf("keys.%s: %s", id, problem)
		}
		keys[id] = key
	}
	return keys, nil
}

func decodeKey(secret providers.Secret, encoding string) (key []byte, problem string) {
	key = []byte(secret.Reveal())
	if encoding != keyText {
		var err error
		if key, err = hex.DecodeString(secret.Reveal()); err != nil { // whose text would show a part of the key
			return nil, "is not hexadecimal; with key_encoding: text the characters themselves are the key"
		}
	}
	if len(key) == 0 {
		return nil, "is empty"
	}
	return key, ""
}

func defaultSettings() *Settings {
	const cardPayments = "application/vnd.worldpay.payments-v7+json"
	return &Settings{
		Settings: providers.DefaultSettings(liveURL),
		MediaTypes: MediaTypes{
			EventsAccept: cardPayments, EventsContentType: cardPayments,
			PaymentQueries: "application/vnd.worldpay.payment-queries-v1.hal+json",
		},
		APIVersions: APIVersions{Payments: "2024-06-01", APM: "2024-07-01"},
	}
}

// Common are the keys that every provider has.
func (s *Settings) Common() *providers.Settings { return &s.Settings }

var keyID = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// Validate names everything that is wrong or missing.
func (s *Settings) Validate() []providers.Problem {
	problems := s.Settings.Validate()
	require := func(key, text string, ok bool) {
		if !ok {
			problems = append(problems, providers.Problem{Key: key, Text: text})
		}
	}
	const empty = "must not be empty"
	require("media_types.events_accept", empty, s.MediaTypes.EventsAccept != "")
	require("media_types.events_content_type", empty, s.MediaTypes.EventsContentType != "")
	require("media_types.payment_queries", empty, s.MediaTypes.PaymentQueries != "")
	require("api_versions.payments", empty, s.APIVersions.Payments != "")
	require("api_versions.apm", empty, s.APIVersions.APM != "")
	require("accounts", "is missing: Worldpay needs the username and password of at least one account", len(s.Accounts) > 0)
	for _, account := range slices.Sorted(maps.Keys(s.Accounts)) {
		a, at := s.Accounts[account], "accounts."+account+"."
		require(at+"username", "is missing", a.Username != "")
		require(at+"password", "is missing", a.Password != "")
		require(at+"entity", entityForm, a.Entity == "" || entityPattern.MatchString(a.Entity))
		n := a.Notifications
		require(at+"notifications.key_encoding", `must be "hex" or "text"`, slices.Contains([]string{"", keyHex, keyText}, n.KeyEncoding))
		for _, id := range slices.Sorted(maps.Keys(n.Keys)) {
			key := at + "notifications.keys." + id
			require(key, "a key id is a number, as the header Event-Signature names it", keyID.MatchString(id))
			_, problem := decodeKey(n.Keys[id], n.KeyEncoding)
			require(key, problem, problem == "")
		}
	}
	return problems
}
