package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Notification turns what a provider pushed into a check now, with the notification as evidence. The payment is the one
// that the merchant's own reference inside names; where it holds but the provider's id of the payment, the provider is asked,
// and again later while it cannot answer.
type Notification struct {
	Providers map[string]providers.Provider

	// TrustProducer takes every notification for verified, because nobody but a receiver that verifies can write them.
	TrustProducer bool

	// IgnoreUnknownPayments drops notifications that name no payment, instead of making them dead letters.
	IgnoreUnknownPayments bool

	// Timeout bounds the question whose payment a notification is about.
	Timeout time.Duration

	Log   *slog.Logger
	Count func(event string) // counts outcomes and the reasons of dead letters; may be nil
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
	HeaderHTTPPrefix = "http_"

	// PathHeader is the HTTP header under which a provider's Verify finds the path that was called.
	PathHeader = "Paystatus-Path"
)

// Handle is the Handler.
func (h *Notification) Handle(ctx context.Context, m Message) (Result, error) {
	check, refusal, err := h.read(ctx, m)
	var later *laterError
	switch {
	case errors.As(err, &later):
		h.count("postponed")
		return Result{Out: []Out{again(m, NameNotification, later.after)}}, nil
	case err != nil:
		return Result{}, err
	case refusal != nil:
		h.count(string(refusal.Code))
		return Result{Out: []Out{deadLetter(m, NameNotification, refusal.Code, refusal.Detail, time.Now(), nil)}}, nil
	case check == nil:
		return Result{}, nil
	}
	value, err := check.Encode()
	if err != nil {
		return Result{}, err
	}
	return Result{Out: []Out{{To: ToChecks, Key: []byte(check.PaymentID), Value: value}}}, nil
}

func (h *Notification) count(event string) {
	if h.Count != nil {
		h.Count(event)
	}
}

// read makes the check that a notification asks for; nil without a refusal when it asks for none. The error says that it
// must be read again.
func (h *Notification) read(ctx context.Context, m Message) (*watch.Check, *Refusal, error) {
	name, account := m.header(HeaderProvider), m.header(HeaderAccount)
	if account == "" {
		account = schemas.DefaultAccount
	}
	provider := h.Providers[name]
	refuse := func(code watch.Code, detail string) (*watch.Check, *Refusal, error) {
		return nil, &Refusal{code, detail}, nil
	}
	switch {
	case len(m.Value) == 0:
		return refuse(CodeEmpty, "there is no notification in the record")
	case provider == nil:
		return refuse(CodeUnknownProvider, fmt.Sprintf("the header %s names no configured provider: %q", HeaderProvider, clip(name)))
	case !slices.Contains(provider.Accounts(), account):
		return refuse(CodeUnknownAccount, fmt.Sprintf("%s has no account %q configured", name, clip(account)))
	}
	page := pageOf(m)
	answer := providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{page}}
	if !h.TrustProducer {
		if err := provider.Verify(answer, account, true); err != nil {
			return refuse(CodeBadSignature, err.Error())
		}
	}
	o := provider.Read(answer, providers.Payment{Account: account})
	unknown := o.Kind == providers.NoStatus && o.Code == providers.CodeUnknownType
	switch {
	case o.Kind == providers.Unreadable:
		return refuse(CodeUnreadableBody, o.Message)
	case o.Kind != providers.Observed && !unknown:
		h.count("ignored")
		return nil, nil, nil
	case unknown:
		h.Log.Warn("a notification of an unknown type", "provider", name, "account", account, "payment_id", o.MerchantReference)
		h.count(providers.CodeUnknownType)
		if o.MerchantReference == "" && len(o.About) == 0 {
			return nil, nil, nil
		}
	}
	payment, err := h.payment(ctx, provider, account, o, page.ReceivedAt)
	switch {
	case err != nil:
		return nil, nil, err
	case payment == "" && h.IgnoreUnknownPayments:
		h.count("ignored")
		return nil, nil, nil
	case payment == "":
		return refuse(CodeNoReference, "the notification does not state the merchant's reference, and the provider could not tell it by the payment's id")
	case !unknown:
		h.count("accepted")
	}
	body, masked := providers.MaskCardNumbers(m.Value, o.Identifiers(providers.Payment{ID: payment}))
	evidence := &watch.Evidence{From: schemas.SourceNotification, Body: body, Masked: masked, ReceivedAt: page.ReceivedAt}
	if mediaType := page.Header.Get("Content-Type"); mediaType != "" { // the others are for verification, and may be secret
		evidence.Header = map[string]string{"Content-Type": mediaType}
	}
	return &watch.Check{
		PaymentKey: schemas.PaymentKey{Provider: name, Account: account, PaymentID: payment},
		Kind:       watch.KindNotification, Evidence: evidence, Cause: schemas.CauseNotification,
	}, nil, nil
}

// How long after its receipt a provider is asked whose payment a notification is about, and how long one that it does not know
// counts as not known yet.
const (
	askPatience   = 24 * time.Hour
	knownPatience = 15 * time.Minute
	askAgainFirst = time.Second
	askAgainMax   = 10 * time.Minute
)

// laterError says that nobody can tell yet whose payment a notification is about.
type laterError struct{ after time.Duration }

func (e *laterError) Error() string { return "ask again in " + e.after.String() }

// payment is the payment_id that a notification is about, "" where nobody can tell.
func (h *Notification) payment(
	ctx context.Context, provider providers.Provider, account string, o providers.Outcome, received time.Time,
) (string, error) {
	id := o.MerchantReference
	if id == "" && len(o.About) > 0 {
		bounded, cancel := context.WithTimeout(ctx, h.Timeout)
		defer cancel()
		_, told, err := providers.Check(bounded, provider, providers.Payment{Account: account, Reference: o.About})
		if err != nil && ctx.Err() != nil {
			return "", fmt.Errorf("ask %s whose payment a notification is about: %w", provider.Name(), err)
		}
		if err != nil {
			told = providers.Failure(providers.Unavailable, providers.CodeTimeout, "the provider needed too long")
		}
		if waited := time.Since(received); told.MerchantReference == "" && waited < patience(told.Kind) {
			return "", &laterError{max(told.RetryAfter, min(max(waited, askAgainFirst), askAgainMax))} // twice as long each time
		}
		id = told.MerchantReference
	}
	if len(id) > schemas.MaxPaymentID {
		return "", nil
	}
	return id, nil
}

func patience(with providers.Kind) time.Duration {
	switch with {
	case providers.Unavailable, providers.Unreadable, providers.Refused:
		return askPatience
	case providers.NotFound:
		return knownPatience
	default:
		return 0
	}
}

// pageOf is the notification as the provider sent it.
func pageOf(m Message) providers.Page {
	page := providers.Page{HTTPStatus: http.StatusOK, Header: http.Header{}, Body: m.Value, ReceivedAt: m.Time}
	for _, header := range m.Headers {
		if name, ok := strings.CutPrefix(header.Key, HeaderHTTPPrefix); ok {
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
