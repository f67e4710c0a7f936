package checkout

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
)

// Settings are the configuration of Checkout.com.
type Settings struct {
	providers.Settings `yaml:",inline"`

	// TokenURL is where accounts with a client id get their access tokens. Default: BaseURL with the host's "api" label
	// replaced by "access", and /connect/token.
	TokenURL string `yaml:"token_url"`

	// Accounts are the credentials, by the name that initiated events use.
	Accounts map[string]Account `yaml:"accounts"`
}

// Account is one set of credentials: a secret key, or a client id and secret.
type Account struct {
	// SecretKey is sk_… of a NAS account (sent as a bearer token) or of an ABC account (sent as it is).
	SecretKey providers.Secret `yaml:"secret_key"`

	// ClientID and ClientSecret are an access key for OAuth 2 client credentials with the scope "gateway".
	ClientID     string           `yaml:"client_id"`
	ClientSecret providers.Secret `yaml:"client_secret"`

	// Notifications say how this account's webhooks prove themselves.
	Notifications Notifications `yaml:"notifications"`
}

// Notifications are what a webhook was configured with. With both set, both must fit.
type Notifications struct {
	// SignatureKey is the key of the header Cko-Signature, as text. Default for ABC accounts: the secret key.
	SignatureKey providers.Secret `yaml:"signature_key"`

	// Authorization is the whole value of the header Authorization.
	Authorization providers.Secret `yaml:"authorization"`
}

func defaults() *Settings {
	return &Settings{Settings: providers.DefaultSettings("https://api.checkout.com")}
}

// Common are the keys that every provider has.
func (s *Settings) Common() *providers.Settings { return &s.Settings }

// Validate names everything that is wrong or missing.
func (s *Settings) Validate() []providers.Problem {
	problems := s.Settings.Validate()
	if s.TokenURL != "" {
		problems = append(problems, providers.CheckURL("token_url", s.TokenURL, s.AllowPlainHTTP)...)
	}
	if len(s.Accounts) == 0 {
		problems = append(problems, providers.Problem{Key: "accounts", Text: "name at least one account"})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Accounts)) {
		for _, p := range s.Accounts[name].validate(environmentOf(s.BaseURL)) {
			problems = append(problems, providers.Problem{Key: "accounts." + name + "." + p.Key, Text: p.Text})
		}
	}
	return problems
}

func (a Account) validate(host environment) []providers.Problem {
	key := a.SecretKey.Reveal()
	var problems []providers.Problem
	complain := func(at, format string, args ...any) {
		problems = append(problems, providers.Problem{Key: at, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case key != "" && (a.ClientID != "" || a.ClientSecret != ""):
		complain("secret_key", "stands beside client_id or client_secret; give either the one or the others")
	case key == "" && a.ClientID == "" && a.ClientSecret == "":
		complain("secret_key", "is missing; give a secret key, or client_id and client_secret")
	case key == "" && a.ClientID == "":
		complain("client_id", "is missing beside client_secret")
	case key == "" && a.ClientSecret == "":
		complain("client_secret", "is missing beside client_id")
	case strings.HasPrefix(key, "pk_"):
		complain("secret_key", "is a public key, which cannot ask about payments; secret keys begin with sk_")
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		complain("secret_key", "holds blanks, line breaks or other characters that no key has")
	case host != anyEnvironment && keyEnvironment(key) != anyEnvironment && host != keyEnvironment(key):
		complain("secret_key", "is a %s key, but base_url is the %s API", keyEnvironment(key), host)
	}
	return problems
}

// The two generations of secret keys. Source: checkout-sdk-go configuration/key_patterns.go, checkout-sdk-java
// PreviousStaticKeysSdkCredentials.java.
var (
	nasKey = regexp.MustCompile(`^sk_(sbox_)?[a-z2-7]{26}[a-z2-7*#$=]$`)
	abcKey = regexp.MustCompile(`^sk_(test_)?\w{8}-\w{4}-\w{4}-\w{4}-\w{12}$`)
)

// environment is the sandbox or production.
type environment string

const (
	anyEnvironment environment = "" // not told
	sandboxAPI     environment = "sandbox"
	productionAPI  environment = "production"
)

func keyEnvironment(key string) environment {
	switch {
	case strings.HasPrefix(key, "sk_sbox_"), strings.HasPrefix(key, "sk_test_"):
		return sandboxAPI
	case nasKey.MatchString(key), abcKey.MatchString(key):
		return productionAPI
	default:
		return anyEnvironment
	}
}

// environmentOf tells the environment of a host of the provider's; others (proxies, simulators) are not told.
func environmentOf(baseURL string) environment {
	u, err := url.Parse(baseURL)
	if err != nil {
		return anyEnvironment
	}
	host := "." + strings.ToLower(u.Hostname())
	switch {
	case strings.HasSuffix(host, ".sandbox.checkout.com"):
		return sandboxAPI
	case strings.HasSuffix(host, ".checkout.com"):
		return productionAPI
	default:
		return anyEnvironment
	}
}

// tokenURL is the configured one, or the one that belongs to BaseURL: api.checkout.com has its tokens at
// access.checkout.com, prefix.api.sandbox.checkout.com at prefix.access.sandbox.checkout.com.
func (s *Settings) tokenURL() string {
	if s.TokenURL != "" {
		return s.TokenURL
	}
	u, err := url.Parse(s.BaseURL)
	if err != nil {
		return ""
	}
	labels := strings.Split(u.Host, ".")
	if i := slices.Index(labels, "api"); i >= 0 {
		labels[i] = "access"
		u.Host = strings.Join(labels, ".")
	}
	return u.JoinPath("connect", "token").String()
}
