package liquido

import (
	"net/http"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// readNotification reads a callback: an eventType, and in data.chargeDetails the fields of a charge, or of a refund where the
// eventType is a refund's.
func (p *Provider) readNotification(page providers.Page, payment providers.Payment) providers.Outcome {
	page.HTTPStatus = http.StatusOK // a callback has none; the page may still be cut or too large
	if outcome, readable := providers.ReadHTTP(page); !readable {
		return outcome
	}
	body, repaired, fault := parse(page.Body)
	if fault != nil {
		return *fault
	}
	eventType, data := body.Get("eventType"), body.Get("data")
	details := data.Get("chargeDetails")
	event := upper(eventType)
	_, known := opposites[event]
	switch {
	case !eventType.Present() && !data.Present():
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the notification has no name that a callback has")
	case !known:
		return p.addressed(providers.Failure(providers.NoStatus, providers.CodeUnknownType, "the type of the notification is not known"), details)
	case data.Get("linkId").Present():
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "the notification is about a payment link")
	case details.Kind() != exactjson.Object:
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the notification holds no charge")
	}
	c, fault := p.readCharge(details, payment, event)
	if fault != nil {
		return p.addressed(*fault, details)
	}
	outcome := c.readCallback(repaired, eventType)
	outcome.MerchantReference = p.paymentID.Find(details, c.id())
	if id := c.id(); id != "" {
		outcome.About = schemas.Reference{referenceKey: id}
	}
	return outcome
}

func (c *charge) readCallback(repaired bool, eventType exactjson.Value) providers.Outcome {
	if other := c.mismatch(); other != nil {
		return *other
	}
	if len(c.stated()) == 0 && !c.payment.Known() {
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "the notification names no charge")
	}
	outcome := c.observe(repaired, eventType)
	obs := outcome.Observation
	switch obs.Status { //nolint:exhaustive // all others speak for themselves
	case schemas.PartiallyCaptured, schemas.PartiallyRefunded:
		obs.Partial = true
	case schemas.Refunded:
		// Whether all has been returned shows only beside the payment's amount.
		_, compared := c.refundAgainst()
		obs.Partial = c.ofRefund() && !compared
	case schemas.ChargedBack:
		// A charge has one chargeback at most and Liquido gives it no id: the charge's key is what is stable.
		obs.Dispute = &schemas.Dispute{ID: c.id(), Outcome: schemas.DisputeLost}
		if obs.Dispute.ID == "" {
			obs.Dispute.ID = c.payment.Reference[referenceKey]
		}
	}
	return outcome
}

// addressed adds whom a notification is about that is not read further: in a refund's fields the reference names the charge,
// in a charge's it equals the key.
func (p *Provider) addressed(o providers.Outcome, details exactjson.Value) providers.Outcome {
	named := ""
	for _, name := range []string{"idempotencyKey", "referenceId"} {
		if id, _ := identifier(details.Get(name)); id != "" {
			named = id
			o.About = schemas.Reference{referenceKey: id}
		}
	}
	o.MerchantReference = p.paymentID.Find(details, named)
	return o
}
