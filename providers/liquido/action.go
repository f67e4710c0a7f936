package liquido

import (
	"slices"
	"strings"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// detailNames are the objects of transferDetails that belong to a payment method where they are not called as the method is.
var detailNames = map[string][]string{
	"CREDITCARD": {"card"}, "DEBITCARD": {"card"},
	"PIXSTATICQR": {"pix"}, "PIXDYNAMICQR": {"pix"},
	"PSE":                   {"pse", "psePay"},
	"CASH":                  {"cashPay", "bancolombiaCashCollection"},
	"BANCOLOMBIACOLLECTION": {"cashPay", "bancolombiaCashCollection"},
}

// actions are what a payer can be given to act on: each a set of fields that must all be there. A redirectUrl is not among
// them: it is the merchant's own, to which the payer comes back.
var actions = [][][]string{
	{{"card3dsInfo", "threeDsRedirectUrl"}},
	{{"paymentUrl"}},
	{{"qrCode"}},
	{{"digitalLine"}},
	{{"barcode"}},
	{{"referenceNumber"}},
	{{"paymentCode"}},
	{{"businessAgreementCode"}, {"paymentIntentionIdentifier"}},
	{{"bankAccountInfo", "bankAccountNumber"}},
	{{"clabeAccountNumber"}},
}

// actionable reports whether the answer holds something for the payer to do, among the details of the payment's own method:
// an answer may carry those of other methods, too.
func (c *charge) actionable() bool {
	for detail := range c.body.Get("transferDetails").Members() {
		if c.ownDetail(detail.Name()) && slices.ContainsFunc(actions, func(fields [][]string) bool { return allFilled(detail, fields) }) {
			return true
		}
	}
	return false
}

// ownDetail reports whether the object of that name in transferDetails belongs to the payment's method.
func (c *charge) ownDetail(name string) bool {
	method := strings.ReplaceAll(c.method, "_", "")
	if names, listed := detailNames[method]; listed {
		return slices.Contains(names, name)
	}
	return strings.EqualFold(method, name)
}

func allFilled(detail exactjson.Value, fields [][]string) bool {
	return !slices.ContainsFunc(fields, func(path []string) bool {
		field := detail.Get(path...)
		return field.Kind() == exactjson.Bool || strings.TrimSpace(field.Text()) == ""
	})
}
