// Package liquido asks Liquido (pay-in in Latin America) about charges and reads what it says: the charge as a query
// answers it, the callbacks that Liquido sends, and the reply to the call that made the charge.
//
// Its answers say more than one thing about the outcome: transferStatusCode 200 stands beside paid, open and cancelled
// payments alike, and only transferStatus decides. In the callbacks of a refund the same fields speak of the refund.
package liquido

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// name is the provider's name in events and configuration.
const name = "liquido"

// Definition registers Liquido.
var Definition = providers.Definition{
	Name: name,
	Settings: func() providers.ProviderSettings {
		s := Settings{Settings: providers.DefaultSettings("https://api.liquido.com")}
		s.TokenURL = "https://authsg.liquido.com/oauth2/token"
		return &s
	},
	New:     New,
	Webhook: providers.Webhook{Headers: []string{signatureHeader}},
}

// Settings are the section "liquido" of the configuration.
type Settings struct {
	providers.Settings `yaml:",inline"`

	// TokenURL is the OAuth 2 token endpoint. Liquido serves it on another host than the API.
	TokenURL string `yaml:"token_url"`

	// Accounts are the credentials, by the name that events use.
	Accounts map[string]Account `yaml:"accounts"`
}

// Account is one set of credentials at Liquido. All three belong to one environment.
type Account struct {
	ClientID     string           `yaml:"client_id"`
	ClientSecret providers.Secret `yaml:"client_secret"` // also signs the callbacks
	APIKey       providers.Secret `yaml:"api_key"`
}

// Common are the settings that every provider has.
func (s *Settings) Common() *providers.Settings { return &s.Settings }

// Validate names everything that is wrong or missing.
func (s *Settings) Validate() []providers.Problem {
	problems := s.Settings.Validate()
	problems = append(problems, providers.CheckURL("token_url", s.TokenURL, s.AllowPlainHTTP)...)
	if mixed(s.BaseURL, s.TokenURL) {
		problems = append(problems, providers.Problem{
			Key: "token_url", Text: "belongs to another Liquido environment than base_url; tokens of one are not accepted by the other",
		})
	}
	if len(s.Accounts) == 0 {
		problems = append(problems, providers.Problem{Key: "accounts", Text: "must hold at least one account, usually called " + schemas.DefaultAccount})
	}
	for _, account := range slices.Sorted(maps.Keys(s.Accounts)) {
		a := s.Accounts[account]
		for _, credential := range []struct{ key, value string }{
			{"client_id", a.ClientID}, {"client_secret", a.ClientSecret.Reveal()}, {"api_key", a.APIKey.Reveal()},
		} {
			key := "accounts." + account + "." + credential.key
			switch {
			case credential.value == "":
				problems = append(problems, providers.Problem{Key: key, Text: "is missing"})
			case strings.TrimSpace(credential.value) != credential.value || strings.ContainsFunc(credential.value, control):
				problems = append(problems, providers.Problem{Key: key, Text: "must not begin or end with blanks or hold line breaks"})
			}
		}
	}
	return problems
}

// environments are Liquido's hosts: API, then token endpoint.
var environments = map[string]string{"api.liquido.com": "authsg.liquido.com", "api-qa.liquido.com": "auth-dev.liquido.com"}

// mixed reports whether the two URLs are Liquido's own but of different environments.
func mixed(base, token string) bool {
	api, err := url.Parse(base)
	if err != nil {
		return false
	}
	auth, err := url.Parse(token)
	if err != nil {
		return false
	}
	want, ours := environments[api.Hostname()]
	return ours && want != auth.Hostname() && slices.Contains(slices.Collect(maps.Values(environments)), auth.Hostname())
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// Provider is Liquido.
type Provider struct {
	settings  Settings
	maxAge    time.Duration
	transport *providers.Transport
	accounts  map[string]*credentials
	paymentID providers.Paths
}

var _ providers.Provider = (*Provider)(nil)

// credentials are an account with its token.
type credentials struct {
	Account

	tokens *providers.Tokens
}

// New makes the provider from its *Settings.
func New(settings providers.ProviderSettings, options providers.Options) (providers.Provider, error) {
	s, ok := settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("liquido: settings of type %T are not Liquido's", settings)
	}
	p := &Provider{
		settings: *s, maxAge: options.MaxNotificationAge, transport: providers.NewTransport(s.Settings, options),
		accounts: map[string]*credentials{}, paymentID: options.PaymentID,
	}
	if p.maxAge <= 0 {
		p.maxAge = providers.DefaultMaxNotificationAge
	}
	for account, a := range s.Accounts {
		p.accounts[account] = &credentials{Account: a, tokens: providers.NewTokens(p.transport, account, s.TokenURL, a.ClientID, a.ClientSecret)}
	}
	return p, nil
}

// Name is "liquido".
func (p *Provider) Name() string { return name }

// Normalizer is the version of the mapping.
func (p *Provider) Normalizer() string { return "liquido/1" }

// Accounts are the names of the configured accounts.
func (p *Provider) Accounts() []string { return slices.Sorted(maps.Keys(p.accounts)) }

// account finds the credentials of an account; an empty name is the default one.
func (p *Provider) account(account string) (*credentials, string, bool) {
	if account == "" {
		account = schemas.DefaultAccount
	}
	found, ok := p.accounts[account]
	return found, account, ok
}
