package liquido

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/paystatus/paystatus/schemas"
)

// vocabulary finds the category of a refusal in the provider's words: the first group of which a phrase stands in the text as
// whole words. Liquido publishes no list of its codes. Technical comes first, so that a rate limit is not the payer's
// limit and a lost connection not a lost card.
var vocabulary = []struct {
	category schemas.ReasonCategory
	phrases  []string
}{
	{schemas.CategoryTechnical, []string{
		"rate limit", "too many requests", "connection", "timeout", "timed out", "time out", "unavailable", "internal error", "system error",
		"server error", "network error", "processing error", "technical", "maintenance",
	}},
	{schemas.CategoryFunds, []string{"insufficient", "not enough", "limit", "insuficiente", "insuficientes"}},
	{schemas.CategoryRisk, []string{"fraud", "fraudulent", "fraude", "risk", "stolen", "lost", "suspected", "suspicious", "blacklisted"}},
	{schemas.CategoryAuthentication, []string{"authentication", "3ds", "3d secure"}},
	{schemas.CategoryIssuer, []string{
		"declined", "decline", "declines", "rejected", "reject", "rejects", "rejection", "refused", "refuse", "refuses", "refusal", "issuer",
		"do not honor", "do not honour", "expired card", "card expired", "card has expired", "cvv", "cvc", "security code", "recusada", "recusado",
		"rechazada", "rechazado",
	}},
	{schemas.CategoryCustomer, []string{"abandoned", "cancelled by user", "canceled by user", "cancelled by customer", "canceled by customer"}},
	{schemas.CategoryExpired, []string{"expired", "expirado", "expirada"}},
}

// categoryOf finds the category in a text, "" where none of the phrases is in it.
func categoryOf(text string) schemas.ReasonCategory {
	words := " " + strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
	for _, group := range vocabulary {
		if slices.ContainsFunc(group.phrases, func(phrase string) bool { return strings.Contains(words, " "+phrase+" ") }) {
			return group.category
		}
	}
	return ""
}

// refused reports whether the words of a failure, or failing them its code, say that issuer, risk or authentication refused
// a card: the four-digit codes from 2000 on are those that Liquido's card pages speak of.
func (c *charge) refused() bool {
	switch categoryOf(c.message) { //nolint:exhaustive // every other category is no refusal
	case schemas.CategoryIssuer, schemas.CategoryFunds, schemas.CategoryRisk, schemas.CategoryAuthentication:
		return true
	case "":
		return c.codeStated && c.code >= 2000 && c.code <= 2999
	}
	return false
}

// reason explains a negative status, a refund that failed or a chargeback; nil where the answer says nothing about it.
func (c *charge) reason(status schemas.Status) *schemas.Reason {
	switch {
	case status == schemas.ChargedBack:
		info := c.body.Get("transferDetails", "card", "chargebackInfo")
		return c.explain(info.Get("reasonCode").Text(), info.Get("reasonMessage").Str(), info.Get("category").Str())
	case status.Negative(), status == schemas.RefundFailed:
		code := ""
		if !c.codeStated || c.code != codeGood {
			code = c.body.Get("transferStatusCode").Text()
		}
		return c.explain(code, c.message, "")
	}
	return nil
}

func (c *charge) explain(code, message, kind string) *schemas.Reason {
	if code == "" && message == "" {
		return nil
	}
	if code == "" {
		code = cmp.Or(c.body.Get("transferStatusCode").Text(), c.word)
	}
	category := categoryOf(kind + " " + message)
	if category == "" {
		category = schemas.CategoryOther
	}
	return &schemas.Reason{Code: code, Message: message, Category: category}
}
