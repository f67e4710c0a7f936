package antom

import (
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// cardMethods are the methods whose SUCCESS is an authorisation, as answers and initiated events name them, without
// anything but letters.
var cardMethods = map[string]bool{"CARD": true, "CREDITCARD": true, "DEBITCARD": true, "APPLEPAY": true, "GOOGLEPAY": true}

// cardFields are the fields of paymentResultInfo that only a card payment has.
var cardFields = []string{
	"cardNo", "cardBrand", "cardToken", "cardBin", "lastFour", "expiryMonth", "expiryYear", "avsResultRaw", "cvvResultRaw",
	"networkTransactionId", "threeDSResult",
}

// cardLike tells whether SUCCESS says no more than authorised: for card methods, and for what shows signs of an
// authorisation. A payment whose method nobody names but which is captured by hand is one, too.
func cardLike(body exactjson.Value, p providers.Payment) bool {
	method := letters(body.Get("paymentMethodType").Str())
	if method == "" {
		method = letters(p.Method)
	}
	if cardMethods[method] || method == "" && p.Capture == schemas.CaptureManual {
		return true
	}
	if filled(body.Get("authExpiryTime")) || filled(body.Get("cardInfo")) {
		return true
	}
	for _, name := range cardFields {
		if filled(body.Get("paymentResultInfo", name)) {
			return true
		}
	}
	return false
}

func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(text))
}

// filled reports whether something is stated: empty texts, however deep, are not.
func filled(v exactjson.Value) bool {
	for m := range v.Members() {
		if filled(m) {
			return true
		}
	}
	for item := range v.Items() {
		if filled(item) {
			return true
		}
	}
	return strings.TrimSpace(v.Text()) != ""
}

// details reads what an answer says about a card, from paymentResultInfo and, where that is empty, from cardInfo.
type details struct{ first, second exactjson.Value }

func detailsOf(body exactjson.Value) details {
	return details{body.Get("paymentResultInfo"), body.Get("cardInfo")}
}

// text is the first that is not empty.
func (d details) text(path ...string) string {
	if text := strings.TrimSpace(d.first.Get(path...).Text()); text != "" {
		return text
	}
	return strings.TrimSpace(d.second.Get(path...).Text())
}

func (d details) card() *schemas.Card {
	number := d.text("cardNo")
	card := schemas.Card{
		Brand: d.text("cardBrand"), BIN: firstOf(d.text("cardBin"), leadingDigits(number)), Last4: firstOf(d.text("lastFour"), trailingDigits(number)),
		Funding: d.text("funding"), Issuer: d.text("issuerName"), Country: d.text("issuingCountry"), Region: d.text("paymentMethodRegion"),
		Expiry: expiry(d.text("expiryYear"), d.text("expiryMonth")), Token: d.text("cardToken"),
	}
	if card == (schemas.Card{}) {
		return nil
	}
	return &card
}

// threeDS reads the result of 3-D Secure. The documentation writes both cavv and caav for the same thing.
func (d details) threeDS() *schemas.ThreeDS {
	result := func(name string) string { return d.text("threeDSResult", name) }
	t := schemas.ThreeDS{
		Version: result("threeDSVersion"), ECI: result("eci"), CAVV: firstOf(result("cavv"), result("caav")),
		XID: firstOf(result("dsTransactionId"), result("xid")),
	}
	for _, v := range []exactjson.Value{d.first, d.second} {
		if challenged, ok := v.Get("threeDSResult", "challenged").Bool(); ok && t.Challenged == nil {
			t.Challenged = &challenged
		}
	}
	if t == (schemas.ThreeDS{}) {
		return nil
	}
	return &t
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// leadingDigits is the BIN of a card number, which is usually masked after it: six digits.
func leadingDigits(number string) string {
	if len(number) < 6 || !allIn(number[:6], '0', '9') {
		return ""
	}
	return number[:6]
}

// trailingDigits is the end of a card number that stays readable: four digits.
func trailingDigits(number string) string {
	if len(number) < 10 || !allIn(number[len(number)-4:], '0', '9') {
		return ""
	}
	return number[len(number)-4:]
}

// expiry makes "2025-02" of "25" (or "2025") and "02" (or "2").
func expiry(year, month string) string {
	if len(year) == 2 {
		year = "20" + year
	}
	if len(month) == 1 {
		month = "0" + month
	}
	if len(year) != 4 || !allIn(year, '0', '9') || month < "01" || month > "12" || len(month) != 2 || !allIn(month, '0', '9') {
		return ""
	}
	return year + "-" + month
}
