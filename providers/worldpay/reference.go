package worldpay

import (
	"errors"
	"regexp"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// The names that a reference may hold.
const (
	refEventsLink           = "events_link"
	refPaymentID            = "payment_id"
	refTransactionReference = "transaction_reference"
	refEntity               = "entity"
)

// The forms of identifiers, from the OpenAPI files of Card Payments, Payment Queries and APM. Ids of alternative methods
// have some 200 characters.
var (
	paymentIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	referencePattern = regexp.MustCompile("^[-A-Za-z0-9_!@#$%()*=.:;?\\[\\]{}~`/+]{1,64}$")
	entityPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 _-]{0,31}$`)
)

const (
	paymentIDForm = "must be 1 to 256 letters, digits, hyphens and underscores"
	referenceForm = "must be 1 to 64 letters, digits and -_!@#$%()*=.:;?[]{}~`/+"
	entityForm    = "must be 1 to 32 letters, digits, blanks, hyphens and underscores"
)

// Identify checks the identifiers of an initiated event and completes them from the reply to the call that made the
// payment. What the event's reference says outranks the reply. The error is a *schemas.FieldError.
func (p *Provider) Identify(e schemas.Initiated) (schemas.Reference, error) {
	ref := schemas.Reference{}
	for _, field := range []struct {
		name    string
		pattern *regexp.Regexp
		form    string
	}{
		{refPaymentID, paymentIDPattern, paymentIDForm},
		{refTransactionReference, referencePattern, referenceForm},
		{refEntity, entityPattern, entityForm},
	} {
		value := e.Reference[field.name]
		if value == "" {
			continue
		}
		if !field.pattern.MatchString(value) {
			return nil, &schemas.FieldError{Field: "reference." + field.name, Problem: field.form}
		}
		ref[field.name] = value
	}
	if text := e.Reference[refEventsLink]; text != "" {
		if _, err := p.api.parse(text); err != nil {
			return nil, &schemas.FieldError{Field: "reference." + refEventsLink, Problem: err.Error()}
		}
		ref[refEventsLink] = text
	}
	if e.InitiationResponse != nil {
		found, err := p.identifyReply([]byte(e.InitiationResponse.Body), ref[refEventsLink] == "")
		if err != nil {
			return nil, err
		}
		ref, _ = ref.Merge(found)
	}
	if id := queriedID(ref[refEventsLink]); id != "" && ref[refPaymentID] == "" {
		ref[refPaymentID] = id
	}
	if ref[refEventsLink] == "" && ref[refPaymentID] == "" && ref[refTransactionReference] == "" {
		return nil, &schemas.FieldError{
			Field:   "reference",
			Problem: "names nothing that Worldpay can be asked by: give events_link, payment_id or transaction_reference, or the initiation_response with them",
		}
	}
	return ref, nil
}

// identifyReply takes identifiers from the reply to a create call. A reply that cannot be read has none.
func (p *Provider) identifyReply(body []byte, wantLink bool) (schemas.Reference, error) {
	found := schemas.Reference{}
	reply, unreadable := providers.ParseBody(body)
	if unreadable != nil {
		return found, nil
	}
	if id := reply.Get("paymentId").Str(); paymentIDPattern.MatchString(id) {
		found[refPaymentID] = id
	}
	if reference := reply.Get("transactionReference").Str(); referencePattern.MatchString(reference) {
		found[refTransactionReference] = reference
	}
	if !wantLink {
		return found, nil
	}
	for _, rel := range []string{"cardPayments:events", "payments:events", "self"} {
		text := href(reply.Get("_links", rel))
		if text == "" {
			continue
		}
		_, err := p.api.parse(text)
		switch {
		case err == nil:
			found[refEventsLink] = text
			return found, nil
		case rel == "self" && errors.Is(err, errOtherPath): // not a query
		default:
			return nil, &schemas.FieldError{Field: "initiation_response.body", Problem: "the link " + rel + " in it " + err.Error()}
		}
	}
	return found, nil
}

// queriedID is the payment id that a link into Payment Queries asks for, whose answer must name it.
func queriedID(link string) string {
	_, id, found := strings.Cut(link, paymentsPath+"/")
	if !found || !paymentIDPattern.MatchString(id) {
		return ""
	}
	return id
}

// href is the target of a link, which is an object with it or the text itself.
func href(l exactjson.Value) string {
	if l.Kind() == exactjson.Object {
		return l.Get("href").Str()
	}
	return l.Str()
}
