package liquido

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// Ask queries the charge by its idempotency key. An access token that is not accepted is forgotten, and the question is
// asked once more with a fresh one.
func (p *Provider) Ask(ctx context.Context, payment providers.Payment) (providers.Answer, error) {
	answer := providers.Answer{From: schemas.SourceQuery}
	page, fault, err := p.charge(ctx, payment)
	switch {
	case err != nil:
		return providers.Answer{}, fmt.Errorf("liquido: get a charge: %w", err)
	case fault != nil:
		answer.Fault = fault
	default:
		answer.Pages = []providers.Page{page}
	}
	return answer, nil
}

func (p *Provider) charge(ctx context.Context, payment providers.Payment) (providers.Page, *providers.Outcome, error) {
	account, called, ok := p.account(payment.Account)
	if !ok {
		o := providers.Failure(providers.Refused, providers.CodeUnauthorized, fmt.Sprintf("the account %q is not configured", called))
		return providers.Page{}, &o, nil
	}
	for renewed := false; ; renewed = true {
		token, fault, err := account.tokens.Token(ctx)
		if fault != nil || err != nil {
			return providers.Page{}, fault, err
		}
		page, fault, err := p.get(ctx, called, account, token, payment.Reference[referenceKey])
		if fault != nil || err != nil || page.HTTPStatus != http.StatusUnauthorized || renewed {
			return page, fault, err
		}
		account.tokens.Forget(token)
	}
}

// pageCharge names the one request that Liquido is asked.
const pageCharge = "charge"

func (p *Provider) get(ctx context.Context, called string, account *credentials, token, key string) (providers.Page, *providers.Outcome, error) {
	request, err := providers.NewRequest(ctx, http.MethodGet, p.settings.BaseURL, "/v1/payments/charges/"+url.PathEscape(key), nil)
	if err != nil {
		o := providers.Failure(providers.Refused, providers.CodeBadRequest, "no request can be made from base_url and the reference")
		return providers.Page{}, &o, nil //nolint:nilerr // an outcome of the check
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("X-Api-Key", account.APIKey.Reveal())
	request.Header.Set("Content-Type", "application/json")
	page, fault, err := p.transport.Do(ctx, called, request)
	page.Request = pageCharge
	return page, fault, err
}
