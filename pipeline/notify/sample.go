// Package notify makes the notifications that providers would send, signed with the keys of an installation, so that its
// webhooks can be tried out before a provider calls them.
package notify

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/providers/sandbox"
	"github.com/paystatus/paystatus/schemas"
)

// Sample is one notification to be made.
type Sample struct {
	Provider string
	Type     string // one of Types
	Account  string // schemas.DefaultAccount when empty
	Fault    string // bad_signature or no_signature; "": none

	// Payment is what it is about, its reference completed. Nil: a payment that nobody made.
	Payment *schemas.Initiated

	// Config holds the keys. Nil: those of the sandbox.
	Config *config.Config

	// GatewayKey is the private key that signs for Antom, as PEM or base64: one whose public half the account has as
	// antom_public_key. Nobody but Antom has the real one.
	GatewayKey string

	// To is the URL that it is for. Without a path it is that of a listener, /notifications/{provider}/{account}.
	To string
}

// Request is an HTTP request that a provider would make.
type Request struct {
	URL    string
	Header http.Header
	Body   []byte
}

// Types are the types of notifications that a provider sends; nil for one that is not known.
func Types(provider string) []string {
	n, err := notifier(provider)
	if err != nil {
		return nil
	}
	var types []string
	for _, t := range n.NotificationTypes() {
		if !slices.Contains(types, t.Type) {
			types = append(types, t.Type)
		}
	}
	return types
}

func notifier(provider string) (sandbox.Notifier, error) {
	for _, s := range demo.Simulators() {
		if n, ok := s.(sandbox.Notifier); ok && s.Name() == provider {
			return n, nil
		}
	}
	return nil, fmt.Errorf("there is no provider %q", provider)
}

// Make signs the notification, as sent now.
func (s Sample) Make(now time.Time) (Request, error) {
	n, err := notifier(s.Provider)
	if err != nil {
		return Request{}, err
	}
	if s.Account == "" {
		s.Account = schemas.DefaultAccount
	}
	to, err := s.target()
	if err != nil {
		return Request{}, err
	}
	sign, err := s.signer(n)
	if err != nil {
		return Request{}, err
	}
	payment, fields := s.payment(now)
	push := sandbox.Notify{Type: s.Type, Fault: s.Fault, Fields: fields}
	header, body, err := push.Request(n, sign, payment, to.RequestURI(), now)
	return Request{URL: to.String(), Header: header, Body: body}, err
}

func (s Sample) target() (*url.URL, error) {
	to, err := url.Parse(s.To)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, errors.New("the URL must be like http://127.0.0.1:8081/notifications/checkout/default")
	}
	if to.Path == "" || to.Path == "/" {
		to.Path = "/" // without it the path that is signed has none, either
		to = to.JoinPath("notifications", s.Provider, s.Account)
	}
	return to, nil
}

// sampleReference is the merchant's reference of a payment that nobody made.
const sampleReference = "order-sample-1"

// payment is what the notification is about, in the terms of the simulators, and fields that they would not state by
// themselves.
func (s Sample) payment(now time.Time) (sandbox.Payment, map[string]any) {
	p := sandbox.Payment{
		Reference: sampleReference, Script: sandbox.Script{Amount: sandbox.Amount{Value: 1000, Currency: "EUR"}}, Created: now, Since: now,
	}
	if s.Payment == nil {
		return p, nil
	}
	e := *s.Payment
	p.Reference, p.Created = e.PaymentID, e.InitiatedAt
	p.Script = sandbox.Script{Amount: sandbox.Amount{Value: e.Amount.Value, Currency: e.Amount.Currency}, Method: strings.ToUpper(e.Method)}
	for _, name := range []string{"reference", "payment_request_id", "transaction_reference", "idempotency_key"} { // each of one provider
		if id := e.Reference[name]; id != "" {
			p.Reference = id
		}
	}
	for _, name := range []string{"payment_id", "session_id"} {
		if id := e.Reference[name]; id != "" {
			p.Script.Aliases = append(p.Script.Aliases, id)
		}
	}
	fields := map[string]any{}
	if id := e.Reference["payment_id"]; id != "" && s.Provider == "worldpay" {
		fields["paymentId"] = id
	}
	return p, fields
}

// Print writes the request as it goes over the wire.
func (r Request) Print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s\n", r.URL)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Body)
	return b.String()
}
