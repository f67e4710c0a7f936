// Package checkout asks Checkout.com about payments and reads what it says: by payment id, by 3-D Secure session id while that
// lives, or by the merchant's reference, which several payments may carry.
//
// Two generations of accounts exist, NAS (current) and ABC (older); they differ in the authorization header and in small
// things of their notifications. Both are read by the same code.
package checkout

import (
	"fmt"
	"maps"
	"slices"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

const name = "checkout"

// Definition registers the provider.
var Definition = providers.Definition{
	Name:     name,
	Settings: func() providers.ProviderSettings { return defaults() },
	New: func(ps providers.ProviderSettings, o providers.Options) (providers.Provider, error) {
		s, ok := ps.(*Settings)
		if !ok {
			return nil, fmt.Errorf("checkout: settings of type %T are not this provider's", ps)
		}
		return newProvider(s, o), nil
	},
	Webhook: providers.Webhook{Headers: []string{"Cko-Signature", "Authorization"}},
}

// The names that a reference may hold.
const (
	refPayment   = "payment_id" // pay_…: the provider's id of the payment
	refSession   = "session_id" // sid_…: a 3-D Secure session, good for asking for 15 minutes
	refReference = "reference"  // the merchant's own, which other payments may carry, too
)

type provider struct {
	settings  *Settings
	transport *providers.Transport
	accounts  map[string]*account
	paymentID providers.Paths // in a payment's fields
}

func newProvider(s *Settings, o providers.Options) *provider {
	c := &provider{
		settings: s, transport: providers.NewTransport(s.Settings, o), accounts: map[string]*account{}, paymentID: o.PaymentID,
	}
	for name, a := range s.Accounts {
		c.accounts[name] = newAccount(name, a, s.tokenURL(), c.transport)
	}
	return c
}

func (c *provider) Name() string       { return name }
func (c *provider) Normalizer() string { return name + "/1" }
func (c *provider) Accounts() []string { return slices.Sorted(maps.Keys(c.accounts)) }

func accountName(account string) string {
	if account == "" {
		return schemas.DefaultAccount
	}
	return account
}
