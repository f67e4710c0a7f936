package worldpay

import (
	"net/http"
	"regexp"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Read says what an answer means for a payment.
func (p *Provider) Read(a providers.Answer, payment providers.Payment) providers.Outcome {
	account, _ := p.account(payment.Account)
	r := reader{payment: payment, settledEvents: account.SettledEvents, acceptOtherAmount: p.settings.AcceptOtherAmount, ids: p.paymentID}
	switch a.From {
	case schemas.SourceNotification:
		return r.notification(a)
	case schemas.SourceInitiation:
		return r.reply(a)
	default: // a query, or one that is read again
		o, _ := r.query(a)
		o.PayableAgain = o.Kind == providers.NotFound && r.onlyReference()
		return o
	}
}

// further says which question, if any, could tell more than those asked so far.
type further uint8

const (
	enough   further = iota
	next             // the payment is not known to this question
	recovery         // the provider itself does not know; the recovery query may
)

// query reads the pages of a check: the answers to one or more questions, each asked because the one before found nothing.
func (r reader) query(a providers.Answer) (providers.Outcome, further) {
	kept := providers.Failure(providers.Unreadable, providers.CodeEmpty, "there is no answer")
	more := next
	for start := 0; start < len(a.Pages) && more != enough; {
		end := start + 1
		for a.Pages[start].Request == requestList && end < len(a.Pages) && a.Pages[end].Request == requestList {
			end++
		}
		o, wants := r.question(a.Pages, start, end, a.Fault != nil && end == len(a.Pages))
		if more == recovery && o.Kind != providers.Observed {
			return kept, enough // the recovery told nothing better
		}
		kept, more = o, wants
		start = end
	}
	if a.Fault == nil || kept.Kind == providers.Observed {
		return kept, more
	}
	fault := *a.Fault
	fault.Page = -1 // no page tells of it
	return fault, enough
}

// question reads the pages from start up to end: several where they are one list, else one.
func (r reader) question(pages []providers.Page, start, end int, cutShort bool) (providers.Outcome, further) {
	page := pages[start]
	if page.Request == requestList {
		return r.list(pages, start, end, cutShort)
	}
	v, failed := readPage(page)
	if failed != nil {
		failed.Page = start
		if failed.Kind == providers.NotFound {
			return *failed, next
		}
		return *failed, enough
	}
	if v.Get("_embedded", "payments").Kind() == exactjson.Array {
		return r.list(pages, start, end, cutShort)
	}
	from := byLink
	switch page.Request {
	case requestPayment:
		from = byQuery
	case "":
		from = byFile
	}
	o, m := r.object(v, from)
	o.Page, o.MerchantReference = start, r.ids.Find(v, v.Get("transactionReference").Str())
	if m.timeout && o.Kind == providers.Observed {
		return o, recovery
	}
	return o, enough
}

// readPage reads a page up to its JSON, or says why there is none.
func readPage(page providers.Page) (exactjson.Value, *providers.Outcome) {
	o, readable := providers.ReadHTTP(page)
	if !readable {
		if page.HTTPStatus >= 400 && page.HTTPStatus < 500 {
			o = refine(o, page)
		}
		return exactjson.Value{}, &o
	}
	v, failed := providers.ParseBody(page.Body)
	if failed != nil && failed.Code == providers.CodeEmpty && (page.Request == requestPayment || page.Request == requestList) {
		o := providers.Failure(providers.NotFound, providers.CodeNotFound, "Payment Queries answered with nothing")
		return exactjson.Value{}, &o
	}
	return v, failed
}

var errorName = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

// refine adds the name of the error that Worldpay gives with HTTP errors. An entity that is not configured is our mistake
// whatever status it comes with.
func refine(o providers.Outcome, page providers.Page) providers.Outcome {
	v, failed := providers.ParseBody(page.Body)
	if failed != nil {
		return o
	}
	given := v.Get("errorName").Str()
	if given == "entityIsNotConfigured" && o.Kind != providers.Refused {
		o = providers.Failure(providers.Refused, providers.CodeBadRequest, "the provider refused the request")
	}
	if errorName.MatchString(given) {
		o.Message += ": " + given
	}
	return o
}

// reply reads the synchronous answer to the call that made the payment. One that refuses the call says nothing of the
// payment: an earlier call with the same reference may have succeeded.
func (r reader) reply(a providers.Answer) providers.Outcome {
	last := len(a.Pages) - 1
	if last < 0 {
		return providers.Failure(providers.Unreadable, providers.CodeEmpty, "there is no answer")
	}
	page := a.Pages[last]
	v, failed := readPage(page)
	if failed != nil {
		if page.HTTPStatus == http.StatusNotFound || page.HTTPStatus == http.StatusGone {
			*failed = refine(providers.Failure(providers.Refused, providers.CodeBadRequest, "the provider refused the request"), page)
		}
		failed.Page = last
		return *failed
	}
	o, _ := r.object(v, byReply)
	o.Page = last
	return o
}
