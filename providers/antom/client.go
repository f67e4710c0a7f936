package antom

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The paths of the API. In the sandbox the beginning is another.
const (
	apiPrefix     = "/ams/api"
	sandboxPrefix = "/ams/sandbox/api"
	inquiryPath   = "/v1/payments/inquiryPayment"
	payPath       = "/v1/payments/pay"

	sandboxClient = "SANDBOX_" // how client ids of the sandbox begin
)

// requestInquiry is the one kind of request that a check makes, as Page.Request.
const requestInquiry = "inquiryPayment"

// provider is Antom.
type provider struct {
	settings  *Settings
	transport *providers.Transport
	accounts  map[string]account
	maxAge    time.Duration // of notifications
	paymentID providers.Paths
}

// account is an Account with its keys read.
type account struct {
	Account

	private *rsa.PrivateKey
	public  *rsa.PublicKey // nil when not configured
}

func newProvider(s *Settings, o providers.Options) (*provider, error) {
	p := &provider{
		settings: s, transport: providers.NewTransport(s.Settings, o), accounts: map[string]account{},
		maxAge: o.MaxNotificationAge, paymentID: o.PaymentID,
	}
	if p.maxAge == 0 {
		p.maxAge = providers.DefaultMaxNotificationAge
	}
	for _, name := range slices.Sorted(maps.Keys(s.Accounts)) {
		a := account{Account: s.Accounts[name]}
		var err error
		if a.private, err = parsePrivateKey(a.PrivateKey.Reveal()); err != nil {
			return nil, fmt.Errorf("antom: accounts.%s.private_key %w", name, err)
		}
		if a.AntomPublicKey != "" {
			if a.public, err = parsePublicKey(a.AntomPublicKey.Reveal()); err != nil {
				return nil, fmt.Errorf("antom: accounts.%s.antom_public_key %w", name, err)
			}
		}
		if a.KeyVersion == 0 {
			a.KeyVersion = 1
		}
		p.accounts[name] = a
	}
	return p, nil
}

// Name is "antom".
func (p *provider) Name() string { return Name }

// Normalizer is the version of the mapping.
func (p *provider) Normalizer() string { return Name + "/1" }

// Accounts are the names of the configured accounts.
func (p *provider) Accounts() []string { return slices.Sorted(maps.Keys(p.accounts)) }

// Ask makes one inquiryPayment, by the merchant's id where it is known: that one exists before Antom answers.
func (p *provider) Ask(ctx context.Context, payment providers.Payment) (providers.Answer, error) {
	answer := providers.Answer{From: schemas.SourceQuery}
	name, a, ok := p.account(payment.Account)
	if !ok {
		o := providers.Failure(providers.Refused, providers.CodeUnauthorized, fmt.Sprintf("no account %q is configured", name))
		answer.Fault = &o
		return answer, nil
	}
	request, err := p.inquiry(ctx, a, payment.Reference, time.Now())
	if err != nil {
		o := providers.Failure(providers.Refused, providers.CodeBadRequest, err.Error())
		answer.Fault = &o
		return answer, nil
	}
	page, fault, err := p.transport.Do(ctx, name, request)
	if err != nil {
		return providers.Answer{}, fmt.Errorf("antom: inquire payment %s: %w", payment.ID, err)
	}
	answer.Fault = fault
	if fault == nil {
		page.Request = requestInquiry
		answer.Pages = []providers.Page{page}
	}
	return answer, nil
}

// inquiry builds the signed request. The path that is signed is the one that Antom sees: without base_url's own.
func (p *provider) inquiry(ctx context.Context, a account, ref schemas.Reference, now time.Time) (*http.Request, error) {
	ask := struct {
		PaymentRequestID string `json:"paymentRequestId,omitempty"`
		PaymentID        string `json:"paymentId,omitempty"`
	}{PaymentRequestID: ref[paymentRequestID]}
	if ask.PaymentRequestID == "" {
		ask.PaymentID = ref[paymentID]
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	path := a.path(inquiryPath)
	at := strconv.FormatInt(now.UnixMilli(), 10)
	signature, err := sign(a.private, a.KeyVersion, signedText(path, a.ClientID, at, body))
	if err != nil {
		return nil, err
	}
	request, err := providers.NewRequest(ctx, http.MethodPost, p.settings.BaseURL, path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build an inquiry: %w", err)
	}
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	request.Header.Set("Client-Id", a.ClientID)
	request.Header.Set("Request-Time", at)
	request.Header.Set("Signature", signature)
	return request, nil
}

// account finds an account by the name that an event gives, which may be empty.
func (p *provider) account(name string) (string, account, bool) {
	if name == "" {
		name = schemas.DefaultAccount
	}
	a, ok := p.accounts[name]
	return name, a, ok
}

// path is where an API of the account is, below the host.
func (a account) path(api string) string {
	if strings.HasPrefix(a.ClientID, sandboxClient) {
		return sandboxPrefix + api
	}
	return apiPrefix + api
}
