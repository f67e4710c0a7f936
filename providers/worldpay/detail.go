package worldpay

import (
	"fmt"
	"strings"

	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// relation is the name of a link without the prefix that changed from payments: to cardPayments: with version 7.
func relation(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// refusal is where an answer may say why a payment was refused or failed.
type refusal struct{ code, message exactjson.Value }

// refusals are the places for it in an object about a payment, the best first.
func refusals(v exactjson.Value, events history) []refusal {
	return []refusal{
		{events.last.Get("code"), events.last.Get("description")},
		{events.last.Get("error", "name"), events.last.Get("error", "message")},
		{v.Get("refusalCode"), v.Get("refusalDescription")},
		{v.Get("refusal", "code"), v.Get("refusal", "description")},
	}
}

// explain is the reason of a refusal or failure: the provider's code where it gives one, else its word where that is a
// reason by itself.
func explain(status schemas.Status, e *entry, word string, places ...refusal) *schemas.Reason {
	if !status.Negative() && status != schemas.RefundFailed {
		return nil
	}
	for _, r := range places {
		if code := r.code.Text(); code != "" {
			return &schemas.Reason{Code: code, Message: r.message.Str(), Category: categorise(status, e, code)}
		}
	}
	if e.category == "" {
		return nil
	}
	return &schemas.Reason{Code: word, Category: e.category}
}

// Codes whose category is not that of their status. Numbers are the issuers' (ISO 8583), words those of Worldpay's errors.
var codeCategories = map[string]schemas.ReasonCategory{
	"51": schemas.CategoryFunds, "61": schemas.CategoryFunds,
	"4": schemas.CategoryRisk, "7": schemas.CategoryRisk, "34": schemas.CategoryRisk,
	"41": schemas.CategoryRisk, "43": schemas.CategoryRisk, "59": schemas.CategoryRisk,
	"65": schemas.CategoryAuthentication, // "Authentication Requested"
	"3":  schemas.CategoryMerchant,

	"transactionReferenceIsADuplicate": schemas.CategoryMerchant, "transactionHasAlreadyBeenProcessed": schemas.CategoryMerchant,
	"channelIsNotSupported": schemas.CategoryMerchant, "currencyIsNotSupported": schemas.CategoryMerchant,
	"paymentInstrumentIsNotSupported": schemas.CategoryMerchant, "fieldHasInvalidValue": schemas.CategoryMerchant,
	"fieldIsEmpty": schemas.CategoryMerchant, "entityIsNotConfigured": schemas.CategoryMerchant,
	"cardNumberIsNotRecognized": schemas.CategoryCustomer, "underlyingPaymentInstrumentHasExpired": schemas.CategoryCustomer,
}

func categorise(status schemas.Status, e *entry, code string) schemas.ReasonCategory {
	category, known := codeCategories[code]
	switch {
	case known:
		return category
	case e.category != "":
		return e.category
	case status == schemas.Declined, status == schemas.RefundFailed:
		return schemas.CategoryIssuer
	case status == schemas.Failed:
		return schemas.CategoryTechnical
	default:
		return schemas.CategoryOther
	}
}

// readCard reads a card: Payment Queries nests it, replies to create calls do not.
func readCard(instrument exactjson.Value) *schemas.Card {
	card := instrument
	if nested := instrument.Get("card"); nested.Present() {
		card = nested
	}
	first := func(paths ...[]string) string {
		for _, path := range paths {
			if text := card.Get(path...).Str(); text != "" {
				return text
			}
		}
		return ""
	}
	c := schemas.Card{
		Brand:   first([]string{"brand"}, []string{"cardBrand"}),
		BIN:     first([]string{"number", "cardBin"}, []string{"number", "bin"}, []string{"cardBin"}),
		Last4:   first([]string{"number", "last4Digits"}, []string{"lastFour"}),
		Funding: first([]string{"fundingType"}),
		Issuer:  first([]string{"issuerName"}),
	}
	if country := first([]string{"countryCode"}); country != "N/A" {
		c.Country = country
	}
	month, hasMonth := card.Get("expiryDate", "month").Int64()
	year, hasYear := card.Get("expiryDate", "year").Int64()
	if hasMonth && hasYear && month >= 1 && month <= 12 && year >= 1000 && year <= 9999 {
		c.Expiry = fmt.Sprintf("%04d-%02d", year, month)
	}
	if c == (schemas.Card{}) {
		return nil
	}
	return &c
}

// risk is what Worldpay says of a check, "notMatched" for example; "" where it says nothing, or says different things of the
// parts of an address.
func risk(v exactjson.Value, kind string) string {
	found := ""
	for factor := range v.Get("riskFactors").Items() {
		if factor.Get("type").Str() != kind {
			continue
		}
		said := factor.Get("risk").Str()
		if found != "" && found != said {
			return ""
		}
		found = said
	}
	return found
}
