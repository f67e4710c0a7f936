package checkout

import (
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// sessionLife is how long a session id can be asked by.
const sessionLife = 15 * time.Minute

// Read says what an answer means for a payment.
func (c *provider) Read(a providers.Answer, p providers.Payment) providers.Outcome {
	switch {
	case len(a.Pages) == 0 && a.Fault != nil:
		return *a.Fault
	case len(a.Pages) == 0:
		return providers.Failure(providers.Unreadable, providers.CodeEmpty, "there is no answer")
	case a.From == schemas.SourceNotification:
		return c.readNotification(a.Last(), p)
	case a.From == schemas.SourceInitiation:
		return c.readInitiation(a.Last(), p)
	default:
		o := c.readQuery(a, p)
		o.PayableAgain = o.Kind == providers.NotFound && p.Reference[refReference] != "" && p.Reference[refPayment] == "" && p.Reference[refSession] == ""
		return o
	}
}

// readQuery reads the first page that is about a payment; pages before it say that there is none by that id. A list takes
// all of its pages.
func (c *provider) readQuery(a providers.Answer, p providers.Payment) providers.Outcome {
	var o providers.Outcome
	for i, page := range a.Pages {
		if page.Request == requestList {
			return c.readList(a, i, p)
		}
		var readable bool
		if o, readable = providers.ReadHTTP(page); readable {
			root, unreadable := providers.ParseBody(page.Body)
			switch {
			case unreadable != nil:
				o = *unreadable
			case page.Request == "" && root.Get("data").Kind() == exactjson.Array:
				return c.readList(a, i, p)
			default:
				b := bodyOf(root)
				o = c.readPayment(b, p)
				o.MerchantReference = c.paymentID.Find(root, b.reference)
			}
		}
		o.Page = i
		if o.Kind == providers.Observed && page.Request == requestSession {
			o.Learned = schemas.Reference{refPayment: o.Observation.ProviderPaymentID}
		}
		if o.Kind != providers.NotFound {
			return o
		}
	}
	if a.Fault != nil {
		o = *a.Fault
		o.Page = -1
		return o
	}
	if late(a.Last(), p) {
		o.Code, o.Message = providers.CodeReferenceExpired, "a session id can be asked by for 15 minutes, and nothing else is known of the payment"
	}
	return o
}

// late reports whether a payment of which only a session id is known was asked for after the session's life.
func late(page providers.Page, p providers.Payment) bool {
	return p.Known() && p.Reference[refSession] != "" && p.Reference[refPayment] == "" && p.Reference[refReference] == "" &&
		page.ReceivedAt.After(p.InitiatedAt.Add(sessionLife))
}

// readPayment reads the answer about one payment that was asked for by id.
func (c *provider) readPayment(b *body, p providers.Payment) providers.Outcome {
	if !b.isPayment() {
		return notAPayment()
	}
	if p.Known() {
		ours := b.id != "" && (p.Reference[refPayment] != "" || p.Reference[refSession] != "") || b.reference != "" && p.Reference[refReference] != ""
		if !ours {
			return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer names no payment that was asked for")
		}
	}
	again := p.Known() && p.Reference[refPayment] == "" && p.Reference[refSession] == ""
	return c.outcome(b, statusOf(b, p), p, again)
}

// readInitiation reads the reply to the call that made the payment. It may hold nothing but a new id.
func (c *provider) readInitiation(page providers.Page, p providers.Payment) providers.Outcome {
	o, readable := providers.ReadHTTP(page)
	refused := page.HTTPStatus >= 400 && page.HTTPStatus < 500
	if !readable && !refused {
		return o
	}
	root, unreadable := providers.ParseBody(page.Body)
	if unreadable != nil && !refused {
		return *unreadable
	}
	b := bodyOf(root)
	switch {
	case refused && (!paymentID.MatchString(b.id) || !b.status.Present()):
		if o.Code == providers.CodeNotFound {
			o.Code = providers.CodeBadRequest
		}
		return providers.Failure(providers.Refused, o.Code, "the call that makes the payment was refused, which says nothing of an earlier call")
	case !b.isPayment():
		return notAPayment()
	}
	o = c.outcome(b, statusOf(b, p), p, p.Known() && p.Reference[refPayment] == "" && b.id == "")
	if o.Observation != nil {
		o.Observation.OccurredAt = timeOf(b.processedOn)
	}
	return o
}

func notAPayment() providers.Outcome {
	return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer is no payment")
}

// outcome makes of a body and the row that decides about it a status of the payment, or says that it is about another.
// Again tells that the payment was found by nothing but a reference that a customer can pay again under.
func (c *provider) outcome(b *body, r row, p providers.Payment, again bool) providers.Outcome {
	differs, failure := c.compare(b, r, p)
	if failure != nil {
		return *failure
	}
	sums := b.amountsOf(p, r.amount)
	o := &providers.Observation{
		Status: r.status, Final: r.status.Final(), PayableAgain: again && r.status.Negative(),
		ProviderStatus: b.providerStatus(), Amounts: sums.Amounts, Reason: b.reason(r.status),
		ThreeDS: b.threeDSecure(), AVS: b.source.Get("avs_check").Str(), CVV: b.source.Get("cvv_check").Str(), Card: b.card(),
		OccurredAt: b.occurredAt(r.status),
	}
	if paymentID.MatchString(b.id) {
		o.ProviderPaymentID = b.id
	} else if p.Known() {
		o.ProviderPaymentID = p.Reference[refPayment]
	}
	if r.anomaly != "" {
		o.Anomalies = append(o.Anomalies, r.anomaly)
	}
	if differs {
		o.Anomalies = append(o.Anomalies, schemas.AmountDiffers)
	}
	o.Anomalies = append(o.Anomalies, sums.anomalies...)
	return providers.Outcome{Kind: providers.Observed, Observation: o}
}

// compare holds a body against what is known of the payment. Differs tells of another amount that the configuration accepts.
func (c *provider) compare(b *body, r row, p providers.Payment) (differs bool, failure *providers.Outcome) {
	fail := func(kind providers.Kind, code, message string) (bool, *providers.Outcome) {
		o := providers.Failure(kind, code, message)
		return false, &o
	}
	if p.Known() {
		switch {
		case other(b.id, p.Reference[refPayment]):
			return fail(providers.Mismatch, providers.CodeOtherPayment, "the answer names another payment id")
		case other(b.reference, p.Reference[refReference]):
			return fail(providers.Mismatch, providers.CodeOtherPayment, "the answer names another reference")
		case r.amount != ofOther && other(b.currency, p.Amount.Currency):
			return fail(providers.Mismatch, providers.CodeOtherCurrency, "the answer names another currency")
		}
	}
	stated := b.madeFor()
	if r.amount == ofPart || r.amount == ofOther {
		stated = b.amount
	}
	value, readable := minor(stated)
	switch {
	case !stated.Present() || r.amount == ofOther:
		return false, nil
	case !readable && r.amount == ofPart:
		return false, nil // a sum beside the payment's own
	case !readable:
		return fail(providers.Unreadable, providers.CodeUnreadableAmount, "the payment's amount cannot be read")
	case !p.Known() || value == p.Amount.Value || b.raised():
		return false, nil
	case r.amount == ofPart && value < p.Amount.Value, r.amount == ofVerification && value == 0:
		return false, nil
	case c.settings.AcceptOtherAmount:
		return true, nil
	default:
		return fail(providers.Mismatch, providers.CodeOtherAmount, "the answer is about another amount")
	}
}

func other(stated, known string) bool { return stated != "" && known != "" && stated != known }
