package checkout

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// The ids that a payment can be asked for by; 3ds_…, hpp_…, ps_… and others cannot. Source: the pattern of the path
// parameter of GET /payments/{id}.
var (
	paymentID = regexp.MustCompile(`^pay_\w{26}$`)
	sessionID = regexp.MustCompile(`^sid_\w{26}$`)
)

// Identify takes payment_id, session_id and reference from the event's reference, from the reply to the create call and
// from the URL that the customer came back on. Two of them that name different payments are an error.
func (c *provider) Identify(e schemas.Initiated) (schemas.Reference, error) {
	f := &finding{reference: schemas.Reference{}}
	for _, name := range []string{refPayment, refSession, refReference} {
		f.take(name, e.Reference[name], "reference."+name)
	}
	if e.InitiationResponse != nil {
		f.takeReply(*e.InitiationResponse)
	}
	if e.ReturnURL != "" {
		f.takeURL(e.ReturnURL)
	}
	if f.err == nil && len(f.reference) == 0 {
		f.fail("reference", "names no payment; give payment_id (pay_…), session_id (sid_…) or reference, or a return_url or initiation_response that holds one")
	}
	if f.err != nil {
		return nil, f.err
	}
	return f.reference, nil
}

// finding collects identifiers and keeps the first complaint.
type finding struct {
	reference schemas.Reference
	err       error
}

func (f *finding) fail(field, problem string) {
	if f.err == nil {
		f.err = &schemas.FieldError{Field: field, Problem: problem}
	}
}

// take adds what was found in a field of the event.
func (f *finding) take(name, value, field string) {
	switch {
	case strings.TrimSpace(value) == "":
		return
	case name == refPayment && !paymentID.MatchString(value):
		f.fail(field, "must hold a payment id, pay_ and 26 letters or digits; a session id (sid_…) is a session_id, and other ids cannot be asked by")
	case name == refSession && !sessionID.MatchString(value):
		f.fail(field, "must hold a session id, sid_ and 26 letters or digits; a payment id (pay_…) is a payment_id, and other ids cannot be asked by")
	case f.reference[name] != "" && f.reference[name] != value:
		f.fail(field, "names another "+name+" than the event does elsewhere")
	default:
		f.reference[name] = value
	}
}

// takeReply looks into the reply to the create call. One that made no payment, or something else (a hosted page), has
// no payment id.
func (f *finding) takeReply(r schemas.InitiationResponse) {
	root, unreadable := providers.ParseBody([]byte(r.Body))
	if unreadable != nil {
		return
	}
	id := root.Get("id").Str()
	if paymentID.MatchString(id) {
		f.take(refPayment, id, "initiation_response")
	} else if r.HTTPStatus < 200 || r.HTTPStatus > 299 {
		return
	}
	f.take(refReference, root.Get("reference").Str(), "initiation_response")
}

// takeURL looks for the parameters that the provider adds to the merchant's URL. They came through the customer's
// browser: what is found by them is believed only if its amount is right.
func (f *finding) takeURL(text string) {
	u, err := url.Parse(text)
	if err != nil {
		f.fail("return_url", "must be a URL")
		return
	}
	query := u.Query()
	for _, id := range query["cko-payment-id"] {
		f.take(refPayment, id, "return_url")
	}
	for _, id := range query["cko-session-id"] {
		f.take(refSession, id, "return_url")
	}
}
