// Package worldpay asks Access Worldpay what became of a payment and reads what it says: the last event of Card Payments
// and the Payments API, Payment Queries, the APM API and the event webhooks, whose words differ although they mean the same.
package worldpay

import (
	"fmt"
	"maps"
	"slices"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

const (
	name       = "worldpay"
	normalizer = name + "/1"
)

// Definition registers the provider.
var Definition = providers.Definition{
	Name:     name,
	Settings: func() providers.ProviderSettings { return defaultSettings() },
	New:      newProvider,
	Webhook:  providers.Webhook{Headers: []string{signatureHeader}},
}

// Provider is Access Worldpay.
type Provider struct {
	settings  *Settings
	api       api
	keys      map[string]map[string][]byte // by account and key id
	transport *providers.Transport
	paymentID providers.Paths
}

var _ providers.Provider = (*Provider)(nil)

func newProvider(s providers.ProviderSettings, o providers.Options) (providers.Provider, error) {
	settings, ok := s.(*Settings)
	if !ok {
		return nil, fmt.Errorf("%s: the settings are those of another provider", name)
	}
	api, err := parseAPI(settings.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("%s: base_url: %w", name, err)
	}
	keys := map[string]map[string][]byte{}
	for account, a := range settings.Accounts {
		if keys[account], err = a.Notifications.decode(); err != nil {
			return nil, fmt.Errorf("%s: accounts.%s.notifications: %w", name, account, err)
		}
	}
	transport := providers.NewTransport(settings.Settings, o)
	return &Provider{settings: settings, api: api, keys: keys, transport: transport, paymentID: o.PaymentID}, nil
}

// Name is "worldpay".
func (p *Provider) Name() string { return name }

// Normalizer is the version of the mapping.
func (p *Provider) Normalizer() string { return normalizer }

// Accounts are the names of the configured accounts.
func (p *Provider) Accounts() []string { return slices.Sorted(maps.Keys(p.settings.Accounts)) }

// account gives a configured account, with what the configuration leaves to defaults.
func (p *Provider) account(name string) (Account, bool) {
	if name == "" {
		name = schemas.DefaultAccount
	}
	a, ok := p.settings.Accounts[name]
	if a.Entity == "" {
		a.Entity = defaultEntity
	}
	return a, ok
}
