package liquido

import (
	"fmt"
	"net/http"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Read says what an answer means for a payment.
func (p *Provider) Read(a providers.Answer, payment providers.Payment) providers.Outcome {
	switch {
	case a.Fault != nil:
		return *a.Fault
	case len(a.Pages) == 0:
		return providers.Failure(providers.Unreadable, providers.CodeEmpty, "there is no answer")
	}
	page := a.Last()
	var outcome providers.Outcome
	if a.From == schemas.SourceNotification {
		outcome = p.readNotification(page, payment)
	} else {
		outcome = p.readAnswer(page, payment, a.From)
	}
	outcome.Page = len(a.Pages) - 1
	return outcome
}

// readAnswer reads the answer to a query, or the reply to the call that made the charge.
func (p *Provider) readAnswer(page providers.Page, payment providers.Payment, from schemas.Source) providers.Outcome {
	outcome, readable := providers.ReadHTTP(page)
	if !readable && !clientError(page) {
		return outcome
	}
	body, repaired, fault := parse(page.Body)
	switch {
	case !readable && (fault != nil || !isAbout(body, payment)):
		return unmade(outcome, from)
	case fault != nil:
		return *fault
	}
	c, fault := p.readCharge(body, payment, "")
	switch {
	case fault != nil:
		return *fault
	case !body.Get("transferStatus").Present() && len(c.stated()) == 0:
		return foreign()
	case payment.Known() && len(c.stated()) == 0 && from != schemas.SourceInitiation:
		return foreign()
	}
	if other := c.mismatch(); other != nil {
		return *other
	}
	return c.observe(repaired, exactjson.Value{})
}

// clientError reports whether a page is an HTTP error whose body may nevertheless be a charge: Liquido answers some refusals
// of a payment so.
func clientError(page providers.Page) bool {
	return page.HTTPStatus >= http.StatusBadRequest && page.HTTPStatus < http.StatusInternalServerError && !page.TooLarge && !page.Cut
}

// isAbout reports whether the body of an HTTP error is a charge, and ours where we know which that is.
func isAbout(body exactjson.Value, payment providers.Payment) bool {
	key, _ := identifier(body.Get("idempotencyKey"))
	return key != "" && body.Get("transferStatus").Present() && (!payment.Known() || key == payment.Reference[referenceKey])
}

// unmade reads an HTTP error to the call that made the charge as its refusal, whatever it says: an earlier call may have
// succeeded.
func unmade(o providers.Outcome, from schemas.Source) providers.Outcome {
	if from == schemas.SourceInitiation && o.Kind == providers.NotFound {
		return providers.Failure(providers.Refused, providers.CodeBadRequest, o.Message)
	}
	return o
}

func foreign() providers.Outcome {
	return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer names no charge")
}

// observe makes the observation of a charge that is the payment's.
func (c *charge) observe(repaired bool, eventType exactjson.Value) providers.Outcome {
	r := c.decide()
	obs := &providers.Observation{
		Status: r.Status, Final: r.Status.Final(), ProviderPaymentID: c.id(), ProviderStatus: c.providerStatus(eventType),
		Reason: c.reason(r.Status), Card: c.card(),
	}
	c.fillAmounts(obs)
	if r.Status != schemas.Unknown && c.isFinalWord() {
		obs.OccurredAt = parseTime(c.body.Get("finalStatusTime").Str())
	}
	for _, odd := range []struct {
		anomaly schemas.Anomaly
		holds   bool
	}{
		{schemas.UnmappedStatus, r.Status == schemas.Unknown && !r.contradictory},
		{schemas.ContradictoryAnswer, r.contradictory || r.Status != schemas.Unknown && c.isOdd()},
		{schemas.AmountDiffers, c.otherAmount()},
		{schemas.UnreadableAmount, c.hasUnreadableSum()},
		{schemas.RepairedJSON, repaired},
	} {
		if odd.holds {
			obs.Anomalies = append(obs.Anomalies, odd.anomaly)
		}
	}
	return providers.Outcome{Kind: providers.Observed, Observation: obs}
}

// isFinalWord reports whether finalStatusTime is the time of the status: Liquido fills it in some open answers, too.
func (c *charge) isFinalWord() bool {
	switch c.word {
	case settled, failed, rejected, cancelled, expired, refunded, chargedBack:
		return true
	}
	return false
}

// fillAmounts takes over the sums that the answer states.
func (c *charge) fillAmounts(obs *providers.Observation) {
	amount := c.amount.money(c.currency)
	if c.ofRefund() {
		if order, ok := c.refundAgainst(); ok && order == 0 && obs.Status == schemas.Refunded {
			obs.Amounts.Refunded = amount
		}
		amount = nil
	}
	obs.Amounts.Requested = amount
	if amount == nil && c.payment.Known() {
		obs.Amounts.Requested = sum{c.payment.Amount.Value, stated}.money(c.payment.Amount.Currency)
	}
	switch obs.Status { //nolint:exhaustive // no other status is stated with a sum
	case schemas.Authorized:
		obs.Amounts.Authorized = amount
	case schemas.PartiallyCaptured:
		if c.event == "" { // a callback of a part only asks
			obs.Amounts.Captured = c.final.money(c.currency)
		}
	case schemas.Captured:
		if c.final.state != unreadable || c.payment.Capture != schemas.CaptureManual {
			obs.Amounts.Captured = amount
		}
	}
}

// hasUnreadableSum reports whether the answer states a sum, other than the payment's own, that is left out.
func (c *charge) hasUnreadableSum() bool {
	_, counted := exponent(c.currency)
	return c.final.state == unreadable || c.ofRefund() && c.amount.state == unreadable || c.amount.state == stated && c.currency != "" && !counted
}

// card describes the card that the payment was made with.
func (c *charge) card() *schemas.Card {
	details := c.body.Get("transferDetails", "card")
	if details.Kind() != exactjson.Object || !c.isCard() {
		return nil
	}
	info := details.Get("cardInfo")
	card := schemas.Card{
		Brand: info.Get("brand").Str(), BIN: info.Get("bin").Text(), Last4: info.Get("last4").Text(), Expiry: expiry(info),
		Token: details.Get("cardToken", "token").Str(),
	}
	if card.Token == "" {
		card.Token = details.Get("cardId").Str()
	}
	if card == (schemas.Card{}) {
		return nil
	}
	return &card
}

// expiry writes month and year as YYYY-MM; "" where they are not a month and a year of four digits.
func expiry(info exactjson.Value) string {
	month, monthOK := info.Get("expirationMonth").Int64()
	year, yearOK := info.Get("expirationYear").Int64()
	if !monthOK || !yearOK || month < 1 || month > 12 || year < 1000 || year > 9999 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", year, month)
}
