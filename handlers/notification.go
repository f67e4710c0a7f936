package handlers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Notification turns what a provider pushed into a check now, with the notification as evidence. The payment is the one
// that the merchant's own reference inside names.
type Notification struct {
	Providers map[string]providers.Provider
	Count     func(event string) // counts outcomes and the reasons of dead letters; may be nil
}

// NameNotification is the handler's name in dead letters and consumer groups.
const NameNotification = "notification"

// The headers of a record on the topic of notifications. Those of the HTTP request that verification needs follow as
// http_<lower-case name>.
const (
	HeaderProvider   = "paystatus_provider"
	HeaderAccount    = "paystatus_account"
	HeaderReceivedAt = "paystatus_received_at" // RFC 3339; the record's timestamp when absent
	HeaderPath       = "paystatus_path"        // the path that the provider called
	headerHTTPPrefix = "http_"

	// PathHeader is the HTTP header under which a provider's Verify finds the path that was called.
	PathHeader = "Paystatus-Path"
)

// Handle is the Handler.
func (h *Notification) Handle(_ context.Context, m Message) (Result, error) {
	check, refusal := h.read(m)
	switch {
	case refusal != nil:
		h.count(string(refusal.code))
		return Result{Out: []Out{deadLetter(m, NameNotification, refusal.code, refusal.detail, time.Now(), nil)}}, nil
	case check == nil:
		return Result{}, nil
	}
	value, err := check.Encode()
	if err != nil {
		return Result{}, err
	}
	h.count("accepted")
	return Result{Out: []Out{{To: ToChecks, Key: []byte(check.PaymentID), Value: value}}}, nil
}

func (h *Notification) count(event string) {
	if h.Count != nil {
		h.Count(event)
	}
}

// read makes the check that a notification asks for; nil without a refusal when it asks for none.
func (h *Notification) read(m Message) (*watch.Check, *refusal) {
	name, account := m.header(HeaderProvider), m.header(HeaderAccount)
	if account == "" {
		account = schemas.DefaultAccount
	}
	provider := h.Providers[name]
	switch {
	case len(m.Value) == 0:
		return nil, &refusal{CodeEmpty, "there is no notification in the record"}
	case provider == nil:
		return nil, &refusal{CodeUnknownProvider, fmt.Sprintf("the header %s names no configured provider: %q", HeaderProvider, clip(name))}
	case !slices.Contains(provider.Accounts(), account):
		return nil, &refusal{CodeUnknownAccount, fmt.Sprintf("%s has no account %q configured", name, clip(account))}
	}
	page := pageOf(m)
	answer := providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}
	if err := provider.Verify(answer, account, true); err != nil {
		return nil, &refusal{CodeBadSignature, err.Error()}
	}
	o := provider.Read(answer, providers.Payment{Account: account})
	asks := o.Kind == providers.Observed || o.Kind == providers.NoStatus && o.Code == providers.CodeUnknownType
	switch {
	case o.Kind == providers.Unreadable:
		return nil, &refusal{CodeUnreadableBody, o.Message}
	case !asks || o.MerchantReference == "":
		h.count("ignored")
		return nil, nil
	}
	evidence := &watch.Evidence{From: schemas.SourceNotification, Header: map[string]string{}, Body: m.Value, ReceivedAt: page.ReceivedAt}
	for header := range page.Header {
		evidence.Header[header] = page.Header.Get(header)
	}
	return &watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: name, Account: account, PaymentID: o.MerchantReference},
		Kind:       watch.KindNotification, Evidence: evidence, Cause: schemas.CauseNotification,
	}, nil
}

// pageOf is the notification as the provider sent it.
func pageOf(m Message) providers.Page {
	page := providers.Page{HTTPStatus: http.StatusOK, Header: http.Header{}, Body: m.Value, ReceivedAt: m.Time}
	for _, header := range m.Headers {
		if name, ok := strings.CutPrefix(header.Key, headerHTTPPrefix); ok {
			page.Header.Add(name, string(header.Value))
		}
	}
	if path := m.header(HeaderPath); path != "" {
		page.Header.Set(PathHeader, path)
	}
	if at, err := time.Parse(time.RFC3339, m.header(HeaderReceivedAt)); err == nil {
		page.ReceivedAt = at
	}
	return page
}
