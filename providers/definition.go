package providers

import (
	"net/http"
	"time"
)

// Definition is how a provider is registered: one line in the pipeline names it.
type Definition struct {
	// Name is the provider's name in events and configuration.
	Name string

	// Settings makes the provider's settings with their defaults and no account.
	Settings func() ProviderSettings

	// New makes the provider. Without accounts it can read answers but not ask.
	New func(ProviderSettings, Options) (Provider, error)

	// Webhook is how the provider calls a URL of the merchant's.
	Webhook Webhook
}

// Webhook is what a listener must know of a provider's notifications beside Verify.
type Webhook struct {
	// Headers are the names of the HTTP headers that Verify reads.
	Headers []string

	// Acknowledgement is the JSON that the provider wants for an answer. Empty: any answer with a status of 2xx will do.
	Acknowledgement string
}

// ProviderSettings are a pointer to the struct of one provider's settings. The configuration is read into it by its yaml
// tags; a field of type Secret may also be given as x_file.
type ProviderSettings interface {
	// Common are the keys that every provider has.
	Common() *Settings

	// Validate names everything that is wrong or missing.
	Validate() []Problem
}

// Options are what a provider is given besides its settings.
type Options struct {
	// RoundTripper carries requests; nil means what HTTP makes. Tests put their own here.
	RoundTripper http.RoundTripper

	// Share is this instance's part of the limits that hold over all instances; nil means all of them.
	Share *Share

	// MaxNotificationAge is how old a notification may be whose signature states a time. 0: DefaultMaxNotificationAge.
	MaxNotificationAge time.Duration

	// PaymentID leads to the merchant's payment_id among the payment's fields in a notification: in Checkout.com's data,
	// Worldpay's eventDetails, Liquido's data.chargeDetails, Antom's body. None: the merchant's own reference there.
	PaymentID Paths
}

// DefaultMaxNotificationAge is how old a notification may be unless the configuration says otherwise.
const DefaultMaxNotificationAge = 5 * time.Minute
