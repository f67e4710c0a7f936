package checkout

import (
	"net/http"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// readNotification reads the body of a webhook: {"id": "evt_…", "type": "payment_captured", "data": {…}}. Its data has no
// status; the type says what happened.
func (c *provider) readNotification(page providers.Page, p providers.Payment) providers.Outcome {
	page.HTTPStatus = http.StatusOK // it was received, not asked for
	if o, readable := providers.ReadHTTP(page); !readable {
		return o
	}
	root, unreadable := providers.ParseBody(page.Body)
	if unreadable != nil {
		return *unreadable
	}
	kind := root.Get("type")
	if strings.TrimSpace(kind.Str()) == "" {
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the notification names no type")
	}
	b := bodyOf(root.Get("data"))
	o := c.readEvent(root, b, p)
	o.About = b.about()
	o.MerchantReference = c.paymentID.Find(root.Get("data"), b.reference)
	return o
}

func (c *provider) readEvent(root exactjson.Value, b *body, p providers.Payment) providers.Outcome {
	kind := root.Get("type").Str()
	r, known := events.pick(kind, b, p)
	switch {
	case !known && slices.Contains(ignoredTypes, folded(kind)):
		return providers.Failure(providers.NoStatus, providers.CodeIgnoredType, "a notification of this type changes nothing about the payment")
	case !known:
		return providers.Failure(providers.NoStatus, providers.CodeUnknownType, "no notification of this type is known")
	case root.Get("data").Kind() != exactjson.Object:
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the notification holds no data")
	case len(b.about()) == 0 && !p.Known():
		return providers.Failure(providers.NoStatus, providers.CodeUnexpectedContent, "the notification does not say which payment it is about")
	}
	dispute, unnamed := b.dispute(r, root)
	about := b.about()
	sameSession := about[refSession] != "" && about[refSession] == p.Reference[refSession]
	if p.Known() && other(about[refSession], p.Reference[refSession]) {
		return providers.Failure(providers.Mismatch, providers.CodeOtherPayment, "the notification names another session id")
	}
	b.id = about[refPayment] // from here on the payment's
	o := c.outcome(b, r, p, p.Known() && p.Reference[refPayment] == "" && !sameSession)
	if o.Kind != providers.Observed {
		return o
	}
	observation := o.Observation
	observation.ProviderStatus = map[string]any{"type": kind}
	observation.Dispute, observation.DisputeUnnamed = dispute, unnamed
	if observation.OccurredAt = timeOf(b.processedOn); observation.OccurredAt.IsZero() {
		observation.OccurredAt = timeOf(root.Get("timestamp").Str())
	}
	if observation.OccurredAt.IsZero() {
		observation.OccurredAt = timeOf(root.Get("created_on").Str())
	}
	state(observation, b, r, p)
	return o
}

// state adds the sum that a notification about the whole payment states by its amount; without a payment a part cannot be told
// from the whole. One about a part of which the balances do not tell the total only asks.
func state(o *providers.Observation, b *body, r row, p providers.Payment) {
	var sum **schemas.Money
	switch r.states {
	case sumAuthorized:
		sum = &o.Amounts.Authorized
	case sumCaptured:
		sum = &o.Amounts.Captured
	case sumRefunded:
		sum = &o.Amounts.Refunded
	case noSum:
	}
	value, readable := minor(b.amount)
	if r.amount == ofPart && b.amount.Present() && !readable && !slices.Contains(o.Anomalies, schemas.UnreadableAmount) {
		o.Anomalies = append(o.Anomalies, schemas.UnreadableAmount)
	}
	if sum == nil || *sum != nil {
		o.Partial = r.part && sum == nil
		return
	}
	o.Partial = r.part
	if !r.part && readable && (r.amount == ofPayment || p.Known()) {
		*sum = money(value, b.currency)
	}
}

// about are the identifiers of the payment that a notification's data state. Ids of other forms are not taken.
func (b *body) about() schemas.Reference {
	about := schemas.Reference{}
	for _, id := range []string{b.id, b.paymentID} {
		if paymentID.MatchString(id) {
			about[refPayment] = id
		}
	}
	if id := b.session(); id != "" {
		about[refSession] = id
	}
	if b.reference != "" {
		about[refReference] = b.reference
	}
	return about
}

// session is the 3-D Secure session that a notification's data name, or "".
func (b *body) session() string {
	for _, id := range []string{b.sessionID, b.threeDS.Get("authentication_id").Str()} {
		if sessionID.MatchString(id) {
			return id
		}
	}
	return ""
}

// dispute is what a notification says about one. Older ones do not name it; there the event's own id stands for it.
func (b *body) dispute(r row, root exactjson.Value) (says *schemas.Dispute, unnamed bool) {
	switch {
	case r.dispute == "":
		return nil, false
	case strings.HasPrefix(b.id, "dsp_"):
		return &schemas.Dispute{ID: b.id, Outcome: r.dispute}, false
	default:
		return &schemas.Dispute{ID: root.Get("id").Str(), Outcome: r.dispute}, true
	}
}
