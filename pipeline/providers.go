package pipeline

import (
	"fmt"
	"net/http"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/antom"
	"github.com/paystatus/paystatus/providers/checkout"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/worldpay"
)

// Providers are the providers that paystatus knows. A new one is a folder below providers and a line here.
var Providers = []providers.Definition{
	checkout.Definition,
	antom.Definition,
	worldpay.Definition,
	liquido.Definition,
}

// Reader makes a provider that can read answers but not ask, because it has no account.
func Reader(name string) (providers.Provider, error) {
	for _, d := range Providers {
		if d.Name == name {
			return d.New(d.Settings(), providers.Options{})
		}
	}
	return nil, fmt.Errorf("there is no provider %q; there are %v", name, ProviderNames())
}

// ProviderNames are the names of the providers that paystatus knows.
func ProviderNames() []string {
	var names []string
	for _, d := range Providers {
		names = append(names, d.Name)
	}
	return names
}

// Connect makes the configured providers. Round carries their requests; nil means HTTP.
func Connect(c *config.Config, round http.RoundTripper) (map[string]providers.Provider, error) {
	return connect(c, providers.Options{RoundTripper: round})
}

func connect(c *config.Config, o providers.Options) (map[string]providers.Provider, error) {
	o.MaxNotificationAge = c.Notifications.MaxAge
	all := map[string]providers.Provider{}
	for _, d := range Providers {
		settings, served := c.Providers[d.Name]
		if !served || settings == nil {
			continue
		}
		o.PaymentID = c.Notifications.PaymentID[d.Name]
		provider, err := d.New(settings, o)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", d.Name, err)
		}
		all[d.Name] = provider
	}
	return all, nil
}
