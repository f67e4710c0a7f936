package notify

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/paystatus/paystatus/providers/antom"
	"github.com/paystatus/paystatus/providers/checkout"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/providers/worldpay"
)

var errGatewayKey = errors.New("antom signs with a key that nobody else has: make a pair of your own (openssl genrsa -out key.pem; " +
	"openssl rsa -in key.pem -pubout), let the public half be the account's antom_public_key meanwhile, and give the private one: --key key.pem")

// signer signs with the account's keys, or with those that the sandbox's configuration names.
func (s Sample) signer(n sandbox.Notifier) (sandbox.Signer, error) {
	if s.Config == nil {
		if s.Provider == antom.Name {
			return s.antom("SANDBOX_5TEST00000000001")
		}
		return n.Signer(), nil
	}
	switch settings := s.Config.Providers[s.Provider].(type) {
	case *checkout.Settings:
		if account, ok := settings.Accounts[s.Account]; ok {
			return sandbox.SignCheckout(account.WebhookKey(), account.Notifications.Authorization.Reveal()), nil
		}
	case *antom.Settings:
		if account, ok := settings.Accounts[s.Account]; ok {
			return s.antom(account.ClientID)
		}
	case *worldpay.Settings:
		if account, ok := settings.Accounts[s.Account]; ok {
			return worldpayKeys(account)
		}
	case *liquido.Settings:
		if account, ok := settings.Accounts[s.Account]; ok {
			return sandbox.SignLiquido(account.ClientSecret.Reveal()), nil
		}
	}
	return nil, fmt.Errorf("the configuration has no account %q of %s", s.Account, s.Provider)
}

func (s Sample) antom(clientID string) (sandbox.Signer, error) {
	if s.GatewayKey == "" {
		return nil, errGatewayKey
	}
	key, err := antom.ParsePrivateKey(s.GatewayKey)
	if err != nil {
		return nil, fmt.Errorf("the key %w", err)
	}
	return sandbox.SignAntom(key, clientID), nil
}

// worldpayKeys sign once with each key of the account, as during a rotation.
func worldpayKeys(account worldpay.Account) (sandbox.Signer, error) {
	keys, err := account.WebhookKeys()
	if err != nil {
		return nil, err
	}
	var all []sandbox.WorldpayKey
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, sandbox.WorldpayKey{ID: id, Key: keys[id]})
	}
	return sandbox.SignWorldpay(all...), nil
}
