package worldpay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The paths of queries, and the names that pages carry for the question they answer.
const (
	eventsPath   = "/payments/events"
	paymentsPath = "/paymentQueries/payments"

	requestLink     = "link"
	requestPayment  = "payment"
	requestList     = "list"
	requestRecovery = "recovery"
)

// maxPages bounds how far a list is followed. A reference has one payment, seldom a few.
const maxPages = 10

// question is one way to ask about a payment.
type question struct {
	request string
	link    link
}

// questions are the ways to ask about a payment, the surest first. The problem is one with its link.
func (p *Provider) questions(ref schemas.Reference, a Account) (all []question, problem string) {
	if text := ref[refEventsLink]; text != "" {
		l, err := p.api.parse(text)
		if err != nil {
			return nil, err.Error()
		}
		request := requestLink
		if path, _, _ := strings.Cut(l.target, "?"); l.family == paymentQueries {
			request = requestPayment
			if strings.HasSuffix(path, paymentsPath) {
				request = requestList
			}
		}
		all = append(all, question{request, l})
	}
	ask := func(request string, f family, target string) {
		all = append(all, question{request, link{family: f, target: p.api.path + target}})
	}
	if id := ref[refPaymentID]; id != "" {
		ask(requestPayment, paymentQueries, paymentsPath+"/"+url.PathEscape(id))
	}
	if reference := ref[refTransactionReference]; reference != "" {
		entity := ref[refEntity]
		if entity == "" {
			entity = a.Entity
		}
		ask(requestList, paymentQueries, paymentsPath+"?transactionReference="+url.QueryEscape(reference))
		ask(requestRecovery, cardPayments, eventsPath+"?transactionRef="+url.QueryEscape(reference)+"&entity="+url.QueryEscape(entity))
	}
	return all, ""
}

// Ask asks by the payment's own link, by its id, by its reference and last by the recovery query, each only where the one
// before did not know the payment. Links are held against the configured host once more before anything is sent.
func (p *Provider) Ask(ctx context.Context, payment providers.Payment) (providers.Answer, error) {
	answer := providers.Answer{From: schemas.SourceQuery}
	account, ok := p.account(payment.Account)
	if !ok {
		return refuse(answer, "no such account is configured"), nil
	}
	questions, problem := p.questions(payment.Reference, account)
	if problem != "" {
		return refuse(answer, "the payment's link "+problem), nil
	}
	r := reader{payment: payment, settledEvents: account.SettledEvents, acceptOtherAmount: p.settings.AcceptOtherAmount}
	more := next
	for _, q := range questions {
		if more == recovery && q.request != requestRecovery {
			continue
		}
		if err := p.put(ctx, &answer, payment.Account, account, q); err != nil {
			return providers.Answer{}, err
		}
		if answer.Fault != nil {
			break
		}
		if _, more = r.query(answer); more == enough {
			break
		}
	}
	return answer, nil
}

func refuse(answer providers.Answer, message string) providers.Answer {
	o := providers.Failure(providers.Refused, providers.CodeBadRequest, message)
	answer.Fault = &o
	return answer
}

// put puts one question and adds its pages to the answer. The error is ctx's, or says that
// the configured base_url makes no request.
func (p *Provider) put(ctx context.Context, answer *providers.Answer, name string, account Account, q question) error {
	asked := []string{}
	for l := &q.link; l != nil && !slices.Contains(asked, l.target) && len(asked) < maxPages; {
		asked = append(asked, l.target)
		request, err := p.request(ctx, *l, account)
		if err != nil {
			return fmt.Errorf("worldpay: %s: %w", q.request, err)
		}
		page, fault, err := p.transport.Do(ctx, name, request)
		if err != nil {
			return err
		}
		if fault != nil {
			answer.Fault = fault
			return nil
		}
		page.Request = q.request
		answer.Pages = append(answer.Pages, page)
		if l = nil; q.request == requestList {
			l = p.nextPage(page)
		}
	}
	return nil
}

// nextPage is the link to the next page of a list, where there is one that may be followed.
func (p *Provider) nextPage(page providers.Page) *link {
	v, failed := readPage(page)
	if failed != nil {
		return nil
	}
	text := href(v.Get("_links", "next"))
	if text == "" {
		return nil
	}
	l, err := p.api.parse(text)
	if err != nil || l.family != paymentQueries {
		return nil // the list counts as incomplete
	}
	return &l
}

// request builds a query. Each family selects its version by headers of its own; Card Payments wants a content type even
// without content.
func (p *Provider) request(ctx context.Context, l link, a Account) (*http.Request, error) {
	request, err := providers.NewRequest(ctx, http.MethodGet, p.api.origin, "", nil)
	if err != nil {
		return nil, err
	}
	p.api.aim(request, l.target)
	request.SetBasicAuth(a.Username.Reveal(), a.Password.Reveal())
	const plainJSON = "application/json"
	switch l.family {
	case cardPayments:
		request.Header.Set("Accept", p.settings.MediaTypes.EventsAccept)
		request.Header.Set("Content-Type", p.settings.MediaTypes.EventsContentType)
	case paymentQueries:
		request.Header.Set("Accept", p.settings.MediaTypes.PaymentQueries)
	case paymentsAPI:
		request.Header.Set("Content-Type", plainJSON)
		request.Header.Set("Wp-Api-Version", p.settings.APIVersions.Payments)
	case apm:
		request.Header.Set("Content-Type", plainJSON)
		request.Header.Set("Wp-Api-Version", p.settings.APIVersions.APM)
	}
	return request, nil
}
