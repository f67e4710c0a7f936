package worldpay

import (
	"cmp"
	"slices"
	"time"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// reader reads answers about one payment.
type reader struct {
	payment           providers.Payment
	settledEvents     bool
	acceptOtherAmount bool
	ids               providers.Paths // to the merchant's payment_id
}

// origin says how an object that tells of a payment came to us, which decides what it must state.
type origin uint8

const (
	byLink  origin = iota // the answer to the payment's own link or to the recovery query: about the payment asked for
	byQuery               // Payment Queries, which states whom it is about
	byReply               // the reply to our own create call
	byFile                // of unknown origin
)

// paymentNames are the names by which an object is recognised as one of Worldpay's about a payment.
var paymentNames = []string{"lastEvent", "outcome", "_links", "_actions", "paymentId", "transactionReference", "value", "events"}

func recognised(v exactjson.Value) bool {
	for m := range v.Members() {
		if slices.Contains(paymentNames, m.Name()) {
			return true
		}
	}
	return false
}

// identify compares the identifiers that an answer states with those of the initiated events. Ours is true where it states
// one of ours, other where it states only ones that are new to us. The entity is the merchant's: it can contradict but not
// identify.
func (r reader) identify(paymentID, reference, entity string) (ours, other bool, mismatch *providers.Outcome) {
	known := r.payment.Reference
	for _, id := range []struct{ stated, known, what string }{
		{paymentID, known[refPaymentID], "payment id"},
		{reference, known[refTransactionReference], "transaction reference"},
	} {
		switch {
		case id.stated == "":
		case id.known == "":
			other = true
		case id.stated != id.known:
			o := providers.Failure(providers.Mismatch, providers.CodeOtherPayment, "the answer names another "+id.what)
			return false, false, &o
		default:
			ours = true
		}
	}
	if entity != "" && known[refEntity] != "" && entity != known[refEntity] {
		o := providers.Failure(providers.Mismatch, providers.CodeOtherAccount, "the answer names another merchant entity")
		return false, false, &o
	}
	return ours, other && !ours, nil
}

// readMoney reads an amount. Worldpay's queries and webhooks name its two parts differently. Ok is false where there is one
// that cannot be read.
func readMoney(v exactjson.Value, amount, currency string) (m *schemas.Money, ok bool) {
	if !v.Present() {
		return nil, true
	}
	n, integer := v.Get(amount).Int64()
	code := v.Get(currency).Str()
	if !integer || n < 0 || code == "" {
		return nil, false
	}
	return money(n, code), true
}

// money counts as Worldpay does: by ISO 4217, and by its documented exponent of 2 where that does not know the currency.
func money(value int64, currency string) *schemas.Money {
	exponent, known := schemas.Exponent(currency)
	if !known {
		exponent = 2
	}
	return &schemas.Money{Value: value, Currency: currency, Exponent: exponent}
}

// compare holds the amount that an answer says the payment was made for against the initiated event's.
func (r reader) compare(m *schemas.Money) (anomaly schemas.Anomaly, mismatch *providers.Outcome) {
	switch known := r.payment.Amount; {
	case m == nil || known == nil:
	case m.Currency != known.Currency:
		o := providers.Failure(providers.Mismatch, providers.CodeOtherCurrency, "the payment was made in another currency than the initiated event names")
		return "", &o
	case m.Value == known.Value || known.Value == 0: // a card verification has no amount
	case r.acceptOtherAmount:
		return schemas.AmountDiffers, nil
	default:
		o := providers.Failure(providers.Mismatch, providers.CodeOtherAmount, "the payment was made for another amount than the initiated event names")
		return "", &o
	}
	return "", nil
}

// requested is the sum that the payment was made for: the provider's where it states one, else the event's.
func (r reader) requested(stated *schemas.Money) *schemas.Money {
	if stated == nil && r.payment.Amount != nil {
		return money(r.payment.Amount.Value, r.payment.Amount.Currency)
	}
	return stated
}

// object reads one object about a payment. The meaning says what its word was taken for.
func (r reader) object(v exactjson.Value, from origin) (providers.Outcome, meaning) {
	if !recognised(v) {
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer holds nothing that Worldpay says about payments"),
			meaning{}
	}
	paymentID, reference := v.Get("paymentId").Str(), v.Get("transactionReference").Str()
	ours, other, mismatch := r.identify(paymentID, reference, v.Get("entity").Str())
	switch {
	case mismatch != nil:
		return *mismatch, meaning{}
	case !r.payment.Known() || ours:
	case from == byQuery, from == byFile && other && r.payment.Reference[refEventsLink] == "":
		return providers.Failure(providers.Unreadable, providers.CodeUnexpectedContent, "the answer names none of the payment's identifiers"), meaning{}
	}
	word := v.Get("lastEvent")
	if from == byReply && v.Get("outcome").Kind() != exactjson.Missing {
		word = v.Get("outcome")
	}
	value, readable := readMoney(v.Get("value"), "amount", "currency")
	if !readable {
		return providers.Failure(providers.Unreadable, providers.CodeUnreadableAmount, "the payment's amount cannot be read"), meaning{}
	}
	events := readHistory(v.Get("events"), word.Text())
	entry, m := mean(word.Text(), situate(v, events, value))

	obs := r.observe(word, m)
	obs.ProviderPaymentID = paymentID
	if paymentID == "" {
		obs.ProviderPaymentID = r.payment.Reference[refPaymentID]
	}
	if paymentID == "" && reference == "" && !whollyAbout(m) {
		value = nil // Card Payments states no amount; one beside a partial status may be that of the part
	}
	if mismatch := r.amounts(obs, v, value); mismatch != nil {
		return *mismatch, m
	}
	if reference != "" && value != nil && m.status.Success() && m.anomaly != schemas.PartialCancellation {
		obs.Amounts.Authorized = value
	}
	if m.dispute != "" {
		id := cmp.Or(obs.ProviderPaymentID, reference, r.payment.Reference[refTransactionReference], r.payment.ID)
		if !events.lastAt.IsZero() {
			id += "@" + events.lastAt.UTC().Format(time.RFC3339Nano)
		}
		obs.Dispute, obs.DisputeUnnamed = &schemas.Dispute{ID: id, Outcome: m.dispute}, true
	}
	obs.Reason = explain(obs.Status, entry, word.Text(), refusals(v, events)...)
	obs.Card, obs.AVS, obs.CVV = readCard(v.Get("paymentInstrument")), risk(v, "avs"), risk(v, "cvc")
	if !m.earlier {
		obs.OccurredAt = events.lastAt
	}
	return providers.Outcome{Kind: providers.Observed, Observation: obs}, m
}

// situate gathers what an object shows besides its word.
func situate(v exactjson.Value, events history, value *schemas.Money) situation {
	s := situation{history: events.there, authorized: events.authorized, sold: events.sold}
	var authorised int64
	if value != nil {
		authorised = value.Value
	}
	s.settled = events.settled(authorised)
	for _, links := range []string{"_links", "_actions"} {
		for l := range v.Get(links).Members() {
			if href(l) == "" {
				continue
			}
			switch relation(l.Name()) {
			case "settle", "partialSettle", "settlePayment", "partiallySettlePayment":
				s.settleOffered = true
			case "refund", "partialRefund", "refundPayment", "partiallyRefundPayment":
				s.refundOffered = true
			case "redirect":
				s.actionOffered = true
			}
		}
	}
	for _, name := range []string{"redirect", "challenge", "deviceDataCollection"} {
		action := v.Get(name)
		s.actionOffered = s.actionOffered || action.Str() != "" || action.Get("url").Str() != "" || href(action) != ""
	}
	return s
}

// observe begins an observation of a word that means m.
func (r reader) observe(word exactjson.Value, m meaning) *providers.Observation {
	obs := &providers.Observation{
		Status: m.status, Final: m.final(r.settledEvents),
		PayableAgain:   m.status.Negative() && r.onlyReference(),
		ProviderStatus: map[string]any{"last_event": said(word)},
	}
	if m.anomaly != "" {
		obs.Anomalies = append(obs.Anomalies, m.anomaly)
	}
	return obs
}

// onlyReference reports whether the initiated events gave nothing but a reference that a customer can pay again under.
func (r reader) onlyReference() bool {
	return r.payment.Known() && r.payment.Reference[refEventsLink] == "" && r.payment.Reference[refPaymentID] == ""
}

// said keeps the provider's word as it came; nil where there is none.
func said(word exactjson.Value) any {
	if word.Kind() <= exactjson.Null {
		return nil
	}
	return word.Text()
}

// whollyAbout says that a meaning is about the whole payment, so that an amount beside it is the payment's.
func whollyAbout(m meaning) bool {
	switch m.status {
	case schemas.PartiallyCaptured, schemas.PartiallyRefunded, schemas.RefundPending, schemas.RefundFailed:
		return false
	default:
		return m.anomaly != schemas.PartialCancellation
	}
}

// amounts fills in what the payment was made for, and holds it against the initiated event. A reply to a create call shows
// an authorisation of less than was asked for in an object of its own.
func (r reader) amounts(obs *providers.Observation, v exactjson.Value, value *schemas.Money) (mismatch *providers.Outcome) {
	if shown := v.Get("amounts"); shown.Present() {
		asked, okAsked := readMoney(shown, "requested", "currency")
		total, okTotal := readMoney(shown, "totalAuthorized", "currency")
		if !okTotal {
			obs.Anomalies = append(obs.Anomalies, schemas.UnreadableAmount)
		}
		obs.Amounts.Authorized = total
		if partial, _ := shown.Get("partialAuthorization").Bool(); partial {
			if total != nil && r.payment.Known() {
				_, mismatch = r.compare(&schemas.Money{Value: r.payment.Amount.Value, Currency: total.Currency}) // of the currency alone
			}
			obs.Amounts.Requested = r.requested(asked)
			return mismatch
		}
		if value == nil && okAsked {
			value = asked
		}
	}
	anomaly, mismatch := r.compare(value)
	if mismatch != nil {
		return mismatch
	}
	if anomaly != "" {
		obs.Anomalies = append(obs.Anomalies, anomaly)
	}
	obs.Amounts.Requested = r.requested(value)
	return nil
}
