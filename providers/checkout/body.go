package checkout

import (
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// body is what an object of the API says about one payment: the answer to a query, a row of a list, the reply to the create
// call, or the data of a notification. What it does not say is empty or missing.
type body struct {
	id        string // of whatever the object is; of a dispute event the dispute's
	paymentID string // of events about something else, the payment's
	sessionID string
	reference string
	currency  string

	status, approved        exactjson.Value
	amount, amountRequested exactjson.Value
	responseCode, summary   string
	eci                     string
	requestedOn             string
	processedOn             string
	redirect                bool // there is a link for the customer to follow

	threeDS, source, balances, actions exactjson.Value
}

// bodyOf reads an object's own members.
func bodyOf(object exactjson.Value) *body {
	b := &body{}
	var disputed string // the payment's reference in a dispute event
	for m := range object.Members() {
		switch m.Name() {
		case "id":
			b.id = m.Str()
		case "payment_id":
			b.paymentID = m.Str()
		case "session_id":
			b.sessionID = m.Str()
		case "reference":
			b.reference = m.Str()
		case "payment_reference":
			disputed = m.Str()
		case "currency":
			b.currency = m.Str()
		case "status":
			b.status = m
		case "approved":
			b.approved = m
		case "amount":
			b.amount = m
		case "amount_requested":
			b.amountRequested = m
		case "response_code":
			b.responseCode = m.Text()
		case "response_summary":
			b.summary = m.Str()
		case "eci":
			b.eci = m.Str()
		case "requested_on":
			b.requestedOn = m.Str()
		case "processed_on":
			b.processedOn = m.Str()
		case "_links":
			b.redirect = m.Get("redirect", "href").Str() != ""
		case "3ds":
			b.threeDS = m
		case "source":
			b.source = m
		case "balances":
			b.balances = m
		case "actions":
			b.actions = m
		}
	}
	if disputed != "" {
		b.reference = disputed
	}
	return b
}

// isPayment reports whether the object looks like a payment at all.
func (b *body) isPayment() bool {
	if b.id != "" && !strings.HasPrefix(b.id, "pay_") {
		return false
	}
	return b.id != "" || b.reference != "" || b.status.Kind() != exactjson.Missing
}

// asksCustomer reports whether there is something for the customer to do: a link to follow, a challenge, an authentication
// of an enrolled card that has no result yet.
func (b *body) asksCustomer() bool {
	response := b.threeDS.Get("authentication_response").Str()
	return b.redirect || response == "C" || b.threeDS.Get("enrolled").Str() == "Y" && response == ""
}

// providerStatus are the words as sent.
func (b *body) providerStatus() map[string]any {
	words := map[string]any{}
	if text := b.status.Text(); b.status.Present() && text != "" {
		words["status"] = text
	}
	if approved, ok := b.approved.Bool(); ok && b.approved.Kind() == exactjson.Bool {
		words["approved"] = approved
	} else if text := b.approved.Text(); b.approved.Present() && text != "" {
		words["approved"] = text
	}
	return words
}

func (b *body) threeDSecure() *schemas.ThreeDS {
	t := schemas.ThreeDS{
		Version: b.threeDS.Get("version").Str(), Enrolled: b.threeDS.Get("enrolled").Str(),
		Authentication: b.threeDS.Get("authentication_response").Str(), ECI: b.eci, CAVV: b.threeDS.Get("cryptogram").Str(),
		XID: b.threeDS.Get("xid").Str(),
	}
	if t.ECI == "" {
		t.ECI = b.threeDS.Get("eci").Str()
	}
	if challenged, ok := b.threeDS.Get("challenged").Bool(); ok {
		t.Challenged = &challenged
	}
	if t == (schemas.ThreeDS{}) {
		return nil
	}
	return &t
}

// card describes the source if it is a card. Notifications write last_4 where the API writes last4.
func (b *body) card() *schemas.Card {
	c := schemas.Card{
		Brand: b.source.Get("scheme").Str(), BIN: b.source.Get("bin").Str(), Last4: b.source.Get("last4").Str(),
		Funding: b.source.Get("card_type").Str(), Issuer: b.source.Get("issuer").Str(), Country: b.source.Get("issuer_country").Str(),
		Expiry: expiry(b.source),
	}
	if c.Last4 == "" {
		c.Last4 = b.source.Get("last_4").Str()
	}
	if c.Brand == "" && c.BIN == "" && c.Last4 == "" {
		return nil
	}
	c.Token = b.source.Get("id").Str()
	return &c
}

func expiry(source exactjson.Value) string {
	year, yearOK := source.Get("expiry_year").Int64()
	month, monthOK := source.Get("expiry_month").Int64()
	if !yearOK || !monthOK || year < 1000 || year > 9999 || month < 1 || month > 12 {
		return ""
	}
	return time.Date(int(year), time.Month(month), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

// timeOf reads a time of the API: RFC 3339 with up to seven fractional digits. What cannot be read is the zero time.
func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
