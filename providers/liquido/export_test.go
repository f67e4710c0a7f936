package liquido

import (
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// DecidingRow is the row of the mapping that decides about an answer.
func DecidingRow(a providers.Answer, payment providers.Payment) (providers.Row, *providers.Outcome) {
	body, _, fault := parse(a.Last().Body)
	if fault != nil {
		return providers.Row{}, fault
	}
	event := ""
	if a.From == schemas.SourceNotification {
		event, body = upper(body.Get("eventType")), body.Get("data", "chargeDetails")
	}
	c, fault := new(Provider).readCharge(body, payment, event)
	if fault != nil {
		return providers.Row{}, fault
	}
	return c.decide().Row, nil
}

// QuoteLeadingZeros is the repair.
var QuoteLeadingZeros = quoteLeadingZeros
