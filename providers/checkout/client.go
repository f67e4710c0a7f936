package checkout

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The requests of a check, as Page.Request names them.
const (
	requestPayment = "payment" // GET /payments/pay_…
	requestSession = "session" // GET /payments/sid_…
	requestList    = "list"    // GET /payments?reference=…
)

const (
	pageRows = 100 // the most that the API gives at once
	maxPages = 50  // a list longer than this is not read to its end
)

// account is one set of credentials, ready for use.
type account struct {
	name          string
	authorization string            // the header's value, of an account with a secret key
	tokens        *providers.Tokens // of an account with a client id
}

func newAccount(name string, a Account, tokenURL string, t *providers.Transport) *account {
	key := a.SecretKey.Reveal()
	switch {
	case key == "":
		return &account{name: name, tokens: providers.NewTokens(t, name, tokenURL, a.ClientID, a.ClientSecret, "gateway")}
	case abcKey.MatchString(key):
		return &account{name: name, authorization: key}
	default:
		return &account{name: name, authorization: "Bearer " + key}
	}
}

// Ask gets the payment by its id, else by its session, else by the merchant's reference: each only when the one before is
// not known or not found.
func (c *provider) Ask(ctx context.Context, p providers.Payment) (providers.Answer, error) {
	answer := providers.Answer{From: schemas.SourceQuery}
	account := c.accounts[accountName(p.Account)]
	if account == nil {
		fault := providers.Failure(providers.Refused, providers.CodeUnauthorized, fmt.Sprintf("no account %q is configured", accountName(p.Account)))
		answer.Fault = &fault
		return answer, nil
	}
	for _, by := range []struct{ request, id string }{{requestPayment, p.Reference[refPayment]}, {requestSession, p.Reference[refSession]}} {
		if by.id == "" {
			continue
		}
		page, fault, err := c.get(ctx, account, by.request, "/payments/"+by.id)
		if err != nil {
			return providers.Answer{}, err
		}
		if fault != nil {
			answer.Fault = fault
			return answer, nil
		}
		answer.Pages = append(answer.Pages, page)
		if o, _ := providers.ReadHTTP(page); o.Kind != providers.NotFound {
			return answer, nil
		}
	}
	if reference := p.Reference[refReference]; reference != "" {
		if err := c.list(ctx, account, reference, &answer); err != nil {
			return providers.Answer{}, err
		}
	}
	return answer, nil
}

// list reads every payment with a reference. The order of the list is not to be relied on, so all pages count.
func (c *provider) list(ctx context.Context, a *account, reference string, answer *providers.Answer) error {
	limit, skip := pageRows, 0
	for range maxPages {
		query := url.Values{"reference": {reference}, "limit": {strconv.Itoa(limit)}, "skip": {strconv.Itoa(skip)}}
		page, fault, err := c.get(ctx, a, requestList, "/payments?"+query.Encode())
		switch {
		case err != nil:
			return err
		case fault != nil:
			answer.Fault = fault
			return nil
		case page.TooLarge && limit > 1:
			limit /= 4 // rows can be long; fewer of them may fit
			continue
		}
		answer.Pages = append(answer.Pages, page)
		rows, total := extent(page)
		skip += rows
		if rows == 0 || total >= 0 && int64(skip) >= total {
			return nil
		}
	}
	return nil
}

// extent counts the rows of a page of the list; total is how many the list has, negative where the page does not say. A page
// that cannot be read has no rows.
func extent(page providers.Page) (rows int, total int64) {
	if _, readable := providers.ReadHTTP(page); !readable {
		return 0, 0
	}
	root, unreadable := providers.ParseBody(page.Body)
	if unreadable != nil {
		return 0, 0
	}
	for range root.Get("data").Items() {
		rows++
	}
	total, told := root.Get("total_count").Int64()
	if !told {
		total = -1
	}
	return rows, total
}

// get makes one request. A token that the provider does not accept is renewed once.
func (c *provider) get(ctx context.Context, a *account, name, path string) (providers.Page, *providers.Outcome, error) {
	for renewed := false; ; renewed = true {
		authorization, token := a.authorization, ""
		if a.tokens != nil {
			var fault *providers.Outcome
			var err error
			if token, fault, err = a.tokens.Token(ctx); err != nil || fault != nil {
				return providers.Page{}, fault, asking(name, err)
			}
			authorization = "Bearer " + token
		}
		request, err := providers.NewRequest(ctx, http.MethodGet, c.settings.BaseURL, path, nil)
		if err != nil {
			fault := providers.Failure(providers.Refused, providers.CodeBadRequest, "base_url does not make a request")
			return providers.Page{}, &fault, nil //nolint:nilerr // the fault tells it
		}
		request.Header.Set("Authorization", authorization)
		page, fault, err := c.transport.Do(ctx, a.name, request)
		page.Request = name
		if err != nil || fault != nil || token == "" || renewed || page.HTTPStatus != http.StatusUnauthorized {
			return page, fault, asking(name, err)
		}
		a.tokens.Forget(token)
	}
}

func asking(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("checkout: ask for the %s: %w", name, err)
}
