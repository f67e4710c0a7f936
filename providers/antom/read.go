package antom

import (
	"fmt"
	"net/http"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Read says what an answer means for a payment.
func (p *provider) Read(a providers.Answer, payment providers.Payment) providers.Outcome {
	if len(a.Pages) == 0 {
		if a.Fault != nil {
			return *a.Fault
		}
		return providers.Failure(providers.Unreadable, providers.CodeEmpty, "there is no answer")
	}
	page := a.Last()
	if a.From == schemas.SourceNotification {
		page.HTTPStatus = http.StatusOK // the status of a notification is ours to give
	}
	body, fault := open(page)
	if fault != nil {
		return *fault
	}
	var o providers.Outcome
	switch a.From {
	case schemas.SourceNotification:
		o = p.readNotification(body, payment)
	case schemas.SourceInitiation:
		o = p.readReply(body, payment)
	default:
		o = p.readInquiry(body, payment)
		o.MerchantReference = p.paymentID.Find(body, idText(body.Get("paymentRequestId")))
	}
	if o.Kind == providers.Unavailable {
		o.RetryAfter = providers.RetryAfter(page.Header, page.ReceivedAt)
	}
	o.Page = len(a.Pages) - 1
	return o
}

// open judges the HTTP status and reads the body. The gateway answers 200 whatever it thinks of a payment, so 404 speaks of
// our URL.
func open(page providers.Page) (exactjson.Value, *providers.Outcome) {
	if page.HTTPStatus == http.StatusNotFound || page.HTTPStatus == http.StatusGone {
		o := providers.Failure(providers.Refused, providers.CodeBadRequest,
			fmt.Sprintf("HTTP %d: there is no such API at base_url; Antom answers 200 also about a payment that it does not know", page.HTTPStatus))
		return exactjson.Value{}, &o
	}
	if o, readable := providers.ReadHTTP(page); !readable {
		return exactjson.Value{}, &o
	}
	return providers.ParseBody(page.Body)
}

// readInquiry reads an answer to inquiryPayment: whether the query worked, then what became of the payment.
func (p *provider) readInquiry(body exactjson.Value, payment providers.Payment) providers.Outcome {
	code := word(body.Get("result", "resultCode"))
	status := word(body.Get("result", "resultStatus"))
	switch status {
	case "F":
		return refusedInquiry(code)
	case "U":
		return unavailable(code, "Antom does not know the result of the query")
	}
	stated, other := compareIDs(body, payment)
	switch {
	case other != nil:
		return *other
	case payment.Known() && stated == 0:
		return unexpected("the answer does not say which payment it is about")
	case !payment.Known() && len(statedIDs(body)) == 0 && (status != "S" || !body.Get("paymentStatus").Present()):
		return unexpected("the answer says nothing about a payment")
	}
	f := newFacts(body, payment, body.Get("paymentResultCode"), body.Get("paymentResultMessage"))
	value := word(body.Get("paymentStatus"))
	if status != "S" { // a word for the query that nobody knows: then paymentStatus is not to be trusted
		value = ""
	}
	return p.observe(f, inquiries, value, value == "SUCCESS", words{
		"result_status": body.Get("result", "resultStatus"), "result_code": body.Get("result", "resultCode"),
		"payment_status": body.Get("paymentStatus"), "payment_result_code": body.Get("paymentResultCode"),
	})
}

// readReply reads the answer to pay, which is about the payment that it was asked to make.
func (p *provider) readReply(body exactjson.Value, payment providers.Payment) providers.Outcome {
	result := body.Get("result")
	code, status := word(result.Get("resultCode")), word(result.Get("resultStatus"))
	if status == "F" {
		for _, codes := range []map[string]string{requestCodes, repeatCodes} {
			if outcome, refused := codes[code]; refused {
				return providers.Failure(providers.Refused, outcome, "Antom refused the call that makes the payment: "+code)
			}
		}
	}
	if status == "U" && code != "PAYMENT_IN_PROCESS" {
		return unavailable(code, "Antom does not know what became of the call that makes the payment")
	}
	if _, other := compareIDs(body, payment); other != nil {
		return *other
	}
	if !result.Present() && len(statedIDs(body)) == 0 {
		return unexpected("the answer says nothing about a payment")
	}
	f := newFacts(body, payment, result.Get("resultCode"), result.Get("resultMessage"))
	return p.observe(f, replies, status, status == "S", words{"result_status": result.Get("resultStatus"), "result_code": result.Get("resultCode")})
}

// refusedInquiry is what a query that did not work says: nothing about the payment, except that there is none.
func refusedInquiry(code string) providers.Outcome {
	if _, missing := missingCodes[code]; missing {
		return providers.Failure(providers.NotFound, providers.CodeNotFound, "Antom does not know the payment: "+code)
	}
	if outcome, refused := requestCodes[code]; refused {
		return providers.Failure(providers.Refused, outcome, "Antom refused the query: "+code)
	}
	return unavailable(code, "the query failed at Antom")
}

// unavailable is what Antom could not tell.
func unavailable(code, message string) providers.Outcome {
	outcome := "query_failed"
	switch {
	case code == codeThrottled:
		outcome = providers.CodeRateLimited
	case len(code) > 64 || !isCode(code):
		code = "no readable code"
	}
	return providers.Failure(providers.Unavailable, outcome, message+": "+code)
}

// isCode keeps what is no code out of messages.
func isCode(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != '_' && !allIn(text[i:i+1], 'A', 'Z') && !allIn(text[i:i+1], '0', '9') {
			return false
		}
	}
	return text != ""
}

func unexpected(message string) providers.Outcome {
	return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, message)
}

// compareIDs holds the payment's identifiers in a body against those that initiated events gave. Stated counts those that
// are the same; other is the outcome when one is not.
func compareIDs(body exactjson.Value, payment providers.Payment) (stated int, other *providers.Outcome) {
	if !payment.Known() {
		return 0, nil
	}
	for _, id := range idNames {
		value, known := idText(body.Get(id.body)), payment.Reference[id.reference]
		switch {
		case value == "" || known == "":
		case value != known:
			o := providers.Failure(providers.Mismatch, providers.CodeOtherPayment, "the answer's "+id.body+" is not that of the payment")
			return 0, &o
		default:
			stated++
		}
	}
	return stated, nil
}

// words are the provider's words that an event keeps.
type words map[string]exactjson.Value

func (w words) asSent() map[string]any {
	sent := make(map[string]any, len(w))
	for name, v := range w {
		if v.Present() {
			sent[name] = v.Text()
		}
	}
	return sent
}
