package antom

import (
	"slices"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// observe checks what the payment was made for, finds the row of the word and makes the observation. Success tells that the
// word says that the payment was made.
func (p *provider) observe(f *facts, d decisions, value string, success bool, said words) providers.Outcome {
	if fault := p.checkAmount(f); fault != nil {
		return *fault
	}
	r := d.decide(f, value)
	obs := &providers.Observation{
		Status: r.status, Final: r.status.Final(), ProviderPaymentID: f.providerID(),
		ProviderStatus: said.asSent(), Amounts: f.amounts(r.status, success), Anomalies: f.anomalies, Partial: r.partial,
	}
	if r.anomaly != "" && !slices.Contains(obs.Anomalies, r.anomaly) {
		obs.Anomalies = append(obs.Anomalies, r.anomaly)
	}
	if r.at != nil {
		obs.OccurredAt = r.at(f)
	}
	if r.why != nil {
		obs.Reason = r.why(f)
	}
	if r.dispute != "" {
		id, unnamed := disputeID(f.body)
		obs.Dispute, obs.DisputeUnnamed = &schemas.Dispute{ID: id, Outcome: r.dispute}, unnamed
	}
	shown := detailsOf(f.body)
	obs.Card, obs.ThreeDS, obs.AVS, obs.CVV = shown.card(), shown.threeDS(), shown.text("avsResultRaw"), shown.text("cvvResultRaw")
	return providers.Outcome{Kind: providers.Observed, Observation: obs}
}

// providerID is Antom's id of the payment, once known.
func (f *facts) providerID() string {
	if stated := idText(f.body.Get("paymentId")); usableID(stated) {
		return stated
	}
	return f.payment.Reference[paymentID]
}

// checkAmount reads what the payment was made for and holds it against the initiated event. Exempt are authorisations that
// Antom itself shows as raised, and card verifications.
func (p *provider) checkAmount(f *facts) *providers.Outcome {
	var ok bool
	if f.stated, ok = readAmount(f.body.Get("paymentAmount")); !ok {
		o := providers.Failure(providers.Unreadable, providers.CodeUnreadableAmount, "the payment's amount is no whole number of minor units with a currency")
		return &o
	}
	ours := f.payment.Amount
	switch {
	case f.stated == nil || ours == nil:
		return nil
	case f.stated.Currency != ours.Currency:
		o := providers.Failure(providers.Mismatch, providers.CodeOtherCurrency, "the payment was made in another currency")
		return &o
	case f.stated.Value == ours.Value || f.raised() || f.verifies():
		return nil
	case p.settings.AcceptOtherAmount:
		f.anomalies = append(f.anomalies, schemas.AmountDiffers)
		return nil
	default:
		o := providers.Failure(providers.Mismatch, providers.CodeOtherAmount, "the payment was made for another amount")
		return &o
	}
}

// raised reports whether the answer itself shows that the authorisation was changed.
func (f *facts) raised() bool {
	return f.rows.raises.succeeded > 0 || word(f.body.Get("notifyType")) == notifyUpdateAmount
}

// amounts are the sums that the answer states.
func (f *facts) amounts(status schemas.Status, success bool) schemas.Amounts {
	a := schemas.Amounts{Requested: money(f.requested())}
	if status == schemas.Unknown {
		return a
	}
	switch {
	case !success || status == schemas.Verified:
	case f.authorizes():
		a.Authorized = money(f.stated)
	case status != schemas.Voided:
		a.Captured = money(f.stated)
	}
	if captured := f.rows.captures.total.amount(); captured != nil {
		a.Captured = money(captured)
	}
	if refunded := f.rows.refunds.total.amount(); refunded != nil {
		a.Refunded = money(refunded)
	}
	if f.movedSum && status == schemas.Captured {
		a.Captured = money(f.moved)
	}
	if f.movedSum && status == schemas.Refunded {
		a.Refunded = money(f.moved)
	}
	return a
}
